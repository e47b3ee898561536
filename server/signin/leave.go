package signin

import (
	"errors"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/teller"
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	settingspages "github.com/pehchan/pehchan/views/settings"
)

// LeavePage asks whether somebody wants no more of these mails. Programs that look at every link in a mail change nothing by it.
func (s *Pages) LeavePage(c *fiber.Ctx) error {
	_, _, kind, err := teller.Leaving(s.Keys, c.Params("token"))
	if err != nil {
		return err
	}

	return s.Show(c, fiber.StatusOK, settingspages.LeavePage(settingspages.Leave{Frame: s.Frame(c, "mails.leave"), Kind: kind, Token: c.Params("token")}))
}

// Leave ends mails of a kind, or with again lets them come again. Nobody is signed in, so the signature of the address is what allows it.
func (s *Pages) Leave(c *fiber.Ctx) error {
	tenant, person, kind, err := teller.Leaving(s.Keys, c.Params("token"))
	if err != nil {
		return err
	}
	ctx, again := c.UserContext(), web.Field(c, "again") != ""
	err = s.DB.As(ctx, tenant, func(tx *tenants.Tx) error { return access.LeaveMails(ctx, tx, person, kind, again) })
	// Who is no member any more gets none anyway.
	if err != nil && !errors.Is(err, tenants.ErrNotFound) {
		return err
	}

	return s.Show(c, fiber.StatusOK, settingspages.LeavePage(settingspages.Leave{Frame: s.Frame(c, "mails.leave"), Kind: kind, Token: c.Params("token"), Done: true, Again: again}))
}
