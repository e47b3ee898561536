package signin

import (
	"errors"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	pages "github.com/pehchan/pehchan/views/signin"
)

func (s *Pages) ForgotPage(c *fiber.Ctx) error {
	return s.Show(c, fiber.StatusOK, pages.ForgotPage(pages.Forgot{Frame: s.Frame(c, "reset.title")}))
}

// Forgot has a link sent. The answer is the same whether anybody has the e-mail.
func (s *Pages) Forgot(c *fiber.Ctx) error {
	ctx := c.UserContext()
	err := access.AskReset(ctx, s.DB, s.Keys, web.Field(c, "email"), i18n.Lang(ctx), s.ClientIP(c))
	p := pages.Forgot{Frame: s.Frame(c, "reset.title"), Sent: err == nil}
	var tooMany *access.TooMany
	switch form, refused := web.Refilled(c, err, "email"); {
	case errors.As(err, &tooMany):
		p.Form.Values, p.Wait = map[string]string{"email": web.Field(c, "email")}, tooMany.RetryAfter.Round(time.Second)
		c.Set(fiber.HeaderRetryAfter, web.Seconds(web.Classify(err).Retry))
		return s.Show(c, web.Classify(err).Status, pages.ForgotPage(p))
	case refused:
		p.Form = form
		return s.Show(c, web.Classify(err).Status, pages.ForgotPage(p))
	case err != nil:
		return err
	}

	return s.Show(c, fiber.StatusOK, pages.ForgotPage(p))
}

func (s *Pages) ResetPage(c *fiber.Ctx) error {
	return s.showReset(c, fiber.StatusOK, components.Filled{})
}

// showReset shows the form for a new password, or that the link is good no more. Nothing that the page leads to learns its address.
func (s *Pages) showReset(c *fiber.Ctx, status int, form components.Filled) error {
	ctx := c.UserContext()
	p := pages.Reset{Frame: s.Frame(c, "reset.title"), Token: c.Params("token"), Form: form}
	err := s.DB.System(ctx, func(tx *tenants.Tx) error {
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

	return s.Show(c, status, pages.ResetPage(p))
}

func (s *Pages) badReset(c *fiber.Ctx) error {
	return s.Show(c, fiber.StatusGone, pages.ForgotPage(pages.Forgot{Frame: s.Frame(c, "reset.title"), Over: true}))
}

// Reset sets a new password by a link.
func (s *Pages) Reset(c *fiber.Ctx) error {
	err := access.FinishReset(c.UserContext(), s.DB, c.Params("token"), web.RawField(c, "password"))
	if errors.Is(err, access.ErrBadReset) {
		return s.badReset(c)
	}
	if form, ok := web.Refilled(c, err); ok {
		return s.showReset(c, web.Classify(err).Status, form)
	}
	if err != nil {
		return err
	}
	s.DropCookie(c, web.SessionCookie)

	// A new password leaves the other ways in as they are, so these are what is seen next.
	return c.Redirect("/login?"+url.Values{"new": {"1"}, "next": {web.SecurityPath + "?new=1"}}.Encode(), fiber.StatusSeeOther)
}
