package ingest

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/erased"
	"github.com/pehchan/pehchan/tenants/phonefree"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// emptied is the body of an item that is kept no longer.
const emptied = "{}"

// ForgetItems takes a person out of the bytes of a tenant's items, the next of them after a place in the order they came. An item that is
// theirs is emptied and counts as routed, whatever it was; of one that tells of several people their part is cut out. The deliveries
// these came in are cut by CutDeliveries. It returns the place to go on from, "" at the end, and how many items it changed.
func ForgetItems(
	ctx context.Context, db *tenants.DB, keys *secrets.Keyring, tenant uuid.UUID, person erased.Person, after string, limit int,
) (next string, n int, err error) {
	from, id := time.Time{}, int64(0)
	if at, rest, ok := strings.Cut(after, " "); ok {
		if from, err = time.Parse(time.RFC3339Nano, at); err == nil {
			id, err = strconv.ParseInt(rest, 10, 64)
		}
		if err != nil {
			return "", 0, fmt.Errorf("read place among items: %w", err)
		}
	}

	// Looked for before anything is locked, and by the database: most items are of others.
	var found []struct {
		ID         int64     `db:"id"`
		ReceivedAt time.Time `db:"received_at"`
		Hit        bool      `db:"hit"`
	}
	err = db.As(ctx, tenant, func(tx *tenants.Tx) error {
		return tx.SelectContext(ctx, &found, `
			SELECT i.id, i.received_at, i.sealed OR EXISTS (SELECT 1 FROM unnest($5::bytea[]) w WHERE position(w IN i.body) > 0) AS hit
			FROM (SELECT id, received_at, sealed, body FROM inbox_items
			      WHERE tenant_id = $1 AND (received_at, id) > ($2, $3) ORDER BY received_at, id LIMIT $4) i
			ORDER BY i.received_at, i.id`, tenant, from, id, limit, pq.ByteaArray(person.Needles()))
	})
	if err != nil {
		return "", 0, fmt.Errorf("look for items of a person: %w", err)
	}
	if len(found) == 0 {
		return "", 0, nil
	}
	var ids pq.Int64Array
	for _, f := range found {
		if f.Hit {
			ids = append(ids, f.ID)
		}
	}
	if len(ids) > 0 {
		err = db.System(ctx, func(tx *tenants.Tx) error {
			n, err = forgetItems(ctx, tx, keys, tenant, person, ids)
			return err
		})
	}
	last := found[len(found)-1]

	return last.ReceivedAt.UTC().Format(time.RFC3339Nano) + " " + strconv.FormatInt(last.ID, 10), n, err
}

func forgetItems(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, tenant uuid.UUID, person erased.Person, ids pq.Int64Array) (n int, err error) {
	// First the splitter, as everybody who changes items.
	if err := lockSplit(ctx, tx); err != nil {
		return 0, err
	}
	var items []struct {
		ID     int64         `db:"id"`
		Number uuid.NullUUID `db:"number_id"`
		State  string        `db:"state"`
		Kind   string        `db:"kind"`
		Body   []byte        `db:"body"`
		Sealed bool          `db:"sealed"`

		ReceivedAt time.Time `db:"received_at"`
	}
	if err := tx.SelectContext(ctx, &items, `
		SELECT id, number_id, state, kind, body, sealed, received_at FROM inbox_items WHERE tenant_id = $1 AND id = ANY($2) ORDER BY id FOR UPDATE`, tenant, ids); err != nil {
		return 0, fmt.Errorf("read items of a person: %w", err)
	}

	counts := tally{}
	for _, it := range items {
		body := it.Body
		if it.Sealed {
			if body, err = phonefree.Open(keys, tenant, body); err != nil {
				return 0, err
			}
		}
		cut, whole, changed := person.Cut(body)
		if then, held := person.At(timeOf(it.Kind, body, it.ReceivedAt)); held && !whole {
			if _, theirs, _ := then.Cut(body); theirs {
				whole, changed = true, true
			}
		}
		switch {
		case !changed:
			continue
		case whole, it.Kind == string(whatsapp.KindChange): // what is not taken apart cannot be known to hold nothing more of them
			f := counts.at(tenant, it.Number.UUID)
			f.move(it.State, -1)
			f.move(Routed, 1)
			_, err = tx.ExecContext(ctx, `
				UPDATE inbox_items SET state = 'routed', reason = $3, note = '', body = $4, sealed = false, cut_due = true, not_before = NULL
				WHERE tenant_id = $1 AND id = $2`, tenant, it.ID, Erased, []byte(emptied))
		default:
			if it.Sealed {
				if cut, err = phonefree.Seal(keys, tenant, cut); err != nil {
					return 0, err
				}
			}
			_, err = tx.ExecContext(ctx, `UPDATE inbox_items SET body = $3, cut_due = true WHERE tenant_id = $1 AND id = $2`, tenant, it.ID, cut)
		}
		if err != nil {
			return 0, fmt.Errorf("take a person out of item %d: %w", it.ID, err)
		}
		n++
	}

	return n, counts.write(ctx, tx, slotSplit)
}

