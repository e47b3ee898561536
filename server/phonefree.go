package server

import (
	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/views/pages"
)

// phoneFreePage says what it means that a number keeps no phones, before it is switched.
func (s *Server) phoneFreePage(c *fiber.Ctx) error {
	return s.showPhoneFree(c, fiber.StatusOK, pages.Filled{})
}

func (s *Server) showPhoneFree(c *fiber.Ctx, status int, form pages.Filled) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), member(c)
	var number numbers.Number
	err = s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		number, err = numbers.Get(ctx, tx, id)
		return err
	})
	if err != nil {
		return err
	}
	p := pages.PhoneFree{Frame: s.frame(c, "phonefree.title"), Number: numberView(number, ingest.Counts{}), Form: form}

	return s.show(c, status, pages.PhoneFreePage(p))
}

// setPhoneFree switches it. To keep none, the last digits of the number are typed to confirm which: what is cleaned is gone.
func (s *Server) setPhoneFree(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m, on := c.UserContext(), member(c), field(c, "on") == "yes"
	err = s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		number, err := numbers.Get(ctx, tx, id)
		if err != nil {
			return err
		}
		if on && field(c, "confirm") != numberView(number, ingest.Counts{}).LastFour() {
			return &tenants.Invalid{Field: "confirm", Key: "confirm"}
		}

		return numbers.SetPhoneFree(ctx, tx, m.Actor, id, on)
	})
	if form, ok := refilled(c, err); ok {
		return s.showPhoneFree(c, classify(err).status, form)
	}
	if err != nil {
		return err
	}

	return s.done(c, "/numbers/"+id.String()+"#phone-free", flash{Key: "toast.saved"})
}
