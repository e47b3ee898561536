package usernames

import (
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/trust"
	"github.com/pehchan/pehchan/tenants/usernames"
	"github.com/pehchan/pehchan/tenants/whatsapp"
	"github.com/pehchan/pehchan/views/components"
	pages "github.com/pehchan/pehchan/views/usernames"
)

// KitPage shows what the business prints about one of its numbers: the one that was chosen, else the first that has a name.
func (s *Pages) KitPage(c *fiber.Ctx) error {
	return s.showKit(c, fiber.StatusOK, "", components.Filled{})
}

// showKit shows the kit. form is what came back of the form of a place.
func (s *Pages) showKit(c *fiber.Ctx, status int, place string, form components.Filled) error {
	ctx, m := c.UserContext(), web.Member(c)
	p := pages.Kit{Frame: s.Frame(c, "kit.title"), Business: m.Tenant.Name, CanTrust: m.Can("trust:edit"), CanPlan: m.Can("usernames:claim")}
	p.Frame.Path = web.KitPath
	var list []usernames.Name
	err := s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
		if list, err = usernames.List(ctx, tx); err != nil {
			return err
		}
		path, on, err := trust.Path(ctx, tx)
		if err != nil {
			return err
		}
		if on {
			p.Trust = s.Origin.Load().String() + path
		}

		return fillPlaces(ctx, tx, m, time.Now(), &p)
	})
	if err != nil {
		return err
	}
	for i, at := range p.Places {
		if at.Key == place {
			p.Places[i].Form = form
		}
	}
	if len(list) == 0 {
		return s.Show(c, status, pages.KitPage(p))
	}

	at := max(0, slices.IndexFunc(list, func(n usernames.Name) bool { return n.Has.Holds() }))
	if chosen := c.Query("number"); chosen != "" {
		id, err := uuid.Parse(chosen)
		if err != nil {
			return tenants.ErrNotFound
		}
		if at = slices.IndexFunc(list, func(n usernames.Name) bool { return n.Number.ID == id }); at < 0 {
			return tenants.ErrNotFound
		}
	}
	for _, n := range list {
		p.Numbers = append(p.Numbers, components.Option{Value: n.Number.ID.String(), Label: web.NumberView(n.Number, ingest.Counts{}).Label()})
	}
	n := list[at]
	p.Number, p.Phone = n.Number.ID.String(), n.Number.DisplayPhone
	if n.Has.Holds() {
		p.Handle, p.Reserved = n.Has.Name, n.Has.Status == whatsapp.UsernameReserved
	}
	// A link by number opens everywhere; one by username only where usernames do.
	if p.Chat, err = web.QR("https://wa.me/" + whatsapp.Digits(p.Phone)); err != nil {
		return err
	}
	if p.Trust != "" {
		if p.TrustQR, err = web.QR(p.Trust); err != nil {
			return err
		}
	}

	return s.Show(c, status, pages.KitPage(p))
}
