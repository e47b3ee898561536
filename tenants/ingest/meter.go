package ingest

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// Deliveries counts webhook deliveries.
type Deliveries struct {
	Accepted  int64 `db:"accepted" json:"accepted"`   // stored and acknowledged
	Duplicate int64 `db:"duplicate" json:"duplicate"` // whole bodies that were stored before
	Refused   int64 `db:"refused" json:"refused"`     // signature missing or wrong; not kept
}

// Counts are items by their state. Received is the sum of the others, always.
type Counts struct {
	Received int64 `db:"received" json:"received"`
	Routed   int64 `db:"routed" json:"routed"`
	Held     int64 `db:"held" json:"held"`
	SetAside int64 `db:"set_aside" json:"set_aside"`
	Waiting  int64 `db:"waiting" json:"waiting"`
}

// Balanced tells whether the zero-loss equation holds.
func (c Counts) Balanced() bool {
	return c.Received == c.Routed+c.Held+c.SetAside+c.Waiting
}

// Meter is the zero-loss meter of a tenant or of the fleet.
type Meter struct {
	Deliveries           Deliveries `json:"deliveries"`
	Items                Counts     `json:"items"`
	OldestWaitingSeconds int64      `json:"oldest_waiting_seconds"` // 0 where nothing waits
	Duplicates           int64      `json:"-"`                      // items that repeat a message or status; they are routed
}

// meterRow is a Meter as one statement, hence one moment, reads it.
type meterRow struct {
	Deliveries
	Counts
	Duplicates int64   `db:"duplicates"`
	Oldest     float64 `db:"oldest"`
}

func (r meterRow) meter() Meter {
	return Meter{Deliveries: r.Deliveries, Items: r.Counts, Duplicates: r.Duplicates, OldestWaitingSeconds: int64(r.Oldest)}
}

// TenantMeter reads a tenant's meter as of one moment. A delivery that is acknowledged but not split yet counts as one item
// received and waiting, for every tenant that uses its app. Accepted and Duplicate count the deliveries that hold an item of
// this tenant, and all of its own app's; Refused counts those of each app it uses, for whom a forged one was meant is not known.
func TenantMeter(ctx context.Context, db *tenants.DB, tenant uuid.UUID) (Meter, error) {
	var row meterRow
	err := db.System(ctx, func(tx *tenants.Tx) error {
		return tx.GetContext(ctx, &row, `
			WITH used AS (
				SELECT id FROM apps WHERE tenant_id = $1
				UNION SELECT app_id FROM number_directory WHERE tenant_id = $1 AND until IS NULL
			), unsplit AS (
				SELECT count(*) AS n, min(received_at) AS oldest FROM inbox_events
				WHERE split_at IS NULL AND app_id IN (SELECT id FROM used)
			), repeats AS (
				SELECT count(*) AS n FROM inbox_repeats r JOIN inbox_events e ON e.id = r.event_id
				WHERE e.app_id IN (SELECT id FROM used)
				  AND (e.split_at IS NULL OR EXISTS (SELECT 1 FROM inbox_items i WHERE i.event_id = e.id AND i.tenant_id = $1))
			), refusals AS (
				SELECT coalesce(sum(refused), 0) AS n FROM app_counters WHERE app_id IN (SELECT id FROM used)
			), head AS (
				SELECT since FROM inbox_items WHERE tenant_id = $1 AND state = 'waiting' ORDER BY id LIMIT 1
			)
			SELECT coalesce(sum(c.accepted), 0) + u.n AS accepted, coalesce(sum(c.repeated), 0) + r.n AS duplicate, f.n AS refused,
			       coalesce(sum(c.received), 0) + u.n AS received, coalesce(sum(c.routed), 0) AS routed, coalesce(sum(c.held), 0) AS held,
			       coalesce(sum(c.set_aside), 0) AS set_aside, coalesce(sum(c.waiting), 0) + u.n AS waiting,
			       coalesce(sum(c.duplicates), 0) AS duplicates,
			       coalesce(greatest(extract(epoch FROM now() - least((SELECT since FROM head), u.oldest)), 0), 0) AS oldest
			FROM unsplit u CROSS JOIN repeats r CROSS JOIN refusals f LEFT JOIN inbox_counters c ON c.tenant_id = $1
			GROUP BY u.n, u.oldest, r.n, f.n`, tenant)
	})
	if err != nil {
		return Meter{}, fmt.Errorf("read meter of tenant %s: %w", tenant, err)
	}

	return row.meter(), nil
}

