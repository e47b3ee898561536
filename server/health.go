package server

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/views/layout"
	"github.com/pehchan/pehchan/views/pages"
)

const itemsPageSize = 25

// healthPage shows how one number does.
func (s *Server) healthPage(c *fiber.Ctx) error {
	p := pages.Health{}
	if err := s.fillHealth(c, &p); err != nil {
		return err
	}
	p.Frame = s.frame(c, "health.title")
	p.Frame.Path = "/numbers/" + p.Number.ID + "/health"

	return s.show(c, fiber.StatusOK, pages.HealthPage(p))
}

// healthLive is the part of that page that keeps itself up to date. It takes no message meant for the next page.
func (s *Server) healthLive(c *fiber.Ctx) error {
	p := pages.Health{Frame: layout.Frame{CSRF: s.formToken(member(c).FormScope())}}
	if err := s.fillHealth(c, &p); err != nil {
		return err
	}

	return s.show(c, fiber.StatusOK, pages.HealthLive(p))
}

func (s *Server) fillHealth(c *fiber.Ctx, p *pages.Health) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), member(c)
	veil := s.items(m)
	filter, err := itemsAfter(veil, c.Query("before"))
	if err != nil {
		return err
	}
	filter.State, filter.NumberID, filter.Limit = ingest.SetAside, id, itemsPageSize+1
	p.Now, p.CanReplay = time.Now(), m.Can("ingest:replay")

	var number numbers.Number
	err = s.db.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
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
		p.Meter = meterView(meter)
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
		p.Drift = driftViews(odd)
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
	meters, err := ingest.AppMeters(ctx, s.db, m.Tenant.ID)
	if err != nil {
		return err
	}
	app := meters[number.AppID]
	p.Number = numberView(number, ingest.Counts{SetAside: p.Meter.SetAside})
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

func meterView(m ingest.Meter) pages.Meter {
	view := countsView(m.Items)
	view.Duplicates, view.OldestWaiting = m.Duplicates, time.Duration(m.OldestWaitingSeconds)*time.Second

	return view
}

func countsView(n ingest.Counts) pages.Meter {
	return pages.Meter{Received: n.Received, Routed: n.Routed, Held: n.Held, SetAside: n.SetAside, Waiting: n.Waiting}
}

// items is how the ids of m's inbox items are written in addresses.
func (s *Server) items(m access.Member) secrets.Veil {
	return s.keys.Veil(m.Tenant.ID, ingest.VeilItem)
}

// itemID reads an item's id as it stands in an address.
func itemID(veil secrets.Veil, given string) (int64, error) {
	id, err := uuid.Parse(given)
	if err != nil {
		return 0, tenants.ErrNotFound
	}
	n, ok := veil.Read(id)
	if !ok {
		return 0, tenants.ErrNotFound
	}

	return n, nil
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
	item, err := itemID(veil, id)
	if err != nil {
		return ingest.ItemFilter{}, err
	}

	return ingest.ItemFilter{BeforeAt: time.UnixMicro(micros), BeforeID: item}, nil
}
