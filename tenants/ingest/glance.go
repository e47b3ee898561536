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
	App  uuid.UUID `db:"app_id"`
	Name string    `db:"name"` // unique on the platform
	Deliveries
	RefusedAt     *time.Time `db:"refused_at"`     // the last refusal
	RefusedLately int64      `db:"refused_lately"` // in this hour and the one before
	RefusedDay    int64      `db:"refused_day"`    // in the last 24 hours
	Own           bool       `db:"own"`            // the tenant's, not the platform's
}

// WrongSecret tells whether what comes by the tenant's own app is refused, and has been since something of it was last accepted: WhatsApp
// signs with another secret than the one that is known. A stranger who tries his luck beside good deliveries does not look so.
func (m AppMeter) WrongSecret(accepted time.Time) bool {
	return m.Own && m.RefusedLately >= wrongSecretFrom && m.RefusedAt != nil && m.RefusedAt.Sub(accepted) > wrongSecretAfter
}

const (
	wrongSecretFrom  = 5
	wrongSecretAfter = 15 * time.Minute
	refusalHours     = 48 // kept
)

// AppMeters reads the deliveries of the apps a tenant uses: its own, and the platform's that its numbers come through. The
// latter's figures are of every business on it. An app without any is missing.
func AppMeters(ctx context.Context, db *tenants.DB, tenant uuid.UUID) (map[uuid.UUID]AppMeter, error) {
	var rows []AppMeter
	err := db.System(ctx, func(tx *tenants.Tx) error {
		return tx.SelectContext(ctx, &rows, `
			SELECT c.app_id, a.name, sum(c.accepted) AS accepted, sum(c.duplicate) AS duplicate, sum(c.refused) AS refused, max(c.refused_at) AS refused_at,
			       r.lately AS refused_lately, r.day AS refused_day, a.tenant_id IS NOT NULL AS own
			FROM app_counters c
			JOIN apps a ON a.id = c.app_id
			CROSS JOIN LATERAL (
				SELECT coalesce(sum(refused) FILTER (WHERE at > now() - interval '2 hours'), 0) AS lately, coalesce(sum(refused), 0) AS day
				FROM app_refusals WHERE app_id = c.app_id AND at > now() - interval '24 hours') r
			WHERE c.app_id IN (SELECT id FROM apps WHERE tenant_id = $1
			                   UNION SELECT app_id FROM number_directory WHERE tenant_id = $1 AND until IS NULL)
			GROUP BY c.app_id, a.name, a.tenant_id, r.lately, r.day`, tenant)
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
