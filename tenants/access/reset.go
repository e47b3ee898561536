package access

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/secrets"
)

// Jobs whose end is a mail.
const (
	KindReset   = "password_reset"   // send somebody a link to a new password; its args hold whose, sealed, and lang
	KindChanged = "password_changed" // tell somebody that their password was; its args hold person_id
)

const (
	// ResetLife is how long a link to a new password is good.
	ResetLife = 30 * time.Minute

	resetPurpose  = "reset"
	resetBytes    = 32
	resetsAccount = 3  // asked for, by one e-mail within the window of sign-ins
	resetsAddress = 20 // by one address
	bucketReset   = "reset"
	bucketResetIP = "reset address"
)

// ErrBadReset says that a link to a new password is not ours, used, or over.
var ErrBadReset = errors.New("link to a new password is not good any more")

// AskReset has a link to a new password sent to an e-mail, where it belongs to somebody. What it does, and how long it takes, is the
// same for every e-mail; whether somebody has it is looked up later. Asked too often it is TooMany.
func AskReset(ctx context.Context, db *tenants.DB, keys *secrets.Keyring, email, lang string, from netip.Addr) error {
	email, key, err := checkEmail(email)
	if err != nil {
		return err
	}
	sealed, err := keys.Seal(uuid.Nil, resetPurpose, []byte(email))
	if err != nil {
		return fmt.Errorf("seal e-mail: %w", err)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make job id: %w", err)
	}

	return db.System(ctx, func(tx *tenants.Tx) error {
		if _, err := reserve(ctx, tx, bucket(bucketReset, limitKey(key)), resetsAccount, false); err != nil {
			return err
		}
		if _, err := reserve(ctx, tx, bucket(bucketResetIP, addressKey(from)), resetsAddress, false); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO jobs (id, tenant_id, kind, args) VALUES ($1, NULL, $2, jsonb_build_object('whose', $3::text, 'lang', $4::text))`,
			id, KindReset, base64.StdEncoding.EncodeToString(sealed), lang); err != nil {
			return fmt.Errorf("plan reset: %w", err)
		}

		return nil
	})
}

// Reset is a link to a new password, and whom it is for.
type Reset struct {
	Token string
	To    Reader
}

// StartReset makes the link that was asked for, in a System transaction; older ones are good no more. ok is false where nobody has the
// e-mail.
func StartReset(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, whose string) (r Reset, ok bool, err error) {
	sealed, err := base64.StdEncoding.DecodeString(whose)
	if err != nil {
		return Reset{}, false, fmt.Errorf("decode e-mail: %w", err)
	}
	email, err := keys.Open(uuid.Nil, resetPurpose, sealed)
	if err != nil {
		return Reset{}, false, fmt.Errorf("open e-mail: %w", err)
	}
	var who Reader
	err = tx.GetContext(ctx, &who, `
		SELECT id, email, coalesce(lang, '') AS lang FROM people WHERE email_key = $1 AND disabled_at IS NULL FOR KEY SHARE`, emailKey(string(email)))
	if errors.Is(err, sql.ErrNoRows) {
		return Reset{}, false, nil
	}
	if err != nil {
		return Reset{}, false, fmt.Errorf("find account: %w", err)
	}

	if err := endResets(ctx, tx, who.ID); err != nil {
		return Reset{}, false, err
	}
	token := randomBytes(resetBytes)
	hash := sha256.Sum256(token)
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO password_resets (hash, person_id, expires_at) VALUES ($1, $2, now() + make_interval(secs => $3))`,
		hash[:], who.ID, ResetLife.Seconds()); err != nil {
		return Reset{}, false, fmt.Errorf("keep reset: %w", err)
	}

	return Reset{Token: base64.RawURLEncoding.EncodeToString(token), To: who}, true, nil
}

func endResets(ctx context.Context, tx *tenants.Tx, person uuid.UUID) error {
	if _, err := tx.ExecContext(ctx, `UPDATE password_resets SET used_at = now() WHERE person_id = $1 AND used_at IS NULL`, person); err != nil {
		return fmt.Errorf("end resets: %w", err)
	}

	return nil
}

// PersonToTell is who a mail about somebody's own account goes to, in a System transaction.
func PersonToTell(ctx context.Context, tx *tenants.Tx, person uuid.UUID) (Reader, error) {
	var to Reader
	if err := tx.GetContext(ctx, &to, `SELECT id, email, coalesce(lang, '') AS lang FROM people WHERE id = $1`, person); err != nil {
		return Reader{}, fmt.Errorf("read person: %w", err)
	}

	return to, nil
}

func resetHash(token string) ([]byte, error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) != resetBytes {
		return nil, ErrBadReset
	}
	hash := sha256.Sum256(raw)

	return hash[:], nil
}

