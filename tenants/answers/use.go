package answers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// The kinds of what is used.
const (
	UsedCard  = "card"
	UsedMacro = "macro"
)

// Use counts that a card was copied or shared, or a macro sent, today. A key that the tenant does not have is ErrNotFound.
func Use(ctx context.Context, tx *tenants.Tx, kind, key string, now time.Time) error {
	if kind == UsedMacro {
		if _, err := MacroBy(ctx, tx, key, now); err != nil {
			return err
		}
	} else if _, _, err := One(ctx, tx, key, now); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO answer_uses (tenant_id, kind, key, day, n) VALUES ($1, $2, $3, $4::date, 1)
		ON CONFLICT (tenant_id, kind, key, day) DO UPDATE SET n = answer_uses.n + 1`, tx.Tenant, kind, key, now); err != nil {
		return fmt.Errorf("count a use: %w", err)
	}

	return nil
}

// Vote keeps whether a card helped a person; what they said before is forgotten.
func Vote(ctx context.Context, tx *tenants.Tx, person uuid.UUID, key string, helpful bool, now time.Time) error {
	if _, _, err := One(ctx, tx, key, now); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO answer_votes (tenant_id, card, person_id, helpful) VALUES ($1, $2, $3, $4)
		ON CONFLICT (tenant_id, card, person_id) DO UPDATE SET helpful = excluded.helpful, at = now()`, tx.Tenant, key, person, helpful); err != nil {
		return fmt.Errorf("keep a vote: %w", err)
	}

	return nil
}

// VoteOf is whether a card helped a person; said is false where they did not say.
func VoteOf(ctx context.Context, tx *tenants.Tx, person uuid.UUID, key string) (helpful, said bool, err error) {
	err = tx.GetContext(ctx, &helpful, `SELECT helpful FROM answer_votes WHERE tenant_id = $1 AND card = $2 AND person_id = $3`, tx.Tenant, key, person)
	if errors.Is(err, sql.ErrNoRows) {
		return false, false, nil
	}
	if err != nil {
		return false, false, fmt.Errorf("read a vote: %w", err)
	}

	return helpful, true, nil
}
