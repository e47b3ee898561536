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

// RenamePlace gives what is counted at a scope, and what the owner said of its contact book, to another, which all its accounts are of now.
// No account may have been of both.
func RenamePlace(ctx context.Context, tx *tenants.Tx, from, to string) error {
	if _, err := tx.ExecContext(ctx, `UPDATE heard_last SET place = $3 WHERE tenant_id = $1 AND place = $2`, tx.Tenant, from, to); err != nil {
		return fmt.Errorf("rename the place where accounts stand: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		WITH gone AS (DELETE FROM adoption_cells WHERE tenant_id = $1 AND place = $2 RETURNING kind, at, country, shown, n)
		INSERT INTO adoption_cells AS c (tenant_id, kind, place, at, country, shown, n) SELECT $1, kind, $3, at, country, shown, n FROM gone
		ON CONFLICT (tenant_id, kind, place, at, country, shown) DO UPDATE SET n = c.n + excluded.n`, tx.Tenant, from, to); err != nil {
		return fmt.Errorf("rename the place of sums: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		WITH gone AS (DELETE FROM contact_books WHERE tenant_id = $1 AND scope = $2 RETURNING state, said_at, said_by)
		INSERT INTO contact_books (tenant_id, scope, state, said_at, said_by) SELECT $1, $3, state, said_at, said_by FROM gone
		ON CONFLICT (tenant_id, scope) DO NOTHING`, tx.Tenant, from, to); err != nil {
		return fmt.Errorf("rename what is said of contact books: %w", err)
	}

	return nil
}

// JoinPhones gives the windows of phones to others: each of olds is the same phone as its counterpart of news.
func JoinPhones(ctx context.Context, tx *tenants.Tx, olds, news []uuid.UUID) error {
	var rows []window
	if err := tx.SelectContext(ctx, &rows, `
		SELECT phone_id, number_id, last_at, holder FROM phone_windows WHERE tenant_id = $1 AND phone_id = ANY($2)`,
		tx.Tenant, pq.Array(slices.Concat(olds, news))); err != nil {
		return fmt.Errorf("read windows of phones: %w", err)
	}
	same, joined := map[uuid.UUID]uuid.UUID{}, map[windowKey]window{}
	for i, old := range olds {
		same[old] = news[i]
	}
	s := sums{}
	for _, r := range rows {
		s.addPhone(r, -1)
		if phone, ok := same[r.Phone]; ok {
			r.Phone = phone
		}
		k := windowKey{r.Phone, r.Number}
		if had, ok := joined[k]; ok && had.LastAt.After(r.LastAt) {
			r.LastAt = had.LastAt
		}
		joined[k] = r
	}
	if len(joined) == 0 {
		return nil
	}
	for _, r := range joined {
		s.addPhone(r, 1)
	}
	if err := putWindows(ctx, tx, slices.Collect(maps.Values(joined))); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM phone_windows WHERE tenant_id = $1 AND phone_id = ANY($2)`, tx.Tenant, pq.Array(olds)); err != nil {
		return fmt.Errorf("drop windows of phones known twice: %w", err)
	}

	return s.write(ctx, tx)
}
