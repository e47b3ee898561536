package numbers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/notices"
)

// How often a token is looked at, and one that has something against it.
const (
	lookAtToken   = 24 * time.Hour
	lookAtProblem = time.Hour
)

// warnings are how long before a token's end its owner is told, each time once.
var warnings = []time.Duration{14 * 24 * time.Hour, 3 * 24 * time.Hour, 24 * time.Hour}

// nextLook is when to ask about a token again: within a day, and right after its end where that comes before.
func nextLook(now, expires time.Time) time.Time {
	next := now.Add(lookAtToken)
	if ended := expires.Add(time.Second); expires.After(now) && ended.Before(next) {
		return ended
	}

	return next
}

// checkToken asks Meta about a number's token and tells its owner what is wrong or soon will be. A number nobody asked Graph about
// when it was connected is left alone.
func (w *Worker) checkToken(ctx context.Context, tenant, id uuid.UUID) (next time.Time, err error) {
	number, app, token, err := open(ctx, w.db, w.keys, tenant, id)
	switch {
	case errors.Is(err, tenants.ErrNotFound), tenants.ConflictCode(err) != "":
		return time.Time{}, nil
	case err != nil:
		return time.Time{}, err
	case number.State == Unconfirmed || token == "":
		return time.Now().Add(lookAtToken), nil
	}

	info, err := w.graph.DebugToken(ctx, app.MetaAppID+"|"+string(app.Secrets[0]), token)
	reason := tokenReason(info, err, app.MetaAppID)
	if reason != "" && !stopsSending(reason) {
		// It was not the token that Meta refused, or not Meta.
		w.log.Warn("token not looked at", "tenant", tenant, "number", id, "reason", reason)
		return time.Now().Add(tryAgainIn), nil
	}
	if reason == "" && len(missingScopes(info)) > 0 {
		reason = reasonScopes
	}

	err = w.db.As(ctx, tenant, func(tx *tenants.Tx) error { return w.keepLook(ctx, tx, number, token, info.ExpiresAt, reason) })
	if reason != "" {
		return time.Now().Add(lookAtProblem), err
	}

	return nextLook(time.Now(), info.ExpiresAt), err
}

// keepLook keeps what Meta said of a token, unless the number has another one by now.
func (w *Worker) keepLook(ctx context.Context, tx *tenants.Tx, n Number, asked string, expires time.Time, reason string) error {
	if still, err := stillHas(ctx, tx, w.keys, n, asked); err != nil || !still {
		return err
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE numbers
		SET token_checked_at = now(), token_expires_at = coalesce($3, token_expires_at), token_problem = CASE WHEN $4 THEN '' ELSE token_problem END
		WHERE tenant_id = $1 AND id = $2 AND state <> 'disconnected'`, tx.Tenant, n.ID, nullTime(expires), reason == ""); err != nil {
		return fmt.Errorf("keep look at token of number %s: %w", n.ID, err)
	}
	if err := mirrorProblem(ctx, tx, n.ID); err != nil {
		return err
	}
	if reason != "" {
		if !expires.IsZero() {
			n.TokenExpiresAt = &expires
		}

		return noteProblem(ctx, tx, n, reason)
	}
	if n.TokenProblem != "" {
		return tenants.Audit(ctx, tx, tenants.Act{
			Actor: tenants.SystemActor, Action: "number.token_well", ObjectKind: "number", ObjectID: n.ID.String(),
			Detail: map[string]any{"was": n.TokenProblem},
		})
	}

	return warn(ctx, tx, n, expires)
}

// warn tells the owner that the token soon ends. Only the last warning that is due is given, and none twice: each has a time of its
// own.
func warn(ctx context.Context, tx *tenants.Tx, n Number, expires time.Time) error {
	if expires.IsZero() {
		return nil
	}
	due := time.Duration(0)
	for _, before := range warnings {
		if time.Until(expires) <= before {
			due = before
		}
	}
	if due == 0 {
		return nil
	}

	return notices.Tell(ctx, tx, notices.Own{
		Number: n.ID, WABA: n.WABAID, Field: notices.FieldToken, Event: notices.TokenExpiring, At: expires.Add(-due),
		Facts: notices.Facts{"expires": expires.UTC().Format(time.RFC3339)},
	})
}
