package server

import (
	"errors"
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
	veil := s.items(m)
	filter, err := itemsAfter(veil, c.Query("before"))
	if err != nil {
		return err
	}
	filter.State, filter.NumberID, filter.Limit = ingest.SetAside, id, itemsPageSize+1

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
		items, err := ingest.Items(ctx, tx, filter)
		if err != nil {
			return err
		}
		fillItems(p, m, veil, id, items)

		return fillTold(ctx, tx, number, p)
	})
	if err != nil {
		return err
	}
	meters, err := ingest.AppMeters(ctx, s.db, m.Tenant.ID)
	if err != nil {
		return err
	}

	p.Now, p.Number, p.Checks = time.Now(), numberView(number, ingest.Counts{SetAside: p.Meter.SetAside}), checkViews(number.Checks)
	p.Refused = meters[number.AppID].Refused
	p.CanConnect, p.CanReplay = m.Can("numbers:connect"), m.Can("ingest:replay")
	fillSync(number, syncs, p)
	if number.App != "" {
		p.WebhookURL = s.hookURL(number.App)
	}

	return nil
}

func fillItems(p *pages.NumberHome, m access.Member, veil secrets.Veil, number uuid.UUID, items []ingest.Item) {
	if len(items) > itemsPageSize {
		items = items[:itemsPageSize]
		last := items[itemsPageSize-1]
		p.NextItems = fmt.Sprintf("/numbers/%s?before=%d.%s", number, last.ReceivedAt.UnixMicro(), veil.Write(last.ID))
	}
	for _, item := range items {
		view := itemView(veil, item)
		if m.Can("ingest:read") {
			view.Href = fmt.Sprintf("/numbers/%s/items/%s", number, view.ID)
		}
		p.Items = append(p.Items, view)
	}
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

func meterView(m ingest.Meter) pages.Meter {
	view := countsView(m.Items)
	view.Duplicates, view.OldestWaiting = m.Duplicates, time.Duration(m.OldestWaitingSeconds)*time.Second

	return view
}

func countsView(n ingest.Counts) pages.Meter {
	return pages.Meter{Received: n.Received, Routed: n.Routed, Held: n.Held, SetAside: n.SetAside, Waiting: n.Waiting}
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
