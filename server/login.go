package server

import (
	"errors"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/layout"
	"github.com/pehchan/pehchan/views/pages"
)

// start is where everybody begins: their own first page, or the login.
func (s *Server) start(c *fiber.Ctx) error {
	m, known := access.From(c.UserContext())

	return c.Redirect(startOf(m, known), fiber.StatusSeeOther)
}

func startOf(m access.Member, known bool) string {
	switch {
	case !known:
		return "/login"
	case m.HasTenant() && !tenants.Allows(m.Tenant.State, tenants.Working):
		return closingPath
	case m.HasTenant():
		return "/home"
	case m.Person.OperatorRole != "":
		return "/op"
	}

	return "/choose"
}

func (s *Server) loginPage(c *fiber.Ctx) error {
	if m, known := access.From(c.UserContext()); known {
		return c.Redirect(startOf(m, known), fiber.StatusSeeOther)
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

	return s.show(c, fiber.StatusOK, pages.LoginPage(pages.Login{Frame: s.frame(c, "login.title"), Next: localPath(c.Query("next")), Failed: failed, Passkey: s.party(c) != nil, Begin: s.cfg.Signup == signupOpen}))
}

// login signs somebody in. An unknown account and a wrong password get the same page.
func (s *Server) login(c *fiber.Ctx) error {
	next := localPath(field(c, "next"))
	in, err := s.sessions.SignIn(c.UserContext(), s.db, access.Credentials{
		Email: field(c, "email"), Password: rawField(c, "password"), Device: s.cookie(c, deviceCookie),
		Address: s.clientIP(c), Agent: c.Get(fiber.HeaderUserAgent), Browser: s.cookie(c, visitorCookie),
		Party: s.party(c),
	})
	if err != nil {
		return s.loginRefused(c, next, err)
	}
	if in.Step != "" {
		s.setCookie(c, stepCookie, in.Step, access.StepLife)

		return c.Redirect(stepPath+"?"+url.Values{"next": {next}}.Encode(), fiber.StatusSeeOther)
	}

	return s.signedIn(c, in, next)
}

// signedIn hands a new session to the browser, and goes on to next.
func (s *Server) signedIn(c *fiber.Ctx, in access.SignedIn, next string) error {
	s.setCookie(c, sessionCookie, in.Token, access.SessionLife)
	s.setCookie(c, deviceCookie, in.Device, aYear)
	if in.Tenant == uuid.Nil && next != "/" {
		// Where to go on is decided once a business is chosen.
		next = "/"
	}

	return c.Redirect(next, fiber.StatusSeeOther)
}

func (s *Server) loginRefused(c *fiber.Ctx, next string, err error) error {
	p := pages.Login{Email: field(c, "email"), Next: next, Passkey: s.party(c) != nil, Begin: s.cfg.Signup == signupOpen}
	status := fiber.StatusUnauthorized

	var tooMany *access.TooMany
	switch {
	case errors.Is(err, access.ErrBadSignIn):
		p.Failed = "refused"
	case errors.As(err, &tooMany):
		r := classify(err)
		status, p.Failed, p.Wait = r.status, "wait", tooMany.RetryAfter.Round(time.Second)
		c.Set(fiber.HeaderRetryAfter, seconds(r.retry))
	case errors.Is(err, tenants.ErrUnavailable):
		status, p.Failed = fiber.StatusServiceUnavailable, "busy"
		c.Set(fiber.HeaderRetryAfter, seconds(classify(err).retry))
	default:
		return err
	}
	p.Frame = s.frame(c, "login.title")

	return s.show(c, status, pages.LoginPage(p))
}

func (s *Server) logout(c *fiber.Ctx) error {
	ctx := c.UserContext()
	err := s.db.System(ctx, func(tx *tenants.Tx) error { return access.End(ctx, tx, member(c)) })
	if err != nil {
		return err
	}
	s.dropCookie(c, sessionCookie)

	return c.Redirect("/login", fiber.StatusSeeOther)
}

// logoutOthers ends every session of the person but this one.
func (s *Server) logoutOthers(c *fiber.Ctx) error {
	ctx := c.UserContext()
	err := s.db.System(ctx, func(tx *tenants.Tx) error {
		_, err := access.EndOthers(ctx, tx, member(c))
		return err
	})
	if err != nil {
		return err
	}

	return s.done(c, "/settings", flash{Key: "toast.signed_out_everywhere"})
}

func (s *Server) choosePage(c *fiber.Ctx) error {
	p := pages.Choose{Frame: s.frame(c, "login.choose_title")}
	for _, place := range member(c).Places {
		p.Items = append(p.Items, pages.Belonging{ID: place.ID.String(), Name: place.Name, Role: place.Role})
	}
	if err := s.fillShut(c, &p); err != nil {
		return err
	}

	return s.show(c, fiber.StatusOK, pages.ChoosePage(p))
}

// switchTenant moves the person to another of their businesses, or an operator to the operator's pages, with a new session.
func (s *Server) switchTenant(c *fiber.Ctx) error {
	to := uuid.Nil
	if given := field(c, "tenant"); given != layout.ToOperator {
		var err error
		if to, err = uuid.Parse(given); err != nil || to == uuid.Nil {
			return tenants.ErrNotFound
		}
	}

	ctx, m := c.UserContext(), member(c)
	var token string
	err := s.db.System(ctx, func(tx *tenants.Tx) (err error) {
		token, err = s.sessions.Switch(ctx, tx, m, to, access.Origin{Address: s.clientIP(c).String(), UserAgent: c.Get(fiber.HeaderUserAgent)})
		return err
	})
	if err != nil {
		return err
	}
	s.setCookie(c, sessionCookie, token, access.SessionLife)

	return c.Redirect("/", fiber.StatusSeeOther)
}
