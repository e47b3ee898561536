package ingest

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/phonefree"
	"github.com/pehchan/pehchan/tenants/secrets"
)

// replayed is an item to be processed again.
type replayed struct {
	ID         int64         `db:"id"`
	Event      int64         `db:"event_id"`
	Position   string        `db:"position"`
	Kind       string        `db:"kind"`
	State      string        `db:"state"`
	Reason     string        `db:"reason"`
	Number     uuid.NullUUID `db:"number_id"`
	Sealed     bool          `db:"sealed"`
	ReceivedAt time.Time     `db:"received_at"`
}

// next reads and locks the items of the next step, as far as their deliveries fit in memory.
func (j *replayJob) next(ctx context.Context, tx *tenants.Tx) ([]replayed, error) {
	var (
		items []replayed
		err   error
	)
	if len(j.args.ItemIDs) > 0 {
		err = tx.SelectContext(ctx, &items, `
			SELECT id, event_id, position, kind, state, reason, number_id, sealed, received_at FROM inbox_items
			WHERE tenant_id = $1 AND (received_at, id) > ($2, $3) AND id = ANY($4)
			ORDER BY received_at, id LIMIT $5
			FOR UPDATE`, j.Tenant, j.args.AfterAt, j.args.AfterID, pq.Array(j.args.ItemIDs), replayRows)
	} else {
		err = tx.SelectContext(ctx, &items, `
			SELECT id, event_id, position, kind, state, reason, number_id, sealed, received_at FROM inbox_items
			WHERE tenant_id = $1 AND (received_at, id) > ($2, $3) AND received_at >= $4 AND received_at < $5
			ORDER BY received_at, id LIMIT $6
			FOR UPDATE`, j.Tenant, j.args.AfterAt, j.args.AfterID, j.args.From, j.args.To, replayRows)
	}
	if err != nil {
		return nil, fmt.Errorf("read items to replay: %w", err)
	}

	var sizes []struct {
		Event int64 `db:"id"`
		Size  int64 `db:"size"`
	}
	err = tx.SelectContext(ctx, &sizes, `
		SELECT id, octet_length(body) AS size FROM inbox_events WHERE id = ANY($1)`, eventsOf(items))
	if err != nil {
		return nil, fmt.Errorf("measure deliveries: %w", err)
	}
	size := map[int64]int64{}
	for _, s := range sizes {
		size[s.Event] = s.Size
	}
	total := int64(0)
	for i, it := range items {
		if total += size[it.Event]; total > replayBytes && i > 0 {
			return items[:i], nil
		}
		size[it.Event] = 0 // read once, however many items it holds
	}

	return items, nil
}

func eventsOf(items []replayed) pq.Int64Array {
	seen := map[int64]bool{}
	for _, it := range items {
		seen[it.Event] = true
	}

	return keysOf(seen)
}

// putBack cuts items anew from their deliveries and puts them back into the lane. One that is waiting anyway is left alone; one
// that can still not be cut is set aside again.
func putBack(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, tenant uuid.UUID, items []replayed) error {
	var events []event
	err := tx.SelectContext(ctx, &events, `
		SELECT e.id, e.app_id, a.tenant_id AS owner, e.body, e.sealed, e.received_at
		FROM inbox_events e JOIN apps a ON a.id = e.app_id WHERE e.id = ANY($1)`, eventsOf(items))
	if err != nil {
		return fmt.Errorf("read deliveries: %w", err)
	}
	type place struct {
		event    int64
		position string
	}
	cut := map[place]item{}
	for i := range events {
		if err := events[i].open(keys); err != nil {
			return err
		}
		for _, it := range itemsOf(&events[i]) {
			cut[place{events[i].ID, it.position}] = it
		}
	}

	var (
		ids                                  pq.Int64Array
		states, reasons, kinds, fields, note pq.StringArray
		bodies                               packed
		again                                pq.Int64Array // deliveries that can be taken apart now
		counts                               = tally{}
	)
	for _, it := range items {
		fresh, found := cut[place{it.Event, it.Position}]
		if it.State == Waiting || it.State == Routed && (it.Reason == SplitAgain || it.Reason == Erased || it.Reason == Expired) {
			continue
		}
		state, reason := Waiting, replaying
		switch {
		case it.Kind == kindDelivery && !found:
			state, reason, again = Routed, SplitAgain, append(again, it.Event)
			counts.at(tenant, uuid.Nil).accepted-- // the splitter counts it again
		case !found:
			continue
		case it.Reason == Test:
			reason = Test
		case fresh.reason != "":
			state, reason = SetAside, fresh.reason
		}
		f := counts.at(tenant, it.Number.UUID)
		f.move(it.State, -1)
		f.move(state, 1)
		ids, states, reasons = append(ids, it.ID), append(states, state), append(reasons, reason)
		if !found {
			fresh = item{kind: kindDelivery}
		}
		kinds, fields, note = append(kinds, fresh.kind), append(fields, fresh.field), append(note, fresh.note)
		if it.Sealed {
			if fresh.body, err = phonefree.Seal(keys, tenant, fresh.body); err != nil {
				return err
			}
		}
		bodies.add(fresh.body)
	}
	if len(ids) == 0 {
		return nil
	}

	_, err = tx.ExecContext(ctx, `
		UPDATE inbox_items i
		SET state = w.state, reason = w.reason, kind = w.kind, field = w.field, body = substring($7::bytea FROM w.start FOR w.size),
		    note = CASE WHEN i.note = $10 THEN i.note ELSE w.note END, tries = 0, not_before = NULL, since = now()
		FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $8::int[], $9::int[], $11::text[])
		     AS w (id, state, reason, kind, field, start, size, note)
		WHERE i.tenant_id = $1 AND i.id = w.id`,
		tenant, ids, states, reasons, kinds, fields, bodies.bytes(), bodies.start, bodies.size, wabaDrift, note)
	if err != nil {
		return fmt.Errorf("put items back: %w", err)
	}
	if len(again) > 0 {
		if _, err := tx.ExecContext(ctx, `UPDATE inbox_events SET split_at = NULL WHERE id = ANY($1)`, again); err != nil {
			return fmt.Errorf("have deliveries split again: %w", err)
		}
	}
	if err := counts.write(ctx, tx, slotSplit); err != nil {
		return err
	}

	return wakeLanes(ctx, tx, []uuid.UUID{tenant})
}
