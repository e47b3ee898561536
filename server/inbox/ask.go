package inbox

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/privacy"
	"github.com/pehchan/pehchan/tenants/whatsapp"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	pages "github.com/pehchan/pehchan/views/inbox"
	"github.com/pehchan/pehchan/views/people"
	queuepages "github.com/pehchan/pehchan/views/queue"
)

// ContactAskPath is where a customer is asked for their number.
func ContactAskPath(contact uuid.UUID) string { return "/contacts/" + contact.String() + "/ask" }

// askFrom is where somebody is asked for their number: in the queue or on their contact page.
type askFrom struct {
	contact    uuid.UUID
	identity   uuid.UUID // of the case; Nil for the one that wrote last
	path, back string
	label      string // of the way back
	then       string // where it goes on once they were asked
}

// caseAsked is the case in the path and whom it is about. What names nobody cannot be asked.
func (s *Pages) caseAsked(c *fiber.Ctx) (from askFrom, err error) {
	id, err := web.PathID(c)
	if err != nil {
		return askFrom{}, err
	}
	ctx, m := c.UserContext(), web.Member(c)
	from = askFrom{path: "/resolve/" + id.String() + "/ask", back: "/resolve/" + id.String(), then: "/resolve/" + id.String(), label: i18n.T(ctx, "resolve.title")}
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		k, err := identity.GetCase(ctx, tx, id)
		if err != nil {
			return err
		}
		if k.Contact == nil {
			return tenants.ErrNotFound
		}
		from.contact = k.Contact.ID
		if k.Identity != nil && slices.ContainsFunc(k.Contact.Identities, func(i identity.Identity) bool { return i.ID == k.Identity.ID }) {
			from.identity = k.Identity.ID
		}

		return nil
	})

	return from, err
}

func contactAsked(c *fiber.Ctx) (askFrom, error) {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return askFrom{}, tenants.ErrNotFound
	}

	return askFrom{contact: id, path: ContactAskPath(id), back: "/contacts/" + id.String(), then: talkPath(id), label: i18n.T(c.UserContext(), "contacts.title")}, nil
}

func (s *Pages) AskCasePage(c *fiber.Ctx) error {
	from, err := s.caseAsked(c)
	if err != nil {
		return err
	}

	return s.askPage(c, from)
}

func (s *Pages) AskCase(c *fiber.Ctx) error {
	from, err := s.caseAsked(c)
	if err != nil {
		return err
	}

	return s.sendAsk(c, from)
}

func (s *Pages) AskContactPage(c *fiber.Ctx) error {
	from, err := contactAsked(c)
	if err != nil {
		return err
	}

	return s.askPage(c, from)
}

func (s *Pages) AskContact(c *fiber.Ctx) error {
	from, err := contactAsked(c)
	if err != nil {
		return err
	}

	return s.sendAsk(c, from)
}

// askPage shows the question before it is asked.
func (s *Pages) askPage(c *fiber.Ctx, from askFrom) error {
	d, err := asked(c, from.contact)
	if err != nil {
		return err
	}
	if d.thread.Identity == uuid.Nil {
		d.thread.Identity = from.identity
	}
	d.asks, d.language, d.purpose = true, c.Query("lang"), c.Query("purpose")

	return s.showAsk(c, fiber.StatusOK, from, d)
}

// sendAsk takes a question on its way, as SendReply does a message.
func (s *Pages) sendAsk(c *fiber.Ctx, from askFrom) error {
	ctx, m := c.UserContext(), web.Member(c)
	d, err := asked(c, from.contact)
	if err != nil {
		return err
	}
	d.asks, d.template, d.language, d.purpose = true, web.Field(c, "template"), web.Field(c, "lang"), web.Field(c, "purpose")
	out := conversations.Draft{
		Version: web.Field(c, "version"), Key: web.Field(c, "key"), Text: strings.ReplaceAll(web.Field(c, "text"), "\r\n", "\n"),
		Ask: &conversations.Question{Purpose: d.purpose, Language: d.language},
	}
	if d.template != "" {
		out.Template = d.filling(c)
		out.Ask.Language = out.Template.Language
	}
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		_, err := conversations.Submit(ctx, tx, m.Actor, out)
		return err
	})

	var changed *conversations.Changed
	switch form, refused := web.Refilled(c, err, "text"); {
	case errors.As(err, &changed):
		d.changed, d.form = changed.What, components.Filled{Values: map[string]string{"text": out.Text}}
		if d.thread = changed.Now.Thread; d.thread.Contact == uuid.Nil {
			d.thread.Contact = from.contact
		}
		return s.showAsk(c, fiber.StatusConflict, from, d)
	case refused:
		if d.form = form; strings.HasPrefix(form.Failed, "ask_") {
			d.form.Failed = "" // the page says so itself
		}
		return s.showAsk(c, web.Classify(err).Status, from, d)
	case err != nil:
		return err
	}

	return s.Done(c, from.then, web.Flash{Key: "toast.ask_sent"})
}

