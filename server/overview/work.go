package overview

import (
	"context"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/adoption"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/reports"
	"github.com/pehchan/pehchan/views/i18n"
	pages "github.com/pehchan/pehchan/views/overview"
)

// workedSince is when the last days begin for what is counted by the quarter of an hour.
func workedSince(now time.Time, days int) time.Time {
	return now.AddDate(0, 0, -days).UTC().Truncate(15 * time.Minute)
}

// TargetOf is how far a business is from the date that it chose; nil where it chose none.
func TargetOf(ctx context.Context, tx *tenants.Tx, t tenants.Tenant, now time.Time) (*pages.Target, error) {
	if t.ReadyBy == nil {
		return nil, nil //nolint:nilnil // none was chosen
	}
	aim, err := adoption.Aim(ctx, tx, *t.ReadyBy, t.DaysUntil(*t.ReadyBy, now))
	if err != nil {
		return nil, err
	}

	return &pages.Target{
		By: aim.By, Days: aim.Days, All: aim.All, Known: aim.Known, Phone: aim.Phone, Neither: aim.Neither, PerWeek: aim.PerWeek(),
	}, nil
}

func fillWork(ctx context.Context, tx *tenants.Tx, m access.Member, p *pages.Overview) error {
	since := workedSince(p.Now, p.Asked.Days)
	waiting, err := adoption.WaitingCases(ctx, tx, p.Now)
	if err != nil {
		return err
	}
	for _, w := range waiting {
		p.Waiting = append(p.Waiting, pages.WaitingKind(w))
	}
	links, err := adoption.Links(ctx, tx, since, time.Time{})
	if err != nil {
		return err
	}
	p.Linked = pages.Linked(links)
	pace, err := adoption.TimeToDecide(ctx, tx, since)
	if err != nil {
		return err
	}
	p.Decided = pages.Decided{
		Count: pace.Decided, Median: time.Duration(pace.Median * float64(time.Second)), P90: time.Duration(pace.P90 * float64(time.Second)),
	}
	asks, err := conversations.AskFunnel(ctx, tx, since, p.Now)
	if err != nil {
		return err
	}
	p.Asks = pages.Asks{
		Asked: int64(asks.Asked), Shared: int64(asks.Shared), WithoutNumber: int64(asks.WithoutNumber), Typed: int64(asks.Typed),
		Silent: int64(asks.Silent), Waiting: int64(asks.Waiting),
	}

	counts, err := ingest.NumberCounts(ctx, tx)
	if err != nil {
		return err
	}
	var all ingest.Counts
	for _, n := range counts {
		all.Received, all.Routed, all.Held = all.Received+n.Received, all.Routed+n.Routed, all.Held+n.Held
		all.SetAside, all.Waiting = all.SetAside+n.SetAside, all.Waiting+n.Waiting
	}
	if p.Meter = web.CountsView(all); m.Can("numbers:read") {
		p.Meter.Items = "/numbers/items"
	}

	return nil
}

// WorkRows lists the links and decisions behind a figure of the overview.
func (s *Pages) WorkRows(c *fiber.Ctx) error {
	ctx, m, now := c.UserContext(), web.Member(c), time.Now()
	asked, _ := adopted(c)
	p := pages.WorkRows{Frame: s.Frame(c, "adoption.title"), Asked: pages.Adopted{Days: asked.Days}, Show: c.Query("show", pages.WorkShows[0])}
	if !slices.Contains(pages.WorkShows, p.Show) {
		return tenants.ErrNotFound
	}
	since := workedSince(now, p.Asked.Days)
	err := s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		links, err := adoption.Links(ctx, tx, since, time.Time{})
		if err != nil {
			return err
		}
		ended, err := adoption.CasesEnded(ctx, tx, since, time.Time{})
		if err != nil {
			return err
		}
		p.Count = map[string]int64{
			reports.FigureLinkedAuto: links.Auto, reports.FigureLinkedAutoBack: links.AutoUndone, reports.FigureLinkedManual: links.Manual,
			reports.FigureLinkedManualBack: links.ManualUndone, reports.FigureDecided: ended.Decided,
		}[p.Show]
		rows, next, err := reports.Rows(ctx, tx, p.Show, since, now, c.Query("cursor"), monthRowsSize)
		if err != nil {
			return err
		}
		if next != "" {
			p.Next = p.Address("cursor", next)
		}
		p.Items, err = countedRows(ctx, tx, m, p.Show, rows)

		return err
	})
	if err != nil {
		return err
	}
	p.Frame.Title = p.Title(ctx)

	return s.Show(c, fiber.StatusOK, pages.WorkRowsPage(p))
}

// ExportWork gives out the figures about the queue and the links.
func (s *Pages) ExportWork(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	p := pages.Overview{Now: time.Now()}
	p.Asked, _ = adopted(c)
	if err := s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return fillWork(ctx, tx, m, &p) }); err != nil {
		return err
	}
	lines := [][]string{{
		i18n.T(ctx, "adoption.waiting"), i18n.T(ctx, "adoption.age_day"), i18n.T(ctx, "adoption.age_week"), i18n.T(ctx, "adoption.age_month"),
		i18n.T(ctx, "adoption.age_older"), i18n.T(ctx, "adoption.all"),
	}}
	for _, w := range p.Waiting {
		lines = append(lines, web.Figures(i18n.T(ctx, "adoption.kind_"+w.Kind), w.Day, w.Week, w.Month, w.Older, adoption.Waiting(w).All()))
	}
	seconds := func(d time.Duration) int64 { return int64(d / time.Second) }
	lines = append(lines, nil,
		[]string{i18n.N(ctx, "adoption.work", p.Asked.Days), i18n.T(ctx, "adoption.links_made"), i18n.T(ctx, "adoption.links_back")},
		web.Figures(i18n.T(ctx, "adoption.auto"), p.Linked.Auto, p.Linked.AutoUndone),
		web.Figures(i18n.T(ctx, "adoption.manual"), p.Linked.Manual, p.Linked.ManualUndone), nil,
		[]string{i18n.T(ctx, "adoption.took"), i18n.T(ctx, "adoption.rows_decided"), i18n.T(ctx, "adoption.csv_half"), i18n.T(ctx, "adoption.csv_most")},
		web.Figures("", p.Decided.Count, seconds(p.Decided.Median), seconds(p.Decided.P90)))

	return web.ShowCSV(c, "pehchan-queue.csv", lines)
}
