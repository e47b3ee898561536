package access

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
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

const (
	// StepLife is how long somebody whose password was right has for the second step of signing in.
	StepLife = 5 * time.Minute

	stepTries = 5
)

// ErrBadStep says that the second step of a sign-in is over, was tried too often, or belongs to another browser: it begins anew with the
// password.
var ErrBadStep = errors.New("sign-in has to begin anew")

// Second is the answer to the second step of a sign-in.
type Second struct {
	Step    string // as SignedIn.Step
	Code    string // of an app, or a recovery code
	Browser string // as in Credentials
	Device  string
	Address netip.Addr
	Agent   string
}

// startStep notes that a person's password was right, and returns what the browser shows that by. It is no session.
func startStep(ctx context.Context, tx *tenants.Tx, person uuid.UUID, password string, browser string) (string, error) {
	token := randomBytes(sessionIDBytes)
	hash, of, in := sha256.Sum256(token), sha256.Sum256([]byte(password)), sha256.Sum256([]byte(browser))
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO sign_in_steps (hash, person_id, password, browser, expires_at) VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5))`,
		hash[:], person, of[:], in[:], StepLife.Seconds()); err != nil {
		return "", fmt.Errorf("keep first step: %w", err)
	}

	return base64.RawURLEncoding.EncodeToString(token), nil
}

func stepHash(token string) ([]byte, error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) != sessionIDBytes {
		return nil, ErrBadStep
	}
	hash := sha256.Sum256(raw)

	return hash[:], nil
}

// StepIsOpen tells whether the second step of a sign-in still waits for its answer, in a System transaction.
func StepIsOpen(ctx context.Context, tx *tenants.Tx, token, browser string) (open bool, err error) {
	hash, err := stepHash(token)
	if err != nil {
		return false, nil //nolint:nilerr // none of ours
	}
	in := sha256.Sum256([]byte(browser))
	if err := tx.GetContext(ctx, &open, `
		SELECT EXISTS (SELECT 1 FROM sign_in_steps WHERE hash = $1 AND browser = $2 AND expires_at > now() AND tries < $3)`, hash, in[:], stepTries); err != nil {
		return false, fmt.Errorf("look for first step: %w", err)
	}

	return open, nil
}

// FinishSignIn takes the second step and starts the session. A wrong code, or one used before, is Invalid "code_wrong" of field code;
// after five, or where the step is over, it is ErrBadStep; too many from anywhere are TooMany.
func (s *Sessions) FinishSignIn(ctx context.Context, db *tenants.DB, keys *secrets.Keyring, in Second) (SignedIn, error) {
	hash, err := stepHash(in.Step)
	if err != nil {
		return SignedIn{}, err
	}
	who := Credentials{Device: in.Device, Address: in.Address, Agent: in.Agent}
	browser := sha256.Sum256([]byte(in.Browser))
	var person uuid.UUID
	err = db.System(ctx, func(tx *tenants.Tx) error {
		// Counted before it is checked, so that many at once are as many tries.
		err := tx.GetContext(ctx, &person, `
			UPDATE sign_in_steps SET tries = tries + 1 WHERE hash = $1 AND browser = $2 AND expires_at > now() AND tries < $3 RETURNING person_id`,
			hash, browser[:], stepTries)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrBadStep
		}
		if err != nil {
			return fmt.Errorf("count second step: %w", err)
		}
		if err := tx.GetContext(ctx, &who.Email, `SELECT email FROM people WHERE id = $1`, person); err != nil {
			return fmt.Errorf("read person: %w", err)
		}
		return nil
	})
	if err != nil {
		return SignedIn{}, err
	}
	device, known := s.knownDevice(who)
	guard := ""
	if known {
		guard = device
	}
	tried, err := tryFactor(ctx, db, person, guard)
	if err != nil {
		return SignedIn{}, err
	}

	var out SignedIn
	err = db.System(ctx, func(tx *tenants.Tx) (err error) {
		if err := takeStep(ctx, tx, hash, person); err != nil {
			return err
		}
		if err := useCode(ctx, tx, keys, person, plainCode(in.Code)); err != nil {
			return err
		}
		if err := tried.forgive(ctx, tx); err != nil {
			return err
		}
		out, err = s.enter(ctx, tx, person, who, known)

		return err
	})
	if err != nil {
		return SignedIn{}, err
	}
	out.Device, err = s.signDevice(who.Email, device)

	return out, err
}

// takeStep uses the first step up, provided its password is still the person's. A transaction that fails gives it back.
func takeStep(ctx context.Context, tx *tenants.Tx, hash []byte, person uuid.UUID) error {
	var password []byte
	err := tx.GetContext(ctx, &password, `DELETE FROM sign_in_steps WHERE hash = $1 RETURNING password`, hash)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrBadStep
	}
	if err != nil {
		return fmt.Errorf("take first step: %w", err)
	}
	var now []string
	if err := tx.SelectContext(ctx, &now, `SELECT password_hash FROM people WHERE id = $1 AND disabled_at IS NULL FOR SHARE`, person); err != nil {
		return fmt.Errorf("read account again: %w", err)
	}
	if len(now) == 0 {
		return ErrBadStep
	}
	if of := sha256.Sum256([]byte(now[0])); subtle.ConstantTimeCompare(of[:], password) != 1 {
		return ErrBadStep
	}

	return nil
}

// useCode uses up a code of the person's app or a recovery code; Invalid "code_wrong" where it is neither. Of a recovery code they are
// told.
func useCode(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, person uuid.UUID, code string) error {
	ok, err := useApp(ctx, tx, keys, person, code)
	if err != nil || ok {
		return err
	}
	if ok, err = useRecovery(ctx, tx, keys, person, code); err != nil {
		return err
	}
	if !ok {
		return &tenants.Invalid{Field: "code", Key: "code_wrong"}
	}

	return planTelling(ctx, tx, KindFactor, person, "recovery")
}

// factorTry is a try at a second factor that was counted as wrong before it was made.
type factorTry struct {
	buckets [2]string
	at      [2]time.Time
}

// tryFactor counts a try. A browser known to the account, by its id in device, has a limit of its own: whoever has the password alone
// cannot use up its tries.
func tryFactor(ctx context.Context, db *tenants.DB, person uuid.UUID, device string) (t factorTry, err error) {
	t.buckets = [2]string{bucket(bucketFactor, person.String()), bucket(bucketFactorDay, person.String())}
	if device != "" {
		t.buckets = [2]string{bucket(bucketFactorDevice, device), ""}
	}
	err = db.System(ctx, func(tx *tenants.Tx) (err error) {
		if t.at[0], err = reserve(ctx, tx, t.buckets[0], accountLimit, true); err != nil {
			return err
		}
		if t.buckets[1] != "" {
			t.at[1], err = reserveIn(ctx, tx, t.buckets[1], factorDayLimit, 24*time.Hour, false)
		}
		return err
	})

	return t, err
}

// forgive takes the try back, and those before it within the quarter of an hour: it was right.
func (t factorTry) forgive(ctx context.Context, tx *tenants.Tx) error {
	if err := forgiveAll(ctx, tx, t.buckets[0]); err != nil {
		return err
	}

	return forgive(ctx, tx, t.buckets[1], t.at[1])
}
