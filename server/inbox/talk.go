package inbox

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/answers"
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/privacy"
	"github.com/pehchan/pehchan/tenants/whatsapp"
	"github.com/pehchan/pehchan/views/components"
	pages "github.com/pehchan/pehchan/views/inbox"
	"github.com/pehchan/pehchan/views/layout"
)

// TalkPage shows the conversation with one person. The id of one that was merged away leads to its survivor, for ever.
func (s *Pages) TalkPage(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	d, err := asked(c, id)
	if err != nil {
		return err
	}
	if err := s.sawTalk(c, id); err != nil {
		return err
	}

	return s.showTalk(c, fiber.StatusOK, d)
}

// showTalk shows a conversation, with what is to be written in it.
func (s *Pages) showTalk(c *fiber.Ctx, status int, d draft) error {
	p := pages.Talk{Frame: s.Frame(c, "talks.title"), MergedFrom: c.Query("merged") != "", Note: d.note, Assign: d.assign}
	survivor, to, err := s.fillTalk(c, d, &p)
	if err != nil {
		return err
	}
	if survivor != uuid.Nil {
		if web.SafeMethod(c.Method()) {
			return c.Redirect(web.InboxPath+"/"+survivor.String()+"?merged=1", fiber.StatusSeeOther)
		}
		d.thread = conversations.Thread{Contact: survivor}

		return s.showTalk(c, status, d)
	}
	if p.Composer != nil && to.Blocked == "" && (d.template != "" || !to.Open) {
		if err := s.pickTemplate(c, to, d, p.Composer); err != nil {
			return err
		}
	}
	if !web.SafeMethod(c.Method()) {
		p.Frame.Path = talkPath(d.thread.Contact)
	}

	return s.Show(c, status, pages.TalkPage(p))
}

func talkPath(contact uuid.UUID) string { return web.InboxPath + "/" + contact.String() }

// TalkLive is the part of a conversation that keeps itself up to date. It takes no message meant for the next page.
func (s *Pages) TalkLive(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	p := pages.Talk{Frame: layout.Frame{CSRF: s.FormToken(web.Member(c).FormScope())}}
	survivor, _, err := s.fillTalk(c, draft{thread: conversations.Thread{Contact: id}, reading: true}, &p)
	if err != nil {
		return err
	}
	if survivor != uuid.Nil {
		return c.Redirect(talkPath(survivor)+"/live", fiber.StatusSeeOther)
	}

	return s.Show(c, fiber.StatusOK, pages.TalkLive(p))
}

// fillTalk reads a conversation, which is then read, if its reader is one who answers, and where what they write would go. survivor
// is set where the contact is part of another one now.
func (s *Pages) fillTalk(c *fiber.Ctx, d draft, p *pages.Talk) (survivor uuid.UUID, to conversations.Recipient, err error) {
	ctx, m := c.UserContext(), web.Member(c)
	p.CanPass = m.Can("escalations:use")
	p.Now, p.Paged, p.CanAnswer, p.CanLog = time.Now(), c.Query("before") != "", m.Can("conversations:answer"), m.Can("answers:use")
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		e, err := web.EyesOf(ctx, tx, m)
		if err != nil {
			return err
		}
		contact, err := identity.Get(ctx, tx, d.thread.Contact)
		if err != nil {
			return err
		}
		if contact.ID != d.thread.Contact {
			survivor = contact.ID
			return nil
		}
		if d.reading {
			if err := privacy.Watches(ctx, tx, m.Actor, privacy.SawTalk, contact.ID); err != nil {
				return err
			}
		}
		p.Who, p.Frame.Title = e.Someone(contact), e.Label(ctx, contact)
		if err := fillLines(ctx, tx, e, contact, identity.Page{Limit: ThreadPageSize, Cursor: c.Query("before")}, p); err != nil {
			return err
		}
		if err := fillState(ctx, tx, c, e, contact.ID, p); err != nil || !p.CanAnswer || p.Paged || d.reading {
			return err
		}
		p.Composer, to, err = compose(ctx, tx, e, contact, d, talkPath(contact.ID))
		if errors.Is(err, tenants.ErrNotFound) && d.thread.Identity == uuid.Nil && d.thread.Number == uuid.Nil {
			return nil // they have no account, or the business has no number, so there is nobody to write to
		}
		if err == nil && to.Open && d.template == "" && m.Can("macros:read") {
			err = answers.TakeMacro(ctx, s.Site, tx, c, m, contact, p.Composer)
		}
		shared := slices.ContainsFunc(p.Lines, func(l pages.Line) bool {
			return l.Said != nil && l.Said.Asked != nil && l.Said.Asked.Outcome == conversations.AskShared
		})
		if err == nil && to.Kind != whatsapp.KindPhone && !to.PhoneFree && !shared && m.Can("queue:decide") {
			p.AskHref = ContactAskPath(contact.ID) + "?" + url.Values{"account": {to.Identity.String()}, "number": {to.Number.String()}}.Encode()
		}

		return err
	})

	return survivor, to, err
}

