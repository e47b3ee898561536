package numbers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Recheck asks Graph about a connected number again, with the token it has, subscribes it again and keeps the answers. What
// fails is in the Checks of the number it returns; it is no error.
func Recheck(ctx context.Context, db *tenants.DB, keys *secrets.Keyring, graph whatsapp.Graph, actor tenants.Actor, tenant, id uuid.UUID, publicURL string) (Number, error) {
	number, app, token, err := open(ctx, db, keys, tenant, id)
	if err != nil {
		return Number{}, err
	}

	proof := Check(ctx, graph, app.check(token, number.WABAID, number.PhoneNumberID, number.DisplayPhone, number.PortfolioID))
	checks := proof.Checks
	if refused(checks) == nil {
		number.OnApp = number.OnApp || inApp(proof.OnApp, false)
		err := db.As(ctx, tenant, func(tx *tenants.Tx) error {
			if err := lockNumbers(ctx, tx); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `
				UPDATE numbers SET on_app = true WHERE tenant_id = $1 AND id = $2 AND $3 AND NOT on_app`, tenant, id, number.OnApp); err != nil {
				return fmt.Errorf("note that number %s is in the app: %w", id, err)
			}

			return learnPortfolio(ctx, tx, tenants.SystemActor, number, proof)
		})
		if err != nil {
			return Number{}, err
		}
		checks = append(checks, subscribe(ctx, graph, token, number.WABAID, app.reach(publicURL))...)
		if checks, err = register(ctx, db, keys, graph, actor, tenant, number, token, checks); err != nil {
			return Number{}, err
		}
	}

	failed := []string{}
	for _, c := range checks {
		if !c.OK {
			failed = append(failed, c.Code)
		}
	}

	return keepChecks(ctx, db, keys, tenant, id, token, checks, tenants.Act{
		Actor: actor, Action: "number.recheck", ObjectKind: "number", ObjectID: id.String(),
		Detail: map[string]any{"failed": failed, "on_app": number.OnApp},
	})
}

// ReplaceToken gives a number a new access token once that has proved, as in Connect, that it controls the number; else the
// error is a *Refused and the old token stays. An unconfirmed number is confirmed by it.
func ReplaceToken(ctx context.Context, db *tenants.DB, keys *secrets.Keyring, graph whatsapp.Graph, actor tenants.Actor, tenant, id uuid.UUID, token, publicURL string) (Number, error) {
	return replaceToken(ctx, db, keys, graph, actor, tenant, id, ConnectInput{AccessToken: token, PublicURL: publicURL})
}

