package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

const (
	splitRows  = 500     // deliveries in one transaction
	splitBytes = 8 << 20 // of them together
	insertRows = 2000    // items in one statement
	maxRepeats = 2000    // repeats counted in one transaction
)

// kindDelivery is the kind of the one item that stands for a delivery which cannot be taken apart.
const kindDelivery = "delivery"

// event is a stored delivery.
type event struct {
	ID         int64         `db:"id"`
	App        uuid.UUID     `db:"app_id"`
	Owner      uuid.NullUUID `db:"owner"` // tenant whose own app it is
	Body       []byte        `db:"body"`
	Sealed     bool          `db:"sealed"` // as it is stored
	ReceivedAt time.Time     `db:"received_at"`
}

// item is an item on its way into the inbox.
type item struct {
	event    *event
	position string
	field    string
	kind     string
	body     []byte
	sealed   bool // body is
	address
	destination
}

// lockSplit makes tx the only one that routes items, so that items keep the order of arrival and a number that is being
// connected is either seen by the splitter or finds what it held.
func lockSplit(ctx context.Context, tx *tenants.Tx) error {
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('inbox split', 0))`); err != nil {
		return fmt.Errorf("lock the splitter: %w", err)
	}

	return nil
}

// split takes up to limit stored deliveries apart and routes their items, all in one transaction. It returns how many it took;
// 0 also where another process is splitting. An error that is not transient means that one of them is beyond the database.
func (w *Worker) split(ctx context.Context, limit int) (n int, err error) {
	err = w.db.System(ctx, func(tx *tenants.Tx) error {
		var mine bool
		if err := tx.GetContext(ctx, &mine, `SELECT pg_try_advisory_xact_lock(hashtextextended('inbox split', 0))`); err != nil {
			return fmt.Errorf("try to lock the splitter: %w", err)
		}
		if !mine {
			return nil
		}

		events, err := unsplit(ctx, tx, limit)
		if err != nil {
			return err
		}
		n = len(events)
		var items []item
		for i := range events {
			if err := events[i].open(w.keys); err != nil {
				return err
			}
			items = append(items, itemsOf(&events[i])...)
		}

		counts := tally{}
		if err := countRepeats(ctx, tx, counts); err != nil {
			return err
		}

		return w.putItems(ctx, tx, events, items, counts)
	})
	if err != nil {
		return 0, err
	}

	return n, nil
}

func unsplit(ctx context.Context, tx *tenants.Tx, limit int) ([]event, error) {
	var events []event
	// The sum bounds what is read into memory; the length of a large body is known without reading it.
	err := tx.SelectContext(ctx, &events, `
		SELECT e.id, e.app_id, a.tenant_id AS owner, e.body, e.sealed, e.received_at
		FROM (SELECT id, app_id, body, sealed, received_at, sum(octet_length(body)) OVER (ORDER BY id) - octet_length(body) AS before
		      FROM (SELECT id, app_id, body, sealed, received_at FROM inbox_events WHERE split_at IS NULL ORDER BY id LIMIT $1) head) e
		JOIN apps a ON a.id = e.app_id
		WHERE e.before < $2
		ORDER BY e.id`, limit, splitBytes)
	if err != nil {
		return nil, fmt.Errorf("read new deliveries: %w", err)
	}

	return events, nil
}

// itemsOf takes a delivery apart. What cannot be is one item, set aside.
func itemsOf(e *event) []item {
	cut, err := safely(func() ([]whatsapp.Item, error) { return whatsapp.Split(e.Body) })
	if err != nil {
		return []item{wholeOf(e, strconv.Itoa(len(e.Body))+" bytes")}
	}

	items := make([]item, len(cut))
	for i, it := range cut {
		items[i] = item{
			event: e, position: it.Position, field: text(it.Field), kind: string(it.Kind), body: it.Body,
			address: addressOf(e.App, it), destination: destination{reason: it.Problem},
		}
	}

	return items
}

// wholeOf is the item that stands for a delivery which cannot be taken apart. Its bytes stay with the delivery.
func wholeOf(e *event, note string) item {
	return item{
		event: e, kind: kindDelivery, address: address{App: e.App},
		destination: destination{tenant: e.Owner.UUID, state: SetAside, reason: Unparsable, note: note},
	}
}

// safely turns a panic into an error.
func safely[T any](fn func() (T, error)) (out T, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &panicked{value: r, stack: debug.Stack()}
		}
	}()

	return fn()
}

// putItems routes items, writes them with their counts, marks their deliveries split and wakes the lanes. Counters before
// lanes is the order in which everybody locks them.
func (w *Worker) putItems(ctx context.Context, tx *tenants.Tx, events []event, items []item, counts tally) error {
	addresses := make([]address, len(items))
	for i, it := range items {
		addresses[i] = it.address
	}
	known, err := lookUp(ctx, tx, addresses)
	if err != nil {
		return err
	}

	holders := map[int64]map[uuid.UUID]bool{} // whose items a delivery holds
	for i := range events {
		holders[events[i].ID] = map[uuid.UUID]bool{}
	}
	lanes := map[uuid.UUID]bool{}
	for i := range items {
		it := &items[i]
		if it.state == "" {
			problem := it.reason
			if it.destination = known.route(it.address); problem != "" {
				it.state, it.reason = SetAside, problem
			}
		}
		if it.state == Waiting {
			lanes[it.tenant] = true
		}
		f := counts.at(it.tenant, it.number)
		f.received++
		f.move(it.state, 1)
		holders[it.event.ID][it.tenant] = true
	}
	for i := range events {
		whose := holders[events[i].ID]
		if len(whose) == 0 {
			whose[events[i].Owner.UUID] = true
		}
		for tenant := range whose {
			counts.at(tenant, uuid.Nil).accepted++
		}
	}

	hushed, err := quietOf(ctx, tx, addresses)
	if err != nil {
		return err
	}
	rewritten, err := hushed.seal(w.keys, events, items)
	if err != nil {
		return err
	}
	if err := rewrite(ctx, tx, rewritten); err != nil {
		return err
	}
	for part := range slices.Chunk(items, insertRows) {
		if err := insertItems(ctx, tx, part); err != nil {
			return err
		}
	}
	ids := make(pq.Int64Array, len(events))
	for i := range events {
		ids[i] = events[i].ID
	}
	if _, err := tx.ExecContext(ctx, `UPDATE inbox_events SET split_at = now() WHERE id = ANY($1)`, ids); err != nil {
		return fmt.Errorf("mark deliveries split: %w", err)
	}
	if err := counts.write(ctx, tx, slotSplit); err != nil {
		return err
	}
	if err := ratesOf(items).write(ctx, tx); err != nil {
		return err
	}

	return wakeLanes(ctx, tx, slices.Collect(maps.Keys(lanes)))
}

func insertItems(ctx context.Context, tx *tenants.Tx, items []item) error {
	var (
		events                                          pq.Int64Array
		positions, apps, owners, numbers, fields, kinds pq.StringArray
		phones, wabas, displays, states, reasons, notes pq.StringArray
		received                                        []time.Time
		sealed                                          pq.BoolArray
		bodies                                          packed
	)
	for _, it := range items {
		events, positions = append(events, it.event.ID), append(positions, it.position)
		apps, owners, numbers = append(apps, it.App.String()), append(owners, orEmpty(it.tenant)), append(numbers, orEmpty(it.number))
		fields, kinds = append(fields, it.field), append(kinds, it.kind)
		phones, wabas, displays = append(phones, it.PhoneNumberID), append(wabas, it.WABA), append(displays, it.DisplayPhone)
		states, reasons, notes = append(states, it.state), append(reasons, it.reason), append(notes, it.note)
		received, sealed = append(received, it.event.ReceivedAt), append(sealed, it.sealed)
		bodies.add(it.body)
	}

	_, err := tx.ExecContext(ctx, `
		INSERT INTO inbox_items (event_id, position, app_id, tenant_id, number_id, field, kind, phone_number_id, waba_id,
		                         display_phone, state, reason, note, received_at, body, sealed)
		SELECT w.event_id, w.position, w.app_id::uuid, nullif(w.tenant_id, '')::uuid, nullif(w.number_id, '')::uuid, w.field, w.kind,
		       w.phone, w.waba, w.display, w.state, w.reason, w.note, w.received_at, substring($15::bytea FROM w.start FOR w.size), w.sealed
		FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
		            $10::text[], $11::text[], $12::text[], $13::text[], $14::timestamptz[], $16::int[], $17::int[], $18::boolean[])
		     AS w (event_id, position, app_id, tenant_id, number_id, field, kind, phone, waba,
		           display, state, reason, note, received_at, start, size, sealed)`,
		events, positions, apps, owners, numbers, fields, kinds, phones, wabas,
		displays, states, reasons, notes, pq.Array(received), bodies.bytes(), bodies.start, bodies.size, sealed)
	if err != nil {
		return fmt.Errorf("write items: %w", err)
	}

	return nil
}

func orEmpty(id uuid.UUID) string {
	if id == uuid.Nil {
		return ""
	}

	return id.String()
}

// wakeLanes makes the lanes of tenants ready, in the order of their ids so that two writers cannot lock each other out.
func wakeLanes(ctx context.Context, tx *tenants.Tx, lanes []uuid.UUID) error {
	if len(lanes) == 0 {
		return nil
	}
	slices.SortFunc(lanes, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })

	_, err := tx.ExecContext(ctx, `
		INSERT INTO lanes AS l (tenant_id, gen, ready) SELECT t, 1, true FROM unnest($1::uuid[]) AS t
		ON CONFLICT (tenant_id) DO UPDATE SET gen = l.gen + 1, ready = true, not_before = now()`, pq.Array(lanes))
	if err != nil {
		return fmt.Errorf("wake lanes: %w", err)
	}

	return nil
}

// countRepeats counts deliveries that came again for the tenants they hold items of.
func countRepeats(ctx context.Context, tx *tenants.Tx, counts tally) error {
	var repeats []struct {
		Tenant uuid.UUID `db:"tenant_id"`
		Times  int64     `db:"times"`
	}
	err := tx.SelectContext(ctx, &repeats, `
		WITH taken AS (
			DELETE FROM inbox_repeats
			WHERE id IN (SELECT r.id FROM inbox_repeats r JOIN inbox_events e ON e.id = r.event_id
			             WHERE e.split_at IS NOT NULL ORDER BY r.id LIMIT $1)
			RETURNING event_id
		), owned AS (
			SELECT t.event_id, count(*) AS times,
			       coalesce((SELECT array_agg(DISTINCT i.tenant_id) FROM inbox_items i WHERE i.event_id = t.event_id),
			                ARRAY[(SELECT a.tenant_id FROM inbox_events e JOIN apps a ON a.id = e.app_id WHERE e.id = t.event_id)]) AS owners
			FROM taken t GROUP BY t.event_id
		)
		SELECT coalesce(o, $2) AS tenant_id, sum(times) AS times FROM owned, unnest(owners) AS o GROUP BY o`, maxRepeats, uuid.Nil)
	if err != nil {
		return fmt.Errorf("count repeats: %w", err)
	}
	for _, r := range repeats {
		counts.at(r.Tenant, uuid.Nil).repeated += r.Times
	}

	return nil
}

// splitAlone takes the oldest new delivery apart by itself, and sets it aside whole where the database cannot take its items, or where it
// lies sealed and does not open.
func (w *Worker) splitAlone(ctx context.Context) (int, error) {
	n, err := w.split(ctx, 1)
	if err == nil || later(err) {
		return n, err
	}

	var p *panicked
	if errors.As(err, &p) {
		w.log.Error("panic in the splitter", "panic", fmt.Sprint(p.value), "stack", string(p.stack))
	}
	note := class(err)
	err = w.db.System(ctx, func(tx *tenants.Tx) error {
		if err := lockSplit(ctx, tx); err != nil {
			return err
		}
		events, err := unsplit(ctx, tx, 1)
		if err != nil || len(events) == 0 {
			return err
		}
		n = len(events)

		return w.putItems(ctx, tx, events, []item{wholeOf(&events[0], note)}, tally{})
	})

	return n, err
}
