package adoption

import (
	"context"
	"fmt"
	"time"

	"github.com/pehchan/pehchan/tenants"
)

// Waiting are the open cases of a kind, by how long they have waited; those on hold are left out.
type Waiting struct {
	Kind  string `db:"kind"`
	Day   int64  `db:"day"`   // less than a day
	Week  int64  `db:"week"`  // less than a week, and so on
	Month int64  `db:"month"` // of 30 days
	Older int64  `db:"older"`
}

// All is how many there are.
func (w Waiting) All() int64 { return w.Day + w.Week + w.Month + w.Older }

// WaitingCases counts the open queue by kind and age.
func WaitingCases(ctx context.Context, tx *tenants.Tx) ([]Waiting, error) {
	var list []Waiting
	if err := tx.SelectContext(ctx, &list, `
		SELECT kind, count(*) FILTER (WHERE age < interval '1 day') AS day,
		       count(*) FILTER (WHERE age >= interval '1 day' AND age < interval '7 days') AS week,
		       count(*) FILTER (WHERE age >= interval '7 days' AND age < interval '30 days') AS month,
		       count(*) FILTER (WHERE age >= interval '30 days') AS older
		FROM (SELECT kind, now() - waiting_since AS age FROM cases
		      WHERE tenant_id = $1 AND state = 'open' AND part_of IS NULL AND (hold_until IS NULL OR hold_until <= now())) open
		GROUP BY kind ORDER BY kind`, tx.Tenant); err != nil {
		return nil, fmt.Errorf("count waiting cases: %w", err)
	}

	return list, nil
}

// Linked is what was put together since a time: by itself, because WhatsApp showed it or a rule that is switched on says so, and by
// people; and how much of each was taken back since.
type Linked struct {
	Auto         int64 `db:"auto"`
	AutoUndone   int64 `db:"auto_undone"`
	Manual       int64 `db:"manual"`
	ManualUndone int64 `db:"manual_undone"`
}

// Links counts what was put together since a time.
func Links(ctx context.Context, tx *tenants.Tx, since time.Time) (Linked, error) {
	var l Linked
	if err := tx.GetContext(ctx, &l, `
		SELECT count(*) FILTER (WHERE auto) AS auto, count(*) FILTER (WHERE auto AND undone) AS auto_undone,
		       count(*) FILTER (WHERE NOT auto) AS manual, count(*) FILTER (WHERE NOT auto AND undone) AS manual_undone
		FROM (SELECT actor_kind = 'system' AS auto, undone_at IS NOT NULL AS undone FROM links
		      WHERE tenant_id = $1 AND at >= $2 AND kind IN ('attested', 'rotated', 'merged')) l`, tx.Tenant, since); err != nil {
		return Linked{}, fmt.Errorf("count links: %w", err)
	}

	return l, nil
}

// Pace is how long cases that people decided had been open.
type Pace struct {
	Decided int64   `db:"decided"`
	Median  float64 `db:"median"` // seconds
	P90     float64 `db:"p90"`
}

// paceOf is how many of the last decisions are looked at.
const paceOf = 2_000

// TimeToDecide measures the last 2,000 decisions since a time.
func TimeToDecide(ctx context.Context, tx *tenants.Tx, since time.Time) (Pace, error) {
	var p Pace
	if err := tx.GetContext(ctx, &p, `
		SELECT count(*) AS decided, coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY took), 0) AS median,
		       coalesce(percentile_cont(0.9) WITHIN GROUP (ORDER BY took), 0) AS p90
		FROM (SELECT extract(epoch FROM closed_at - opened_at)::float8 AS took FROM cases
		      WHERE tenant_id = $1 AND state = 'done' AND closed_at >= $2 AND outcome IN ('same', 'not_same', 'new') AND closed_by <> 'system'
		      ORDER BY closed_at DESC, id DESC LIMIT $3) decided`, tx.Tenant, since, paceOf); err != nil {
		return Pace{}, fmt.Errorf("measure decisions: %w", err)
	}

	return p, nil
}
