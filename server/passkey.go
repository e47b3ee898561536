package server

import (
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/pages"
)

// party is whom passkeys are for: the host that people reach the server at. Nil where that is an address, which cannot have any. On a
// developer's machine one server has several names, so there it is the one that was asked.
func (s *Server) party(c *fiber.Ctx) *access.Party {
	at := *s.origin.Load()
	if at.Scheme == "http" {
		if asked, err := url.Parse("http://" + string(c.Request().Host())); err == nil && isLoopback(asked.Hostname()) {
			at.Host = asked.Host
		}
	}
	p, err := access.NewParty(at.Hostname(), at.Scheme+"://"+at.Host)
	if err != nil {
		return nil
	}

	return p
}

// askPasskey begins a sign-in without a password.
func (s *Server) askPasskey(c *fiber.Ctx) error {
	party := s.party(c)
	if party == nil {
		return tenants.ErrNotFound
	}
	step, err := access.AskPasskey(c.UserContext(), s.db, party, s.cookie(c, visitorCookie), s.clientIP(c))
	if err != nil {
		return s.loginRefused(c, localPath(field(c, "next")), err)
	}
	s.setCookie(c, stepCookie, step, access.StepLife)

	return c.Redirect(stepPath+"?"+url.Values{"next": {localPath(field(c, "next"))}}.Encode(), fiber.StatusSeeOther)
}

// startPasskey shows the page on which the device is asked to make a passkey.
func (s *Server) startPasskey(c *fiber.Ctx) error {
	ctx, party := c.UserContext(), s.party(c)
	if party == nil {
		return tenants.ErrNotFound
	}
	var options []byte
	err := s.db.System(ctx, func(tx *tenants.Tx) (err error) {
		options, err = access.StartPasskey(ctx, tx, party, member(c))
		return err
	})
	if form, refused := refilled(c, err); refused {
		return s.showSecurity(c, classify(err).status, pages.Security{Form: form})
	}
	if err != nil {
		return err
	}

	return s.showSecurity(c, fiber.StatusOK, pages.Security{NewPasskey: string(options)})
}

// finishPasskey adds the passkey that a device has made.
func (s *Server) finishPasskey(c *fiber.Ctx) error {
	party := s.party(c)
	if party == nil {
		return tenants.ErrNotFound
	}
	codes, err := access.FinishPasskey(c.UserContext(), s.db, s.keys, party, member(c), field(c, "name"), rawField(c, "passkey"))
	if form, refused := refilled(c, err); refused {
		return s.showSecurity(c, classify(err).status, pages.Security{Form: form})
	}
	if err != nil {
		return err
	}
	if len(codes) == 0 {
		return s.done(c, securityPath, flash{Key: "toast.factor_added"})
	}

	return s.showSecurity(c, fiber.StatusOK, pages.Security{Codes: codes, Added: true})
}

func (s *Server) removePasskey(c *fiber.Ctx) error {
	ctx := c.UserContext()
	err := s.db.System(ctx, func(tx *tenants.Tx) error { return s.sessions.RemovePasskey(ctx, tx, member(c), c.Params("key")) })
	if form, refused := refilled(c, err); refused {
		return s.showSecurity(c, classify(err).status, pages.Security{Form: form})
	}
	if err != nil {
		return err
	}

	return s.done(c, securityPath, flash{Key: "toast.factor_removed"})
}
