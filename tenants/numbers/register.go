package numbers

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// register switches a number on that Meta's window gave to us alone, and adds to checks whether that went well. It does nothing for
// a number that is on already, that was connected by hand, or that is in the Business app: that one would lose its app.
func register(ctx context.Context, db *tenants.DB, keys *secrets.Keyring, graph whatsapp.Graph, actor tenants.Actor, tenant uuid.UUID, n Number, token string, checks []CheckResult) ([]CheckResult, error) {
	if n.OnboardedAt == nil || n.OnApp {
		return checks, nil
	}
	if n.RegisteredAt != nil {
		return append(checks, result(CheckRegistered, false, "")), nil
	}

	pin, err := pinOf(ctx, db, keys, tenant, n.ID)
	if err != nil {
		return nil, err
	}
	if err := graph.Register(ctx, token, n.PhoneNumberID, pin); err != nil {
		return append(checks, result(CheckRegistered, false, graphReason(err, "not_registered"))), nil
	}

	err = db.As(ctx, tenant, func(tx *tenants.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE numbers SET registered_at = now() WHERE tenant_id = $1 AND id = $2`, tenant, n.ID); err != nil {
			return fmt.Errorf("note registration of number %s: %w", n.ID, err)
		}

		return tenants.Audit(ctx, tx, tenants.Act{Actor: actor, Action: "number.register", ObjectKind: "number", ObjectID: n.ID.String()})
	})

	return append(checks, result(CheckRegistered, false, "")), err
}

// pinOf is the number's two-step PIN: kept before it is first used, for a number that has one can be registered by that one only.
func pinOf(ctx context.Context, db *tenants.DB, keys *secrets.Keyring, tenant, id uuid.UUID) (pin string, err error) {
	err = db.As(ctx, tenant, func(tx *tenants.Tx) error {
		var sealed []byte
		if err := tx.GetContext(ctx, &sealed, `SELECT pin FROM numbers WHERE tenant_id = $1 AND id = $2 FOR UPDATE`, tenant, id); err != nil {
			return fmt.Errorf("read pin of number %s: %w", id, err)
		}
		if sealed != nil {
			plain, err := keys.Open(tenant, pinPurpose(id), sealed)
			if err != nil {
				return fmt.Errorf("open pin of number %s: %w", id, err)
			}
			pin = string(plain)

			return nil
		}

		n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
		if err != nil {
			return fmt.Errorf("make pin: %w", err)
		}
		pin = fmt.Sprintf("%06d", n)
		if sealed, err = keys.Seal(tenant, pinPurpose(id), []byte(pin)); err != nil {
			return fmt.Errorf("seal pin: %w", err)
		}
		if _, err := tx.ExecContext(ctx, `UPDATE numbers SET pin = $3 WHERE tenant_id = $1 AND id = $2`, tenant, id, sealed); err != nil {
			return fmt.Errorf("keep pin of number %s: %w", id, err)
		}

		return nil
	})

	return pin, err
}
