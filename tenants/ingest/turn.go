package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/notices"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// replaying is the reason of a waiting item that was processed before. Its repeats are none.
const replaying = "replay"

const (
	maxTries = 3
	tryPause = 2 * time.Second // and twice as long after the second try
	touchGap = 5 * time.Second // between two touches of a number's last event
)

var (
	// errTaken: somebody else changes this tenant's identities now.
	errTaken = errors.New("tenant is being worked on")
	// errMoved: an item is no longer waiting. It is processed by whoever moved it.
	errMoved = errors.New("items moved")
)

// waitingItem is an item in its lane.
type waitingItem struct {
	ID         int64         `db:"id"`
	Event      int64         `db:"event_id"`
	Number     uuid.NullUUID `db:"number_id"`
	App        uuid.UUID     `db:"app_id"`
	WABA       string        `db:"waba_id"`
	Field      string        `db:"field"`
	Kind       string        `db:"kind"`
	Body       []byte        `db:"body"`
	Sealed     bool          `db:"sealed"`
	Reason     string        `db:"reason"`
	Note       string        `db:"note"`
	ReceivedAt time.Time     `db:"received_at"`
}

// turn processes one batch of a tenant's waiting items, in the order of their arrival.
func (w *Worker) turn(ctx context.Context, l lane) turned {
	ctx = tenants.Often(ctx)
	var (
		gen   int64
		items []waitingItem
		more  bool
	)
	err := w.db.As(ctx, l.tenant, func(tx *tenants.Tx) error {
		if err := claim(ctx, tx); err != nil {
			return err
		}
		// Before the items: what comes after this raises it.
		if err := tx.GetContext(ctx, &gen, `SELECT gen FROM lanes WHERE tenant_id = $1`, tx.Tenant); err != nil {
			return fmt.Errorf("read lane: %w", err)
		}
		var err error
		if items, more, err = nextItems(ctx, tx, l.limit); err != nil || len(items) == 0 {
			return err
		}

		return w.process(ctx, tx, items)
	})
	if err != nil && !later(err) && len(items) > 0 {
		w.explain(l.tenant, err)
		err = w.isolate(ctx, l.tenant, items)
	}

	switch {
	case errors.Is(err, errTaken), errors.Is(err, errMoved):
		return turned{lane: l, after: isTaken}
	case err != nil:
		l.limit = max(l.limit/2, 1)
		return turned{lane: l, after: rests, err: err}
	case more:
		l.limit = min(l.limit*2, w.batch())
		return turned{lane: l, after: goesOn}
	}
	if err := w.sleep(ctx, l.tenant, gen); err != nil {
		return turned{lane: l, after: rests, err: err}
	}

	return turned{lane: l, after: sleeps}
}

// later tells whether a failure says nothing about the items.
func later(err error) bool {
	return transient(err) || errors.Is(err, errTaken) || errors.Is(err, errMoved) || errors.Is(err, errNoKeys)
}

// explain logs a failure by its class, and a panic with its stack. The message of an error may quote a customer's data.
func (w *Worker) explain(tenant uuid.UUID, err error) {
	var p *panicked
	if errors.As(err, &p) {
		w.log.Error("panic in a lane", "tenant", tenant, "stack", string(p.stack))
		return
	}
	w.log.Warn("batch failed; isolating", "tenant", tenant, "error", class(err))
}

func claim(ctx context.Context, tx *tenants.Tx) error {
	mine, err := identity.TryLock(ctx, tx)
	if err == nil && !mine {
		return errTaken
	}

	return err
}

// nextItems reads the head of the lane, as far as it fits in memory and is either new or being replayed; more tells whether
// something was left.
func nextItems(ctx context.Context, tx *tenants.Tx, limit int) (items []waitingItem, more bool, err error) {
	var rows []struct {
		waitingItem
		Listed int `db:"listed"`
	}
	err = tx.SelectContext(ctx, &rows, `
		SELECT id, event_id, number_id, app_id, waba_id, field, kind, body, sealed, reason, note, received_at, listed
		FROM (SELECT id, event_id, number_id, app_id, waba_id, field, kind, body, sealed, reason, note, received_at, count(*) OVER () AS listed,
		             sum(octet_length(body)) OVER (ORDER BY id) - octet_length(body) AS before
		      FROM (SELECT id, event_id, number_id, app_id, waba_id, field, kind, body, sealed, reason, note, received_at FROM inbox_items
		            WHERE tenant_id = $1 AND state = 'waiting' AND (not_before IS NULL OR not_before <= now())
		            ORDER BY id LIMIT $2) head) i
		WHERE before < $3
		ORDER BY id`, tx.Tenant, limit, laneBytes)
	if err != nil {
		return nil, false, fmt.Errorf("read waiting items: %w", err)
	}

	for _, r := range rows {
		if (r.Reason == replaying) != (rows[0].Reason == replaying) {
			break
		}
		items = append(items, r.waitingItem)
	}

	return items, len(rows) > 0 && (rows[0].Listed == limit || len(items) < rows[0].Listed), nil
}

