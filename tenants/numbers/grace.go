package numbers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Grace is how long a disconnected number comes back with a press: its token is kept so long, and what still arrives for it is
// held at the platform.
const Grace = 30 * 24 * time.Hour

// Disconnect ends a number's routing and its sending; what it brought stays. Its token is kept, unused, for Grace, and then
// forgotten. A number already disconnected is a Conflict "number_disconnected".
func Disconnect(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID) error {
	var state string
	err := tx.GetContext(ctx, &state, `SELECT state FROM numbers WHERE tenant_id = $1 AND id = $2 FOR UPDATE`, tx.Tenant, id)
	if errors.Is(err, sql.ErrNoRows) {
		return tenants.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("lock number %s: %w", id, err)
	}
	if state == Disconnected {
		return &tenants.Conflict{Code: "number_disconnected"}
	}

	var until time.Time
	if err := tx.GetContext(ctx, &until, `
		UPDATE numbers
		SET state = 'disconnected', disconnected_at = now(), grace_until = now() + make_interval(secs => $3), token_problem = ''
		WHERE tenant_id = $1 AND id = $2
		RETURNING grace_until`, tx.Tenant, id, Grace.Seconds()); err != nil {
		return fmt.Errorf("disconnect number %s: %w", id, err)
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE number_directory SET until = now()
		WHERE tenant_id = $1 AND number_id = $2 AND until IS NULL`, tx.Tenant, id); err != nil {
		return fmt.Errorf("close directory entry of number %s: %w", id, err)
	}
	if err := drop(ctx, tx, jobToken, id); err != nil {
		return err
	}
	if err := drop(ctx, tx, jobSync, id); err != nil {
		return err
	}
	if err := plan(ctx, tx, jobForget, id, until); err != nil {
		return err
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "number.disconnect", ObjectKind: "number", ObjectID: id.String(),
		Detail: map[string]any{"was": state, "until": until.UTC().Format(time.RFC3339)},
	})
}

// Reconnect brings a disconnected number back with the token it had, once that has proved again that it controls the number, and
// adopts what was held for it meanwhile. A token that no longer does is a *Refused; a number whose grace is over, or which was
// not disconnected, is a Conflict "number_gone" or "number_connected", one that another tenant has by now "number_taken".
func Reconnect(ctx context.Context, db *tenants.DB, keys *secrets.Keyring, graph whatsapp.Graph, actor tenants.Actor, tenant, id uuid.UUID, publicURL string) (Number, error) {
	var k kept
	err := db.As(ctx, tenant, func(tx *tenants.Tx) (err error) {
		k, err = keptOf(ctx, tx, keys, id)
		return err
	})
	if err != nil {
		return Number{}, err
	}
	if err := mayReturn(k.Number, time.Now()); err != nil {
		return Number{}, err
	}

	proof := Check(ctx, graph, k.App.check(k.Token, k.Number.WABAID, k.Number.PhoneNumberID, k.Number.DisplayPhone, k.Number.PortfolioID))
	if err := refused(proof.Checks); err != nil {
		return Number{}, err
	}

	err = db.As(ctx, tenant, func(tx *tenants.Tx) error { return reopen(ctx, tx, actor, k.Number, proof) })
	if tenants.Violates(err, "number_directory_active") {
		return Number{}, &tenants.Conflict{Code: "number_taken"}
	}
	if err != nil {
		return Number{}, err
	}
	if _, err := ingest.Adopt(ctx, db, tenant, k.Number.PhoneNumberID); err != nil && !errors.Is(err, tenants.ErrNotFound) {
		return Number{}, fmt.Errorf("adopt held items: %w", err)
	}
	checks := append(proof.Checks, subscribe(ctx, graph, k.Token, k.Number.WABAID, k.App.reach(publicURL))...)

	return keepChecks(ctx, db, tenant, id, checks)
}

func mayReturn(n Number, now time.Time) error {
	switch {
	case n.State != Disconnected:
		return &tenants.Conflict{Code: "number_connected"}
	case n.GraceUntil == nil || !n.HasToken || !now.Before(*n.GraceUntil):
		return &tenants.Conflict{Code: "number_gone"}
	}

	return nil
}

func reopen(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, n Number, proof Proof) error {
	if err := lockNumbers(ctx, tx); err != nil {
		return err
	}

	var state string
	err := tx.GetContext(ctx, &state, `
		UPDATE numbers
		SET state = CASE WHEN first_event_at IS NULL THEN 'waiting' ELSE 'connected' END, disconnected_at = NULL, grace_until = NULL,
		    token_expires_at = $3, token_problem = ''
		WHERE tenant_id = $1 AND id = $2 AND state = 'disconnected' AND grace_until > now()
		RETURNING state`, tx.Tenant, n.ID, nullTime(proof.TokenExpires))
	if errors.Is(err, sql.ErrNoRows) {
		return &tenants.Conflict{Code: "number_gone"}
	}
	if err != nil {
		return fmt.Errorf("reconnect number %s: %w", n.ID, err)
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE number_directory SET since = now(), until = NULL
		WHERE tenant_id = $1 AND number_id = $2`, tx.Tenant, n.ID); err != nil {
		return fmt.Errorf("open directory entry of number %s: %w", n.ID, err)
	}
	if err := learnPortfolio(ctx, tx, actor, n, proof); err != nil {
		return err
	}
	if err := drop(ctx, tx, jobForget, n.ID); err != nil {
		return err
	}
	if err := plan(ctx, tx, jobToken, n.ID, nextLook(time.Now(), proof.TokenExpires)); err != nil {
		return err
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "number.reconnect", ObjectKind: "number", ObjectID: n.ID.String(), Detail: map[string]any{"state": state},
	})
}

// forget ends a disconnected number's grace: nothing of ours can act for it any more.
func forget(ctx context.Context, tx *tenants.Tx, id uuid.UUID) error {
	ended, err := tx.ExecContext(ctx, `
		UPDATE numbers SET access_token = NULL, token_expires_at = NULL, pin = NULL, grace_until = NULL
		WHERE tenant_id = $1 AND id = $2 AND state = 'disconnected' AND grace_until <= now()`, tx.Tenant, id)
	if err != nil {
		return fmt.Errorf("forget token of number %s: %w", id, err)
	}
	if n, err := ended.RowsAffected(); err != nil || n == 0 {
		return err //nolint:wrapcheck // lib/pq always knows
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: tenants.SystemActor, Action: "number.forget", ObjectKind: "number", ObjectID: id.String(),
	})
}
