package access

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"
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
	Passkey string // what the device answered, as JSON; Code is not looked at then
	Party   *Party // nil where there can be no passkeys
	Browser string // as in Credentials
	Device  string
	Address netip.Addr
	Agent   string
}

// startStep keeps the first step of a sign-in, and returns what the browser shows that by. It is no session. person and password are of
// whose password was right, none where a passkey is to say who it is; ceremony is what is asked of a device, nil for nothing.
func startStep(ctx context.Context, tx *tenants.Tx, person uuid.NullUUID, password []byte, browser string, ceremony *webauthn.SessionData) (string, error) {
	token := randomBytes(sessionIDBytes)
	hash, in := sha256.Sum256(token), sha256.Sum256([]byte(browser))
	var kept sql.NullString
	if ceremony != nil {
		raw, err := json.Marshal(ceremony)
		if err != nil {
			return "", fmt.Errorf("encode ceremony: %w", err)
		}
		kept = sql.NullString{String: string(raw), Valid: true}
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO sign_in_steps (hash, person_id, password, browser, ceremony, expires_at) VALUES ($1, $2, $3, $4, $5, now() + make_interval(secs => $6))`,
		hash[:], person, password, in[:], kept, StepLife.Seconds()); err != nil {
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

// Step is what the second step of a sign-in waits for.
type Step struct {
	Code    bool   // a code will do: the password was right
	Passkey []byte // what the browser is to ask the device, as JSON; nil for nothing
}

// OpenStep is the second step that a browser is at, in a System transaction; ErrBadStep where it is at none.
func OpenStep(ctx context.Context, tx *tenants.Tx, token, browser string) (Step, error) {
	hash, err := stepHash(token)
	if err != nil {
		return Step{}, err
	}
	in := sha256.Sum256([]byte(browser))
	var row struct {
		Code     bool           `db:"code"`
		Ceremony sql.NullString `db:"ceremony"`
	}
	err = tx.GetContext(ctx, &row, `
		SELECT person_id IS NOT NULL AS code, ceremony FROM sign_in_steps
		WHERE hash = $1 AND browser = $2 AND expires_at > now() AND tries < $3`, hash, in[:], stepTries)
	if errors.Is(err, sql.ErrNoRows) {
		return Step{}, ErrBadStep
	}
	if err != nil {
		return Step{}, fmt.Errorf("look for first step: %w", err)
	}
	step := Step{Code: row.Code}
	if row.Ceremony.Valid {
		step.Passkey, err = asked(row.Ceremony.String)
	}

	return step, err
}

// FinishSignIn takes the second step and starts the session. A wrong code, or one used before, is Invalid "code_wrong" of field code, a
// passkey that is not theirs Conflict "passkey_refused"; after five, or where the step is over, it is ErrBadStep; too many from anywhere are TooMany.
func (s *Sessions) FinishSignIn(ctx context.Context, db *tenants.DB, keys *secrets.Keyring, in Second) (SignedIn, error) {
	hash, err := stepHash(in.Step)
	if err != nil {
		return SignedIn{}, err
	}
	row, who, err := countStep(ctx, db, hash, in)
	if err != nil {
		return SignedIn{}, err
	}
	device, known := "", false
	var tried factorTry
	if row.Person.Valid {
		guard := ""
		if device, known = s.knownDevice(who); known {
			guard = device
		}
		if tried, err = tryFactor(ctx, db, row.Person.UUID, guard); err != nil {
			return SignedIn{}, err
		}
	}

	var out SignedIn
	err = db.System(ctx, func(tx *tenants.Tx) (err error) {
		if err := takeStep(ctx, tx, hash, row.Person); err != nil {
			return err
		}
		person := row.Person.UUID
		switch {
		case in.Passkey != "" && row.Ceremony.Valid && in.Party != nil:
			if person, err = usePasskey(ctx, tx, in.Party, row.Ceremony.String, row.Person, in.Passkey); err != nil {
				return err
			}
		case !row.Person.Valid:
			return &tenants.Conflict{Code: "passkey_refused"}
		default:
			if err := useCode(ctx, tx, keys, person, plainCode(in.Code)); err != nil {
				return err
			}
		}
		if row.Person.Valid {
			if err := tried.forgive(ctx, tx); err != nil {
				return err
			}
		} else {
			if err := tx.GetContext(ctx, &who.Email, `SELECT email FROM people WHERE id = $1`, person); err != nil {
				return fmt.Errorf("read person: %w", err)
			}
			device, known = s.knownDevice(who)
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

// openStep is a first step that was kept.
type openStep struct {
	Person   uuid.NullUUID  `db:"person_id"`
	Ceremony sql.NullString `db:"ceremony"`
}

// countStep counts a try at the second step before it is checked, so that many at once are as many tries.
func countStep(ctx context.Context, db *tenants.DB, hash []byte, in Second) (row openStep, who Credentials, err error) {
	who = Credentials{Device: in.Device, Address: in.Address, Agent: in.Agent}
	browser := sha256.Sum256([]byte(in.Browser))
	err = db.System(ctx, func(tx *tenants.Tx) error {
		err := tx.GetContext(ctx, &row, `
			UPDATE sign_in_steps SET tries = tries + 1 WHERE hash = $1 AND browser = $2 AND expires_at > now() AND tries < $3
			RETURNING person_id, ceremony`, hash, browser[:], stepTries)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrBadStep
		}
		if err != nil {
			return fmt.Errorf("count second step: %w", err)
		}
		if !row.Person.Valid {
			return nil
		}
		if err := tx.GetContext(ctx, &who.Email, `SELECT email FROM people WHERE id = $1`, row.Person.UUID); err != nil {
			return fmt.Errorf("read person: %w", err)
		}
		return nil
	})

	return row, who, err
}

// takeStep uses the first step up, provided its password is still the person's. A transaction that fails gives it back.
func takeStep(ctx context.Context, tx *tenants.Tx, hash []byte, person uuid.NullUUID) error {
	if person.Valid {
		if err := lockPerson(ctx, tx, person.UUID); err != nil {
			return err
		}
	}
	var password []byte
	err := tx.GetContext(ctx, &password, `DELETE FROM sign_in_steps WHERE hash = $1 RETURNING password`, hash)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrBadStep
	}
	if err != nil {
		return fmt.Errorf("take first step: %w", err)
	}
	if !person.Valid {
		return nil
	}
	var now []string
	if err := tx.SelectContext(ctx, &now, `SELECT password_hash FROM people WHERE id = $1 AND disabled_at IS NULL`, person.UUID); err != nil {
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