// isolate processes the halves of a batch that failed by themselves, down to the item that fails alone.
func (w *Worker) isolate(ctx context.Context, tenant uuid.UUID, items []waitingItem) error {
	if len(items) > 1 {
		for _, half := range [][]waitingItem{items[:len(items)/2], items[len(items)/2:]} {
			err := w.alone(ctx, tenant, half)
			if err != nil && !later(err) {
				err = w.isolate(ctx, tenant, half)
			}
			if err != nil {
				return err
			}
		}

		return nil
	}

	err := w.alone(ctx, tenant, items)
	if err == nil || later(err) {
		return err
	}

	return w.db.As(ctx, tenant, func(tx *tenants.Tx) error { return strike(ctx, tx, items[0], class(err)) })
}

// alone processes items in a transaction of their own.
func (w *Worker) alone(ctx context.Context, tenant uuid.UUID, items []waitingItem) error {
	return w.db.As(ctx, tenant, func(tx *tenants.Tx) error {
		if err := claim(ctx, tx); err != nil {
			return err
		}

		return w.process(ctx, tx, items)
	})
}

// strike counts a failure against an item, to be tried again a while later; after the third it is set aside.
func strike(ctx context.Context, tx *tenants.Tx, it waitingItem, note string) error {
	var tries int
	err := tx.GetContext(ctx, &tries, `
		UPDATE inbox_items
		SET tries = tries + 1, note = $3, not_before = now() + (tries + 1) * $4 * interval '1 second'
		WHERE tenant_id = $1 AND id = $2 AND state = 'waiting'
		RETURNING tries`, tx.Tenant, it.ID, note, tryPause.Seconds())
	if noRows(err) {
		return errMoved
	}
	if err != nil {
		return fmt.Errorf("count failed try: %w", err)
	}
	if tries < maxTries {
		return nil
	}

	counts := tally{}
	if err := finish(ctx, tx, []waitingItem{it}, []verdict{{SetAside, ProcessingFailed, note}}, counts); err != nil {
		return err
	}
	if err := passOn(ctx, tx, []waitingItem{it}); err != nil {
		return err
	}

	return counts.write(ctx, tx, slotLane)
}

// verdict is what becomes of a waiting item.
type verdict struct {
	state, reason, note string
}

// process does all that items cause and moves them on, in one transaction that is all or nothing.
func (w *Worker) process(ctx context.Context, tx *tenants.Tx, items []waitingItem) error {
	_, err := safely(func() (struct{}, error) { return struct{}{}, w.processed(ctx, tx, items) })

	return err
}

