package adoption

import (
	"context"
	"fmt"

	"github.com/pehchan/pehchan/tenants"
)

// What is said of a contact book. "" is nothing.
const (
	BookOn  = "on"
	BookOff = "off"
)

// Books are what was said of the contact books of portfolios, by scope. WhatsApp lets nobody read whether one is on (domain facts 7).
func Books(ctx context.Context, tx *tenants.Tx) (map[string]string, error) {
	var rows []struct {
		Scope string `db:"scope"`
		State string `db:"state"`
	}
	if err := tx.SelectContext(ctx, &rows, `SELECT scope, state FROM contact_books WHERE tenant_id = $1`, tx.Tenant); err != nil {
		return nil, fmt.Errorf("read contact books: %w", err)
	}
	books := make(map[string]string, len(rows))
	for _, r := range rows {
		books[r.Scope] = r.State
	}

	return books, nil
}

// SayBook notes what the owner says of a portfolio's contact book: BookOn, BookOff, or "" for not known.
func SayBook(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, scope, state string) error {
	if state != BookOn && state != BookOff && state != "" {
		return &tenants.Invalid{Field: "state", Key: "unknown_kind"}
	}
	var known bool
	if err := tx.GetContext(ctx, &known, `SELECT EXISTS (SELECT 1 FROM numbers WHERE tenant_id = $1 AND scope = $2)`, tx.Tenant, scope); err != nil {
		return fmt.Errorf("look for portfolio: %w", err)
	}
	if !known {
		return tenants.ErrNotFound
	}
	statement, args := `DELETE FROM contact_books WHERE tenant_id = $1 AND scope = $2`, []any{tx.Tenant, scope}
	if state != "" {
		statement = `
			INSERT INTO contact_books (tenant_id, scope, state, said_by) VALUES ($1, $2, $3, $4)
			ON CONFLICT (tenant_id, scope) DO UPDATE SET state = excluded.state, said_by = excluded.said_by, said_at = now()`
		args = append(args, state, actor.Name)
	}
	if _, err := tx.ExecContext(ctx, statement, args...); err != nil {
		return fmt.Errorf("note contact book: %w", err)
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "portfolio.contact_book", ObjectKind: "portfolio", ObjectID: scope, Detail: map[string]any{"state": state},
	})
}
