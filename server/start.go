package server

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/start"
	"github.com/pehchan/pehchan/tenants/whatsapp"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
	"github.com/pehchan/pehchan/views/pages"
)

const startPath = "/start"

// quiz is what may be answered to each question about the first event.
var quiz = []pages.StartQuestion{
	{Name: "hidden", Choices: []string{"wait", "by_id", "sms"}},
	{Name: "other", Choices: []string{"same", "different"}},
	{Name: "change", Choices: []string{"same_id", "lost", "new_id"}},
}

// stepsPage shows the first step that is not behind the business, or the one asked for.
func (s *Server) stepsPage(c *fiber.Ctx) error {
	return s.showStep(c, fiber.StatusOK, c.Query("step"), pages.Filled{})
}

func (s *Server) showStep(c *fiber.Ctx, status int, step string, form pages.Filled) error {
	p := pages.Start{Step: step, Form: form}
	if err := s.fillStart(c, &p); err != nil {
		return err
	}
	p.Frame = s.frame(c, "start.title")
	p.Frame.Path = startPath
	if step != "" {
		p.Frame.Path += "?step=" + step
	}

	return s.show(c, status, pages.StartPage(p))
}

// stepsLive is the step of the first event alone, which looks by itself whether one has come.
func (s *Server) stepsLive(c *fiber.Ctx) error {
	p := pages.Start{Step: start.Event, Frame: layout.Frame{CSRF: s.formToken(member(c).FormScope())}}
	if err := s.fillStart(c, &p); err != nil {
		return err
	}

	return s.show(c, fiber.StatusOK, pages.StartLive(p))
}

func (s *Server) fillStart(c *fiber.Ctx, p *pages.Start) error {
	ctx, m := c.UserContext(), member(c)
	if p.Step != "" && !slices.Contains(start.Steps, p.Step) {
		return tenants.ErrNotFound
	}
	p.Now, p.Lang, p.Density, p.Roles, p.Quiz = time.Now(), i18n.Lang(ctx), m.Tenant.Density, rolesToGive(m), quiz
	p.Said = map[string]pages.StartAnswer{}

	return s.db.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		progress, err := start.Of(ctx, tx)
		if err != nil {
			return err
		}
		if p.Step == "" {
			p.Step = progress.Next()
		}
		for _, name := range start.Steps {
			step := progress.Steps[name]
			p.Steps = append(p.Steps, pages.StartStep{Name: name, State: step.State, By: step.By, At: step.At})
		}
		list, err := numbers.List(ctx, tx, uuid.Nil, 0)
		if err != nil {
			return err
		}
		for _, n := range list {
			if n.State != numbers.Disconnected {
				p.Numbers = append(p.Numbers, numberView(n, ingest.Counts{}))
			}
		}
		if p.Step != start.Event {
			return nil
		}
		said, err := start.Said(ctx, tx, m.Person.ID)
		if err != nil {
			return err
		}
		for question, answer := range said {
			p.Said[question] = pages.StartAnswer{Answer: answer.Answer, Correct: answer.Correct, Right: start.Answers[question]}
		}

		return fillEvent(ctx, tx, p)
	})
}

