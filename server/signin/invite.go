package signin

import (
	"errors"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/components"
	teampages "github.com/pehchan/pehchan/views/team"
)

func (s *Pages) InvitePage(c *fiber.Ctx) error {
	return s.showInvitation(c, fiber.StatusOK, components.Filled{})
}

// showInvitation shows what a link asks, or that it is good no more. Nothing that the page leads to learns its address.
func (s *Pages) showInvitation(c *fiber.Ctx, status int, form components.Filled) error {
	ctx := c.UserContext()
	m, _ := access.From(ctx)
	var in access.Invitation
	err := s.DB.System(ctx, func(tx *tenants.Tx) (err error) {
		in, err = access.InvitationBy(ctx, tx, c.Params("token"))
		return err
	})
	p := teampages.Invitation{Frame: s.Frame(c, "invite.title"), Now: time.Now(), Form: form}
	if errors.Is(err, access.ErrBadInvitation) {
		p.Over = true
		return s.Show(c, fiber.StatusGone, teampages.InvitationPage(p))
	}
	if err != nil {
		return err
	}
	p.Token, p.Business, p.By, p.Role, p.Email, p.Known = c.Params("token"), in.Business, in.By, in.Role, in.Email, in.Known
	p.Me = m.Person.Email
	p.MayJoin = access.SameMailbox(m.Person.Email, in.Email)

	return s.Show(c, status, teampages.InvitationPage(p))
}

// AcceptInvitation joins the team, and signs in whoever had no account until now.
func (s *Pages) AcceptInvitation(c *fiber.Ctx) error {
	ctx := c.UserContext()
	m, _ := access.From(ctx)
	in, err := access.Accept(ctx, s.DB, c.Params("token"), m, web.Field(c, "name"), web.RawField(c, "password"))
	if errors.Is(err, access.ErrBadInvitation) {
		return s.showInvitation(c, fiber.StatusGone, components.Filled{})
	}
	if form, ok := web.Refilled(c, err, "name"); ok {
		return s.showInvitation(c, web.Classify(err).Status, form)
	}
	if err != nil {
		return err
	}
	if in.Known {
		return c.Redirect("/choose", fiber.StatusSeeOther)
	}
	signed, err := s.Sessions.SignIn(ctx, s.DB, access.Credentials{
		Email: in.Email, Password: web.RawField(c, "password"), Address: s.ClientIP(c), Agent: c.Get(fiber.HeaderUserAgent),
	})
	if err != nil {
		return c.Redirect("/login", fiber.StatusSeeOther) // they have an account; only signing in has to wait
	}

	return s.enter(c, signed, "/")
}
