package server

import (
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/adoption"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/reports"
	"github.com/pehchan/pehchan/views/pages"
)

const (
	monthlyPath = "/reports/monthly"
	monthForm   = "2006-01"
)

// monthlyPage sums up a month: the one asked for, else the last that is over, or this one for a business that is younger.
func (s *Server) monthlyPage(c *fiber.Ctx) error {
	ctx, m, now := c.UserContext(), member(c), time.Now()
	zone := m.Tenant.Location()
	this, first := monthOf(now, zone), monthOf(m.Tenant.CreatedAt, zone)
	from := this.AddDate(0, -1, 0)
	if from.Before(first) {
		from = this
	}
	if asked := c.Query("month"); asked != "" {
		var err error
		if from, err = time.ParseInLocation(monthForm, asked, zone); err != nil || from.Before(first) || from.After(this) {
			return tenants.ErrNotFound
		}
	}
	to := from.AddDate(0, 1, 0)

	p := pages.Monthly{Business: m.Tenant.Name, Now: now, From: from, Running: !from.Before(this), PerDecision: reports.PerDecision}
	if from.After(first) {
		p.Before = from.AddDate(0, -1, 0).Format(monthForm)
	}
	if from.Before(this) {
		p.After = to.Format(monthForm)
	}
	err := s.db.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
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
		inbox, err := conversations.CountInbox(ctx, tx)
		if err != nil {
			return err
		}
		p.Waiting, p.Unanswered = queue.Due(), inbox.Waiting
		list, err := numbers.List(ctx, tx, uuid.Nil, 0)
		if err != nil {
			return err
		}
		known, err := homeFacts(ctx, tx, list, now)
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
	p.Frame = s.frame(c, "nav.monthly")
	p.Frame.Path = monthlyPath + "?month=" + from.Format(monthForm)

	return s.show(c, fiber.StatusOK, pages.MonthlyPage(p))
}

// monthOf is the first moment of a month in a zone.
func monthOf(t time.Time, zone *time.Location) time.Time {
	t = t.In(zone)

	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, zone)
}
