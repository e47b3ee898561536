package server

import (
	"errors"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/views/layout"
	"github.com/pehchan/pehchan/views/pages"
)

func (s *Server) numberPage(c *fiber.Ctx) error {
	return s.showNumber(c, fiber.StatusOK, pages.NumberHome{})
}

// showNumber shows a number's page. p holds the forms that came back.
func (s *Server) showNumber(c *fiber.Ctx, status int, p pages.NumberHome) error {
	if err := s.fillNumber(c, &p); err != nil {
		return err
	}
	p.Frame = s.frame(c, "numbers.title")
	p.Frame.Path = "/numbers/" + p.Number.ID
	p.Frame.Title = p.Number.Label()

	return s.show(c, status, pages.NumberPage(p))
}

// numberLive is the part of a number's page that keeps itself up to date. It takes no message meant for the next page.
func (s *Server) numberLive(c *fiber.Ctx) error {
	p := pages.NumberHome{Frame: layout.Frame{CSRF: s.formToken(member(c).FormScope())}}
	if err := s.fillNumber(c, &p); err != nil {
		return err
	}

	return s.show(c, fiber.StatusOK, pages.NumberLive(p))
}

func (s *Server) fillNumber(c *fiber.Ctx, p *pages.NumberHome) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), member(c)

	var (
		number numbers.Number
		syncs  []numbers.Sync
	)
	err = s.db.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
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
		p.Meter = meterView(meter)

		return fillTold(ctx, tx, number, p)
	})
	if err != nil {
		return err
	}

	p.Now, p.Number, p.Checks = time.Now(), numberView(number, ingest.Counts{SetAside: p.Meter.SetAside}), checkViews(number.Checks)
	p.CanConnect = m.Can("numbers:connect")
	fillSync(number, syncs, p)
	if number.App != "" {
		p.WebhookURL = s.hookURL(number.App)
	}

	return nil
}

// hookURL is the address that goes into Meta's dashboard for an app.
func (s *Server) hookURL(app string) string { return s.origin.Load().String() + numbers.HookPath(app) }

// recheckNumber asks Meta about a number again. What failed is on the page it leads to.
func (s *Server) recheckNumber(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}

	ctx, cancel := askingMeta(c)
	defer cancel()
	m := member(c)
	if _, err := numbers.Recheck(ctx, s.db, s.keys, s.graph, m.Actor, m.Tenant.ID, id, s.origin.Load().String()); err != nil {
		return err
	}

	return s.done(c, "/numbers/"+id.String(), flash{Key: "toast.number_checked"})
}

// replaceToken gives a number a new token, once that has proved that it controls the number.
func (s *Server) replaceToken(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}

	ctx, cancel := askingMeta(c)
	defer cancel()
	m := member(c)
	_, err = numbers.ReplaceToken(ctx, s.db, s.keys, s.graph, m.Actor, m.Tenant.ID, id, field(c, "access_token"), s.origin.Load().String())
	var refused *numbers.Refused
	if errors.As(err, &refused) {
		form, _ := refilled(c, &tenants.Conflict{Code: "checks"})
		return s.showNumber(c, fiber.StatusUnprocessableEntity, pages.NumberHome{TokenForm: form, TokenChecks: checkViews(refused.Checks)})
	}
	if form, ok := refilled(c, err); ok {
		return s.showNumber(c, classify(err).status, pages.NumberHome{TokenForm: form})
	}
	if err != nil {
		return err
	}

	return s.done(c, "/numbers/"+id.String(), flash{Key: "toast.token_replaced"})
}

// disconnectNumber ends a number's routing, once the last digits of its phone have been typed to confirm which.
func (s *Server) disconnectNumber(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}

	ctx, m := c.UserContext(), member(c)
	err = s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		number, err := numbers.Get(ctx, tx, id)
		if err != nil {
			return err
		}
		if field(c, "confirm") != numberView(number, ingest.Counts{}).LastFour() {
			return &tenants.Invalid{Field: "confirm", Key: "confirm"}
		}

		return numbers.Disconnect(ctx, tx, m.Actor, id)
	})
	if form, ok := refilled(c, err); ok {
		return s.showNumber(c, classify(err).status, pages.NumberHome{Confirm: form})
	}
	if err != nil {
		return err
	}

	return s.done(c, "/numbers/"+id.String(), flash{Key: "toast.number_disconnected"})
}
