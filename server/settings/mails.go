package settings

import (
	"errors"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	pages "github.com/pehchan/pehchan/views/settings"
)

// fillMails puts on the settings which mails whoever looks wants, where they are of a team.
func (s *Pages) fillMails(c *fiber.Ctx, p *pages.Settings) error {
	ctx, m := c.UserContext(), web.Member(c)
	if !m.HasTenant() {
		return nil
	}
	var want access.MailWishes
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
		want, err = access.Wishes(ctx, tx, m.Person.ID)
		return err
	})
	if errors.Is(err, tenants.ErrNotFound) {
		return nil // an operator whom the business let in
	}
	if err != nil {
		return err
	}
	p.Mails = &pages.MailChoices{Owner: m.Role == access.Owner, Alerts: want.Alerts, Digest: want.Digest, Tasks: want.Tasks}

	return nil
}

// SaveMails keeps which mails somebody wants. What comes to owners alone nobody else is asked.
func (s *Pages) SaveMails(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	if !m.HasTenant() {
		return tenants.ErrNotFound
	}
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		want, err := access.Wishes(ctx, tx, m.Person.ID)
		if err != nil {
			return err
		}
		want.Tasks = web.Field(c, "tasks") != ""
		if m.Role == access.Owner {
			want.Alerts, want.Digest = web.Field(c, "alerts") != "", web.Field(c, "digest") != ""
		}

		return access.SetWishes(ctx, tx, m.Actor, m.Person.ID, want)
	})
	if err != nil {
		return err
	}

	return s.Done(c, "/settings#mails", web.Flash{Key: "toast.saved"})
}