// fillLines puts what was said on the page, oldest first, and between it what colleagues wrote down.
func fillLines(ctx context.Context, tx *tenants.Tx, e web.Eyes, contact identity.Contact, page identity.Page, p *pages.Talk) error {
	entries, next, err := conversations.Entries(ctx, tx, contact, page)
	if err != nil {
		return err
	}
	ids := make([]uuid.UUID, len(entries))
	for i := range entries {
		ids[i] = entries[i].ID
	}
	ours, err := conversations.OutgoingOf(ctx, tx, ids)
	if err != nil {
		return err
	}
	asked, err := conversations.AsksOf(ctx, tx, contact)
	if err != nil {
		return err
	}
	p.Pace = calmly
	said := e.Thread(entries, true)
	for i := range said {
		if said[i].File != nil {
			said[i].File.Link = false // here it is looked at
		}
		o, sent := ours[entries[i].ID]
		said[i].Sending, said[i].By = sending(ctx, e, entries[i].Message, o, sent), o.ByName
		said[i].Asked = askedBy(ctx, e, asked, entries[i].ID)
		if sent && onItsWay(o, entries[i].Message) {
			p.Pace = hurry
		}
		p.Lines = append(p.Lines, pages.Line{At: said[i].At, Said: &said[i]})
	}
	if next != "" {
		p.Older = talkPath(contact.ID) + "?before=" + url.QueryEscape(next)
	}

	if page.Cursor == "" {
		at, ok, err := conversations.AnsweredElsewhere(ctx, tx, contact, entries)
		if err != nil {
			return err
		}
		if ok {
			p.Lines = append(p.Lines, pages.Line{At: at, Elsewhere: true})
		}
	}

	notes, _, err := conversations.Notes(ctx, tx, contact, identity.Page{Limit: notesShown, Cursor: page.Cursor})
	if err != nil {
		return err
	}
	for _, n := range notes {
		if next == "" || !n.At.Before(entries[len(entries)-1].At) {
			p.Lines = append(p.Lines, pages.Line{At: n.At, Note: &pages.NoteLine{Text: e.Words(n.Text), By: n.AuthorName}})
		}
	}
	slices.Reverse(p.Lines)
	slices.SortStableFunc(p.Lines, func(a, b pages.Line) int { return a.At.Compare(b.At) })

	return nil
}

const (
	notesShown = 100 // beside one page of messages
	calmly     = 15  // how soon a page asks again, in seconds
	hurry      = 2   // while something is on its way
)

