package numbers

import (
	"errors"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/views/layout"
	pages "github.com/pehchan/pehchan/views/numbers"
)

func (s *Pages) NumberPage(c *fiber.Ctx) error {
	return s.showNumber(c, fiber.StatusOK, pages.NumberHome{})
}

// showNumber shows a number's page. p holds the forms that came back.
func (s *Pages) showNumber(c *fiber.Ctx, status int, p pages.NumberHome) error {
	if err := s.fillNumber(c, &p); err != nil {
		return err
	}
	p.Frame, p.MustProve = s.Frame(c, "numbers.title"), !web.Member(c).Proved
	p.Frame.Path = "/numbers/" + p.Number.ID
	p.Frame.Title = p.Number.Label()

	return s.Show(c, status, pages.NumberPage(p))
}

// NumberLive is the part of a number's page that keeps itself up to date. It takes no message meant for the next page.
func (s *Pages) NumberLive(c *fiber.Ctx) error {
	p := pages.NumberHome{Frame: layout.Frame{CSRF: s.FormToken(web.Member(c).FormScope())}}
	if err := s.fillNumber(c, &p); err != nil {
		return err
	}

	return s.Show(c, fiber.StatusOK, pages.NumberLive(p))
}

func (s *Pages) fillNumber(c *fiber.Ctx, p *pages.NumberHome) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)

	var (
		number numbers.Number
		syncs  []numbers.Sync
	)
	err = s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		if number, err = numbers.Get(ctx, tx, id); err != nil {
			return err
		}
		if syncs, err = numbers.Syncs(ctx, tx, id); err != nil {
			return err
		}
		meter, err := ingest.NumberMeter(ctx, tx, id)
		if err != nil {
			return err
		}
		p.Meter = web.MeterView(meter)

		if err := fillShapes(ctx, tx, number, p); err != nil {
			return err
		}

		return fillTold(ctx, tx, number, p)
	})
	if err != nil {
		return err
	}

	p.Now, p.Number, p.Checks = time.Now(), web.NumberView(number, ingest.Counts{SetAside: p.Meter.SetAside}), checkViews(number.Checks)
	p.Meter.Items = "/numbers/" + p.Number.ID + "/items"
	p.CanConnect = m.Can("numbers:connect")
	fillSync(number, syncs, p)
	if number.App != "" {
		p.WebhookURL = s.hookURL(number.App)
	}

	return nil
}

// hookURL is the address that goes into Meta's dashboard for an app.
func (s *Pages) hookURL(app string) string { return s.Origin.Load().String() + numbers.HookPath(app) }

// RecheckNumber asks Meta about a number again. What failed is on the page it leads to.
func (s *Pages) RecheckNumber(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}

	ctx, cancel := web.AskingMeta(c)
	defer cancel()
	m := web.Member(c)
	if _, err := numbers.Recheck(ctx, s.DB, s.Keys, s.Graph, m.Actor, m.Tenant.ID, id, s.Origin.Load().String()); err != nil {
		return err
	}

	return s.Done(c, "/numbers/"+id.String(), web.Flash{Key: "toast.number_checked"})
}

// ReplaceToken gives a number a new token, once that has proved that it controls the number.
func (s *Pages) ReplaceToken(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}

	ctx, cancel := web.AskingMeta(c)
	defer cancel()
	m := web.Member(c)
	_, err = numbers.ReplaceToken(ctx, s.DB, s.Keys, s.Graph, m.Actor, m.Tenant.ID, id, web.Field(c, "access_token"), s.Origin.Load().String())
	var refused *numbers.Refused
	if errors.As(err, &refused) {
		form, _ := web.Refilled(c, &tenants.Conflict{Code: "checks"})
		return s.showNumber(c, fiber.StatusUnprocessableEntity, pages.NumberHome{TokenForm: form, TokenChecks: checkViews(refused.Checks)})
	}
	if form, ok := web.Refilled(c, err); ok {
		return s.showNumber(c, web.Classify(err).Status, pages.NumberHome{TokenForm: form})
	}
	if err != nil {
		return err
	}

	return s.Done(c, "/numbers/"+id.String(), web.Flash{Key: "toast.token_replaced"})
}

// DisconnectNumber ends a number's routing, once the last digits of its phone have been typed to confirm which.
func (s *Pages) DisconnectNumber(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}

	ctx, m := c.UserContext(), web.Member(c)
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		number, err := numbers.Get(ctx, tx, id)
		if err != nil {
			return err
		}
		if web.Field(c, "confirm") != web.NumberView(number, ingest.Counts{}).LastFour() {
			return &tenants.Invalid{Field: "confirm", Key: "confirm"}
		}

		return numbers.Disconnect(ctx, tx, m.Actor, id)
	})
	if form, ok := web.Refilled(c, err); ok {
		return s.showNumber(c, web.Classify(err).Status, pages.NumberHome{Confirm: form})
	}
	if err != nil {
		return err
	}

	return s.Done(c, "/numbers/"+id.String(), web.Flash{Key: "toast.number_disconnected"})
}
