// Package reports sums up what a business got out of a month, and how well its team answers.
package reports

import (
	"context"
	"time"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/adoption"
)

// Month is what happened in a month. Every figure is a count of rows.
type Month struct {
	Heard   int64 // accounts of customers heard from
	Reached int64 // of them, those that showed no phone and whose WhatsApp ID is known

	Auto    int64 // links made because WhatsApp showed it, or by a rule that is switched on, that stand
	Joined  int64 // contacts that were a second record of somebody and are one with the first now
	Undone  int64 // links of the month that were taken back
	Decided int64 // cases that people decided
}

// PerDecision is what one decision that nobody had to make is reckoned at. It is an assumption and said with the figure.
const PerDecision = time.Minute

// Saved is the time that links made by themselves spared people.
func (m Month) Saved() time.Duration { return time.Duration(m.Auto) * PerDecision }

// Sum counts the month from from up to to, a whole one where from is. Customers are counted by days, which WhatsApp's timestamps make in
// UTC; what people and rules did by the moment, to the quarter of an hour that every zone's months begin on.
func Sum(ctx context.Context, tx *tenants.Tx, from, to time.Time) (Month, error) {
	var m Month
	customers, err := adoption.Month(ctx, tx, from)
	if err != nil {
		return Month{}, err
	}
	m.Heard, m.Reached = customers.Heard, customers.Reached
	links, err := adoption.Links(ctx, tx, from, to)
	if err != nil {
		return Month{}, err
	}
	m.Auto, m.Undone = links.Auto-links.AutoUndone, links.AutoUndone+links.ManualUndone
	if m.Joined, err = adoption.Joined(ctx, tx, from, to); err != nil {
		return Month{}, err
	}
	ended, err := adoption.CasesEnded(ctx, tx, from, to)
	if err != nil {
		return Month{}, err
	}
	m.Decided = ended.Decided

	return m, nil
}
