package ingest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// passOn queues the deliveries that items came in for the addresses that the business has them passed on to, each once for an address; see
// package forward. What is replayed was queued when it came.
func passOn(ctx context.Context, tx *tenants.Tx, items []waitingItem) error {
	type part struct {
		event  int64
		number uuid.NullUUID
	}
	var (
		parts   []part
		events  pq.Int64Array
		numbers []uuid.NullUUID
	)
	for _, it := range items {
		p := part{it.Event, it.Number}
		if it.Reason == replaying || slices.Contains(parts[max(0, len(parts)-8):], p) { // items of one delivery stand together
			continue
		}
		parts = append(parts, p)
		events, numbers = append(events, it.Event), append(numbers, it.Number)
	}
	if len(parts) == 0 {
		return nil
	}

	_, err := tx.ExecContext(ctx, `
		WITH queued AS (
			INSERT INTO forwards (tenant_id, id, target_id, kind, event_id)
			SELECT DISTINCT ON (t.id, w.event_id) $1, gen_random_uuid(), t.id, 'delivery', w.event_id
			FROM forward_targets t, unnest($2::bigint[], $3::uuid[]) AS w (event_id, number_id)
			WHERE t.tenant_id = $1 AND t.state = 'on' AND (t.number_id IS NULL OR t.number_id = w.number_id)
			ON CONFLICT ON CONSTRAINT forwards_once DO NOTHING
			RETURNING target_id
		)
		UPDATE forward_lanes SET ready = true, gen = gen + 1, not_before = now()
		WHERE tenant_id = $1 AND target_id IN (SELECT target_id FROM queued)`, tx.Tenant, events, pq.Array(numbers))
	if err != nil {
		return fmt.Errorf("queue deliveries to be passed on: %w", err)
	}

	return nil
}

// Part is an item as a part of its delivery.
type Part struct {
	Tenant   uuid.NullUUID `db:"tenant_id"`
	Number   uuid.NullUUID `db:"number_id"`
	Position string        `db:"position"` // "" of a delivery that could not be taken apart
	Kind     string        `db:"kind"`
	State    string        `db:"state"`
	Reason   string        `db:"reason"`
	Sealed   bool          `db:"sealed"`
	CutDue   bool          `db:"cut_due"` // somebody who was erased is still to be cut out of the delivery
	Body     []byte        `db:"body"`    // of the tenant's own alone
}

// Delivery is a stored delivery with what became of its items: those of others, too, without what they hold.
type Delivery struct {
	Body       []byte // as it was received
	Sealed     bool   // it came by a number that keeps no phones, and Body is empty
	ReceivedAt time.Time
	Parts      []Part
}

// DeliveryFor reads a delivery for a tenant that has items in it; any other is tenants.ErrNotFound. Its bytes may hold what is others': the
// Parts say so.
func DeliveryFor(ctx context.Context, db *tenants.DB, tenant uuid.UUID, id int64) (d Delivery, err error) {
	err = db.System(ctx, func(tx *tenants.Tx) error {
		err := tx.SelectContext(ctx, &d.Parts, `
			SELECT tenant_id, number_id, CASE WHEN kind = $3 THEN '' ELSE position END AS position, kind, state, reason, sealed, cut_due,
			       CASE WHEN tenant_id = $2 THEN body ELSE '' END AS body
			FROM inbox_items WHERE event_id = $1 ORDER BY id`, id, tenant, kindDelivery)
		if err != nil {
			return fmt.Errorf("read items of delivery %d: %w", id, err)
		}
		if !slices.ContainsFunc(d.Parts, func(p Part) bool { return p.Tenant.Valid && p.Tenant.UUID == tenant }) {
			return tenants.ErrNotFound
		}
		var e event
		if err := tx.GetContext(ctx, &e, `SELECT id, app_id, body, sealed, received_at FROM inbox_events WHERE id = $1`, id); err != nil {
			return fmt.Errorf("read delivery %d: %w", id, err)
		}
		d.ReceivedAt, d.Sealed = e.ReceivedAt, e.Sealed
		if !e.Sealed {
			d.Body = e.Body
		}

		return nil
	})

	return d, err
}

// PassOnAside queues what was set aside while it was being split, and so never came to the lane, for the same addresses.
func PassOnAside(ctx context.Context, tx *tenants.Tx) error {
	var items []waitingItem
	if err := tx.SelectContext(ctx, &items, `
		SELECT i.id, i.event_id, i.number_id FROM inbox_items i
		WHERE i.tenant_id = $1 AND i.state = 'set_aside' AND i.received_at > now() - $2 * interval '1 second'
		  AND EXISTS (SELECT 1 FROM forward_targets t WHERE t.tenant_id = $1 AND t.state = 'on' AND t.made_at < i.received_at
		              AND (t.number_id IS NULL OR t.number_id = i.number_id)
		              AND NOT EXISTS (SELECT 1 FROM forwards f WHERE f.tenant_id = $1 AND f.target_id = t.id AND f.event_id = i.event_id))
		ORDER BY i.id LIMIT $3`, tx.Tenant, asideWithin.Seconds(), laneRows); err != nil {
		return fmt.Errorf("look for what was set aside: %w", err)
	}

	return passOn(ctx, tx, items)
}

// asideWithin is how far back what was set aside is looked for.
const asideWithin = 24 * time.Hour
