package team

import (
	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/teller"
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/i18n"
	pages "github.com/pehchan/pehchan/views/team"
)

// InviteByForm asks whoever a form names to join the team, and mails them the link.
func InviteByForm(s *web.Site, c *fiber.Ctx) (in access.Invitation, err error) {
	ctx, m := c.UserContext(), web.Member(c)
	if web.Field(c, "role") != access.Agent && !m.Proved {
		return access.Invitation{}, web.ErrStale // as giving somebody of the team the role would be
	}
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		var token string
		if in, token, err = access.Invite(ctx, tx, m, web.Field(c, "email"), web.Field(c, "role")); err != nil {
			return err
		}
		ctx := i18n.With(ctx, in.Lang, m.Tenant.Location())
		letter := pages.InviteMail(ctx, in.Business, in.By, in.Role, s.Origin.Load().String()+web.InvitePath+token, in.ExpiresAt)

		return teller.Queue(ctx, tx, s.Keys, in.Email, "invitation "+in.ID.String(), letter)
	})

	return in, err
}

func (s *Pages) InviteMember(c *fiber.Ctx) error {
	in, err := InviteByForm(s.Site, c)
	if form, ok := web.Refilled(c, err, "email", "role"); ok {
		return s.showTeam(c, web.Classify(err).Status, teamShown{form: form})
	}
	if err != nil {
		return err
	}

	return s.Done(c, "/team", web.Flash{Key: "toast.invited", Args: []any{"email", in.Email}})
}

// ShareInvitation shows a link to an invitation that waits, to be passed on by WhatsApp or otherwise. It is shown once.
func (s *Pages) ShareInvitation(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	var link pages.ShareLink
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		in, token, err := access.Share(ctx, tx, m, id)
		link = pages.ShareLink{Email: in.Email, URL: s.Origin.Load().String() + web.SharedInvitePath + token}

		return err
	})
	if err != nil {
		return err
	}

	return s.showTeam(c, fiber.StatusOK, teamShown{share: &link})
}

// WithdrawInvitation ends an invitation that has not been answered.
func (s *Pages) WithdrawInvitation(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	var in access.Invitation
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		in, err = access.Withdraw(ctx, tx, m, id)
		return err
	})
	if err != nil {
		return err
	}

	return s.Done(c, "/team", web.Flash{Key: "toast.withdrawn", Args: []any{"email", in.Email}})
}
