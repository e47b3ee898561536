package access

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// ForgetPeople deletes accounts with all that refers to them, but of operators and of those who are of some business, in a System transaction.
// It returns how many went.
func ForgetPeople(ctx context.Context, tx *tenants.Tx, people []uuid.UUID) (n int64, err error) {
	var going []uuid.UUID
	if err := tx.SelectContext(ctx, &going, `
		SELECT p.id FROM people p
		WHERE p.id = ANY($1) AND p.operator_role IS NULL AND NOT EXISTS (SELECT 1 FROM memberships m WHERE m.person_id = p.id)
		ORDER BY p.id FOR UPDATE`, pq.Array(people)); err != nil {
		return 0, fmt.Errorf("lock people: %w", err)
	}
	if err := forgetWhatRefers(ctx, tx, going); err != nil {
		return 0, err
	}
	gone, err := tx.ExecContext(ctx, `DELETE FROM people WHERE id = ANY($1)`, pq.Array(going))
	if err != nil {
		return 0, fmt.Errorf("forget people: %w", err)
	}

	return gone.RowsAffected()
}

// forgetWhatRefers deletes what a database knows of people besides their accounts: sessions, factors, what they asked for.
func forgetWhatRefers(ctx context.Context, tx *tenants.Tx, going []uuid.UUID) error {
	var refs []struct {
		Table  string `db:"from"`
		Column string `db:"column"`
	}
	if err := tx.SelectContext(ctx, &refs, `
		SELECT k.conrelid::regclass::text AS from, a.attname AS column
		FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
		WHERE k.contype = 'f' AND k.confrelid = 'people'::regclass AND cardinality(k.conkey) = 1 ORDER BY 1`); err != nil {
		return fmt.Errorf("look up what refers to people: %w", err)
	}
	for _, r := range refs { // names out of the catalogue
		if _, err := tx.ExecContext(ctx, `DELETE FROM `+r.Table+` WHERE `+pq.QuoteIdentifier(r.Column)+` = ANY($1)`, pq.Array(going)); err != nil {
			return fmt.Errorf("forget people in %s: %w", r.Table, err)
		}
	}

	return nil
}
