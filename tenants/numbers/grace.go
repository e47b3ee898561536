package numbers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
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
// not disconnected, is a Conflict "number_gone" or "number_connected", one that another tenant has by now "number_taken", one
// whose WABA is known in another portfolio by now "portfolio_differs", and one more than the quota "too_many_numbers".
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

	var number Number
	err = db.As(ctx, tenant, func(tx *tenants.Tx) (err error) {
		number, err = reopen(ctx, tx, actor, id, proof)
		return err
	})
	if tenants.Violates(err, "number_directory_active") {
		return Number{}, &tenants.Conflict{Code: "number_taken"}
	}
	if err != nil {
		return Number{}, err
	}
	if number, err = switchOn(ctx, db, keys, graph, actor, tenant, number, k.App, k.Token, publicURL, proof.Checks); err != nil {
		return Number{}, err
	}
	adopt(ctx, db, tenant, number.PhoneNumberID)

	return number, nil
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

// reopen puts a number where its WABA's others stand by now.
func reopen(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID, proof Proof) (Number, error) {
	if err := lockNumbers(ctx, tx); err != nil {
		return Number{}, err
	}
	n, err := Get(ctx, tx, id)
	if err != nil {
		return Number{}, err
	}
	if err := tenants.Within(ctx, tx, tenants.QuotaNumbers); err != nil {
		return Number{}, err
	}
	if proof.PortfolioID == "" {
		proof.PortfolioID = n.PortfolioID
	}
	scope, portfolio, err := scopeOf(ctx, tx, actor, n.WABAID, proof)
	if err != nil {
		return Number{}, err
	}
	if err := identity.AdoptUnplaced(ctx, tx, scope); err != nil {
		return Number{}, err
	}

	var state string
	err = tx.GetContext(ctx, &state, `
		UPDATE numbers
		SET state = CASE WHEN first_event_at IS NULL THEN 'waiting' ELSE 'connected' END, disconnected_at = NULL, grace_until = NULL,
		    token_expires_at = $3, token_problem = '', scope = $4, portfolio_id = nullif($5, ''), on_app = on_app OR $6
		WHERE tenant_id = $1 AND id = $2 AND state = 'disconnected' AND grace_until > now()
		RETURNING state`, tx.Tenant, n.ID, nullTime(proof.TokenExpires), scope, portfolio, inApp(proof.OnApp, false))
	if errors.Is(err, sql.ErrNoRows) {
		return Number{}, &tenants.Conflict{Code: "number_gone"}
	}
	if err != nil {
		return Number{}, fmt.Errorf("reconnect number %s: %w", n.ID, err)
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE number_directory SET since = now(), until = NULL
		WHERE tenant_id = $1 AND number_id = $2`, tx.Tenant, n.ID); err != nil {
		return Number{}, fmt.Errorf("open directory entry of number %s: %w", n.ID, err)
	}
	if err := drop(ctx, tx, jobForget, n.ID); err != nil {
		return Number{}, err
	}
	if err := plan(ctx, tx, jobToken, n.ID, nextLook(time.Now(), proof.TokenExpires)); err != nil {
		return Number{}, err
	}
	if err := planListening(ctx, tx, n.ID); err != nil {
		return Number{}, err
	}
	if n.OnApp { // what its app was asked for goes on coming
		if err := plan(ctx, tx, jobSync, n.ID, time.Now()); err != nil {
			return Number{}, err
		}
	}

	err = tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "number.reconnect", ObjectKind: "number", ObjectID: n.ID.String(), Detail: map[string]any{"state": state, "scope": scope},
	})
	if err != nil {
		return Number{}, err
	}

	return Get(ctx, tx, n.ID)
}

// forget ends a disconnected number's grace: nothing of ours can act for it any more. Its PIN stays, of no use to anybody without a
// token: should the number come back, it can be registered by that one only.
func forget(ctx context.Context, tx *tenants.Tx, id uuid.UUID) error {
	ended, err := tx.ExecContext(ctx, `
		UPDATE numbers SET access_token = NULL, token_expires_at = NULL, grace_until = NULL
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
