package signin

import (
	"errors"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/server/teller"
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/privacy"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	pages "github.com/pehchan/pehchan/views/signin"
)

func (s *Pages) BeginPage(c *fiber.Ctx) error {
	return s.showBegin(c, fiber.StatusOK, pages.Begin{})
}

func (s *Pages) showBegin(c *fiber.Ctx, status int, p pages.Begin) error {
	p.Frame, p.Closed = s.Frame(c, "begin.title"), s.Config.Signup != config.SignupOpen
	p.Frame.Path = web.BeginPath

	return s.Show(c, status, pages.BeginPage(p))
}

// Begin sends the link by which a business is set up. The answer is the same whether anybody has the e-mail; the mail is not.
func (s *Pages) Begin(c *fiber.Ctx) error {
	if s.Config.Signup != config.SignupOpen {
		return s.showBegin(c, fiber.StatusOK, pages.Begin{})
	}
	ctx := c.UserContext()
	err := s.DB.System(ctx, func(tx *tenants.Tx) error {
		in, token, err := access.AskSignup(ctx, tx, access.Signup{Email: web.Field(c, "email"), Business: web.Field(c, "business"), Lang: web.Field(c, "lang")}, s.ClientIP(c))
		if err != nil {
			return err
		}
		ctx := i18n.With(ctx, in.Lang, s.Zone)
		letter := pages.BeginMail(ctx, in.Business, s.Origin.Load().String()+web.BeginPath+"/"+token)
		if in.Known {
			letter = pages.KnownMail(ctx, s.Origin.Load().String()+"/login")
		}

		return teller.Queue(ctx, tx, s.Keys, in.Email, "signup "+token[:16], letter)
	})
	p := pages.Begin{Sent: err == nil}
	var tooMany *access.TooMany
	form, refused := web.Refilled(c, err, "email", "business", "lang")
	if errors.As(err, &tooMany) {
		p.Wait, refused = tooMany.RetryAfter.Round(time.Second), true
		c.Set(fiber.HeaderRetryAfter, web.Seconds(web.Classify(err).Retry))
	}
	if refused {
		form.Values = map[string]string{"email": web.Field(c, "email"), "business": web.Field(c, "business"), "lang": web.Field(c, "lang")}
		p.Form = form
		return s.showBegin(c, web.Classify(err).Status, p)
	}
	if err != nil {
		return err
	}

	return s.showBegin(c, fiber.StatusOK, p)
}

func (s *Pages) SignupLinkPage(c *fiber.Ctx) error {
	return s.showSignupLink(c, fiber.StatusOK, components.Filled{})
}

func (s *Pages) showSignupLink(c *fiber.Ctx, status int, form components.Filled) error {
	ctx := c.UserContext()
	p := pages.BeginLink{Frame: s.Frame(c, "begin.title"), Token: c.Params("token"), Form: form}
	err := s.DB.System(ctx, func(tx *tenants.Tx) error {
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

	return s.Show(c, status, pages.BeginLinkPage(p))
}

// FinishSignup sets the business up and signs its owner in.
func (s *Pages) FinishSignup(c *fiber.Ctx) error {
	ctx := c.UserContext()
	in, err := access.FinishSignup(ctx, s.DB, c.Params("token"), web.Field(c, "name"), web.RawField(c, "password"), privacy.Begin)
	if errors.Is(err, access.ErrBadSignup) {
		return s.showSignupLink(c, fiber.StatusGone, components.Filled{})
	}
	if form, refused := web.Refilled(c, err, "name"); refused {
		return s.showSignupLink(c, web.Classify(err).Status, form)
	}
	if err != nil {
		return err
	}
	signed, err := s.Sessions.SignIn(ctx, s.DB, access.Credentials{
		Email: in.Email, Password: web.RawField(c, "password"), Address: s.ClientIP(c), Agent: c.Get(fiber.HeaderUserAgent), Browser: s.Cookie(c, web.VisitorCookie),
	})
	if err != nil {
		return c.Redirect("/login", fiber.StatusSeeOther) // they have an account; only signing in has to wait
	}

	return s.enter(c, signed, web.StartPath)
}
