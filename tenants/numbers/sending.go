package numbers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/notices"
	"github.com/pehchan/pehchan/tenants/secrets"
)

// MaySend says whether messages can go out through a number at a time: nil, or a Conflict "number_disconnected", "token_missing",
// "token_expired" or "token_refused". What comes in never depends on it.
func (n Number) MaySend(now time.Time) error {
	switch {
	case n.State == Disconnected:
		return &tenants.Conflict{Code: "number_disconnected"}
	case !n.HasToken:
		return &tenants.Conflict{Code: "token_missing"}
	case n.TokenProblem == reasonExpired, n.TokenExpiresAt != nil && !now.Before(*n.TokenExpiresAt):
		return &tenants.Conflict{Code: "token_expired"}
	case n.TokenProblem != "":
		return &tenants.Conflict{Code: "token_refused"}
	}

	return nil
}

// Sender returns a number of tx's tenant with its token in clear, for a send right after tx; the token goes nowhere but to Graph.
// A number that may not send is the error of MaySend.
func Sender(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, id uuid.UUID, now time.Time) (n Number, token string, err error) {
	if n, err = Get(ctx, tx, id); err != nil {
		return Number{}, "", err
	}
	if err := n.MaySend(now); err != nil {
		return n, "", err
	}
	token, err = tokenOf(ctx, tx, keys, n)

	return n, token, err
}

// lookAfterRefusal is when a token that was refused in passing is looked at again: Graph has been seen to err.
const lookAfterRefusal = 5 * time.Minute

// TokenRefused notes that Graph answered a send with code 190: nothing more goes out through the number until a look at the token,
// in five minutes, or a new token clears it, and its owner is told, once.
func TokenRefused(ctx context.Context, tx *tenants.Tx, id uuid.UUID) error {
	n, err := Get(ctx, tx, id)
	if err != nil {
		return err
	}

	if err := noteProblem(ctx, tx, n, reasonInvalid); err != nil || n.State == Disconnected {
		return err
	}

	return plan(ctx, tx, jobToken, id, time.Now().Add(lookAfterRefusal))
}

// mirrorProblem shows in the directory what stands against a number's token, for who may not see the number itself.
func mirrorProblem(ctx context.Context, tx *tenants.Tx, id uuid.UUID) error {
	if _, err := tx.ExecContext(ctx, `
		UPDATE number_directory d SET token_problem = n.token_problem FROM numbers n
		WHERE d.tenant_id = $1 AND d.number_id = $2 AND n.tenant_id = $1 AND n.id = $2 AND d.token_problem <> n.token_problem`, tx.Tenant, id); err != nil {
		return fmt.Errorf("show problem of token of number %s: %w", id, err)
	}

	return nil
}

// noteProblem keeps what stands against a number's token. The owner is told when it begins.
func noteProblem(ctx context.Context, tx *tenants.Tx, n Number, reason string) error {
	var at time.Time
	err := tx.GetContext(ctx, &at, `
		UPDATE numbers SET token_problem = $3
		WHERE tenant_id = $1 AND id = $2 AND state <> 'disconnected' AND token_problem = ''
		RETURNING now()`, tx.Tenant, n.ID, reason)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // known, or of no interest any more
	}
	if err != nil {
		return fmt.Errorf("note problem of token of number %s: %w", n.ID, err)
	}

	event := notices.TokenRefused
	if reason == reasonExpired {
		event = notices.TokenExpired
		if n.TokenExpiresAt != nil {
			at = *n.TokenExpiresAt
		}
	}
	if err := mirrorProblem(ctx, tx, n.ID); err != nil {
		return err
	}
	if err := notices.Tell(ctx, tx, notices.Own{Number: n.ID, WABA: n.WABAID, Field: notices.FieldToken, Event: event, At: at}); err != nil {
		return err
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: tenants.SystemActor, Action: "number.token_problem", ObjectKind: "number", ObjectID: n.ID.String(),
		Detail: map[string]any{"reason": reason},
	})
}