// fillState says whether they wait for an answer and who looks after it. Whoever answers has read the newest with it.
func fillState(ctx context.Context, tx *tenants.Tx, c *fiber.Ctx, e web.Eyes, contact uuid.UUID, p *pages.Talk) error {
	state, err := conversations.StateOf(ctx, tx, contact)
	if err != nil {
		return err
	}
	p.Waiting = !state.WaitingSince.IsZero()
	if state.Assignee != uuid.Nil {
		p.Assignee, p.AssigneeName = state.Assignee.String(), e.Name(ctx, state.Assignee.String())
	}
	if p.CanAnswer {
		if p.Colleagues, p.AllColleagues, err = web.Colleagues(ctx, tx, looksAfter, state.Assignee, uuid.Nil); err != nil {
			return err
		}
	}
	if state.Unread && p.CanAnswer && !p.Paged && c.Method() == fiber.MethodGet {
		return conversations.MarkRead(ctx, tx, contact)
	}

	return nil
}

// looksAfter is what somebody's role takes to look after a conversation.
const looksAfter = "conversations:answer"

// AddNote writes something down for colleagues.
func (s *Pages) AddNote(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	thread := conversations.Thread{Contact: id}
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		_, err := conversations.AddNote(ctx, tx, m.Actor, thread, strings.ReplaceAll(web.Field(c, "text"), "\r\n", "\n"))
		return err
	})
	if form, refused := web.Refilled(c, err, "text"); refused {
		return s.showTalk(c, web.Classify(err).Status, draft{thread: thread, note: form})
	}
	if err != nil {
		return err
	}

	return c.Redirect(talkPath(id), fiber.StatusSeeOther)
}

// AssignTalk hands a conversation to a colleague, or to nobody.
func (s *Pages) AssignTalk(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m, thread := c.UserContext(), web.Member(c), conversations.Thread{Contact: id}
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		person, err := web.Colleague(ctx, tx, c, "person")
		if err != nil {
			return err
		}
		if person != uuid.Nil {
			who, err := access.ColleagueBy(ctx, tx, person)
			if err != nil {
				return err
			}
			if !access.Can(who.Role, looksAfter) {
				return &tenants.Invalid{Field: "person", Key: "colleague_role"}
			}
		}

		return conversations.Assign(ctx, tx, m.Actor, thread, person)
	})
	if form, refused := web.Refilled(c, err, "person_typed"); refused {
		return s.showTalk(c, web.Classify(err).Status, draft{thread: thread, assign: form})
	}
	if err != nil {
		return err
	}

	return s.Done(c, talkPath(id), web.Flash{Key: "toast.saved"})
}

// CancelMessage takes back what has not been sent yet.
func (s *Pages) CancelMessage(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	message, err := uuid.Parse(web.Field(c, "message"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return conversations.Cancel(ctx, tx, m.Actor, message) })
	if tenants.ConflictCode(err) != "" {
		return s.showTalk(c, fiber.StatusConflict, draft{thread: conversations.Thread{Contact: id}, form: components.Filled{Failed: tenants.ConflictCode(err)}})
	}
	if err != nil {
		return err
	}

	return s.Done(c, talkPath(id), web.Flash{Key: "toast.talk_cancelled"})
}

// TalkDone says that somebody needs no answer, or that they do after all.
func (s *Pages) TalkDone(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m, done := c.UserContext(), web.Member(c), web.Field(c, "done") != "no"
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return conversations.MarkDone(ctx, tx, m.Actor, id, done) })
	if err != nil {
		return err
	}
	if !done {
		return s.Done(c, talkPath(id), web.Flash{Key: "toast.talk_reopened"})
	}

	return s.Done(c, web.InboxPath, web.Flash{Key: "toast.talk_done", Undo: talkPath(id) + "/done", Fields: map[string]string{"done": "no"}})
}

// ThreadPageSize is how many messages of a conversation a page shows at first.
const ThreadPageSize = 40

// sawTalk notes who opened a conversation.
func (s *Pages) sawTalk(c *fiber.Ctx, id uuid.UUID) error {
	ctx, m := c.UserContext(), web.Member(c)

	return s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		contact, err := identity.Get(ctx, tx, id)
		if errors.Is(err, tenants.ErrNotFound) {
			return nil // the page says so
		}
		if err != nil {
			return err
		}

		return privacy.Saw(ctx, tx, m.Actor, privacy.SawTalk, contact.ID)
	})
}
