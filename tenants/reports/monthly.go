// Package reports sums up what a business got out of a month, and how well its team answers.
package reports

import (
	"context"
	"fmt"
	"time"

	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// Month is what happened in a month. Every figure is a count of rows.
type Month struct {
	Heard   int64 `db:"heard"`   // accounts of customers heard from
	Reached int64 `db:"reached"` // of them, those that showed no phone and whose WhatsApp ID is known

	Auto    int64 `db:"auto"`    // links made because WhatsApp showed it, or by a rule that is switched on, that stand
	Joined  int64 `db:"joined"`  // contacts that were a second record of somebody and are one with the first now
	Undone  int64 `db:"undone"`  // links of the month that were taken back
	Decided int64 `db:"decided"` // cases that people decided
}

// PerDecision is what one decision that nobody had to make is reckoned at. It is an assumption and said with the figure.
const PerDecision = time.Minute

// Saved is the time that links made by themselves spared people.
func (m Month) Saved() time.Duration { return time.Duration(m.Auto) * PerDecision }

// Sum counts the month from from up to to. Customers are counted by days, which WhatsApp's timestamps make in UTC; what people and rules
// did by the moment.
func Sum(ctx context.Context, tx *tenants.Tx, from, to time.Time) (Month, error) {
	var m Month
	weeks, days := weeksOf(from, to)
	if err := tx.GetContext(ctx, &m, `
		SELECT count(*) AS heard, count(*) FILTER (WHERE bsuid AND NOT phoned) AS reached
		FROM (SELECT h.identity_id, bool_or(h.bsuid) AS bsuid, bool_or(h.phoned & w.days <> 0) AS phoned
		      FROM unnest($2::date[], $3::smallint[]) AS w (week, days)
		      JOIN heard_weeks h ON h.tenant_id = $1 AND h.week = w.week AND h.days & w.days <> 0
		      GROUP BY h.identity_id) accounts`, tx.Tenant, pq.Array(weeks), pq.Array(days)); err != nil {
		return Month{}, fmt.Errorf("count customers of a month: %w", err)
	}
	if err := tx.GetContext(ctx, &m, `
		SELECT count(*) FILTER (WHERE actor_kind = 'system' AND undone_at IS NULL) AS auto,
		       count(DISTINCT lose_contact) FILTER (WHERE undone_at IS NULL) AS joined,
		       count(*) FILTER (WHERE undone_at IS NOT NULL) AS undone
		FROM links WHERE tenant_id = $1 AND at >= $2 AND at < $3 AND kind IN ('attested', 'rotated', 'merged')`, tx.Tenant, from, to); err != nil {
		return Month{}, fmt.Errorf("count links of a month: %w", err)
	}
	if err := tx.GetContext(ctx, &m, `
		SELECT count(*) AS decided FROM cases
		WHERE tenant_id = $1 AND state = 'done' AND closed_at >= $2 AND closed_at < $3
		  AND outcome IN ('same', 'not_same', 'new') AND closed_by <> 'system'`, tx.Tenant, from, to); err != nil {
		return Month{}, fmt.Errorf("count decisions of a month: %w", err)
	}

	return m, nil
}

// weeksOf are the Mondays of the weeks that the month touches, and the days of each that are in it (bit 0 is Monday).
func weeksOf(from, to time.Time) (weeks []string, days []int64) {
	first := time.Date(from.Year(), from.Month(), from.Day(), 0, 0, 0, 0, time.UTC)
	end := time.Date(to.Year(), to.Month(), to.Day(), 0, 0, 0, 0, time.UTC)
	for day := first; day.Before(end); day = day.AddDate(0, 0, 1) {
		bit := (int(day.Weekday()) + 6) % 7
		monday := day.AddDate(0, 0, -bit).Format(time.DateOnly)
		if len(weeks) == 0 || weeks[len(weeks)-1] != monday {
			weeks, days = append(weeks, monday), append(days, 0)
		}
		days[len(days)-1] |= 1 << bit
	}

	return weeks, days
}
