// Package reports sums up what a business got out of a month, and how well its team answers.
package reports

import (
	"context"
	"fmt"
	"time"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/adoption"
)

// Month is what happened in a month. Every figure is a count of rows.
type Month struct {
	Heard   int64 // accounts of customers heard from
	Reached int64 // of them, those that showed no phone and whose WhatsApp ID is known

	Auto    int64 `db:"auto"`    // links made because WhatsApp showed it, or by a rule that is switched on, that stand
	Joined  int64 `db:"joined"`  // contacts that were a second record of somebody and are one with the first now
	Undone  int64 `db:"undone"`  // links of the month that were taken back
	Decided int64 `db:"decided"` // cases that people decided
}

// PerDecision is what one decision that nobody had to make is reckoned at. It is an assumption and said with the figure.
const PerDecision = time.Minute

// Saved is the time that links made by themselves spared people.
func (m Month) Saved() time.Duration { return time.Duration(m.Auto) * PerDecision }

// Sum counts the month from from up to to, a whole one where from is. Customers are counted by days, which WhatsApp's timestamps make in
// UTC; what people and rules did by the moment.
func Sum(ctx context.Context, tx *tenants.Tx, from, to time.Time) (Month, error) {
	var m Month
	customers, err := adoption.Month(ctx, tx, from)
	if err != nil {
		return Month{}, err
	}
	m.Heard, m.Reached = customers.Heard, customers.Reached
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
