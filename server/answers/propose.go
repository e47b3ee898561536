package answers

import (
	"context"
	"net/url"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/answers"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/training"
	pages "github.com/pehchan/pehchan/views/answers"
	"github.com/pehchan/pehchan/views/components"
)

// learnt is what a card may come of: something that was passed on and closed, a customer who asked, or what was searched for.
type learnt struct {
	answers.Proposal
	contact, escalation string
	names               []string // of whom it is about
}

// learntFrom reads what the ids of an escalation or a contact stand for, as far as m may see it.
func learntFrom(ctx context.Context, tx *tenants.Tx, m access.Member, escalation, contact string) (l learnt, err error) {
	l.Origin = answers.FromSearch
	var about uuid.NullUUID
	if escalation != "" {
		id, err := uuid.Parse(escalation)
		if err != nil || !m.Can("escalations:use") {
			return l, tenants.ErrNotFound
		}
		e, err := training.GetEscalation(ctx, tx, id)
		if err != nil {
			return l, err
		}
		if e.ClosedAt == nil {
			return l, tenants.ErrNotFound
		}
		l.Origin, l.escalation, l.Lesson, about = answers.FromEscalation, id.String(), e.Lesson, e.Contact
	} else if contact != "" {
		id, err := uuid.Parse(contact)
		if err != nil || !m.Can("conversations:read") {
			return l, tenants.ErrNotFound
		}
		l.Origin, l.contact, about = answers.FromContact, id.String(), uuid.NullUUID{UUID: id, Valid: true}
	}
	if !about.Valid {
		return l, nil
	}
	one, err := identity.Get(ctx, tx, about.UUID)
	if err != nil {
		return l, err
	}
	l.names = namesOf(one)
	if l.Origin == answers.FromContact {
		said, err := lastAsked(ctx, tx, one)
		l.Question = answers.Mask(said, l.names...)
		return l, err
	}

	return l, nil
}

// ProposePage is where somebody writes down what they learnt, with what is known of it filled in.
func (s *Pages) ProposePage(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	var l learnt
	err := s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
		l, err = learntFrom(ctx, tx, m, c.Query("escalation"), c.Query("contact"))
		return err
	})
	if err != nil {
		return err
	}
	if l.Origin == answers.FromSearch {
		l.Question = c.Query("q")
	}
	form := components.Filled{Values: map[string]string{"question": l.Question, "lesson": answers.Mask(l.Lesson, l.names...)}}

	return s.showPropose(c, fiber.StatusOK, pages.Propose{Contact: l.contact, Escalation: l.escalation, Next: c.Query("next"), Form: form})
}

func (s *Pages) showPropose(c *fiber.Ctx, status int, p pages.Propose) error {
	if p.Next != "" {
		p.Next = web.LocalPath(p.Next)
	} else if p.Next = web.AnswersPath; p.Escalation != "" {
		p.Next = web.EscalationsPath
	}
	p.Most, p.Frame = answers.MaxLesson, s.Frame(c, "propose.title")
	p.Frame.Path = web.ProposePath + "?" + url.Values{"contact": {p.Contact}, "escalation": {p.Escalation}, "next": {p.Next}}.Encode()

	return s.Show(c, status, pages.ProposePage(p))
}

// Propose keeps what was learnt with the questions, for a card to come of it.
func (s *Pages) Propose(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	back := pages.Propose{Contact: web.Field(c, "contact"), Escalation: web.Field(c, "escalation"), Next: web.Field(c, "next")}
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		l, err := learntFrom(ctx, tx, m, back.Escalation, back.Contact)
		if err != nil {
			return err
		}
		_, err = answers.Propose(ctx, tx, m.Actor, answers.Proposal{Origin: l.Origin, Question: web.Field(c, "question"), Lesson: web.Field(c, "lesson")}, l.names...)

		return err
	})
	if form, ok := web.Refilled(c, err, "question", "lesson"); ok {
		back.Form = form
		return s.showPropose(c, web.Classify(err).Status, back)
	}
	if err != nil {
		return err
	}
	next := web.AnswersPath
	if back.Next != "" {
		next = web.LocalPath(back.Next)
	}

	return s.Done(c, next, web.Flash{Key: "propose.done"})
}