func (s *Pages) showAsk(c *fiber.Ctx, status int, from askFrom, d draft) error {
	ctx, m := c.UserContext(), web.Member(c)
	p := pages.Ask{
		Frame: s.Frame(c, "ask.title"), Now: time.Now(), Path: from.path, Back: from.back, BackLabel: from.label, Max: conversations.MaxAskRunes,
	}
	var to conversations.Recipient
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		e, err := web.EyesOf(ctx, tx, m)
		if err != nil {
			return err
		}
		contact, err := identity.Get(ctx, tx, d.thread.Contact)
		if err != nil {
			return err
		}
		if err := privacy.Saw(ctx, tx, m.Actor, privacy.SawPage, contact.ID); err != nil {
			return err
		}
		composer, r, err := compose(ctx, tx, e, contact, d, from.path)
		if err != nil {
			return err
		}
		p.Composer, to = *composer, r
		may, err := conversations.MayAsk(ctx, tx, to)
		if err != nil {
			return err
		}
		p.Refused, p.Again = may.Refused, may.Again
		asked, err := conversations.AsksOf(ctx, tx, contact)
		if err != nil {
			return err
		}
		p.Past = Asked(ctx, e, asked)
		if p.Language = d.language; !slices.Contains(pages.AskLanguages, p.Language) {
			p.Language, err = spoken(ctx, tx, contact)
		}

		return err
	})
	if err != nil {
		return err
	}
	if p.Purpose = d.purpose; !slices.Contains(pages.AskPurposes, p.Purpose) {
		p.Purpose = pages.AskPurposes[0]
	}
	p.Text, d.language = pages.AskWords(ctx, p.Purpose, p.Language), p.Language
	if to.Blocked == "" && !to.Open && p.Refused == "" {
		if err := s.pickTemplate(c, to, d, &p.Composer); err != nil {
			return err
		}
	}
	if !web.SafeMethod(c.Method()) {
		p.Frame.Path = from.path
	}

	return s.Show(c, status, pages.AskPage(p))
}

// heard is how many of their last messages are looked at for the language they write.
const heard = 8

// spoken is the language somebody is asked in unless it is chosen: Hindi to who wrote in its letters lately, else the reader's own.
func spoken(ctx context.Context, tx *tenants.Tx, contact identity.Contact) (string, error) {
	list, _, err := conversations.Messages(ctx, tx, contact.ID, identity.Page{Limit: heard})
	if err != nil {
		return "", err
	}
	for _, m := range list {
		if m.Direction == "in" && strings.ContainsFunc(m.Text, func(r rune) bool { return unicode.Is(unicode.Devanagari, r) }) {
			return "hi", nil
		}
	}

	return i18n.Lang(ctx), nil
}

// firstAsk is the template a page begins with where none was chosen: one in the language of the customer.
func firstAsk(list []conversations.Template, d draft) string {
	if len(list) == 0 || d.template != "" {
		return d.template
	}
	at := max(slices.IndexFunc(list, func(t conversations.Template) bool { return strings.HasPrefix(t.Language, d.language) }), 0)

	return list[at].Name + "|" + list[at].Language
}

// Asked is how somebody was asked for their number, in words.
func Asked(ctx context.Context, e web.Eyes, list []conversations.Ask) []people.AskLine {
	var lines []people.AskLine
	for _, a := range list {
		line := people.AskLine{At: a.At, By: a.ByName, Outcome: a.Outcome}
		switch {
		case a.Phone != "" && (a.Outcome == conversations.AskShared || a.Outcome == conversations.AskTyped):
			line.Text = i18n.T(ctx, "ask.said_"+a.Outcome, "phone", e.InSentence("phone", a.Phone))
		default:
			line.Text = i18n.T(ctx, "ask.said_"+a.Outcome)
		}
		lines = append(lines, line)
	}

	return lines
}

// askedBy is what came of the question that a message asks; nil where it asks none.
func askedBy(ctx context.Context, e web.Eyes, list []conversations.Ask, message uuid.UUID) *people.AskLine {
	at := slices.IndexFunc(list, func(a conversations.Ask) bool { return a.MessageID == message })
	if at == -1 || list[at].Outcome == conversations.AskUnsent {
		return nil // the message itself says why
	}

	return &Asked(ctx, e, list[at:at+1])[0]
}

// OfferProof leads from a number that somebody only claims to what proves it: a code for who is known by it, or any message to them,
// of which WhatsApp reports the account behind the number (matching.md A2).
func OfferProof(ctx context.Context, tx *tenants.Tx, contact uuid.UUID, list []conversations.Ask, lines []people.AskLine) error {
	for i, a := range list {
		if a.Phone == "" || a.Outcome == conversations.AskShared {
			continue
		}
		r, err := identity.Resolve(ctx, tx, whatsapp.KindPhone, a.Phone, "")
		switch {
		case errors.Is(err, tenants.ErrNotFound), tenants.ConflictCode(err) != "": // nobody, or more than one
		case err != nil:
			return err
		case r.Contact != nil && r.Contact.ID != contact && len(PhonesOf(*r.Contact)) > 0:
			lines[i].Prove, lines[i].Write = CodePath(r.Contact.ID), talkPath(r.Contact.ID)
		}
	}

	return nil
}

// WorthAsking tells whether there is somebody to ask whose number is neither known nor shared already.
func WorthAsking(e web.Eyes, c identity.Contact, list []conversations.Ask) bool {
	shared := slices.ContainsFunc(list, func(a conversations.Ask) bool { return a.Outcome == conversations.AskShared })

	kept := slices.ContainsFunc(c.Identities, func(i identity.Identity) bool { return e.Keeps[i.Scope] })

	return c.Phone() == "" && kept && !shared
}

// FillCaseAsked puts on the page of a case how they were asked for their number, and whether they can be.
func FillCaseAsked(ctx context.Context, tx *tenants.Tx, e web.Eyes, k identity.Case, p *queuepages.Case) error {
	if k.Contact == nil {
		return nil
	}
	list, err := conversations.AsksOf(ctx, tx, *k.Contact)
	if err != nil {
		return err
	}
	p.Asked, p.CanAsk = Asked(ctx, e, list), p.CanDecide && WorthAsking(e, *k.Contact, list)
	if p.CanDecide {
		if err := OfferProof(ctx, tx, k.Contact.ID, list, p.Asked); err != nil {
			return err
		}
	}
	p.WrongCodes, err = identity.WrongCodes(ctx, tx, *k.Contact)

	return err
}
