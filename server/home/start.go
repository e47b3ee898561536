package home

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/team"
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/start"
	"github.com/pehchan/pehchan/tenants/whatsapp"
	"github.com/pehchan/pehchan/views/components"
	pages "github.com/pehchan/pehchan/views/home"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
)

// quiz is what may be answered to each question about the first event.
var quiz = []pages.StartQuestion{
	{Name: "hidden", Choices: []string{"wait", "by_id", "sms"}},
	{Name: "other", Choices: []string{"same", "different"}},
	{Name: "change", Choices: []string{"same_id", "lost", "new_id"}},
}

// StepsPage shows the first step that is not behind the business, or the one asked for.
func (s *Pages) StepsPage(c *fiber.Ctx) error {
	return s.showStep(c, fiber.StatusOK, c.Query("step"), components.Filled{})
}

func (s *Pages) showStep(c *fiber.Ctx, status int, step string, form components.Filled) error {
	p := pages.Start{Step: step, Form: form}
	if err := s.fillStart(c, &p); err != nil {
		return err
	}
	p.Frame = s.Frame(c, "start.title")
	p.Frame.Path = web.StartPath
	if step != "" {
		p.Frame.Path += "?step=" + step
	}

	return s.Show(c, status, pages.StartPage(p))
}

// StepsLive is the step of the first event alone, which looks by itself whether one has come.
func (s *Pages) StepsLive(c *fiber.Ctx) error {
	p := pages.Start{Step: start.Event, Frame: layout.Frame{CSRF: s.FormToken(web.Member(c).FormScope())}}
	if err := s.fillStart(c, &p); err != nil {
		return err
	}

	return s.Show(c, fiber.StatusOK, pages.StartLive(p))
}

func (s *Pages) fillStart(c *fiber.Ctx, p *pages.Start) error {
	ctx, m := c.UserContext(), web.Member(c)
	if p.Step != "" && !slices.Contains(start.Steps, p.Step) {
		return tenants.ErrNotFound
	}
	p.Now, p.Lang, p.Density, p.Roles, p.Quiz = time.Now(), i18n.Lang(ctx), m.Tenant.Density, team.RolesToGive(m), quiz
	p.Said = map[string]pages.StartAnswer{}

	return s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
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
				p.Numbers = append(p.Numbers, web.NumberView(n, ingest.Counts{}))
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

	e := web.Eyes{}
	view := &pages.StartEvent{Href: "/contacts/" + contact.ID.String(), At: first.At}
	for _, account := range contact.Identities {
		if account.ID != first.Identity {
			continue
		}
		view.Name, view.Username = e.Words(account.ProfileName), account.Username
		for _, d := range account.Identifiers {
			switch {
			case !d.Current:
			case d.Kind == whatsapp.KindBSUID:
				view.ID = e.Handle(d.Kind, d.Value).Shown
			case d.Kind == whatsapp.KindPhone:
				view.Phone = e.Handle(d.Kind, d.Value).Shown
			}
		}
	}

	p.Event = view

	return nil
}

// TakeStep does what a step asks for, or skips it, and leads to the next.
func (s *Pages) TakeStep(c *fiber.Ctx) error {
	ctx, m, step := c.UserContext(), web.Member(c), c.Params("step")
	at := slices.Index(start.Steps, step)
	if at < 0 {
		return tenants.ErrNotFound
	}
	next, state, say := web.StartPath, start.Done, web.Flash{}
	if at+1 < len(start.Steps) {
		next += "?step=" + start.Steps[at+1]
	}

	var err error
	switch do := web.Field(c, "do"); {
	case do == "skip":
		state = start.Skipped
	case step == start.Look:
		err = s.chooseLook(c)
	case step == start.Connect:
		err = s.requireNumber(ctx, m)
	case step == start.Event:
		next = web.StartPath + "?step=" + start.Event
		given := map[string]string{}
		for _, question := range start.Questions {
			given[question] = web.Field(c, question)
		}
		err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return start.Reply(ctx, tx, m.Actor, m.Person.ID, given) })
	case step == start.Invite:
		var in access.Invitation
		in, err = team.InviteByForm(s.Site, c)
		say = web.Flash{Key: "toast.invited", Args: []any{"email", in.Email}}
	}
	if form, ok := web.Refilled(c, err, append([]string{"email", "role"}, start.Questions...)...); ok {
		return s.showStep(c, web.Classify(err).Status, step, form)
	}
	if err != nil {
		return err
	}
	if err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return start.Take(ctx, tx, m.Actor, step, state) }); err != nil {
		return err
	}
	if say.Key != "" {
		return s.Done(c, next, say)
	}

	return c.Redirect(next, fiber.StatusSeeOther)
}

// chooseLook keeps language and size for the business, and the language for the owner, who may have chosen another before.
func (s *Pages) chooseLook(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	in := access.TenantSettings{Name: m.Tenant.Name, Lang: web.Field(c, "lang"), Timezone: m.Tenant.Timezone, Density: web.Field(c, "density")}
	if err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return access.ChangeTenant(ctx, tx, m, in) }); err != nil {
		return err
	}
	s.DropCookie(c, web.LangCookie)

	return s.Prefer(c, func(p *access.Preferences) { p.Lang, p.Density = in.Lang, "" })
}

func (s *Pages) requireNumber(ctx context.Context, m access.Member) error {
	return s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		list, err := numbers.List(ctx, tx, uuid.Nil, 0)
		if err == nil && !slices.ContainsFunc(list, func(n numbers.Number) bool { return n.State != numbers.Disconnected }) {
			err = &tenants.Conflict{Code: "no_number"}
		}

		return err
	})
}

// AfterConnect is where connecting a number leads: back to the first steps for who is in the middle of them, else to the number.
func AfterConnect(ctx context.Context, s *web.Site, m access.Member, number uuid.UUID) (to string, err error) {
	to = "/numbers/" + number.String()
	if !m.Can("start:run") {
		return to, nil
	}
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		progress, err := start.Of(ctx, tx)
		if err != nil || !progress.Begun() || progress.Finished() {
			return err
		}
		to = web.StartPath + "?step=" + start.Event

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
