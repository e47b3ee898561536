package signin

import (
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	pages "github.com/pehchan/pehchan/views/signin"
)

// party is whom passkeys are for: the host that people reach the server at. Nil where that is an address, which cannot have any. On a
// developer's machine one server has several names, so there it is the one that was asked.
func (s *Pages) party(c *fiber.Ctx) *access.Party {
	at := *s.Origin.Load()
	if at.Scheme == "http" {
		if asked, err := url.Parse("http://" + string(c.Request().Host())); err == nil && config.IsLoopback(asked.Hostname()) {
			at.Host = asked.Host
		}
	}
	p, err := access.NewParty(at.Hostname(), at.Scheme+"://"+at.Host)
	if err != nil {
		return nil
	}

	return p
}

// AskPasskey begins a sign-in without a password.
func (s *Pages) AskPasskey(c *fiber.Ctx) error {
	party := s.party(c)
	if party == nil {
		return tenants.ErrNotFound
	}
	step, err := access.AskPasskey(c.UserContext(), s.DB, party, s.Cookie(c, web.VisitorCookie), s.ClientIP(c))
	if err != nil {
		return s.loginRefused(c, web.LocalPath(web.Field(c, "next")), err)
	}
	s.SetCookie(c, web.StepCookie, step, access.StepLife)

	return c.Redirect(web.StepPath+"?"+url.Values{"next": {web.LocalPath(web.Field(c, "next"))}}.Encode(), fiber.StatusSeeOther)
}

// StartPasskey shows the page on which the device is asked to make a passkey.
func (s *Pages) StartPasskey(c *fiber.Ctx) error {
	ctx, party := c.UserContext(), s.party(c)
	if party == nil {
		return tenants.ErrNotFound
	}
	var options []byte
	err := s.DB.System(ctx, func(tx *tenants.Tx) (err error) {
		options, err = access.StartPasskey(ctx, tx, party, web.Member(c))
		return err
	})
	if form, refused := web.Refilled(c, err); refused {
		return s.showSecurity(c, web.Classify(err).Status, pages.Security{Form: form})
	}
	if err != nil {
		return err
	}

	return s.showSecurity(c, fiber.StatusOK, pages.Security{NewPasskey: string(options)})
}

// FinishPasskey adds the passkey that a device has made.
func (s *Pages) FinishPasskey(c *fiber.Ctx) error {
	party := s.party(c)
	if party == nil {
		return tenants.ErrNotFound
	}
	codes, err := access.FinishPasskey(c.UserContext(), s.DB, s.Keys, party, web.Member(c), web.Field(c, "name"), web.RawField(c, "passkey"))
	if form, refused := web.Refilled(c, err); refused {
		return s.showSecurity(c, web.Classify(err).Status, pages.Security{Form: form})
	}
	if err != nil {
		return err
	}
	if len(codes) == 0 {
		return s.Done(c, web.SecurityPath, web.Flash{Key: "toast.factor_added"})
	}

	return s.showSecurity(c, fiber.StatusOK, pages.Security{Codes: codes, Added: true})
}

func (s *Pages) RemovePasskey(c *fiber.Ctx) error {
	ctx := c.UserContext()
	err := s.DB.System(ctx, func(tx *tenants.Tx) error { return s.Sessions.RemovePasskey(ctx, tx, web.Member(c), c.Params("key")) })
	if form, refused := web.Refilled(c, err); refused {
		return s.showSecurity(c, web.Classify(err).Status, pages.Security{Form: form})
	}
	if err != nil {
		return err
	}

	return s.Done(c, web.SecurityPath, web.Flash{Key: "toast.factor_removed"})
}