// FleetMeter reads the meter of the whole platform, what is held included.
func FleetMeter(ctx context.Context, db *tenants.DB) (Meter, error) {
	var row meterRow
	err := db.System(ctx, func(tx *tenants.Tx) error {
		return tx.GetContext(ctx, &row, `
			WITH unsplit AS (
				SELECT count(*) AS n, min(received_at) AS oldest FROM inbox_events WHERE split_at IS NULL
			), deliveries AS (
				SELECT coalesce(sum(accepted), 0) AS accepted, coalesce(sum(duplicate), 0) AS duplicate, coalesce(sum(refused), 0) AS refused
				FROM app_counters
			), head AS (
				SELECT min(since) AS since FROM inbox_items WHERE state = 'waiting'
			)
			SELECT d.accepted, d.duplicate, d.refused,
			       coalesce(sum(c.received), 0) + u.n AS received, coalesce(sum(c.routed), 0) AS routed, coalesce(sum(c.held), 0) AS held,
			       coalesce(sum(c.set_aside), 0) AS set_aside, coalesce(sum(c.waiting), 0) + u.n AS waiting,
			       coalesce(sum(c.duplicates), 0) AS duplicates,
			       coalesce(greatest(extract(epoch FROM now() - least(h.since, u.oldest)), 0), 0) AS oldest
			FROM unsplit u CROSS JOIN deliveries d CROSS JOIN head h LEFT JOIN inbox_counters c ON true
			GROUP BY u.n, u.oldest, d.accepted, d.duplicate, d.refused, h.since`)
	})
	if err != nil {
		return Meter{}, fmt.Errorf("read fleet meter: %w", err)
	}

	return row.meter(), nil
}

// NumberMeter reads the items of one number of tx's tenant; its Deliveries are empty, for a delivery names no number before
// it is split. A number that is not the tenant's is tenants.ErrNotFound.
func NumberMeter(ctx context.Context, tx *tenants.Tx, number uuid.UUID) (Meter, error) {
	var row meterRow
	err := tx.GetContext(ctx, &row, `
		SELECT coalesce(sum(c.received), 0) AS received, coalesce(sum(c.routed), 0) AS routed, coalesce(sum(c.held), 0) AS held,
		       coalesce(sum(c.set_aside), 0) AS set_aside, coalesce(sum(c.waiting), 0) AS waiting, coalesce(sum(c.duplicates), 0) AS duplicates,
		       coalesce((SELECT greatest(extract(epoch FROM now() - since), 0) FROM inbox_items
		                 WHERE tenant_id = $1 AND number_id = $2 AND state = 'waiting' ORDER BY id LIMIT 1), 0) AS oldest
		FROM numbers n LEFT JOIN inbox_counters c ON c.tenant_id = n.tenant_id AND c.number_id = n.id
		WHERE n.tenant_id = $1 AND n.id = $2
		GROUP BY n.id`, tx.Tenant, number)
	if noRows(err) {
		return Meter{}, tenants.ErrNotFound
	}
	if err != nil {
		return Meter{}, fmt.Errorf("read meter of number %s: %w", number, err)
	}

	return row.meter(), nil
}

// Drift is a number whose counters differ from its items. There is none while the product works as it should.
type Drift struct {
	Number   uuid.UUID
	Counters Counts
	Found    Counts
}

// Recount counts a tenant's items one by one, or the platform's for uuid.Nil, and returns where the counters differ. It reads
// every item: for proofs and repairs, not for pages.
func Recount(ctx context.Context, db *tenants.DB, tenant uuid.UUID) ([]Drift, error) {
	var rows []struct {
		Number uuid.UUID `db:"number_id"`
		Counts
		Found struct{ Counts } `db:"found"`
	}
	err := db.System(ctx, func(tx *tenants.Tx) error {
		return tx.SelectContext(ctx, &rows, `
			WITH counters AS (
				SELECT number_id, sum(received) AS received, sum(routed) AS routed, sum(held) AS held, sum(set_aside) AS set_aside,
				       sum(waiting) AS waiting
				FROM inbox_counters WHERE tenant_id = $1 GROUP BY number_id
			), items AS (
				SELECT coalesce(number_id, $2) AS number_id, count(*) AS received, count(*) FILTER (WHERE state = 'routed') AS routed,
				       count(*) FILTER (WHERE state = 'held') AS held, count(*) FILTER (WHERE state = 'set_aside') AS set_aside,
				       count(*) FILTER (WHERE state = 'waiting') AS waiting
				FROM inbox_items WHERE tenant_id IS NOT DISTINCT FROM nullif($1, $2) GROUP BY coalesce(number_id, $2)
			)
			SELECT number_id, coalesce(c.received, 0) AS received, coalesce(c.routed, 0) AS routed, coalesce(c.held, 0) AS held,
			       coalesce(c.set_aside, 0) AS set_aside, coalesce(c.waiting, 0) AS waiting,
			       coalesce(i.received, 0) AS "found.received", coalesce(i.routed, 0) AS "found.routed", coalesce(i.held, 0) AS "found.held",
			       coalesce(i.set_aside, 0) AS "found.set_aside", coalesce(i.waiting, 0) AS "found.waiting"
			FROM counters c FULL JOIN items i USING (number_id)
			ORDER BY number_id`, tenant, uuid.Nil)
	})
	if err != nil {
		return nil, fmt.Errorf("recount items of tenant %s: %w", tenant, err)
	}

	var drifts []Drift
	for _, r := range rows {
		if r.Counts != r.Found.Counts {
			drifts = append(drifts, Drift{Number: r.Number, Counters: r.Counts, Found: r.Found.Counts})
		}
	}

	return drifts, nil
}
