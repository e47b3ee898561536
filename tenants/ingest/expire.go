package ingest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/erased"
	"github.com/pehchan/pehchan/tenants/secrets"
)

// Expire empties the oldest items of a tenant that came between two times and are processed, and their part of the deliveries they came
// in. It tells how many it was, and when the last of them came. That they came is still counted, and a delivery that comes again is still
// known by its digest. What waits or was set aside stays until somebody has dealt with it.
//
// It takes no lock that others wait for: what somebody else is at is left for another night, and the splitter goes on meanwhile, which has
// no more to do with what is processed.
func Expire(ctx context.Context, db *tenants.DB, keys *secrets.Keyring, tenant uuid.UUID, from, before time.Time, limit int) (n int, last time.Time, err error) {
	err = db.System(ctx, func(tx *tenants.Tx) error {
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
			ORDER BY received_at, id LIMIT $6 FOR UPDATE SKIP LOCKED`, tenant, before, from, Expired, Erased, limit); err != nil {
			return fmt.Errorf("read old items: %w", err)
		}
		var came, free pq.Int64Array
		for _, it := range items {
			came = append(came, it.Event)
		}
		if err := tx.SelectContext(ctx, &free, `SELECT id FROM inbox_events WHERE id = ANY($1) ORDER BY id FOR UPDATE SKIP LOCKED`, came); err != nil {
			return fmt.Errorf("lock old deliveries: %w", err)
		}
		places, ids := map[int64][]string{}, pq.Int64Array{}
		for _, it := range items {
			if !slices.Contains(free, it.Event) {
				continue
			}
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
		n = len(ids)
		if _, err := tx.ExecContext(ctx, `
			UPDATE inbox_items SET body = $3, sealed = false, reason = $4, cut_due = false WHERE tenant_id = $1 AND id = ANY($2)`,
			tenant, ids, []byte(emptied), Expired); err != nil {
			return fmt.Errorf("empty old items: %w", err)
		}

		return nil
	})

	return n, last, err
}

// ExpireAside lets go the next items of a tenant that were set aside, came before a time and nobody has dealt with: they are emptied, as is
// their part of the deliveries they came in, and count as routed from then on, as nothing more can come of them. It tells how many it was.
func ExpireAside(ctx context.Context, db *tenants.DB, keys *secrets.Keyring, tenant uuid.UUID, before time.Time, limit int) (n int, err error) {
	err = db.System(ctx, func(tx *tenants.Tx) error {
		// First the splitter, as everybody who moves items from one state to another.
		if err := lockSplit(ctx, tx); err != nil {
			return err
		}
		var items []struct {
			ID       int64         `db:"id"`
			Event    int64         `db:"event_id"`
			Number   uuid.NullUUID `db:"number_id"`
			Position string        `db:"position"`
			Kind     string        `db:"kind"`
		}
		if err := tx.SelectContext(ctx, &items, `
			SELECT id, event_id, number_id, position, kind FROM inbox_items
			WHERE tenant_id = $1 AND state = 'set_aside' AND received_at < $2 ORDER BY id LIMIT $3 FOR UPDATE`, tenant, before, limit); err != nil {
			return fmt.Errorf("read what was set aside long ago: %w", err)
		}
		places, ids, counts := map[int64][]string{}, pq.Int64Array{}, tally{}
		for _, it := range items {
			if it.Kind == kindDelivery {
				it.Position = ""
			}
			ids, places[it.Event] = append(ids, it.ID), append(places[it.Event], it.Position)
			f := counts.at(tenant, it.Number.UUID)
			f.move(SetAside, -1)
			f.move(Routed, 1)
		}
		everybody := erased.Person{Is: func(string) bool { return true }}
		for _, event := range slices.Sorted(maps.Keys(places)) {
			if err := cutDelivery(ctx, tx, keys, event, places[event], nil, everybody); err != nil {
				return err
			}
		}
		n = len(ids)
		if _, err := tx.ExecContext(ctx, `
			UPDATE inbox_items SET state = 'routed', reason = $3, note = '', body = $4, sealed = false, cut_due = false, not_before = NULL
			WHERE tenant_id = $1 AND id = ANY($2)`, tenant, ids, Expired, []byte(emptied)); err != nil {
			return fmt.Errorf("empty what was set aside: %w", err)
		}

		return counts.write(ctx, tx, slotSplit)
	})

	return n, err
}
