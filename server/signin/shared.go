package signin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/teller"
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/i18n"
	teampages "github.com/pehchan/pehchan/views/team"
)

// SharedInvitePage says what a link asks that an inviter passed on by themselves. Whoever holds it learns neither the whole e-mail nor the
// way in: that comes by mail.
func (s *Pages) SharedInvitePage(c *fiber.Ctx) error {
	return s.showShared(c, fiber.StatusOK, teampages.SharedInvitation{})
}

func (s *Pages) showShared(c *fiber.Ctx, status int, p teampages.SharedInvitation) error {
	ctx := c.UserContext()
	var in access.Invitation
	err := s.DB.System(ctx, func(tx *tenants.Tx) (err error) {
		in, err = access.SharedBy(ctx, tx, c.Params("token"))
		return err
	})
	p.Frame, p.Token = s.Frame(c, "invite.title"), c.Params("token")
	if errors.Is(err, access.ErrBadInvitation) {
		p.Over = true
		return s.Show(c, fiber.StatusGone, teampages.SharedInvitationPage(p))
	}
	if err != nil {
		return err
	}
	p.Business, p.By, p.Role, p.Email = in.Business, in.By, in.Role, in.Email

	return s.Show(c, status, teampages.SharedInvitationPage(p))
}

// AskSharedInvitation mails the invitation to whom it is for, once more each time.
func (s *Pages) AskSharedInvitation(c *fiber.Ctx) error {
	ctx := c.UserContext()
	err := s.DB.System(ctx, func(tx *tenants.Tx) error {
		in, token, tx, err := access.AskShared(ctx, tx, s.Keys.Derive("shared invitation"), c.Params("token"), s.ClientIP(c))
		if err != nil {
			return err
		}

		return s.mailInvitation(ctx, tx, in, token)
	})
	var tooMany *access.TooMany
	switch {
	case errors.As(err, &tooMany):
		c.Set(fiber.HeaderRetryAfter, web.Seconds(web.Classify(err).Retry))
		return s.showShared(c, web.Classify(err).Status, teampages.SharedInvitation{Wait: tooMany.RetryAfter.Round(time.Second)})
	case errors.Is(err, access.ErrBadInvitation):
		return s.showShared(c, fiber.StatusGone, teampages.SharedInvitation{})
	case err != nil:
		return err
	}

	return s.showShared(c, fiber.StatusOK, teampages.SharedInvitation{Sent: true})
}

func (s *Pages) mailInvitation(ctx context.Context, tx *tenants.Tx, in access.Invitation, token string) error {
	var t tenants.Tenant
	if err := tx.GetContext(ctx, &t, `SELECT timezone FROM tenants WHERE id = $1`, in.Tenant); err != nil {
		return fmt.Errorf("read zone of business: %w", err)
	}
	ctx = i18n.With(ctx, in.Lang, t.Location())
	letter := teampages.InviteMail(ctx, in.Business, in.By, in.Role, s.Origin.Load().String()+web.InvitePath+token, in.ExpiresAt)

	return teller.Queue(ctx, tx, s.Keys, in.Email, "invitation "+in.ID.String()+" "+uuid.NewString(), letter) // a mail goes out once for each key
}
