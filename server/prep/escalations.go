package prep

import (
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/training"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	pages "github.com/pehchan/pehchan/views/prep"
)

// EscalationsPage shows whom to tell, and what was passed on: what is open first, the most urgent on top.
func (s *Pages) EscalationsPage(c *fiber.Ctx) error {
	return s.showEscalations(c, fiber.StatusOK, c.Query("contact"), "", components.Filled{})
}

// showEscalations has the form of a new one about contact, or the refused form of the one named by at.
func (s *Pages) showEscalations(c *fiber.Ctx, status int, contact, at string, form components.Filled) error {
	ctx, m, now := c.UserContext(), web.Member(c), time.Now()
	lang := i18n.Lang(ctx)
	p := pages.Escalations{Now: now, Kinds: training.EscalationKinds, Levels: training.Levels, CanSettle: m.Can("escalations:settle"), CanPropose: m.Can("answers:use"), CanReport: m.Can("privacy:handle"), At: at, Form: form}
	p.Support, p.CanLetIn = s.Config.SupportEmail, m.Can("support:manage")
	for _, l := range s.bank.Ladder {
		p.Ladder = append(p.Ladder, pages.Rung{ID: l.ID, Who: l.Who.In(lang), When: inLang(lang, l.When), Clock: l.Clock.In(lang), Do: l.Do.In(lang)})
	}
	err := s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		var about []uuid.UUID
		if contact != "" {
			id, err := uuid.Parse(contact)
			if err != nil {
				return tenants.ErrNotFound
			}
			if _, err := identity.Get(ctx, tx, id); err != nil {
				return err
			}
			p.Contact, about = id.String(), append(about, id)
		}
		open, err := training.Escalations(ctx, tx, true)
		if err != nil {
			return err
		}
		closed, err := training.Escalations(ctx, tx, false)
		if err != nil {
			return err
		}
		for _, e := range append(open, closed...) {
			if e.Contact.Valid {
				about = append(about, e.Contact.UUID)
			}
		}
		people, err := identity.Several(ctx, tx, about)
		if err != nil {
			return err
		}
		see := web.Eyes{Clear: m.Can("phones:clear")}
		names := map[string]string{}
		for id, person := range people {
			names[id.String()] = see.Label(ctx, person)
		}
		p.ContactName = names[p.Contact]
		for _, e := range open {
			p.Open = append(p.Open, escalationView(e, names, now))
		}
		for _, e := range closed {
			p.Closed = append(p.Closed, escalationView(e, names, now))
		}

		return nil
	})
	if err != nil {
		return err
	}
	p.Frame = s.Frame(c, "escalate.title")
	p.Frame.Path = web.EscalationsPath

	return s.Show(c, status, pages.EscalationsPage(p))
}

func escalationView(e training.Escalation, names map[string]string, now time.Time) pages.Escalation {
	view := pages.Escalation{
		ID: e.ID.String(), Kind: e.Kind, Level: e.Level, Reason: e.Reason, By: e.Opener, At: e.OpenedAt, Owner: e.OwnerIs, Due: e.DueAt,
		Overdue: e.Overdue(now), Outcome: e.Outcome, Lesson: e.Lesson, ClosedBy: e.ClosedBy, ClosedAt: web.OrZero(e.ClosedAt),
	}
	view.NeedsLead = e.Level >= training.LeadsLevel
	if name, known := names[e.Contact.UUID.String()]; known {
		view.Contact, view.ContactName = e.Contact.UUID.String(), name
	}

	return view
}

// Escalate passes something on.
func (s *Pages) Escalate(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	in := training.NewEscalation{Kind: web.Field(c, "kind"), Level: web.Field(c, "level"), Reason: web.Field(c, "reason")}
	contact := web.Field(c, "contact")
	if contact != "" {
		id, err := uuid.Parse(contact)
		if err != nil {
			return tenants.ErrNotFound
		}
		in.Contact = id
	}
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		_, err := training.Escalate(ctx, tx, s.bank, m.Actor, in, time.Now(), m.Tenant.Location())
		return err
	})
	if form, ok := web.Refilled(c, err, "kind", "level", "reason"); ok {
		return s.showEscalations(c, web.Classify(err).Status, contact, "", form)
	}
	if err != nil {
		return err
	}

	return s.Done(c, web.EscalationsPath, web.Flash{Key: "escalate.opened"})
}

// MoveEscalation takes an escalation, passes it on, or closes it. What has come up to a lead is closed and passed on by leads.
func (s *Pages) MoveEscalation(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m, do := c.UserContext(), web.Member(c), web.Field(c, "do")
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		e, err := training.GetEscalation(ctx, tx, id)
		if err != nil {
			return err
		}
		if e.Level >= training.LeadsLevel && !m.Can("escalations:settle") {
			return tenants.ErrForbidden
		}
		switch do {
		case "take":
			return training.Take(ctx, tx, m.Actor, id)
		case "raise":
			return training.Raise(ctx, tx, s.bank, m.Actor, id, web.Field(c, "level"), time.Now(), m.Tenant.Location())
		case "close":
			return training.Close(ctx, tx, m.Actor, id, web.Field(c, "outcome"), web.Field(c, "lesson"))
		}

		return &tenants.Invalid{Field: "do", Key: "choice"}
	})
	if form, ok := web.Refilled(c, err, "level", "outcome", "lesson"); ok {
		return s.showEscalations(c, web.Classify(err).Status, "", id.String(), form)
	}
	if err != nil {
		return err
	}

	return s.Done(c, web.EscalationsPath, web.Flash{Key: "escalate.did_" + do})
}