// timeOf is when what an item tells of was.
func timeOf(kind string, body []byte, received time.Time) time.Time {
	e, err := whatsapp.ParseEvent(whatsapp.ItemKind(kind), body)
	if err != nil || e.At.IsZero() {
		return received
	}

	return e.At
}

// CutDeliveries takes what ForgetItems and the tombstones took out of items out of the deliveries these came in, too, the next of them. It
// returns how many items it settled, 0 at the end. The items tell not of whom they are: who gives everybody whom the tenant has erased or is
// erasing, and is asked once no more items can be added.
func CutDeliveries(
	ctx context.Context, db *tenants.DB, keys *secrets.Keyring, tenant uuid.UUID, who func(context.Context) (erased.Person, error), limit int,
) (n int, err error) {
	err = db.System(ctx, func(tx *tenants.Tx) error {
		if err := lockSplit(ctx, tx); err != nil {
			return err
		}
		var items []struct {
			ID       int64  `db:"id"`
			Event    int64  `db:"event_id"`
			Position string `db:"position"`
			Kind     string `db:"kind"`
			Theirs   bool   `db:"theirs"`
		}
		if err := tx.SelectContext(ctx, &items, `
			SELECT id, event_id, position, kind, reason = $3 AND body = $4 AS theirs FROM inbox_items
			WHERE tenant_id = $1 AND cut_due ORDER BY id LIMIT $2 FOR UPDATE`, tenant, limit, Erased, []byte(emptied)); err != nil {
			return fmt.Errorf("read items to cut: %w", err)
		}
		if len(items) == 0 {
			return nil
		}
		person, err := who(ctx)
		if err != nil {
			return err
		}
		places, theirs, ids := map[int64][]string{}, map[int64][]string{}, pq.Int64Array{}
		for _, it := range items {
			ids = append(ids, it.ID)
			if it.Kind == kindDelivery {
				it.Position = ""
			}
			places[it.Event] = append(places[it.Event], it.Position)
			if it.Theirs {
				theirs[it.Event] = append(theirs[it.Event], it.Position)
			}
		}
		for event, positions := range places {
			if err := cutDelivery(ctx, tx, keys, event, positions, theirs[event], person); err != nil {
				return err
			}
		}
		n = len(items)
		if _, err := tx.ExecContext(ctx, `UPDATE inbox_items SET cut_due = false WHERE tenant_id = $1 AND id = ANY($2)`, tenant, ids); err != nil {
			return fmt.Errorf("settle items to cut: %w", err)
		}

		return nil
	})

	return n, err
}

// cutDelivery takes a person out of the changes of a delivery in which items of a tenant stand, and out of it the items that were theirs
// as a whole. Its other changes may be of other tenants, to whom the person is still somebody.
func cutDelivery(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, id int64, positions, theirs []string, person erased.Person) error {
	var e event
	if err := tx.GetContext(ctx, &e, `SELECT id, app_id, body, sealed, received_at FROM inbox_events WHERE id = $1 FOR UPDATE`, id); err != nil {
		return fmt.Errorf("read delivery %d: %w", id, err)
	}
	if err := e.open(keys); err != nil {
		return err
	}
	body := person.CutDelivery(e.Body, positions, theirs)
	if e.Sealed {
		sealed, err := phonefree.SealDelivery(keys, body)
		if err != nil {
			return err
		}
		body = sealed
	}
	if _, err := tx.ExecContext(ctx, `UPDATE inbox_events SET body = $2 WHERE id = $1`, id, body); err != nil {
		return fmt.Errorf("cut delivery %d: %w", id, err)
	}

	return nil
}

// CutWaits tells of which tenants deliveries are still to be cut, a few of them.
func CutWaits(ctx context.Context, db *tenants.DB) (list []uuid.UUID, err error) {
	err = db.System(ctx, func(tx *tenants.Tx) error {
		return tx.SelectContext(ctx, &list, `SELECT DISTINCT tenant_id FROM (SELECT tenant_id FROM inbox_items WHERE cut_due LIMIT 1000) due`)
	})
	if err != nil {
		return nil, fmt.Errorf("look for deliveries to cut: %w", err)
	}

	return list, nil
}
