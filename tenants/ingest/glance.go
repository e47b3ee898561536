package ingest

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// NumberCounts reads the items of each number of tx's tenant. A number that has had none is missing.
func NumberCounts(ctx context.Context, tx *tenants.Tx) (map[uuid.UUID]Counts, error) {
	var rows []struct {
		Number uuid.UUID `db:"number_id"`
		Counts
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT number_id, sum(received) AS received, sum(routed) AS routed, sum(held) AS held, sum(set_aside) AS set_aside, sum(waiting) AS waiting
		FROM inbox_counters WHERE tenant_id = $1
		GROUP BY number_id`, tx.Tenant)
	if err != nil {
		return nil, fmt.Errorf("count items by number: %w", err)
	}

	counts := make(map[uuid.UUID]Counts, len(rows))
	for _, r := range rows {
		counts[r.Number] = r.Counts
	}

	return counts, nil
}

// AppMeter counts the deliveries of one app.
type AppMeter struct {
	App uuid.UUID `db:"app_id"`
	Deliveries
	RefusedAt *time.Time `db:"refused_at"` // the last refusal
}

// AppMeters reads the deliveries of the apps a tenant uses: its own, and the platform's that its numbers come through. The
// latter's figures are of every business on it. An app without any is missing.
func AppMeters(ctx context.Context, db *tenants.DB, tenant uuid.UUID) (map[uuid.UUID]AppMeter, error) {
	var rows []AppMeter
	err := db.System(ctx, func(tx *tenants.Tx) error {
		return tx.SelectContext(ctx, &rows, `
			SELECT app_id, sum(accepted) AS accepted, sum(duplicate) AS duplicate, sum(refused) AS refused, max(refused_at) AS refused_at
			FROM app_counters
			WHERE app_id IN (SELECT id FROM apps WHERE tenant_id = $1
			                 UNION SELECT app_id FROM number_directory WHERE tenant_id = $1 AND until IS NULL)
			GROUP BY app_id`, tenant)
	})
	if err != nil {
		return nil, fmt.Errorf("count deliveries by app: %w", err)
	}

	meters := make(map[uuid.UUID]AppMeter, len(rows))
	for _, r := range rows {
		meters[r.App] = r
	}

	return meters, nil
}

// Pulse says for each of the tenants something that differs whenever an item of theirs came or changed its state: for telling
// that a page is out of date, at little cost. A tenant without items is missing.
func Pulse(ctx context.Context, db *tenants.DB, of []uuid.UUID) (map[uuid.UUID]string, error) {
	var rows []struct {
		Tenant uuid.UUID `db:"tenant_id"`
		Pulse  string    `db:"pulse"`
	}
	err := db.System(ctx, func(tx *tenants.Tx) error {
		return tx.SelectContext(ctx, &rows, `
			SELECT tenant_id, concat_ws(' ', sum(received), sum(routed), sum(set_aside), sum(waiting)) AS pulse
			FROM inbox_counters WHERE tenant_id = ANY($1)
			GROUP BY tenant_id`, pq.Array(of))
	})
	if err != nil {
		return nil, fmt.Errorf("feel the pulse of tenants: %w", err)
	}

	pulses := make(map[uuid.UUID]string, len(rows))
	for _, r := range rows {
		pulses[r.Tenant] = r.Pulse
	}

	return pulses, nil
}