// fillEvent puts the first event on the page, if one has come, with phones masked for everybody: it is an example.
func fillEvent(ctx context.Context, tx *tenants.Tx, p *pages.Start) error {
	first, err := start.First(ctx, tx)
	if errors.Is(err, tenants.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	contact, err := identity.Get(ctx, tx, first.Contact)
	if err != nil {
		return err
	}

	e := eyes{}
	view := &pages.StartEvent{Href: "/contacts/" + contact.ID.String(), At: first.At}
	for _, account := range contact.Identities {
		if account.ID != first.Identity {
			continue
		}
		view.Name, view.Username = e.words(account.ProfileName), account.Username
		for _, d := range account.Identifiers {
			switch {
			case !d.Current:
			case d.Kind == whatsapp.KindBSUID:
				view.ID = e.handle(d.Kind, d.Value).Shown
			case d.Kind == whatsapp.KindPhone:
				view.Phone = e.handle(d.Kind, d.Value).Shown
			}
		}
	}

	p.Event = view

	return nil
}

// takeStep does what a step asks for, or skips it, and leads to the next.
func (s *Server) takeStep(c *fiber.Ctx) error {
	ctx, m, step := c.UserContext(), member(c), c.Params("step")
	at := slices.Index(start.Steps, step)
	if at < 0 {
		return tenants.ErrNotFound
	}
	next, state, say := startPath, start.Done, flash{}
	if at+1 < len(start.Steps) {
		next += "?step=" + start.Steps[at+1]
	}

	var err error
	switch do := field(c, "do"); {
	case do == "skip":
		state = start.Skipped
	case step == start.Look:
		err = s.chooseLook(c)
	case step == start.Connect:
		err = s.requireNumber(ctx, m)
	case step == start.Event:
		next = startPath + "?step=" + start.Event
		given := map[string]string{}
		for _, question := range start.Questions {
			given[question] = field(c, question)
		}
		err = s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return start.Reply(ctx, tx, m.Actor, m.Person.ID, given) })
	case step == start.Invite:
		var in access.Invitation
		in, err = s.inviteByForm(c)
		say = flash{Key: "toast.invited", Args: []any{"email", in.Email}}
	}
	if form, ok := refilled(c, err, append([]string{"email", "role"}, start.Questions...)...); ok {
		return s.showStep(c, classify(err).status, step, form)
	}
	if err != nil {
		return err
	}
	if err := s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return start.Take(ctx, tx, m.Actor, step, state) }); err != nil {
		return err
	}
	if say.Key != "" {
		return s.done(c, next, say)
	}

	return c.Redirect(next, fiber.StatusSeeOther)
}

// chooseLook keeps language and size for the business, and the language for the owner, who may have chosen another before.
func (s *Server) chooseLook(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), member(c)
	in := access.TenantSettings{Name: m.Tenant.Name, Lang: field(c, "lang"), Timezone: m.Tenant.Timezone, Density: field(c, "density")}
	if err := s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return access.ChangeTenant(ctx, tx, m, in) }); err != nil {
		return err
	}
	s.dropCookie(c, langCookie)

	return s.prefer(c, func(p *access.Preferences) { p.Lang, p.Density = in.Lang, "" })
}

func (s *Server) requireNumber(ctx context.Context, m access.Member) error {
	return s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		list, err := numbers.List(ctx, tx, uuid.Nil, 0)
		if err == nil && !slices.ContainsFunc(list, func(n numbers.Number) bool { return n.State != numbers.Disconnected }) {
			err = &tenants.Conflict{Code: "no_number"}
		}

		return err
	})
}

// afterConnect is where connecting a number leads: back to the first steps for who is in the middle of them, else to the number.
func (s *Server) afterConnect(ctx context.Context, m access.Member, number uuid.UUID) (to string, err error) {
	to = "/numbers/" + number.String()
	if !m.Can("start:run") {
		return to, nil
	}
	err = s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		progress, err := start.Of(ctx, tx)
		if err != nil || !progress.Begun() || progress.Finished() {
			return err
		}
		to = startPath + "?step=" + start.Event

		return start.Take(ctx, tx, m.Actor, start.Connect, start.Done)
	})

	return to, err
}

// homeStart puts the first steps on the home page of a business that has nothing connected, or is in the middle of them.
func homeStart(ctx context.Context, tx *tenants.Tx, m access.Member, p *pages.Home) error {
	if !m.Can("start:run") {
		return nil
	}
	progress, err := start.Of(ctx, tx)
	if err == nil && !progress.Finished() && (progress.Begun() || len(p.Numbers) == 0) {
		p.Start = &pages.StartProgress{Behind: len(progress.Steps), Of: len(start.Steps)}
	}

	return err
}
