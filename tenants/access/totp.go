package access

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"encoding/base32"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/google/uuid"
	"github.com/pquerna/otp/hotp"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/secrets"
)

const (
	totpPurpose = "totp"
	totpIssuer  = "Pehchan"
	totpPeriod  = 30 // seconds a code counts
	totpSkew    = 1  // codes before and after that are taken too, as clocks differ
	totpBytes   = 20
)

// NewApp is the secret that an authenticator app is to be set up with (RFC 6238): as its address, for a picture, and to type.
type NewApp struct {
	URL    string
	Secret string // base32
}

// StartApp makes a secret for an authenticator app, in a System transaction. It counts once FinishApp has seen a code of it; until then
// the app used so far does, and an older secret that was never finished is good no more.
func StartApp(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, m Member) (NewApp, error) {
	secret := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(randomBytes(totpBytes))
	sealed, err := keys.Seal(uuid.Nil, totpPurpose, []byte(secret))
	if err != nil {
		return NewApp{}, fmt.Errorf("seal secret: %w", err)
	}
	if err := lockLiving(ctx, tx, m); err != nil {
		return NewApp{}, err
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO totps (person_id, pending) VALUES ($1, $2)
		ON CONFLICT (person_id) DO UPDATE SET pending = excluded.pending`, m.Person.ID, sealed); err != nil {
		return NewApp{}, fmt.Errorf("keep secret: %w", err)
	}

	return appOf(m, secret), nil
}

// PendingApp is the secret that StartApp made and no code has been seen of, in a System transaction; ErrNotFound where there is none.
func PendingApp(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, m Member) (NewApp, error) {
	secret, _, err := pendingSecret(ctx, tx, keys, m.Person.ID)
	if err != nil {
		return NewApp{}, err
	}

	return appOf(m, secret), nil
}

func pendingSecret(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, person uuid.UUID) (secret string, sealed []byte, err error) {
	err = tx.GetContext(ctx, &sealed, `SELECT pending FROM totps WHERE person_id = $1 AND pending IS NOT NULL FOR UPDATE`, person)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil, tenants.ErrNotFound
	}
	if err != nil {
		return "", nil, fmt.Errorf("read secret: %w", err)
	}
	plain, err := keys.Open(uuid.Nil, totpPurpose, sealed)
	if err != nil {
		return "", nil, fmt.Errorf("open secret: %w", err)
	}

	return string(plain), sealed, nil
}

func appOf(m Member, secret string) NewApp {
	q := url.Values{"secret": {secret}, "issuer": {totpIssuer}}

	return NewApp{URL: "otpauth://totp/" + totpIssuer + ":" + url.PathEscape(m.Person.Email) + "?" + q.Encode(), Secret: secret}
}

// FinishApp makes an app the person's second factor, once they have typed a code of it, and signs them out everywhere else. It returns
// new recovery codes where they had none. A wrong code is Invalid "code_wrong"; where another browser has begun anew or finished
// meanwhile it is Conflict "factor_changed".
func FinishApp(ctx context.Context, db *tenants.DB, keys *secrets.Keyring, m Member, secret, code string) ([]string, error) {
	tried, err := tryFactor(ctx, db, m.Person.ID, "")
	if err != nil {
		return nil, err
	}

	var codes []string
	err = db.System(ctx, func(tx *tenants.Tx) error {
		if err := lockLiving(ctx, tx, m); err != nil {
			return err
		}
		pending, sealed, err := pendingSecret(ctx, tx, keys, m.Person.ID)
		if errors.Is(err, tenants.ErrNotFound) || err == nil && subtle.ConstantTimeCompare([]byte(pending), []byte(secret)) != 1 {
			return &tenants.Conflict{Code: "factor_changed"}
		}
		if err != nil {
			return err
		}
		step, err := stepOf(ctx, tx, pending, plainCode(code), 0)
		if err != nil {
			return err
		}
		if step == 0 {
			return &tenants.Invalid{Field: "code", Key: "code_wrong"}
		}
		if _, err := tx.ExecContext(ctx, `
			UPDATE totps SET sealed = pending, pending = NULL, step = $3, added_at = now() WHERE person_id = $1 AND pending = $2`,
			m.Person.ID, sealed, step); err != nil {
			return fmt.Errorf("add app: %w", err)
		}
		if err := tried.forgive(ctx, tx); err != nil {
			return err
		}
		codes, err = factorAdded(ctx, tx, keys, m, "app")

		return err
	})

	return codes, err
}

// useApp tells whether code is one that the person's app shows now and that nobody has used, and uses it up.
func useApp(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, person uuid.UUID, code string) (bool, error) {
	var row struct {
		Sealed []byte `db:"sealed"`
		Step   int64  `db:"step"`
	}
	err := tx.GetContext(ctx, &row, `SELECT sealed, step FROM totps WHERE person_id = $1 AND sealed IS NOT NULL FOR UPDATE`, person)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read app: %w", err)
	}
	secret, err := keys.Open(uuid.Nil, totpPurpose, row.Sealed)
	if err != nil {
		return false, fmt.Errorf("open secret: %w", err)
	}
	step, err := stepOf(ctx, tx, string(secret), code, row.Step)
	if err != nil || step == 0 {
		return false, err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE totps SET step = $2 WHERE person_id = $1`, person, step); err != nil {
		return false, fmt.Errorf("use code: %w", err)
	}

	return true, nil
}

// stepOf is the 30 seconds that a code is of, by the database's clock; 0 where it is of none that counts now and comes after the last one
// used.
func stepOf(ctx context.Context, tx *tenants.Tx, secret, code string, last int64) (int64, error) {
	var now int64
	if err := tx.GetContext(ctx, &now, `SELECT floor(extract(epoch FROM clock_timestamp()) / $1)::bigint`, totpPeriod); err != nil {
		return 0, fmt.Errorf("read clock: %w", err)
	}
	found := int64(0)
	for step := now - totpSkew; step <= now+totpSkew; step++ {
		want, err := hotp.GenerateCode(secret, uint64(step))
		if err != nil {
			return 0, fmt.Errorf("work out code: %w", err)
		}
		if step > last && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			found = step
		}
	}

	return found, nil
}

// plainCode is a code as typed without the spaces and dashes between, in small letters and Latin digits.
func plainCode(typed string) string {
	if len(typed) > 100 {
		return ""
	}

	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '-' || r == '\u00a0':
			return -1
		case r >= '०' && r <= '९':
			return r - '०' + '0'
		}
		return r
	}, strings.ToLower(strings.TrimSpace(typed)))
}
