package adoption

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// Lifted is what some accounts added to the sums before their identifiers changed hands.
type Lifted struct {
	accounts []uuid.UUID
	rows     []row
	sums     sums
	stood    map[uuid.UUID]map[string]standing
}

// Lift takes accounts out of the sums, before tenures pass between them or are divided. accounts are all that have or get any of them.
func Lift(ctx context.Context, tx *tenants.Tx, accounts []uuid.UUID) (*Lifted, error) {
	l := &Lifted{accounts: accounts, sums: sums{}}
	rows, err := rowsOf(ctx, tx, accounts)
	if err != nil {
		return nil, err
	}
	l.rows = rows
	if l.stood, err = standingsOf(ctx, tx, accounts); err != nil {
		return nil, err
	}
	for _, own := range groups(rows, byAccount) {
		l.sums.addAccount(own, -1)
		l.sums.addStandings(own[0].Scope, l.stood[own[0].Identity], -1)
	}

	return l, nil
}

// Settle puts the accounts back as they are now. Each row goes with its tenure. divided are the tenures, as they were, of identifiers whose
// time is divided anew: what they knew of a phone or parent id is read again from the messages, which know the second; a WhatsApp ID is
// one account's for ever, and all that is known of it is put together.
func (l *Lifted) Settle(ctx context.Context, tx *tenants.Tx, divided map[uuid.UUID]uuid.UUID) error {
	if len(divided) > 0 {
		if err := l.divide(ctx, tx, divided); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE heard_weeks h SET identity_id = t.identity_id FROM tenures t
		WHERE h.tenant_id = $1 AND h.identity_id = ANY($2) AND t.tenant_id = $1 AND t.id = h.tenure_id AND t.identity_id <> h.identity_id`,
		tx.Tenant, pq.Array(l.accounts)); err != nil {
		return fmt.Errorf("move weeks with their tenures: %w", err)
	}

	rows, err := rowsOf(ctx, tx, l.accounts)
	if err != nil {
		return err
	}
	var stand moves
	settled := map[uuid.UUID]bool{}
	for _, own := range groups(rows, byAccount) {
		id := own[0].Identity
		settled[id] = true
		next := standings(nil, own)
		l.sums.addAccount(own, 1)
		l.sums.addStandings(own[0].Scope, next, 1)
		stand.differ(l.stood[id], next)
	}
	for id, stood := range l.stood {
		if !settled[id] {
			stand.differ(stood, nil)
		}
	}
	if err := stand.write(ctx, tx); err != nil {
		return err
	}

	return l.sums.write(ctx, tx)
}

func (l *Lifted) divide(ctx context.Context, tx *tenants.Tx, divided map[uuid.UUID]uuid.UUID) error {
	tenures := slices.Collect(maps.Keys(divided))
	identifiers := slices.Collect(maps.Values(divided))
	if _, err := tx.ExecContext(ctx, `
		DELETE FROM heard_weeks WHERE tenant_id = $1 AND identity_id = ANY($2) AND tenure_id = ANY($3)`,
		tx.Tenant, pq.Array(l.accounts), pq.Array(tenures)); err != nil {
		return fmt.Errorf("drop weeks of divided tenures: %w", err)
	}
	if err := readAgain(ctx, tx, identifiers); err != nil {
		return err
	}

	var now []struct {
		Tenure     uuid.UUID `db:"id"`
		Identity   uuid.UUID `db:"identity_id"`
		Identifier uuid.UUID `db:"identifier_id"`
	}
	if err := tx.SelectContext(ctx, &now, `
		SELECT t.id, t.identity_id, t.identifier_id FROM tenures t JOIN identifiers d ON d.tenant_id = $1 AND d.id = t.identifier_id AND d.kind || '' = 'bsuid'
		WHERE t.tenant_id = $1 AND t.identifier_id = ANY($2)`, tx.Tenant, pq.Array(identifiers)); err != nil {
		return fmt.Errorf("read tenures of WhatsApp IDs: %w", err)
	}
	together := map[rowKey]row{}
	for _, n := range now {
		for _, r := range l.rows {
			if divided[r.Tenure] != n.Identifier {
				continue
			}
			r.Tenure, r.Identity = n.Tenure, n.Identity
			had := together[r.key()]
			r.Days, r.Named, r.Phoned = r.Days|had.Days, r.Named|had.Named, r.Phoned|had.Phoned
			together[r.key()] = r
		}
	}
	if len(together) == 0 {
		return nil
	}

	return putRows(ctx, tx, slices.Collect(maps.Values(together)))
}

// readAgain makes the rows of the tenures of phones and parent ids from the messages that hang on them.
func readAgain(ctx context.Context, tx *tenants.Tx, identifiers []uuid.UUID) error {
	var rows []struct {
		row

		Kind  string `db:"kind"`
		Value string `db:"value"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		SELECT t.identity_id, date_trunc('week', m.at AT TIME ZONE 'UTC')::date AS week, m.number_id, t.id AS tenure_id, d.kind, d.value,
		       bit_or(1 << (extract(isodow FROM m.at AT TIME ZONE 'UTC')::int - 1)) AS days
		FROM tenures t
		JOIN identifiers d ON d.tenant_id = $1 AND d.id = t.identifier_id AND d.kind <> 'bsuid'
		JOIN messages m ON m.tenant_id = $1 AND m.tenure_id = t.id AND m.direction = 'in'
		WHERE t.tenant_id = $1 AND t.identifier_id = ANY($2)
		GROUP BY 1, 2, 3, 4, 5, 6`, tx.Tenant, pq.Array(identifiers)); err != nil {
		return fmt.Errorf("read messages of divided tenures: %w", err)
	}
	if len(rows) == 0 {
		return nil
	}
	again := make([]row, len(rows))
	for i, r := range rows {
		again[i] = r.row
		again[i].Country = countryOf(r.Value)
		if r.Kind == "phone" {
			again[i].Phoned = r.Days
		}
	}

	return putRows(ctx, tx, again)
}

func rowsOf(ctx context.Context, tx *tenants.Tx, accounts []uuid.UUID) ([]row, error) {
	var rows []row
	if err := tx.SelectContext(ctx, &rows, `
		SELECT h.identity_id, h.week, h.number_id, h.tenure_id, h.bsuid, h.country, h.days, h.named, h.phoned, i.scope
		FROM unnest($2::uuid[]) AS w (id)
		JOIN identities i ON i.tenant_id = $1 AND i.id = w.id
		JOIN heard_weeks h ON h.tenant_id = $1 AND h.identity_id = w.id`, tx.Tenant, pq.Array(accounts)); err != nil {
		return nil, fmt.Errorf("read rows of accounts: %w", err)
	}

	return rows, nil
}
