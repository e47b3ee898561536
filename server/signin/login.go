package signin

import (
	"errors"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/server/settings"
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/layout"
	pages "github.com/pehchan/pehchan/views/signin"
)

// StartOf is the first page of somebody who is signed in.
func StartOf(m access.Member) string {
	switch {
	case m.HasTenant() && !tenants.Allows(m.Tenant.State, tenants.Working):
		return web.ClosingPath
	case m.HasTenant():
		return "/home"
	case m.Person.OperatorRole != "":
		return "/op"
	}

	return "/choose"
}

func (s *Pages) LoginPage(c *fiber.Ctx) error {
	if m, known := access.From(c.UserContext()); known {
		return c.Redirect(StartOf(m), fiber.StatusSeeOther)
	}

	failed := ""
	switch {
	case c.Query("ended") != "":
		failed = "signed_out"
	case c.Query("over") != "":
		failed = "step_over"
	case c.Query("new") != "":
		failed = "new_password"
	}

	return s.Show(c, fiber.StatusOK, pages.LoginPage(pages.Login{Frame: s.Frame(c, "login.title"), Next: web.LocalPath(c.Query("next")), Failed: failed, Passkey: s.party(c) != nil, Begin: s.Config.Signup == config.SignupOpen}))
}

// Login signs somebody in. An unknown account and a wrong password get the same page.
func (s *Pages) Login(c *fiber.Ctx) error {
	next := web.LocalPath(web.Field(c, "next"))
	in, err := s.Sessions.SignIn(c.UserContext(), s.DB, access.Credentials{
		Email: web.Field(c, "email"), Password: web.RawField(c, "password"), Device: s.Cookie(c, web.DeviceCookie),
		Address: s.ClientIP(c), Agent: c.Get(fiber.HeaderUserAgent), Browser: s.Cookie(c, web.VisitorCookie),
		Party: s.party(c),
	})
	if err != nil {
		return s.loginRefused(c, next, err)
	}
	if in.Step != "" {
		s.SetCookie(c, web.StepCookie, in.Step, access.StepLife)

		return c.Redirect(web.StepPath+"?"+url.Values{"next": {next}}.Encode(), fiber.StatusSeeOther)
	}

	return s.enter(c, in, next)
}

// enter hands a new session to the browser, and goes on to next.
func (s *Pages) enter(c *fiber.Ctx, in access.SignedIn, next string) error {
	s.SetCookie(c, web.SessionCookie, in.Token, access.SessionLife)
	s.SetCookie(c, web.DeviceCookie, in.Device, web.AYear)
	if in.Tenant == uuid.Nil && next != "/" {
		// Where to go on is decided once a business is chosen.
		next = "/"
	}

	return c.Redirect(next, fiber.StatusSeeOther)
}

func (s *Pages) loginRefused(c *fiber.Ctx, next string, err error) error {
	p := pages.Login{Email: web.Field(c, "email"), Next: next, Passkey: s.party(c) != nil, Begin: s.Config.Signup == config.SignupOpen}
	status := fiber.StatusUnauthorized

	var tooMany *access.TooMany
	switch {
	case errors.Is(err, access.ErrBadSignIn):
		p.Failed = "refused"
	case errors.As(err, &tooMany):
		r := web.Classify(err)
		status, p.Failed, p.Wait = r.Status, "wait", tooMany.RetryAfter.Round(time.Second)
		c.Set(fiber.HeaderRetryAfter, web.Seconds(r.Retry))
	case errors.Is(err, tenants.ErrUnavailable):
		status, p.Failed = fiber.StatusServiceUnavailable, "busy"
		c.Set(fiber.HeaderRetryAfter, web.Seconds(web.Classify(err).Retry))
	default:
		return err
	}
	p.Frame = s.Frame(c, "login.title")

	return s.Show(c, status, pages.LoginPage(p))
}

func (s *Pages) Logout(c *fiber.Ctx) error {
	ctx := c.UserContext()
	err := s.DB.System(ctx, func(tx *tenants.Tx) error { return access.End(ctx, tx, web.Member(c)) })
	if err != nil {
		return err
	}
	s.DropCookie(c, web.SessionCookie)

	return c.Redirect("/login", fiber.StatusSeeOther)
}

// LogoutOthers ends every session of the person but this one.
func (s *Pages) LogoutOthers(c *fiber.Ctx) error {
	ctx := c.UserContext()
	err := s.DB.System(ctx, func(tx *tenants.Tx) error {
		_, err := access.EndOthers(ctx, tx, web.Member(c))
		return err
	})
	if err != nil {
		return err
	}

	return s.Done(c, "/settings", web.Flash{Key: "toast.signed_out_everywhere"})
}

func (s *Pages) ChoosePage(c *fiber.Ctx) error {
	p := pages.Choose{Frame: s.Frame(c, "login.choose_title")}
	for _, place := range web.Member(c).Places {
		p.Items = append(p.Items, pages.Belonging{ID: place.ID.String(), Name: place.Name, Role: place.Role})
	}
	if err := settings.FillShut(s.Site, c, &p); err != nil {
		return err
	}

	return s.Show(c, fiber.StatusOK, pages.ChoosePage(p))
}

// SwitchTenant moves the person to another of their businesses, or an operator to the operator's pages, with a new session.
func (s *Pages) SwitchTenant(c *fiber.Ctx) error {
	to := uuid.Nil
	if given := web.Field(c, "tenant"); given != layout.ToOperator {
		var err error
		if to, err = uuid.Parse(given); err != nil || to == uuid.Nil {
			return tenants.ErrNotFound
		}
	}

	ctx, m := c.UserContext(), web.Member(c)
	var token string
	err := s.DB.System(ctx, func(tx *tenants.Tx) (err error) {
		token, err = s.Sessions.Switch(ctx, tx, m, to, access.Origin{Address: s.ClientIP(c).String(), UserAgent: c.Get(fiber.HeaderUserAgent)})
		return err
	})
	if err != nil {
		return err
	}
	s.SetCookie(c, web.SessionCookie, token, access.SessionLife)

	return c.Redirect("/", fiber.StatusSeeOther)
}
