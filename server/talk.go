package server

import (
	"context"
	"net/url"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/views/layout"
	"github.com/pehchan/pehchan/views/pages"
)

// talkPage shows the conversation with one person. The id of one that was merged away leads to its survivor, for ever.
func (s *Server) talkPage(c *fiber.Ctx) error {
	p := pages.Talk{Frame: s.frame(c, "talks.title"), MergedFrom: c.Query("merged") != ""}
	survivor, err := s.fillTalk(c, &p)
	if err != nil {
		return err
	}
	if survivor != uuid.Nil {
		return c.Redirect(inboxPath+"/"+survivor.String()+"?merged=1", fiber.StatusSeeOther)
	}

	return s.show(c, fiber.StatusOK, pages.TalkPage(p))
}

// talkLive is the part of a conversation that keeps itself up to date. It takes no message meant for the next page.
func (s *Server) talkLive(c *fiber.Ctx) error {
	p := pages.Talk{Frame: layout.Frame{CSRF: s.formToken(member(c).FormScope())}}
	survivor, err := s.fillTalk(c, &p)
	if err != nil {
		return err
	}
	if survivor != uuid.Nil {
		return c.Redirect(inboxPath+"/"+survivor.String()+"/live", fiber.StatusSeeOther)
	}

	return s.show(c, fiber.StatusOK, pages.TalkLive(p))
}

// fillTalk reads a conversation, which is then read, if its reader is one who answers. survivor is set where the contact is part
// of another one now.
func (s *Server) fillTalk(c *fiber.Ctx, p *pages.Talk) (survivor uuid.UUID, err error) {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return uuid.Nil, tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), member(c)
	p.Now, p.Paged, p.CanAnswer = time.Now(), c.Query("before") != "", m.Can("conversations:answer")
	err = s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		e, err := eyesOf(ctx, tx, m)
		if err != nil {
			return err
		}
		contact, err := identity.Get(ctx, tx, id)
		if err != nil {
			return err
		}
		if contact.ID != id {
			survivor = contact.ID
			return nil
		}
		p.Who, p.Frame.Title = e.someone(contact), e.label(ctx, contact)
		if err := fillLines(ctx, tx, e, contact, identity.Page{Limit: threadPageSize, Cursor: c.Query("before")}, p); err != nil {
			return err
		}

		return fillState(ctx, tx, c, m, contact.ID, p)
	})

	return survivor, err
}

// fillLines puts what was said on the page, oldest first.
func fillLines(ctx context.Context, tx *tenants.Tx, e eyes, contact identity.Contact, page identity.Page, p *pages.Talk) error {
	entries, next, err := conversations.Entries(ctx, tx, contact.ID, page)
	if err != nil {
		return err
	}
	said := e.thread(entries, true)
	for i := range said {
		p.Lines = append(p.Lines, pages.Line{At: said[i].At, Said: &said[i]})
	}
	slices.Reverse(p.Lines)
	if next != "" {
		p.Older = inboxPath + "/" + p.Who.ID + "?before=" + url.QueryEscape(next)
	}

	return nil
}

// fillState says whether they wait for an answer. Whoever answers has read the newest with it.
func fillState(ctx context.Context, tx *tenants.Tx, c *fiber.Ctx, m access.Member, contact uuid.UUID, p *pages.Talk) error {
	state, err := conversations.StateOf(ctx, tx, contact)
	if err != nil {
		return err
	}
	p.Waiting = !state.WaitingSince.IsZero()
	if state.Unread && p.CanAnswer && !p.Paged && c.Method() == fiber.MethodGet {
		return conversations.MarkRead(ctx, tx, contact)
	}

	return nil
}

// talkDone says that somebody needs no answer, or that they do after all.
func (s *Server) talkDone(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m, done := c.UserContext(), member(c), field(c, "done") != "no"
	err = s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return conversations.MarkDone(ctx, tx, m.Actor, id, done) })
	if err != nil {
		return err
	}
	if !done {
		return s.done(c, inboxPath+"/"+id.String(), flash{Key: "toast.talk_reopened"})
	}

	return s.done(c, inboxPath, flash{Key: "toast.talk_done", Undo: inboxPath + "/" + id.String() + "/done", Fields: map[string]string{"done": "no"}})
}
