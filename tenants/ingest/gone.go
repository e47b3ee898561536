package ingest

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// EraseTenant takes what came for a business that is erased out of the inbox: its items, what is held of its numbers, unless they are another's by
// now, or came by its own apps, and the deliveries they came in, the next few of them. Of a delivery that others had a part in the bytes go, as the others' items
// have their own. It returns how many items went, 0 at the end. Of a business that is not erased it takes nothing and says so.
func EraseTenant(ctx context.Context, db *tenants.DB, tenant uuid.UUID, limit int) (n int64, err error) {
	err = db.System(ctx, func(tx *tenants.Tx) error {
		var erased bool
		if err := tx.GetContext(ctx, &erased, `SELECT EXISTS (SELECT 1 FROM tenants WHERE id = $1 AND state = 'erased')`, tenant); err != nil {
			return fmt.Errorf("read the state of a business: %w", err)
		}
		if !erased {
			return fmt.Errorf("business %s is not erased", tenant)
		}
		if err := lockSplit(ctx, tx); err != nil {
			return err
		}
		var items []struct {
			ID     int64         `db:"id"`
			Event  int64         `db:"event_id"`
			Tenant uuid.NullUUID `db:"tenant_id"`
			Number uuid.NullUUID `db:"number_id"`
			State  string        `db:"state"`
		}
		if err := tx.SelectContext(ctx, &items, `
			(SELECT id, event_id, tenant_id, number_id, state FROM inbox_items WHERE tenant_id = $1 LIMIT $2)
			UNION ALL
			(SELECT id, event_id, tenant_id, number_id, state FROM inbox_items
			 WHERE state = 'held' AND phone_number_id IN (SELECT phone_number_id FROM number_directory WHERE tenant_id = $1)
			   AND NOT EXISTS (SELECT 1 FROM number_directory d
			                   WHERE d.phone_number_id = inbox_items.phone_number_id AND d.until IS NULL AND d.tenant_id <> $1) LIMIT $2)
			UNION ALL
			(SELECT id, event_id, tenant_id, number_id, state FROM inbox_items
			 WHERE tenant_id IS NULL AND state <> 'held' AND app_id IN (SELECT id FROM apps WHERE tenant_id = $1) LIMIT $2)`, tenant, limit); err != nil {
			return fmt.Errorf("read items of an erased business: %w", err)
		}

		ids, events, counts := pq.Int64Array{}, pq.Int64Array{}, tally{}
		for _, it := range items {
			ids, events = append(ids, it.ID), append(events, it.Event)
			f := counts.at(it.Tenant.UUID, it.Number.UUID)
			f.received--
			f.move(it.State, -1)
		}
		if len(ids) == 0 {
			return nil
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM inbox_items WHERE id = ANY($1)`, ids); err != nil {
			return fmt.Errorf("delete items: %w", err)
		}
		if err := eraseDeliveries(ctx, tx, events); err != nil {
			return err
		}
		n = int64(len(ids))

		return counts.write(ctx, tx, slotSplit)
	})

	return n, err
}

// eraseDeliveries deletes the deliveries that no item is left of, and empties the others.
func eraseDeliveries(ctx context.Context, tx *tenants.Tx, events pq.Int64Array) error {
	const left = `EXISTS (SELECT 1 FROM inbox_items i WHERE i.event_id = e.id)`
	for _, statement := range []string{
		`UPDATE inbox_events e SET body = '{}', sealed = false WHERE id = ANY($1) AND ` + left,
		`DELETE FROM inbox_repeats r USING inbox_events e WHERE e.id = ANY($1) AND r.event_id = e.id AND NOT ` + left,
		`DELETE FROM inbox_events e WHERE id = ANY($1) AND NOT ` + left,
	} {
		if _, err := tx.ExecContext(ctx, statement, events); err != nil {
			return fmt.Errorf("erase deliveries: %w", err)
		}
	}

	return nil
}
