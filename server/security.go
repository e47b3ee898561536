package server

import (
	"errors"
	"math"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/layout"
	"github.com/pehchan/pehchan/views/pages"
)

// securityPath is where somebody settles how they sign in.
const securityPath = "/settings/security"

// openWithoutFactor tells whether a page is open to somebody who has put off a second factor for too long: those on which they add one,
// leave, or go where their role needs none.
func openWithoutFactor(path string) bool {
	switch path {
	case securityPath, confirmPath, "/logout", "/choose", "/tenant":
		return true
	}

	return strings.HasPrefix(path, securityPath+"/")
}

func (s *Server) toAddFactor(c *fiber.Ctx) error {
	if c.Get("HX-Request") != "" {
		c.Set("HX-Redirect", securityPath)
		return c.SendStatus(fiber.StatusUnauthorized)
	}

	return c.Redirect(securityPath, fiber.StatusSeeOther)
}

// factorBanner tells who is to add a second factor: where they begin, and in the last days everywhere.
func factorBanner(m access.Member, path string) *layout.FactorBanner {
	if !m.FactorAsked || path == securityPath || strings.HasPrefix(path, securityPath+"/") {
		return nil
	}
	days := int(math.Ceil(m.FactorLeft.Hours() / 24))
	if days > 3 && path != "/home" && path != "/op" && path != startPath && path != "/settings" {
		return nil
	}

	return &layout.FactorBanner{Days: days, Href: securityPath}
}

func (s *Server) securityPage(c *fiber.Ctx) error {
	return s.showSecurity(c, fiber.StatusOK, pages.Security{})
}

func (s *Server) showSecurity(c *fiber.Ctx, status int, p pages.Security) error {
	ctx, m := c.UserContext(), member(c)
	var has access.Factors
	err := s.db.System(ctx, func(tx *tenants.Tx) (err error) {
		has, err = access.FactorsOf(ctx, tx, m)
		return err
	})
	if err != nil {
		return err
	}
	p.Frame, p.Now = s.frame(c, "factor.title"), time.Now()
	p.Frame.Path = securityPath
	p.Asked, p.Must, p.Days = m.FactorAsked && !has.Any(), m.MustAddFactor && !has.Any(), int(math.Ceil(m.FactorLeft.Hours()/24))
	p.App, p.CodesLeft, p.Any, p.SignInMails = has.App, has.Codes, has.Any(), has.Mails
	p.Passkeys, p.NewPassword = passkeysShown(has), c.Query("new") != ""
	p.CanPasskey = s.party(c) != nil
	p.Idle, p.Longest = access.SessionIdle, access.SessionLife
	if len(p.Codes) > 0 || p.NewApp != nil {
		c.Set(fiber.HeaderCacheControl, "no-store")
	}

	return s.show(c, status, pages.SecurityPage(p))
}

func passkeysShown(has access.Factors) []pages.Passkey {
	list := make([]pages.Passkey, len(has.Keys))
	for i, k := range has.Keys {
		list[i] = pages.Passkey{Handle: k.Handle, Name: k.Name, Added: k.Added}
		if k.Used != nil {
			list[i].Used = *k.Used
		}
	}

	return list
}

// startApp shows what an authenticator app is to be set up with.
func (s *Server) startApp(c *fiber.Ctx) error {
	ctx := c.UserContext()
	var app access.NewApp
	err := s.db.System(ctx, func(tx *tenants.Tx) (err error) {
		app, err = access.StartApp(ctx, tx, s.keys, member(c))
		return err
	})
	if err != nil {
		return err
	}

	return s.showNewApp(c, fiber.StatusOK, app, pages.Security{})
}

func (s *Server) showNewApp(c *fiber.Ctx, status int, app access.NewApp, p pages.Security) error {
	qr, err := qrOf(app.URL)
	if err != nil {
		return err
	}
	p.NewApp = &pages.NewApp{QR: qr, Secret: app.Secret}

	return s.showSecurity(c, status, p)
}

// finishApp makes an app the second factor once it has shown that it is set up, and shows the recovery codes that came with it.
func (s *Server) finishApp(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), member(c)
	codes, err := access.FinishApp(ctx, s.db, s.keys, m, field(c, "secret"), field(c, "code"))
	var tooMany *access.TooMany
	form, refused := refilled(c, err)
	if errors.As(err, &tooMany) {
		form, refused = pages.Filled{Failed: "code_wait"}, true
	}
	if refused {
		var app access.NewApp
		again := s.db.System(ctx, func(tx *tenants.Tx) (err error) {
			app, err = access.PendingApp(ctx, tx, s.keys, m)
			return err
		})
		if errors.Is(again, tenants.ErrNotFound) {
			return s.showSecurity(c, classify(err).status, pages.Security{Form: form})
		}
		if again != nil {
			return again
		}

		return s.showNewApp(c, classify(err).status, app, pages.Security{Form: form})
	}
	if err != nil {
		return err
	}
	if len(codes) == 0 {
		return s.done(c, securityPath, flash{Key: "toast.factor_added"})
	}

	return s.showSecurity(c, fiber.StatusOK, pages.Security{Codes: codes, Added: true})
}

func (s *Server) removeApp(c *fiber.Ctx) error {
	ctx := c.UserContext()
	err := s.db.System(ctx, func(tx *tenants.Tx) error { return s.sessions.RemoveApp(ctx, tx, member(c)) })
	if form, refused := refilled(c, err); refused {
		return s.showSecurity(c, classify(err).status, pages.Security{Form: form})
	}
	if err != nil {
		return err
	}

	return s.done(c, securityPath, flash{Key: "toast.factor_removed"})
}

// newCodes shows ten new recovery codes in its own answer: they are kept nowhere in clear.
func (s *Server) newCodes(c *fiber.Ctx) error {
	ctx := c.UserContext()
	var codes []string
	err := s.db.System(ctx, func(tx *tenants.Tx) (err error) {
		codes, err = access.NewRecoveryCodes(ctx, tx, s.keys, member(c))
		return err
	})
	if err != nil {
		return err
	}

	return s.showSecurity(c, fiber.StatusOK, pages.Security{Codes: codes})
}

// saveSignInMails keeps whether the person is told of sign-ins from browsers new to them.
func (s *Server) saveSignInMails(c *fiber.Ctx) error {
	ctx := c.UserContext()
	err := s.db.System(ctx, func(tx *tenants.Tx) error {
		return access.SetSignInMails(ctx, tx, member(c), field(c, "mails") != "")
	})
	if err != nil {
		return err
	}

	return s.done(c, securityPath, flash{Key: "toast.saved"})
}

// resetFactor takes the second factor away of somebody of the team who has lost their device.
func (s *Server) resetFactor(c *fiber.Ctx) error {
	person, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	who, err := access.ResetFactor(c.UserContext(), s.db, member(c), person)
	if form, ok := refilled(c, err); ok {
		return s.showColleague(c, classify(err).status, form)
	}
	if err != nil {
		return err
	}

	return s.done(c, "/team", flash{Key: "toast.factor_reset", Args: []any{"name", who.Name}})
}
