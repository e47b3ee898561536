package overview

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/changes"
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/adoption"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/reports"
	pages "github.com/pehchan/pehchan/views/overview"
)

const (
	monthForm = "2006-01"

	monthRowsSize = 50
)

// monthAsked is the month that ?month= names, and the business's first and the running one. Where none is named it is the last that is
// over, or the running one for a business that is younger.
func monthAsked(c *fiber.Ctx, now time.Time) (from, first, this time.Time, err error) {
	m := web.Member(c)
	zone := m.Tenant.Location()
	this, first = monthOf(now, zone), monthOf(m.Tenant.CreatedAt, zone)
	from = this.AddDate(0, -1, 0)
	if from.Before(first) {
		from = this
	}
	if asked := c.Query("month"); asked != "" {
		if from, err = time.ParseInLocation(monthForm, asked, zone); err != nil || from.Before(first) || from.After(this) {
			return from, first, this, tenants.ErrNotFound
		}
	}

	return from, first, this, nil
}

// MonthlyPage sums up a month.
func (s *Pages) MonthlyPage(c *fiber.Ctx) error {
	ctx, m, now := c.UserContext(), web.Member(c), time.Now()
	from, first, this, err := monthAsked(c, now)
	if err != nil {
		return err
	}
	to := from.AddDate(0, 1, 0)

	p := pages.Monthly{Business: m.Tenant.Name, Now: now, From: from, Running: !from.Before(this), PerDecision: reports.PerDecision}
	if from.After(first) {
		p.Before = from.AddDate(0, -1, 0).Format(monthForm)
	}
	if from.Before(this) {
		p.After = to.Format(monthForm)
	}
	err = s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		sum, err := reports.Sum(ctx, tx, from, to)
		if err != nil {
			return err
		}
		p.Heard, p.Reached, p.Auto, p.Joined, p.Undone, p.Decided, p.Saved = sum.Heard, sum.Reached, sum.Auto, sum.Joined, sum.Undone, sum.Decided, sum.Saved()
		if p.Filling, err = adoption.Filling(ctx, tx); err != nil {
			return err
		}
		queue, err := identity.CountCases(ctx, tx)
		if err != nil {
			return err
		}
		waiting, err := conversations.CountWaiting(ctx, tx)
		if err != nil {
			return err
		}
		p.Waiting, p.Unanswered = queue.Due(), waiting
		list, err := numbers.List(ctx, tx, uuid.Nil, 0)
		if err != nil {
			return err
		}
		known, err := changes.HomeFacts(ctx, tx, list, now)
		for _, f := range known {
			if f.Stale {
				p.Stale++
			}
		}

		return err
	})
	if err != nil {
		return err
	}
	p.Frame = s.Frame(c, "nav.monthly")
	p.Frame.Path = web.MonthlyPath + "?month=" + from.Format(monthForm)

	return s.Show(c, fiber.StatusOK, pages.MonthlyPage(p))
}

// MonthlyRows lists the rows that one figure of a month counts.
func (s *Pages) MonthlyRows(c *fiber.Ctx) error {
	ctx, m, now := c.UserContext(), web.Member(c), time.Now()
	from, _, _, err := monthAsked(c, now)
	if err != nil {
		return err
	}
	figure, to := c.Query("show"), from.AddDate(0, 1, 0)
	p := pages.MonthlyRows{Frame: s.Frame(c, "nav.monthly"), Now: now, From: from, Show: figure}
	err = s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		sum, err := reports.Sum(ctx, tx, from, to)
		if err != nil {
			return err
		}
		count, known := sum.Of(figure)
		if !known {
			return tenants.ErrNotFound
		}
		p.Count = count
		rows, next, err := reports.Rows(ctx, tx, figure, from, to, c.Query("cursor"), monthRowsSize)
		if err != nil {
			return err
		}
		if next != "" {
			p.Next = p.Address("cursor", next)
		}

		p.Items, err = countedRows(ctx, tx, m, figure, rows)

		return err
	})
	if err != nil {
		return err
	}
	p.Frame.Title = p.Title(ctx)

	return s.Show(c, fiber.StatusOK, pages.MonthlyRowsPage(p))
}

// countedRows are the rows of a figure, as a member may see and open them.
func countedRows(ctx context.Context, tx *tenants.Tx, m access.Member, figure string, rows []reports.Row) ([]pages.MonthRow, error) {
	e := web.Eyes{Clear: m.Can("phones:clear")}
	var ids []uuid.UUID
	for _, r := range rows {
		if r.Contact != nil {
			ids = append(ids, *r.Contact)
		}
	}
	people, err := identity.Several(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	list := make([]pages.MonthRow, 0, len(rows))
	for _, r := range rows {
		row := pages.MonthRow{ID: r.ID.String(), At: r.At, What: r.What, By: e.Words(r.By)}
		if r.Contact != nil {
			row.Name = e.Label(ctx, people[*r.Contact])
		}
		switch figure {
		case reports.FigureDecided:
			row.Href = where(m.Can("queue:read"), "/resolve/"+row.ID)
		case reports.FigureReached:
			if r.Contact != nil {
				row.Href = "/contacts/" + r.Contact.String()
			}
		default:
			row.Href = where(m.Can("merges:read"), "/merges/"+row.ID)
		}
		list = append(list, row)
	}

	return list, nil
}

// where is an address, empty for who may not open it.
func where(may bool, href string) string {
	if !may {
		return ""
	}

	return href
}

// monthOf is the first moment of a month in a zone.
func monthOf(t time.Time, zone *time.Location) time.Time {
	t = t.In(zone)

	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, zone)
}
