package server

import (
	"errors"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/pages"
)

// beginPath is where somebody sets a business up by themselves.
const beginPath = "/signup"

func (s *Server) beginPage(c *fiber.Ctx) error {
	return s.showBegin(c, fiber.StatusOK, pages.Begin{})
}

func (s *Server) showBegin(c *fiber.Ctx, status int, p pages.Begin) error {
	p.Frame, p.Closed = s.frame(c, "begin.title"), s.cfg.Signup != signupOpen
	p.Frame.Path = beginPath

	return s.show(c, status, pages.BeginPage(p))
}

// begin sends the link by which a business is set up. The answer is the same whether anybody has the e-mail; the mail is not.
func (s *Server) begin(c *fiber.Ctx) error {
	if s.cfg.Signup != signupOpen {
		return s.showBegin(c, fiber.StatusOK, pages.Begin{})
	}
	ctx := c.UserContext()
	err := s.db.System(ctx, func(tx *tenants.Tx) error {
		in, token, err := access.AskSignup(ctx, tx, access.Signup{Email: field(c, "email"), Business: field(c, "business"), Lang: field(c, "lang")}, s.clientIP(c))
		if err != nil {
			return err
		}
		ctx := i18n.With(ctx, in.Lang, s.zone)
		letter := pages.BeginMail(ctx, in.Business, s.origin.Load().String()+beginPath+"/"+token)
		if in.Known {
			letter = pages.KnownMail(ctx, s.origin.Load().String()+"/login")
		}

		return queueMail(ctx, tx, s.keys, in.Email, "signup "+token[:16], letter)
	})
	p := pages.Begin{Sent: err == nil}
	var tooMany *access.TooMany
	form, refused := refilled(c, err, "email", "business", "lang")
	if errors.As(err, &tooMany) {
		p.Wait, refused = tooMany.RetryAfter.Round(time.Second), true
		c.Set(fiber.HeaderRetryAfter, seconds(classify(err).retry))
	}
	if refused {
		form.Values = map[string]string{"email": field(c, "email"), "business": field(c, "business"), "lang": field(c, "lang")}
		p.Form = form
		return s.showBegin(c, classify(err).status, p)
	}
	if err != nil {
		return err
	}

	return s.showBegin(c, fiber.StatusOK, p)
}

func (s *Server) signupLinkPage(c *fiber.Ctx) error {
	return s.showSignupLink(c, fiber.StatusOK, pages.Filled{})
}

func (s *Server) showSignupLink(c *fiber.Ctx, status int, form pages.Filled) error {
	ctx := c.UserContext()
	p := pages.BeginLink{Frame: s.frame(c, "begin.title"), Token: c.Params("token"), Form: form}
	err := s.db.System(ctx, func(tx *tenants.Tx) error {
		in, err := access.SignupBy(ctx, tx, p.Token)
		p.Business, p.Email = in.Business, in.Email
		return err
	})
	if errors.Is(err, access.ErrBadSignup) {
		p.Over, status = true, fiber.StatusGone
	} else if err != nil {
		return err
	}
	c.Set("Referrer-Policy", "no-referrer")

	return s.show(c, status, pages.BeginLinkPage(p))
}

// finishSignup sets the business up and signs its owner in.
func (s *Server) finishSignup(c *fiber.Ctx) error {
	ctx := c.UserContext()
	in, err := access.FinishSignup(ctx, s.db, c.Params("token"), field(c, "name"), rawField(c, "password"))
	if errors.Is(err, access.ErrBadSignup) {
		return s.showSignupLink(c, fiber.StatusGone, pages.Filled{})
	}
	if form, refused := refilled(c, err, "name"); refused {
		return s.showSignupLink(c, classify(err).status, form)
	}
	if err != nil {
		return err
	}
	signed, err := s.sessions.SignIn(ctx, s.db, access.Credentials{
		Email: in.Email, Password: rawField(c, "password"), Address: s.clientIP(c), Agent: c.Get(fiber.HeaderUserAgent), Browser: s.cookie(c, visitorCookie),
	})
	if err != nil {
		return c.Redirect("/login", fiber.StatusSeeOther) // they have an account; only signing in has to wait
	}

	return s.signedIn(c, signed, startPath)
}
