package ingest

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/erased"
	"github.com/pehchan/pehchan/tenants/secrets"
)

// Expire empties the oldest items of a tenant that came between two times and are processed, and their part of the deliveries they came
// in. It tells how many it was, and when the last of them came. That they came is still counted, and a delivery that comes again is still known by its digest. What waits
// or was set aside stays until somebody has dealt with it.
func Expire(ctx context.Context, db *tenants.DB, keys *secrets.Keyring, tenant uuid.UUID, from, before time.Time, limit int) (n int, last time.Time, err error) {
	err = db.System(ctx, func(tx *tenants.Tx) error {
		if err := lockSplit(ctx, tx); err != nil {
			return err
		}
		var items []struct {
			ID         int64     `db:"id"`
			Event      int64     `db:"event_id"`
			Position   string    `db:"position"`
			Kind       string    `db:"kind"`
			ReceivedAt time.Time `db:"received_at"`
		}
		if err := tx.SelectContext(ctx, &items, `
			SELECT id, event_id, position, kind, received_at FROM inbox_items
			WHERE tenant_id = $1 AND received_at >= $3 AND received_at < $2
			  AND state = 'routed' AND reason NOT IN ($4, $5)
			ORDER BY received_at, id LIMIT $6 FOR UPDATE`, tenant, before, from, Expired, Erased, limit); err != nil {
			return fmt.Errorf("read old items: %w", err)
		}
		places, ids := map[int64][]string{}, pq.Int64Array{}
		for _, it := range items {
			ids, last = append(ids, it.ID), it.ReceivedAt
			if it.Kind == kindDelivery {
				it.Position = ""
			}
			places[it.Event] = append(places[it.Event], it.Position)
		}
		everybody := erased.Person{Is: func(string) bool { return true }}
		for event, positions := range places {
			if err := cutDelivery(ctx, tx, keys, event, positions, nil, everybody); err != nil {
				return err
			}
		}
		n = len(items)
		if _, err := tx.ExecContext(ctx, `
			UPDATE inbox_items SET body = $3, sealed = false, reason = $4, cut_due = false WHERE tenant_id = $1 AND id = ANY($2)`,
			tenant, ids, []byte(emptied), Expired); err != nil {
			return fmt.Errorf("empty old items: %w", err)
		}

		return nil
	})

	return n, last, err
}
