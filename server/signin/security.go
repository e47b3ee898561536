package signin

import (
	"errors"
	"math"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/teller"
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/components"
	pages "github.com/pehchan/pehchan/views/signin"
)

// OpenWithoutFactor tells whether a page is open to somebody who has put off a second factor for too long: those on which they add one,
// leave, or go where their role needs none.
func OpenWithoutFactor(path string) bool {
	switch path {
	case web.SecurityPath, web.ConfirmPath, "/logout", "/choose", "/tenant":
		return true
	}

	return strings.HasPrefix(path, web.SecurityPath+"/")
}

func (s *Pages) ToAddFactor(c *fiber.Ctx) error {
	if c.Get("HX-Request") != "" {
		c.Set("HX-Redirect", web.SecurityPath)
		return c.SendStatus(fiber.StatusUnauthorized)
	}

	return c.Redirect(web.SecurityPath, fiber.StatusSeeOther)
}

func (s *Pages) SecurityPage(c *fiber.Ctx) error {
	return s.showSecurity(c, fiber.StatusOK, pages.Security{})
}

func (s *Pages) showSecurity(c *fiber.Ctx, status int, p pages.Security) error {
	ctx, m := c.UserContext(), web.Member(c)
	var has access.Factors
	err := s.DB.System(ctx, func(tx *tenants.Tx) (err error) {
		has, err = access.FactorsOf(ctx, tx, m)
		return err
	})
	if err != nil {
		return err
	}
	p.Frame, p.Now = s.Frame(c, "factor.title"), time.Now()
	p.Frame.Path = web.SecurityPath
	p.Asked, p.Must, p.Days = m.FactorAsked && !has.Any(), m.MustAddFactor && !has.Any(), int(math.Ceil(m.FactorLeft.Hours()/24))
	p.App, p.CodesLeft, p.Any, p.SignInMails = has.App, has.Codes, has.Any(), has.Mails
	p.Passkeys, p.NewPassword = teller.PasskeysShown(has), c.Query("new") != ""
	p.CanPasskey = s.party(c) != nil
	p.Idle, p.Longest = access.SessionIdle, access.SessionLife
	if len(p.Codes) > 0 || p.NewApp != nil {
		c.Set(fiber.HeaderCacheControl, "no-store")
	}

	return s.Show(c, status, pages.SecurityPage(p))
}

// StartApp shows what an authenticator app is to be set up with.
func (s *Pages) StartApp(c *fiber.Ctx) error {
	ctx := c.UserContext()
	var app access.NewApp
	err := s.DB.System(ctx, func(tx *tenants.Tx) (err error) {
		app, err = access.StartApp(ctx, tx, s.Keys, web.Member(c))
		return err
	})
	if err != nil {
		return err
	}

	return s.showNewApp(c, fiber.StatusOK, app, pages.Security{})
}

func (s *Pages) showNewApp(c *fiber.Ctx, status int, app access.NewApp, p pages.Security) error {
	qr, err := web.QR(app.URL)
	if err != nil {
		return err
	}
	p.NewApp = &pages.NewApp{QR: qr, Secret: app.Secret}

	return s.showSecurity(c, status, p)
}

// FinishApp makes an app the second factor once it has shown that it is set up, and shows the recovery codes that came with it.
func (s *Pages) FinishApp(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	codes, err := access.FinishApp(ctx, s.DB, s.Keys, m, web.Field(c, "secret"), web.Field(c, "code"))
	var tooMany *access.TooMany
	form, refused := web.Refilled(c, err)
	if errors.As(err, &tooMany) {
		form, refused = components.Filled{Failed: "code_wait"}, true
	}
	if refused {
		var app access.NewApp
		again := s.DB.System(ctx, func(tx *tenants.Tx) (err error) {
			app, err = access.PendingApp(ctx, tx, s.Keys, m)
			return err
		})
		if errors.Is(again, tenants.ErrNotFound) {
			return s.showSecurity(c, web.Classify(err).Status, pages.Security{Form: form})
		}
		if again != nil {
			return again
		}

		return s.showNewApp(c, web.Classify(err).Status, app, pages.Security{Form: form})
	}
	if err != nil {
		return err
	}
	if len(codes) == 0 {
		return s.Done(c, web.SecurityPath, web.Flash{Key: "toast.factor_added"})
	}

	return s.showSecurity(c, fiber.StatusOK, pages.Security{Codes: codes, Added: true})
}

func (s *Pages) RemoveApp(c *fiber.Ctx) error {
	ctx := c.UserContext()
	err := s.DB.System(ctx, func(tx *tenants.Tx) error { return s.Sessions.RemoveApp(ctx, tx, web.Member(c)) })
	if form, refused := web.Refilled(c, err); refused {
		return s.showSecurity(c, web.Classify(err).Status, pages.Security{Form: form})
	}
	if err != nil {
		return err
	}

	return s.Done(c, web.SecurityPath, web.Flash{Key: "toast.factor_removed"})
}

// NewCodes shows ten new recovery codes in its own answer: they are kept nowhere in clear.
func (s *Pages) NewCodes(c *fiber.Ctx) error {
	ctx := c.UserContext()
	var codes []string
	err := s.DB.System(ctx, func(tx *tenants.Tx) (err error) {
		codes, err = access.NewRecoveryCodes(ctx, tx, s.Keys, web.Member(c))
		return err
	})
	if err != nil {
		return err
	}

	return s.showSecurity(c, fiber.StatusOK, pages.Security{Codes: codes})
}

// SaveSignInMails keeps whether the person is told of sign-ins from browsers new to them.
func (s *Pages) SaveSignInMails(c *fiber.Ctx) error {
	ctx := c.UserContext()
	err := s.DB.System(ctx, func(tx *tenants.Tx) error {
		return access.SetSignInMails(ctx, tx, web.Member(c), web.Field(c, "mails") != "")
	})
	if err != nil {
		return err
	}

	return s.Done(c, web.SecurityPath, web.Flash{Key: "toast.saved"})
}
