package tenants

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

const (
	// How long a write may be under way before its claim counts as abandoned by a process that died.
	claimLife = time.Minute

	// How long an answer is remembered at least. Each claim clears away a few that are older, so that the memory of a tenant
	// does not grow past what it wrote in that time.
	answerLife    = 48 * time.Hour
	clearedAtOnce = 5

	// How long, and how often, a second try looks for the answer of the first.
	patience  = 5 * time.Second
	lookAgain = 50 * time.Millisecond
)

// Answer is what a write answered: an HTTP status and what it takes to answer the same again. Status 0 is still under way, Forgotten was
// answered and is not kept.
type Answer struct {
	Status int    `db:"status"`
	Body   []byte `db:"body"`
}

// Claim takes the right to do a write once. claimed tells whether it was got: then the write is done and settled, or released
// where it came to nothing. Otherwise the answer of the first try is returned, with Status 0 while that is under way. caller is
// whose key it is, key at most 200 bytes; request is a digest of what is asked, and another request under the same key is
// Conflict "key_reused".
func Claim(ctx context.Context, tx *Tx, caller, key string, request []byte) (first Answer, claimed bool, err error) {
	result, err := tx.ExecContext(ctx, `
		INSERT INTO idempotency_keys AS k (tenant_id, caller, key, request, status, body) VALUES ($1, $2, $3, $4, 0, '')
		ON CONFLICT (tenant_id, caller, key) DO UPDATE SET created_at = now()
		WHERE k.status = 0 AND k.request = excluded.request AND k.created_at < now() - $5 * interval '1 second'`,
		tx.Tenant, caller, key, request, claimLife.Seconds())
	if err != nil {
		return Answer{}, false, fmt.Errorf("claim write: %w", err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		return Answer{}, false, fmt.Errorf("claim write: %w", err)
	}
	if n == 1 {
		return Answer{}, true, forget(ctx, tx)
	}

	var row struct {
		Answer
		Request []byte `db:"request"`
	}
	err = tx.GetContext(ctx, &row, `
		SELECT status, body, request FROM idempotency_keys WHERE tenant_id = $1 AND caller = $2 AND key = $3`, tx.Tenant, caller, key)
	if errors.Is(err, sql.ErrNoRows) {
		// Released between the two statements: as good as still under way, the caller asks again.
		return Answer{}, false, nil
	}
	if err != nil {
		return Answer{}, false, fmt.Errorf("read claim: %w", err)
	}
	if !bytes.Equal(row.Request, request) {
		return Answer{}, false, &Conflict{Code: "key_reused"}
	}

	return row.Answer, false, nil
}

// ClaimOrWait is Claim for work that cannot stand in one transaction: who comes second waits for the answer of the first, and gets
// ErrUnavailable where none came within a few seconds.
func ClaimOrWait(ctx context.Context, db *DB, tenant uuid.UUID, caller, key string, request []byte) (first Answer, claimed bool, err error) {
	for deadline := time.Now().Add(patience); ; {
		err = db.As(ctx, tenant, func(tx *Tx) error {
			first, claimed, err = Claim(ctx, tx, caller, key, request)
			return err
		})
		switch {
		case err != nil || claimed || first.Status != 0:
			return first, claimed, err
		case time.Now().After(deadline):
			return first, false, ErrUnavailable
		}

		select {
		case <-time.After(lookAgain):
		case <-ctx.Done():
			return first, false, ctx.Err()
		}
	}
}

func forget(ctx context.Context, tx *Tx) error {
	_, err := tx.ExecContext(ctx, `
		DELETE FROM idempotency_keys WHERE (tenant_id, caller, key) IN (
			SELECT tenant_id, caller, key FROM idempotency_keys
			WHERE tenant_id = $1 AND created_at < now() - $2 * interval '1 second'
			ORDER BY created_at LIMIT $3 FOR UPDATE SKIP LOCKED)`, tx.Tenant, answerLife.Seconds(), clearedAtOnce)
	if err != nil {
		return fmt.Errorf("forget old answers: %w", err)
	}

	return nil
}

// Settle keeps the answer of a claimed write.
func Settle(ctx context.Context, tx *Tx, caller, key string, a Answer) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE idempotency_keys SET status = $4, body = $5 WHERE tenant_id = $1 AND caller = $2 AND key = $3`,
		tx.Tenant, caller, key, a.Status, append([]byte{}, a.Body...))
	if err != nil {
		return fmt.Errorf("settle write: %w", err)
	}

	return nil
}

// Forgotten is the Status of an answer that was given and is not kept any more.
const Forgotten = -1

// ForgetAnswers drops what writes answered, but not that they were done: a repeat is not done again, and learns that its answer is gone.
func ForgetAnswers(ctx context.Context, tx *Tx) error {
	if _, err := tx.ExecContext(ctx, `
		UPDATE idempotency_keys SET status = $2, body = '' WHERE tenant_id = $1 AND status > 0`, tx.Tenant, Forgotten); err != nil {
		return fmt.Errorf("forget answers: %w", err)
	}

	return nil
}

// Release gives up a claim whose write changed nothing, so that it can be tried again.
func Release(ctx context.Context, tx *Tx, caller, key string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM idempotency_keys WHERE tenant_id = $1 AND caller = $2 AND key = $3 AND status = 0`,
		tx.Tenant, caller, key)
	if err != nil {
		return fmt.Errorf("release write: %w", err)
	}

	return nil
}