// CheckReset tells whose password a link would set, in a System transaction; ErrBadReset where it is good no more.
func CheckReset(ctx context.Context, tx *tenants.Tx, token string) (Person, error) {
	hash, err := resetHash(token)
	if err != nil {
		return Person{}, err
	}
	var who Person
	err = tx.GetContext(ctx, &who, `
		SELECT p.id, p.email, p.name, coalesce(p.operator_role, '') AS operator_role
		FROM password_resets r JOIN people p ON p.id = r.person_id
		WHERE r.hash = $1 AND r.used_at IS NULL AND r.expires_at > now() AND p.disabled_at IS NULL`, hash)
	if errors.Is(err, sql.ErrNoRows) {
		return Person{}, ErrBadReset
	}
	if err != nil {
		return Person{}, fmt.Errorf("read reset: %w", err)
	}

	return who, nil
}

// FinishReset sets a new password by a link, which is good for one of however many tries at once, and signs the person out everywhere. A
// password that cannot be one leaves the link good.
func FinishReset(ctx context.Context, db *tenants.DB, token, password string) error {
	var who Person
	err := db.System(ctx, func(tx *tenants.Tx) (err error) {
		who, err = CheckReset(ctx, tx, token)
		return err
	})
	if err != nil {
		return err
	}
	if err := checkPassword(password, who.Email, who.Name); err != nil {
		return err
	}
	hash, err := hashPassword(ctx, password)
	if err != nil {
		return err
	}

	return db.System(ctx, func(tx *tenants.Tx) error {
		link, err := resetHash(token)
		if err != nil {
			return err
		}
		if err := lockPerson(ctx, tx, who.ID); err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, `
			UPDATE password_resets SET used_at = now() WHERE hash = $1 AND used_at IS NULL AND expires_at > now()`, link)
		if err != nil {
			return fmt.Errorf("use reset: %w", err)
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrBadReset)
		}
		if err := setPassword(ctx, tx, who, hash, nil); err != nil {
			return err
		}

		return forgiveAll(ctx, tx, bucket(bucketAccount, limitKey(who.Email)))
	})
}

// setPassword keeps a new password and ends every session of the person but keep, which is nil for none, and every link to another.
func setPassword(ctx context.Context, tx *tenants.Tx, who Person, hash string, keep []byte) error {
	if _, err := tx.ExecContext(ctx, `UPDATE people SET password_hash = $2 WHERE id = $1`, who.ID, hash); err != nil {
		return fmt.Errorf("set password: %w", err)
	}
	if _, err := endOtherSessions(ctx, tx, who.ID, keep); err != nil {
		return err
	}
	if err := endResets(ctx, tx, who.ID); err != nil {
		return err
	}
	if err := planTelling(ctx, tx, KindChanged, who.ID, ""); err != nil {
		return err
	}
	how := "link"
	if keep != nil {
		how = "old password"
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: who.actor(false), Action: "person.set_password", ObjectKind: "person", ObjectID: who.ID.String(), Detail: map[string]any{"by": how},
	})
}

// ChangePassword gives somebody who is signed in a new password, provided they know the old one, and signs them out everywhere else. A
// wrong old one counts as a failed sign-in.
func ChangePassword(ctx context.Context, db *tenants.DB, m Member, old, password string) error {
	if err := checkPassword(password, m.Person.Email, m.Person.Name); err != nil {
		return err
	}
	hash, tried, err := checkOwn(ctx, db, m, "old", old)
	if err != nil {
		return err
	}
	fresh, err := hashPassword(ctx, password)
	if err != nil {
		return err
	}

	return db.System(ctx, func(tx *tenants.Tx) error {
		// Who set another one meanwhile, by a link, or ended this session, is not overruled.
		err := lockLiving(ctx, tx, m)
		if err != nil && !errors.Is(err, ErrNoSession) {
			return err
		}
		still := false
		if err == nil {
			if err := tx.GetContext(ctx, &still, `SELECT password_hash = $2 FROM people WHERE id = $1`, m.Person.ID, hash); err != nil {
				return fmt.Errorf("read password again: %w", err)
			}
		}
		if !still {
			return &tenants.Invalid{Field: "old", Key: "password_old"}
		}
		if err := forgive(ctx, tx, bucket(bucketAccount, limitKey(m.Person.Email)), tried); err != nil {
			return err
		}

		return setPassword(ctx, tx, m.Person, fresh, m.session)
	})
}
