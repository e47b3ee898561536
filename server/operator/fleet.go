package operator

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/operator"
	pages "github.com/pehchan/pehchan/views/operator"
)

const opPageSize = 50

// Page is the operator's start: is anything burning in any business? It reads counts, and nothing of anybody's customers.
func (s *Pages) Page(c *fiber.Ctx) error {
	after, err := uuid.Parse(c.Query("after", uuid.Nil.String()))
	if err != nil {
		return tenants.ErrNotFound
	}

	ctx := c.UserContext()
	total, err := ingest.FleetMeter(ctx, s.DB)
	if err != nil {
		return err
	}
	list, err := operator.Businesses(ctx, s.DB, after, opPageSize+1)
	if err != nil {
		return err
	}

	_, unowned, err := ingest.UnownedItems(ctx, s.DB, 0, 1)
	if err != nil {
		return err
	}

	p := pages.Fleet{Frame: s.Frame(c, "op.title"), Now: time.Now(), Total: web.MeterView(total), Unowned: unowned}
	p.Accepted, p.Repeated, p.Refused = total.Deliveries.Accepted, total.Deliveries.Duplicate, total.Deliveries.Refused
	if len(list) > opPageSize {
		list = list[:opPageSize]
		p.Next = "/op?after=" + list[opPageSize-1].ID.String()
	}
	for _, b := range list {
		meter := web.CountsView(b.Counts)
		meter.Duplicates, meter.OldestWaiting = b.Duplicates, time.Duration(b.OldestWaiting)*time.Second
		p.Items = append(p.Items, pages.Business{
			ID: b.ID.String(), Name: b.Name, Slug: b.Slug, State: b.State, Numbers: b.Numbers, Members: b.Members, Meter: meter, LastEvent: web.OrZero(b.LastItem),
		})
	}

	if p.Drift, err = s.Drift(ctx); err != nil {
		return err
	}
	if err := s.findRed(c, &p); err != nil {
		return err
	}
	slices.SortStableFunc(p.Items, func(a, b pages.Business) int { return web.Rank(!a.Burns()) - web.Rank(!b.Burns()) })

	return s.Show(c, fiber.StatusOK, pages.FleetPage(p))
}

// HeldPage is the quarantine: what came for numbers that nobody has connected, or through another app than the number's.
func (s *Pages) HeldPage(c *fiber.Ctx) error {
	ctx := c.UserContext()
	page := ingest.HeldPage{PhoneNumberID: c.Query("number"), WABA: c.Query("waba"), App: c.Query("app"), Reason: c.Query("reason"), Limit: opPageSize + 1}
	list, err := ingest.HeldNumbers(ctx, s.DB, page)
	if err != nil {
		return err
	}
	total, err := ingest.FleetMeter(ctx, s.DB)
	if err != nil {
		return err
	}

	p := pages.Held{Frame: s.Frame(c, "nav.held"), Now: time.Now(), Total: total.Items.Held}
	if len(list) > opPageSize {
		list = list[:opPageSize]
		last := list[opPageSize-1]
		p.Next = "/op/held?" + url.Values{"number": {last.PhoneNumberID}, "waba": {last.WABA}, "app": {last.App}, "reason": {last.Reason}}.Encode()
	}
	if err := s.fillUnowned(c, &p); err != nil {
		return err
	}
	for _, h := range list {
		p.Items = append(p.Items, pages.HeldGroup{
			PhoneNumberID: h.PhoneNumberID, WABAID: h.WABA, Phone: h.DisplayPhone, App: h.App, Reason: h.Reason, Count: h.Items, First: h.First, Last: h.Last,
		})
	}

	return s.Show(c, fiber.StatusOK, pages.HeldPage(p))
}

// fillUnowned lists what could not be read and names nobody it could belong to.
func (s *Pages) fillUnowned(c *fiber.Ctx, p *pages.Held) error {
	before, err := strconv.ParseInt(c.Query("before", "0"), 10, 64)
	if err != nil || before < 0 {
		return tenants.ErrNotFound
	}
	list, total, err := ingest.UnownedItems(c.UserContext(), s.DB, before, opPageSize+1)
	if err != nil {
		return err
	}

	p.UnownedTotal = total
	if len(list) > opPageSize {
		list = list[:opPageSize]
		p.UnownedNext = "/op/held?before=" + strconv.FormatInt(list[opPageSize-1].ID, 10)
	}
	for _, u := range list {
		p.Unowned = append(p.Unowned, pages.UnownedItem{App: u.App, Kind: u.Kind, Reason: u.Reason, Bytes: u.Bytes, At: u.ReceivedAt})
	}

	return nil
}
