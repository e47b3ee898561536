package ingest

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// HeldNumber is what is held of one number, as an operator may see it: whom it names and how much, never what it says.
type HeldNumber struct {
	PhoneNumberID string         `db:"phone_number_id"` // "" for what names a WABA only
	WABA          string         `db:"waba_id"`
	DisplayPhone  string         `db:"display_phone"`
	App           string         `db:"app"` // the app that signed it
	Reason        string         `db:"reason"`
	Kinds         pq.StringArray `db:"kinds"` // "messages/status"
	Items         int64          `db:"items"`
	First         time.Time      `db:"first_at"`
	Last          time.Time      `db:"last_at"`
}

// HeldPage asks for up to Limit (at most 200) numbers after the one given by the rest; the zero page is the first.
type HeldPage struct {
	PhoneNumberID, WABA, App, Reason string
	Limit                            int
}

const maxList = 200

// HeldNumbers lists what is held at the platform, by number, WABA, app and reason, for operators.
func HeldNumbers(ctx context.Context, db *tenants.DB, page HeldPage) ([]HeldNumber, error) {
	if page.Limit < 1 || page.Limit > maxList {
		page.Limit = maxList
	}

	held := []HeldNumber{}
	err := db.System(ctx, func(tx *tenants.Tx) error {
		return tx.SelectContext(ctx, &held, `
			SELECT i.phone_number_id, i.waba_id, max(i.display_phone) AS display_phone, a.name AS app, i.reason,
			       array_agg(DISTINCT i.field || '/' || i.kind) AS kinds, count(*) AS items,
			       min(i.received_at) AS first_at, max(i.received_at) AS last_at
			FROM inbox_items i JOIN apps a ON a.id = i.app_id
			WHERE i.state = 'held' AND i.phone_number_id >= $1 AND (i.phone_number_id, i.waba_id, a.name, i.reason) > ($1, $2, $3, $4)
			GROUP BY i.phone_number_id, i.waba_id, a.name, i.reason
			ORDER BY i.phone_number_id, i.waba_id, a.name, i.reason LIMIT $5`,
			page.PhoneNumberID, page.WABA, page.App, page.Reason, page.Limit)
	})
	if err != nil {
		return nil, fmt.Errorf("list held items: %w", err)
	}

	return held, nil
}

// adoptRows is how many held items one transaction looks at.
const adoptRows = 2000

// Adopt hands the tenant what was held for a number it has connected: items of that number, and of its WABA where they name no
// other, that the number's own app signed. It returns how many it handed over. A number that the tenant has not connected is
// tenants.ErrNotFound. A worker does the same by itself within seconds, should the caller not get to it.
func Adopt(ctx context.Context, db *tenants.DB, tenant uuid.UUID, phoneNumberID string) (adopted int, err error) {
	for after, more := int64(0), true; more; {
		var n int
		err := db.System(ctx, func(tx *tenants.Tx) error {
			if err := lockSplit(ctx, tx); err != nil {
				return err
			}
			var err error
			n, after, more, err = adopt(ctx, tx, tenant, phoneNumberID, after)

			return err
		})
		if err != nil {
			return adopted, err
		}
		adopted += n
	}

	return adopted, nil
}

