package server

import (
	"errors"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/pages"
)

// resetPath is where a link to a new password leads.
const resetPath = "/reset/"

func (s *Server) forgotPage(c *fiber.Ctx) error {
	return s.show(c, fiber.StatusOK, pages.ForgotPage(pages.Forgot{Frame: s.frame(c, "reset.title")}))
}

// forgot has a link sent. The answer is the same whether anybody has the e-mail.
func (s *Server) forgot(c *fiber.Ctx) error {
	ctx := c.UserContext()
	err := access.AskReset(ctx, s.db, s.keys, field(c, "email"), i18n.Lang(ctx), s.clientIP(c))
	p := pages.Forgot{Frame: s.frame(c, "reset.title"), Sent: err == nil}
	var tooMany *access.TooMany
	switch form, refused := refilled(c, err, "email"); {
	case errors.As(err, &tooMany):
		p.Form.Values, p.Wait = map[string]string{"email": field(c, "email")}, tooMany.RetryAfter.Round(time.Second)
		c.Set(fiber.HeaderRetryAfter, seconds(classify(err).retry))
		return s.show(c, classify(err).status, pages.ForgotPage(p))
	case refused:
		p.Form = form
		return s.show(c, classify(err).status, pages.ForgotPage(p))
	case err != nil:
		return err
	}

	return s.show(c, fiber.StatusOK, pages.ForgotPage(p))
}

func (s *Server) resetPage(c *fiber.Ctx) error {
	return s.showReset(c, fiber.StatusOK, pages.Filled{})
}

// showReset shows the form for a new password, or that the link is good no more. Nothing that the page leads to learns its address.
func (s *Server) showReset(c *fiber.Ctx, status int, form pages.Filled) error {
	ctx := c.UserContext()
	p := pages.Reset{Frame: s.frame(c, "reset.title"), Token: c.Params("token"), Form: form}
	err := s.db.System(ctx, func(tx *tenants.Tx) error {
		who, err := access.CheckReset(ctx, tx, p.Token)
		p.Email = who.Email
		return err
	})
	if errors.Is(err, access.ErrBadReset) {
		return s.badReset(c)
	}
	if err != nil {
		return err
	}

	return s.show(c, status, pages.ResetPage(p))
}

func (s *Server) badReset(c *fiber.Ctx) error {
	return s.show(c, fiber.StatusGone, pages.ForgotPage(pages.Forgot{Frame: s.frame(c, "reset.title"), Over: true}))
}

// reset sets a new password by a link.
func (s *Server) reset(c *fiber.Ctx) error {
	err := access.FinishReset(c.UserContext(), s.db, c.Params("token"), rawField(c, "password"))
	if errors.Is(err, access.ErrBadReset) {
		return s.badReset(c)
	}
	if form, ok := refilled(c, err); ok {
		return s.showReset(c, classify(err).status, form)
	}
	if err != nil {
		return err
	}
	s.dropCookie(c, sessionCookie)

	// A new password leaves the other ways in as they are, so these are what is seen next.
	return c.Redirect("/login?"+url.Values{"new": {"1"}, "next": {securityPath + "?new=1"}}.Encode(), fiber.StatusSeeOther)
}

// changePassword gives somebody who is signed in a new password.
func (s *Server) changePassword(c *fiber.Ctx) error {
	err := access.ChangePassword(c.UserContext(), s.db, member(c), rawField(c, "old"), rawField(c, "password"))
	if form, ok := refilled(c, err); ok {
		return s.showSettings(c, classify(err).status, settingsForms{password: form})
	}
	if err != nil {
		return err
	}

	return s.done(c, securityPath+"?new=1", flash{Key: "toast.password_changed"})
}
