package imports

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
)

type effectRow struct {
	Row     int        `db:"row"`
	Contact *uuid.UUID `db:"contact_id"`
	Made    bool       `db:"made"`
	Effect  string     `db:"effect"`
	Listed  bool       `db:"listed"` // another list that stands names the contact
	Orphan  bool       `db:"orphan"` // made by a list that was taken back since, and kept for this one
	Shared  bool       `db:"shared"` // another list that stands names the same pair
	effect  effect
}

// empty: the row said nothing new.
func (e effect) empty() bool { return e.Empty() && e.Pair == nil && !e.Answers }

// takeBack undoes the rows after the given one, for whoever asked for it. It returns the last row it dealt with, after where there was none.
func takeBack(ctx context.Context, tx *tenants.Tx, by tenants.Actor, i Import, after int) (int, error) {
	if err := identity.Lock(ctx, tx); err != nil {
		return 0, err
	}
	rows, err := effectsAfter(ctx, tx, i.ID, after)
	if err != nil || len(rows) == 0 {
		return after, err
	}

	var (
		changes  []identity.CardChange
		pairs    []identity.Pair
		contacts []uuid.UUID
		answered []uuid.UUID
		stayed   = map[int]string{}
	)
	for n := range rows {
		r := &rows[n]
		if err := json.Unmarshal([]byte(r.Effect), &r.effect); err != nil {
			return 0, fmt.Errorf("read effect: %w", err)
		}
		if p := r.effect.Pair; p != nil && !r.Shared {
			pairs = append(pairs, *p)
		}
		if r.Contact == nil {
			continue
		}
		if r.effect.Answers {
			answered = append(answered, *r.Contact)
		}
		if !r.effect.Empty() {
			r.effect.Contact = *r.Contact
			changes = append(changes, r.effect.CardChange)
		}
		switch {
		case !r.Made && !r.Orphan:
		case r.Listed:
			stayed[r.Row] = WhyStayedListed
		default:
			contacts = append(contacts, *r.Contact)
		}
	}

	if len(pairs) > 0 {
		if err := identity.ForgetPairs(ctx, tx, pairs); err != nil {
			return 0, err
		}
	}
	edited, err := identity.RevertCards(ctx, tx, changes)
	if err != nil {
		return 0, err
	}
	stays, err := identity.Unclaim(ctx, tx, contacts)
	if err != nil {
		return 0, err
	}
	if err := identity.UnsettleListed(ctx, tx, by, remaining(changes, answered, contacts, stays)); err != nil {
		return 0, err
	}
	for _, r := range rows {
		switch {
		case r.Contact == nil || stayed[r.Row] != "":
		case slices.Contains(edited, *r.Contact):
			stayed[r.Row] = WhyStayedChanged
		case stays[*r.Contact] == identity.StaysWrote:
			stayed[r.Row] = WhyStayedWrote
		case stays[*r.Contact] == identity.StaysWorked:
			stayed[r.Row] = WhyStayedWorked
		}
	}

	return rows[len(rows)-1].Row, writeUndone(ctx, tx, i, rows, stayed)
}

// remaining are the contacts that were changed or answered for and have not gone.
func remaining(changes []identity.CardChange, answered, going []uuid.UUID, stays map[uuid.UUID]string) []uuid.UUID {
	gone, left := map[uuid.UUID]bool{}, map[uuid.UUID]bool{}
	for _, id := range going {
		gone[id] = stays[id] == ""
	}
	for _, c := range changes {
		left[c.Contact] = !gone[c.Contact]
	}
	for _, id := range answered {
		left[id] = !gone[id]
	}
	maps.DeleteFunc(left, func(_ uuid.UUID, stands bool) bool { return !stands })

	return slices.Collect(maps.Keys(left))
}

func effectsAfter(ctx context.Context, tx *tenants.Tx, id uuid.UUID, after int) ([]effectRow, error) {
	var rows []effectRow
	// OFFSET 0 as in earlierRows.
	err := tx.SelectContext(ctx, &rows, `
		SELECT r.row, r.contact_id, r.made, r.effect,
		       r.contact_id IS NOT NULL AND EXISTS (
		           SELECT 1 FROM (SELECT import_id, effect FROM import_rows WHERE tenant_id = $1 AND contact_id = r.contact_id OFFSET 0) o
		           JOIN imports i ON i.tenant_id = $1 AND i.id = o.import_id AND i.state IN ('running', 'stopped', 'done', 'failed')
		           WHERE o.import_id <> $2 AND o.effect <> '') AS listed,
		       r.contact_id IS NOT NULL AND EXISTS (
		           SELECT 1 FROM (SELECT import_id, made FROM import_rows WHERE tenant_id = $1 AND contact_id = r.contact_id OFFSET 0) o
		           JOIN imports i ON i.tenant_id = $1 AND i.id = o.import_id AND i.state = 'undone'
		           WHERE o.import_id <> $2 AND o.made) AS orphan,
		       r.bsuid <> '' AND r.phone <> '' AND EXISTS (
		           SELECT 1 FROM (SELECT import_id, phone, outcome FROM import_rows WHERE tenant_id = $1 AND bsuid = r.bsuid AND bsuid <> '' OFFSET 0) o
		           JOIN imports i ON i.tenant_id = $1 AND i.id = o.import_id AND i.state IN ('running', 'stopped', 'done', 'failed')
		           WHERE o.import_id <> $2 AND o.phone = r.phone AND o.outcome <> 'skipped') AS shared
		FROM import_rows r WHERE r.tenant_id = $1 AND r.import_id = $2 AND r.row > $3 AND r.effect <> '' ORDER BY r.row LIMIT $4`, tx.Tenant, id, after, batchRows)
	if err != nil {
		return nil, fmt.Errorf("read effects: %w", err)
	}

	return rows, nil
}

// writeUndone keeps why what could not be taken back has stayed.
func writeUndone(ctx context.Context, tx *tenants.Tx, i Import, rows []effectRow, stayed map[int]string) error {
	var numbers []int64
	var reasons []string
	undone := 0
	for _, r := range rows {
		switch {
		case stayed[r.Row] != "":
			numbers, reasons = append(numbers, int64(r.Row)), append(reasons, stayed[r.Row])
		case r.Made || !r.effect.empty():
			undone++
		}
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE import_rows r SET reason = w.reason FROM unnest($3::integer[], $4::text[]) AS w (row, reason)
		WHERE r.tenant_id = $1 AND r.import_id = $2 AND r.row = w.row`, tx.Tenant, i.ID, pq.Array(numbers), pq.Array(reasons)); err != nil {
		return fmt.Errorf("write what has stayed: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE imports SET n_undone = n_undone + $3, n_kept = n_kept + $4 WHERE tenant_id = $1 AND id = $2`, tx.Tenant, i.ID, undone, len(numbers)); err != nil {
		return fmt.Errorf("count what was taken back: %w", err)
	}

	return nil
}
