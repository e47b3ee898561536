package numbers

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/views/layout"
	pages "github.com/pehchan/pehchan/views/numbers"
)

const itemsPageSize = 25

// HealthPage shows how one number does.
func (s *Pages) HealthPage(c *fiber.Ctx) error {
	p := pages.Health{}
	if err := s.fillHealth(c, &p); err != nil {
		return err
	}
	p.Frame = s.Frame(c, "health.title")
	p.Frame.Path = "/numbers/" + p.Number.ID + "/health"

	return s.Show(c, fiber.StatusOK, pages.HealthPage(p))
}

// HealthLive is the part of that page that keeps itself up to date. It takes no message meant for the next page.
func (s *Pages) HealthLive(c *fiber.Ctx) error {
	p := pages.Health{Frame: layout.Frame{CSRF: s.FormToken(web.Member(c).FormScope())}}
	if err := s.fillHealth(c, &p); err != nil {
		return err
	}

	return s.Show(c, fiber.StatusOK, pages.HealthLive(p))
}

func (s *Pages) fillHealth(c *fiber.Ctx, p *pages.Health) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	veil := s.Items(m)
	filter, err := itemsAfter(veil, c.Query("before"))
	if err != nil {
		return err
	}
	filter.State, filter.NumberID, filter.Limit = ingest.SetAside, id, itemsPageSize+1
	p.Now, p.CanReplay = time.Now(), m.Can("ingest:replay")

	var number numbers.Number
	err = s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		if number, err = numbers.Get(ctx, tx, id); err != nil {
			return err
		}
		lag, err := ingest.NumberLag(ctx, tx, id)
		if err != nil {
			return err
		}
		meter, err := ingest.NumberMeter(ctx, tx, id)
		if err != nil {
			return err
		}
		p.Meter = web.MeterView(meter)
		p.Meter.LagHalf, p.Meter.LagMost = lag.P50, lag.P95
		rate, err := ingest.NumberRate(ctx, tx, id, p.Now)
		if err != nil {
			return err
		}
		p.Minutes, p.Hours = rate.Minutes, rate.Hours
		seen, err := ingest.FieldsSeen(ctx, tx, id)
		if err != nil {
			return err
		}
		for _, f := range seen {
			p.Fields = append(p.Fields, pages.SeenField{Name: f.Field, Last: f.LastAt, Items: f.Items})
		}
		odd, err := ingest.TenantNovelties(ctx, tx)
		if err != nil {
			return err
		}
		p.Drift = web.DriftViews(odd)
		items, err := ingest.Items(ctx, tx, filter)
		if err != nil {
			return err
		}
		fillItems(p, m, veil, id, items)

		return nil
	})
	if err != nil {
		return err
	}
	meters, err := ingest.AppMeters(ctx, s.DB, m.Tenant.ID)
	if err != nil {
		return err
	}
	app := meters[number.AppID]
	p.Number = web.NumberView(number, ingest.Counts{SetAside: p.Meter.SetAside})
	p.Meter.Items = "/numbers/" + p.Number.ID + "/items"
	p.Number.WrongSecret = number.State != numbers.Disconnected && app.WrongSecret(p.Number.LastEvent)
	p.Refused = pages.Refusals{Day: app.RefusedDay, All: app.Refused, Own: app.Own}
	if app.RefusedAt != nil {
		p.Refused.At = *app.RefusedAt
	}

	return nil
}

func fillItems(p *pages.Health, m access.Member, veil secrets.Veil, number uuid.UUID, items []ingest.Item) {
	if len(items) > itemsPageSize {
		items = items[:itemsPageSize]
		last := items[itemsPageSize-1]
		p.NextItems = fmt.Sprintf("/numbers/%s/health?before=%d.%s", number, last.ReceivedAt.UnixMicro(), veil.Write(last.ID))
	}
	for _, item := range items {
		view := itemView(veil, item)
		if m.Can("ingest:read") {
			view.Href = fmt.Sprintf("/numbers/%s/items/%s", number, view.ID)
		}
		p.Items = append(p.Items, view)
	}
}

func itemView(veil secrets.Veil, item ingest.Item) pages.InboxItem {
	return pages.InboxItem{
		ID: veil.Write(item.ID).String(), At: item.ReceivedAt, State: item.State, Kind: item.Kind, Reason: item.Reason, Note: item.Note,
	}
}

// itemsAfter reads where a page of items begins: microseconds and id of the last item of the page before.
func itemsAfter(veil secrets.Veil, before string) (ingest.ItemFilter, error) {
	if before == "" {
		return ingest.ItemFilter{}, nil
	}

	at, id, _ := strings.Cut(before, ".")
	micros, err := strconv.ParseInt(at, 10, 64)
	if err != nil || micros < 0 || micros > 1<<52 {
		return ingest.ItemFilter{}, tenants.ErrNotFound
	}
	item, err := web.ItemID(veil, id)
	if err != nil {
		return ingest.ItemFilter{}, err
	}

	return ingest.ItemFilter{BeforeAt: time.UnixMicro(micros), BeforeID: item}, nil
}
