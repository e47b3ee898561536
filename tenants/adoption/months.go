package adoption

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// monthOf is the first day of a time's month, UTC.
func monthOf(t time.Time) time.Time {
	t = t.UTC()

	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
}

// daysIn are the days of a week that lie in a month, as bits.
func daysIn(week, month time.Time) int {
	from := max(0, int(month.Sub(week)/oneDay))
	to := min(7, int(month.AddDate(0, 1, 0).Sub(week)/oneDay))
	if from >= to {
		return 0
	}

	return 1<<to - 1<<from
}

// monthsOf are the months in which some days of a week lie: one or two.
func monthsOf(week time.Time, days int) []time.Time {
	var months []time.Time
	month, last := monthOf(week), monthOf(week.AddDate(0, 0, 6))
	if days&daysIn(week, month) != 0 {
		months = append(months, month)
	}
	if last.After(month) && days&daysIn(week, last) != 0 {
		months = append(months, last)
	}

	return months
}

// parted tells whether a row of a week of two months shows a phone in one of them, and in the other none.
func parted(r row) bool {
	if r.Phoned == 0 {
		return false
	}
	for _, month := range monthsOf(r.Week, r.Days) {
		if r.Phoned&daysIn(r.Week, month) == 0 {
			return true
		}
	}

	return false
}

// addMonths adds, or takes away, what the rows of one account say of the months in only, or of all where it is nil. They must be all its
// rows of those months. Each account counts once, in its portfolio.
func (s sums) addMonths(rows []row, only map[time.Time]bool, times int) {
	all := map[time.Time]int{}
	for _, r := range rows {
		for _, month := range monthsOf(r.Week, r.Days) {
			if only == nil || only[month] {
				all[month] |= shown([]row{r}, daysIn(r.Week, month))
			}
		}
	}
	for month, what := range all {
		s[cell{cellMonth, rows[0].Scope, month.Unix(), "", what}] += times
	}
}

// addAccount adds, or takes away, what all rows of one account say of days, weeks and months.
func (s sums) addAccount(rows []row, times int) {
	s.addWeeks(rows, times)
	s.addMonths(rows, nil, times)
}

// Monthly is who was heard from in a month, its days being UTC's.
type Monthly struct {
	Heard   int64 `db:"heard"`   // accounts
	Reached int64 `db:"reached"` // of them, those that showed no phone in it and whose WhatsApp ID is known
}

// Month counts who was heard from in the month that a time names in its own zone.
func Month(ctx context.Context, tx *tenants.Tx, of time.Time) (Monthly, error) {
	places, err := Where{}.places(ctx, tx)
	if err != nil {
		return Monthly{}, err
	}
	var m Monthly
	if err := tx.GetContext(ctx, &m, `
		SELECT coalesce(sum(n), 0)::bigint AS heard, coalesce(sum(n) FILTER (WHERE shown & 1 <> 0 AND shown & 4 = 0), 0)::bigint AS reached
		FROM adoption_cells WHERE tenant_id = $1 AND kind = 'month' AND place = ANY($2) AND at = $3`,
		tx.Tenant, pq.Array(places), calendarMonth(of)); err != nil {
		return Monthly{}, fmt.Errorf("count customers of a month: %w", err)
	}

	return m, nil
}

// calendarMonth is the first day of the month that a time is in where it is, as a day of UTC.
func calendarMonth(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
}

// Reached lists the accounts that Month counts as such after one, the last known first, each with the day in the month on which it was
// last heard from. uuid.Max begins the list.
//
// It walks the weeks of the month by what was shown in each, and of weeks that two months share also the rows that showed a phone in one
// of them only; then it looks whether the account showed one at another time of the month.
func Reached(ctx context.Context, tx *tenants.Tx, of time.Time, after uuid.UUID, limit int) ([]Person, error) {
	month := calendarMonth(of)
	var (
		weeks  []time.Time
		ofWeek []int64 // the days of it in the month
	)
	for week := monday(month); week.Before(month.AddDate(0, 1, 0)); week = week.AddDate(0, 0, 7) {
		weeks, ofWeek = append(weeks, week), append(ofWeek, int64(daysIn(week, month)))
	}
	var people []Person
	if err := tx.SelectContext(ctx, &people, `
		WITH month AS MATERIALIZED (SELECT week, days FROM unnest($2::date[], $3::bigint[]) AS w (week, days)),
		found AS (
			SELECT DISTINCT x.identity_id FROM (
				SELECT l.identity_id FROM month w CROSS JOIN unnest('{1,3}'::int[]) AS s (shown)
				CROSS JOIN LATERAL (
					SELECT DISTINCT h.identity_id FROM heard_weeks h
					WHERE h.tenant_id = $1 AND h.week = w.week AND h.shown = s.shown AND h.identity_id < $4 AND h.days & w.days <> 0
					  AND NOT EXISTS (SELECT 1 FROM month o JOIN heard_weeks p ON p.tenant_id = $1 AND p.identity_id = h.identity_id AND p.week = o.week
					                  WHERE p.phoned & o.days <> 0)
					ORDER BY h.identity_id DESC LIMIT $5) l
				UNION ALL
				SELECT l.identity_id FROM month w
				CROSS JOIN LATERAL (
					SELECT DISTINCT h.identity_id FROM heard_weeks h
					WHERE h.tenant_id = $1 AND h.week = w.week AND h.parted AND h.bsuid AND h.identity_id < $4 AND h.days & w.days <> 0
					  AND NOT EXISTS (SELECT 1 FROM month o JOIN heard_weeks p ON p.tenant_id = $1 AND p.identity_id = h.identity_id AND p.week = o.week
					                  WHERE p.phoned & o.days <> 0)
					ORDER BY h.identity_id DESC LIMIT $5) l
			) x ORDER BY x.identity_id DESC LIMIT $5
		)
		SELECT f.identity_id, i.contact_id, last.day, 1 AS shown FROM found f
		JOIN identities i ON i.tenant_id = $1 AND i.id = f.identity_id
		CROSS JOIN LATERAL (
			SELECT max(h.week + length(ltrim((h.days & o.days)::int::bit(7)::text, '0')) - 1) AS day FROM month o
			JOIN heard_weeks h ON h.tenant_id = $1 AND h.identity_id = f.identity_id AND h.week = o.week WHERE h.days & o.days <> 0) last
		ORDER BY f.identity_id DESC`, tx.Tenant, days(weeks), pq.Array(ofWeek), after, limit); err != nil {
		return nil, fmt.Errorf("list who was reached in a month: %w", err)
	}

	return people, nil
}