func adopt(ctx context.Context, tx *tenants.Tx, tenant uuid.UUID, phoneNumberID string, after int64) (n int, last int64, more bool, err error) {
	var waba string
	err = tx.GetContext(ctx, &waba, `
		SELECT waba_id FROM number_directory WHERE phone_number_id = $1 AND tenant_id = $2 AND until IS NULL`, phoneNumberID, tenant)
	if noRows(err) {
		return 0, 0, false, tenants.ErrNotFound
	}
	if err != nil {
		return 0, 0, false, fmt.Errorf("look up number: %w", err)
	}

	var rows []struct {
		ID    int64 `db:"id"`
		Event int64 `db:"event_id"`
		address
	}
	err = tx.SelectContext(ctx, &rows, `
		SELECT id, event_id, app_id, phone_number_id, waba_id, display_phone FROM inbox_items
		WHERE state = 'held' AND reason = 'unknown_number' AND id > $3
		  AND (phone_number_id = $1 OR phone_number_id = '' AND waba_id = $2)
		ORDER BY id LIMIT $4
		FOR UPDATE`, phoneNumberID, waba, after, adoptRows)
	if err != nil {
		return 0, 0, false, fmt.Errorf("read held items: %w", err)
	}
	if len(rows) == 0 {
		return 0, after, false, nil
	}

	addresses := make([]address, len(rows))
	for i, r := range rows {
		addresses[i] = r.address
	}
	known, err := lookUp(ctx, tx, addresses)
	if err != nil {
		return 0, 0, false, err
	}

	var (
		ids, events                     pq.Int64Array
		numbers, states, reasons, notes pq.StringArray
		counts                          = tally{}
	)
	for _, r := range rows {
		to := known.route(r.address)
		if to.state == Waiting && to.tenant != tenant {
			continue // its own tenant adopts it
		}
		if to.state == Held {
			if r.PhoneNumberID != "" {
				continue // the number is here by another app, and may come back by the one that signed this
			}
			to.reason = UnknownNumber // it stays what it is; that it was looked at ends the worker's looking
		}
		ids, numbers = append(ids, r.ID), append(numbers, orEmpty(to.number))
		states, reasons, notes = append(states, to.state), append(reasons, to.reason), append(notes, to.note)
		if to.state != Waiting {
			continue
		}
		n, events = n+1, append(events, r.Event)
		platform, f := counts.at(uuid.Nil, uuid.Nil), counts.at(tenant, to.number)
		platform.received, platform.held = platform.received-1, platform.held-1
		f.received, f.waiting = f.received+1, f.waiting+1
	}
	last, more = rows[len(rows)-1].ID, len(rows) == adoptRows
	if n > 0 {
		if err := countAdopted(ctx, tx, tenant, events, counts); err != nil {
			return 0, 0, false, err
		}
	}

	_, err = tx.ExecContext(ctx, `
		UPDATE inbox_items i
		SET state = w.state, reason = w.reason, note = w.note, since = now(), number_id = nullif(w.number_id, '')::uuid,
		    tenant_id = CASE w.state WHEN 'waiting' THEN $1::uuid END
		FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[]) AS w (id, number_id, state, reason, note)
		WHERE i.id = w.id AND i.state = 'held'`, tenant, ids, numbers, states, reasons, notes)
	if err != nil {
		return 0, 0, false, fmt.Errorf("hand over held items: %w", err)
	}
	if n == 0 {
		return 0, last, more, nil
	}
	if err := counts.write(ctx, tx, slotSplit); err != nil {
		return 0, 0, false, err
	}

	return n, last, more, wakeLanes(ctx, tx, []uuid.UUID{tenant})
}

// countAdopted counts the deliveries of which the tenant had nothing before.
func countAdopted(ctx context.Context, tx *tenants.Tx, tenant uuid.UUID, events pq.Int64Array, counts tally) error {
	err := tx.GetContext(ctx, &counts.at(tenant, uuid.Nil).accepted, `
		SELECT count(*) FROM (SELECT DISTINCT e FROM unnest($2::bigint[]) AS e) e
		WHERE NOT EXISTS (SELECT 1 FROM inbox_items i WHERE i.event_id = e.e AND i.tenant_id = $1)`, tenant, events)
	if err != nil {
		return fmt.Errorf("count adopted deliveries: %w", err)
	}

	return nil
}

// adoptConnected adopts for numbers that were connected by something that did not.
func (w *Worker) adoptConnected(ctx context.Context) (more bool, err error) {
	var numbers []struct {
		Tenant        uuid.UUID `db:"tenant_id"`
		PhoneNumberID string    `db:"phone_number_id"`
	}
	err = w.db.System(ctx, func(tx *tenants.Tx) error {
		return tx.SelectContext(ctx, &numbers, `
			SELECT d.tenant_id, d.phone_number_id FROM number_directory d
			WHERE d.until IS NULL AND EXISTS (
				SELECT 1 FROM inbox_items i
				WHERE i.state = 'held' AND i.reason = 'unknown_number' AND i.app_id = d.app_id
				  AND (i.phone_number_id = d.phone_number_id
				       OR i.phone_number_id = '' AND i.waba_id = d.waba_id AND d.since > i.since AND d.since > now() - interval '1 day'))
			ORDER BY d.since LIMIT $1`, maxList)
	})
	if err != nil {
		return false, fmt.Errorf("look for connected numbers with held items: %w", err)
	}

	for _, n := range numbers {
		adopted, err := Adopt(ctx, w.db, n.Tenant, n.PhoneNumberID)
		if err != nil {
			return false, err
		}
		if adopted > 0 {
			w.log.Info("held items adopted", "tenant", n.Tenant, "count", adopted)
			signal(w.ready)
		}
	}

	return false, nil
}
