package numbers

import (
	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/views/components"
	pages "github.com/pehchan/pehchan/views/numbers"
)

// PhoneFreePage says what it means that a number keeps no phones, before it is switched.
func (s *Pages) PhoneFreePage(c *fiber.Ctx) error {
	return s.showPhoneFree(c, fiber.StatusOK, components.Filled{})
}

func (s *Pages) showPhoneFree(c *fiber.Ctx, status int, form components.Filled) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	var number numbers.Number
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		number, err = numbers.Get(ctx, tx, id)
		return err
	})
	if err != nil {
		return err
	}
	p := pages.PhoneFree{Frame: s.Frame(c, "phonefree.title"), Number: web.NumberView(number, ingest.Counts{}), Form: form}

	return s.Show(c, status, pages.PhoneFreePage(p))
}

// SetPhoneFree switches it. To keep none, the last digits of the number are typed to confirm which: what is cleaned is gone.
func (s *Pages) SetPhoneFree(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m, on := c.UserContext(), web.Member(c), web.Field(c, "on") == "yes"
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		number, err := numbers.Get(ctx, tx, id)
		if err != nil {
			return err
		}
		if on && web.Field(c, "confirm") != web.NumberView(number, ingest.Counts{}).LastFour() {
			return &tenants.Invalid{Field: "confirm", Key: "confirm"}
		}

		return numbers.SetPhoneFree(ctx, tx, m.Actor, id, on)
	})
	if form, ok := web.Refilled(c, err); ok {
		return s.showPhoneFree(c, web.Classify(err).Status, form)
	}
	if err != nil {
		return err
	}

	return s.Done(c, "/numbers/"+id.String()+"#phone-free", web.Flash{Key: "toast.saved"})
}