func (w *Worker) processed(ctx context.Context, tx *tenants.Tx, items []waitingItem) error {
	homes, err := homesOf(ctx, tx, items)
	if err != nil {
		return err
	}
	if items, err = opened(w.keys, tx.Tenant, items); err != nil {
		return err
	}

	verdicts := make([]verdict, len(items))
	var (
		seen []identity.Seen
		told []notices.Heard
		odd  = drifts{}
		came = shapes{}
	)
	sealed := map[int64]bool{}
	for i, it := range items {
		verdicts[i] = verdict{state: Routed, note: it.Note}
		if it.Sealed {
			sealed[it.ID] = true
		}
		if it.Reason == Test {
			verdicts[i].reason = Test
			continue
		}
		ev, err := whatsapp.ParseEvent(whatsapp.ItemKind(it.Kind), it.Body)
		if err != nil {
			code, _, _ := strings.Cut(err.Error(), ":")
			verdicts[i].state, verdicts[i].reason = SetAside, code
			continue
		}
		if it.Reason != replaying {
			odd.note(it, ev.Warnings)
			came.note(it, ev)
		}
		if whatsapp.IsNotice(ev.Kind, it.Field) {
			told = append(told, notices.Heard{ItemID: it.ID, NumberID: it.Number, WABA: it.WABA, Field: it.Field, ReceivedAt: it.ReceivedAt, Event: ev})
		}
		if !speaks(ev.Kind) {
			continue
		}
		at, known := homes[it.Number.UUID]
		if !known {
			verdicts[i].state, verdicts[i].reason = SetAside, MissingNumber
			continue
		}
		seen = append(seen, peopleIn(identity.Seen{
			ItemID: it.ID, NumberID: it.Number.UUID, Scope: at.Scope, ReceivedAt: it.ReceivedAt, Event: ev, Codes: w.codesIn(tx.Tenant, ev),
		})...)
	}

	if err := hide(ctx, tx, w.keys, homes, seen, told, sealed); err != nil {
		return err
	}

	seen, gone, err := returning(ctx, tx, w.keys, seen)
	if err != nil {
		return err
	}
	for i, it := range items {
		if slices.Contains(gone, it.ID) {
			verdicts[i] = verdict{state: Routed, reason: Erased}
		}
	}

	counts := tally{}
	if len(seen) > 0 {
		repeats, err := resolve(ctx, tx, seen)
		if err != nil {
			return err
		}
		for number, n := range repeats {
			if items[0].Reason != replaying {
				counts.at(tx.Tenant, number).duplicates += int64(n)
			}
		}
	}
	if err := notices.Record(ctx, tx, told); err != nil {
		return err
	}
	if err := odd.write(ctx, tx); err != nil {
		return err
	}
	if err := came.write(ctx, tx); err != nil {
		return err
	}
	if err := touchNumbers(ctx, tx, items); err != nil {
		return err
	}
	if err := finish(ctx, tx, items, verdicts, counts); err != nil {
		return err
	}
	if err := passOn(ctx, tx, items); err != nil {
		return err
	}

	return counts.write(ctx, tx, slotLane)
}

// speaks tells whether an item is about a customer, and so goes through identity and conversations.
func speaks(kind whatsapp.ItemKind) bool {
	switch kind {
	case whatsapp.KindMessage, whatsapp.KindStatus, whatsapp.KindSystem, whatsapp.KindPreference, whatsapp.KindIDUpdate, whatsapp.KindCall,
		whatsapp.KindEcho, whatsapp.KindSync, whatsapp.KindHistory, whatsapp.KindGroup, whatsapp.KindUserAction:
		return true
	default:
		return false
	}
}

// codesIn are the hashes of the link-back codes that an event may hold. The key is made for the few that may.
func (w *Worker) codesIn(tenant uuid.UUID, e whatsapp.Event) [][]byte {
	if w.keys == nil || len(identity.CodesIn(e)) == 0 {
		return nil
	}

	return identity.NewCodeKey(w.keys, tenant).In(e)
}

// peopleIn is an event once for each customer it is about: a group's list names many.
func peopleIn(s identity.Seen) []identity.Seen {
	if s.Event.Kind != whatsapp.KindGroup {
		return []identity.Seen{s}
	}

	all := make([]identity.Seen, len(s.Event.Members))
	for i, party := range s.Event.Members {
		all[i] = s
		all[i].Event.Party = party
	}

	return all
}

// finish moves items to their states and counts the moves.
func finish(ctx context.Context, tx *tenants.Tx, items []waitingItem, verdicts []verdict, counts tally) error {
	var (
		ids                    pq.Int64Array
		states, reasons, notes pq.StringArray
	)
	for i, it := range items {
		v := verdicts[i]
		ids, states = append(ids, it.ID), append(states, v.state)
		reasons, notes = append(reasons, v.reason), append(notes, v.note)
		f := counts.at(tx.Tenant, it.Number.UUID)
		f.waiting--
		f.move(v.state, 1)
	}

	moved, err := tx.ExecContext(ctx, `
		UPDATE inbox_items i SET state = w.state, reason = w.reason, note = w.note, since = now(), not_before = NULL
		FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[]) AS w (id, state, reason, note)
		WHERE i.tenant_id = $1 AND i.id = w.id AND i.state = 'waiting'`, tx.Tenant, ids, states, reasons, notes)
	if err != nil {
		return fmt.Errorf("move items: %w", err)
	}
	n, err := moved.RowsAffected()
	if err != nil {
		return fmt.Errorf("move items: %w", err)
	}
	if n != int64(len(items)) {
		return errMoved
	}

	return nil
}