// replaceToken takes of in the token, the origin and how Meta's window made the token. Only the window takes a number out of the
// Business app, and brings what may be asked of the app once for each time it was connected.
func replaceToken(ctx context.Context, db *tenants.DB, keys *secrets.Keyring, graph whatsapp.Graph, actor tenants.Actor, tenant, id uuid.UUID, in ConnectInput) (Number, error) {
	token := in.AccessToken
	if !printable(token) {
		return Number{}, &tenants.Invalid{Field: "access_token", Key: "secret"}
	}
	number, app, _, err := open(ctx, db, keys, tenant, id)
	if err != nil {
		return Number{}, err
	}

	proof := Check(ctx, graph, app.check(token, number.WABAID, number.PhoneNumberID, number.DisplayPhone, number.PortfolioID))
	if err := refused(proof.Checks); err != nil {
		return Number{}, err
	}
	sealed, err := keys.Seal(tenant, tokenPurpose(id), []byte(token))
	if err != nil {
		return Number{}, fmt.Errorf("seal token: %w", err)
	}

	err = db.As(ctx, tenant, func(tx *tenants.Tx) error {
		if err := lockNumbers(ctx, tx); err != nil {
			return err
		}
		var state string
		err := tx.GetContext(ctx, &state, `
			UPDATE numbers
			SET access_token = $3, token_expires_at = $4, token_problem = '', name = $5,
			    state = CASE WHEN state <> 'unconfirmed' THEN state WHEN first_event_at IS NULL THEN 'waiting' ELSE 'connected' END,
			    on_app = CASE WHEN $7 THEN $6 ELSE on_app OR $6 END, onboarded_at = CASE WHEN $7 THEN now() ELSE onboarded_at END,
			    registered_at = CASE WHEN $7 AND on_app AND NOT $6 THEN NULL ELSE registered_at END
			WHERE tenant_id = $1 AND id = $2 AND state <> 'disconnected'
			RETURNING state`, tenant, id, sealed, nullTime(proof.TokenExpires), proof.Name, inApp(proof.OnApp, in.window.keepsApp), in.window.used)
		if errors.Is(err, sql.ErrNoRows) {
			return &tenants.Conflict{Code: "number_disconnected"}
		}
		if err != nil {
			return fmt.Errorf("replace token of number %s: %w", id, err)
		}
		if err := mirrorProblem(ctx, tx, id); err != nil {
			return err
		}
		if number, err = Get(ctx, tx, id); err != nil {
			return err
		}
		if in.window.keepsApp && number.OnApp {
			if err := forgetSyncs(ctx, tx, id); err != nil {
				return err
			}
		}

		if err := learnPortfolio(ctx, tx, actor, number, proof); err != nil {
			return err
		}
		if err := plan(ctx, tx, jobToken, id, nextLook(time.Now(), proof.TokenExpires)); err != nil {
			return err
		}

		return tenants.Audit(ctx, tx, tenants.Act{
			Actor: actor, Action: "number.replace_token", ObjectKind: "number", ObjectID: id.String(),
			Detail: map[string]any{"state": state, "on_app": number.OnApp},
		})
	})
	if err != nil {
		return Number{}, err
	}

	// Graph may not know yet of an app that the window has only just kept.
	number.OnApp = number.OnApp || in.window.keepsApp

	return switchOn(ctx, db, keys, graph, actor, tenant, number, app, token, in.PublicURL, proof.Checks)
}

// kept is a number with its app and its token, for asking Graph about it outside any transaction. Token is "" where none is kept.
type kept struct {
	Number Number
	App    Credentials
	Token  string
}

// keptOf reads a number, disconnected or not.
func keptOf(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, id uuid.UUID) (k kept, err error) {
	if k.Number, err = Get(ctx, tx, id); err != nil {
		return kept{}, err
	}
	if k.App, err = AppByName(ctx, tx, keys, k.Number.App); err != nil {
		return kept{}, fmt.Errorf("app of number %s: %w", id, err)
	}
	k.Token, err = tokenOf(ctx, tx, keys, k.Number)

	return k, err
}

func tokenOf(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, n Number) (string, error) {
	if !n.HasToken {
		return "", nil
	}

	var sealed []byte
	if err := tx.GetContext(ctx, &sealed, `SELECT access_token FROM numbers WHERE tenant_id = $1 AND id = $2`, tx.Tenant, n.ID); err != nil {
		return "", fmt.Errorf("read token of number %s: %w", n.ID, err)
	}
	plain, err := keys.Open(tx.Tenant, tokenPurpose(n.ID), sealed)
	if err != nil {
		return "", fmt.Errorf("open token of number %s: %w", n.ID, err)
	}

	return string(plain), nil
}

// stillHas locks a number and tells whether it has the token that Meta was asked about, or another by now.
func stillHas(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, n Number, asked string) (bool, error) {
	if _, err := tx.ExecContext(ctx, `SELECT 1 FROM numbers WHERE tenant_id = $1 AND id = $2 FOR UPDATE`, tx.Tenant, n.ID); err != nil {
		return false, fmt.Errorf("lock number %s: %w", n.ID, err)
	}
	now, err := tokenOf(ctx, tx, keys, n)

	return now == asked, err
}

// open is keptOf for a number that is connected.
func open(ctx context.Context, db *tenants.DB, keys *secrets.Keyring, tenant, id uuid.UUID) (number Number, app Credentials, token string, err error) {
	var k kept
	err = db.As(ctx, tenant, func(tx *tenants.Tx) (err error) {
		k, err = keptOf(ctx, tx, keys, id)
		return err
	})
	if err == nil && k.Number.State == Disconnected {
		err = &tenants.Conflict{Code: "number_disconnected"}
	}

	return k.Number, k.App, k.Token, err
}
