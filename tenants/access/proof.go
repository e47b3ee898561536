package access

import (
	"context"
	"fmt"
	"time"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/secrets"
)

// ProofLife is how long somebody who has proved who they are is not asked again, by what asks for it.
const ProofLife = 10 * time.Minute

// Prove takes a password as proof that a session is still its person's. A wrong one is Invalid "password_old" of field password and
// counts as a failed sign-in; too many are TooMany.
func Prove(ctx context.Context, db *tenants.DB, m Member, password string) error {
	hash, tried, err := checkOwn(ctx, db, m, "password", password)
	if err != nil {
		return err
	}

	return db.System(ctx, func(tx *tenants.Tx) error {
		if err := forgive(ctx, tx, bucket(bucketAccount, limitKey(m.Person.Email)), tried); err != nil {
			return err
		}

		return proved(ctx, tx, m, hash)
	})
}

// ProveByCode is Prove with a code of the person's app, or a recovery code. A wrong one is Invalid "code_wrong" of field code.
func ProveByCode(ctx context.Context, db *tenants.DB, keys *secrets.Keyring, m Member, code string) error {
	tried, err := tryFactor(ctx, db, m.Person.ID, "")
	if err != nil {
		return err
	}

	return db.System(ctx, func(tx *tenants.Tx) error {
		if err := useCode(ctx, tx, keys, m.Person.ID, plainCode(code)); err != nil {
			return err
		}
		if err := tried.forgive(ctx, tx); err != nil {
			return err
		}
		var hash string
		if err := tx.GetContext(ctx, &hash, `SELECT password_hash FROM people WHERE id = $1`, m.Person.ID); err != nil {
			return fmt.Errorf("read password: %w", err)
		}

		return proved(ctx, tx, m, hash)
	})
}

// proved notes that a session's person has proved who they are, in a System transaction. hash is the password it was proved by: one that
// has been replaced meanwhile proves nothing.
func proved(ctx context.Context, tx *tenants.Tx, m Member, hash string) error {
	done, err := tx.ExecContext(ctx, `
		UPDATE sessions s SET proved_at = now() FROM people p
		WHERE s.id_hash = $1 AND s.revoked_at IS NULL AND p.id = s.person_id AND p.password_hash = $2`, m.session, hash)
	if err != nil {
		return fmt.Errorf("note proof: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return ErrNoSession
	}
	if m.HasTenant() {
		if tx, err = tx.Enter(ctx, m.Tenant.ID); err != nil {
			return err
		}
	}

	return tenants.Audit(ctx, tx, tenants.Act{Actor: m.Actor, Action: "session.prove", ObjectKind: "person", ObjectID: m.Person.ID.String()})
}

// checkOwn checks the password of somebody who is signed in, and returns the hash it was checked against and the try to forgive. A wrong
// one is Invalid "password_old" of field, and counts as a failed sign-in.
func checkOwn(ctx context.Context, db *tenants.DB, m Member, field, password string) (hash string, tried time.Time, err error) {
	err = db.System(ctx, func(tx *tenants.Tx) (err error) {
		if tried, err = reserve(ctx, tx, bucket(bucketAccount, limitKey(m.Person.Email)), accountLimit, true); err != nil {
			return err
		}
		if err := tx.GetContext(ctx, &hash, `SELECT password_hash FROM people WHERE id = $1`, m.Person.ID); err != nil {
			return fmt.Errorf("read password: %w", err)
		}
		return nil
	})
	if err != nil {
		return "", time.Time{}, err
	}
	if len(password) > maxPassword {
		password = ""
	}
	ok, err := matches(ctx, password, hash)
	if err == nil && !ok {
		err = &tenants.Invalid{Field: field, Key: "password_old"}
	}

	return hash, tried, err
}
