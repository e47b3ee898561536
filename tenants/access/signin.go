package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// ErrBadSignIn means no such account, a wrong password, or a disabled person; which of them is not told.
var ErrBadSignIn = errors.New("e-mail or password is wrong")

// Credentials are what somebody signs in with. Device is the token an earlier sign-in of this browser got, if any.
type Credentials struct {
	Email    string
	Password string
	Device   string
	Address  netip.Addr
	Agent    string // User-Agent
	Browser  string // what ties forms to the browser before sign-in; a second step must come from the same
	Party    *Party // whom passkeys are for; nil where there can be none
}

// SignedIn is a new session. It stands in no tenant where the person has several to choose from, or none. With Step there is no session
// yet: FinishSignIn takes it with the second factor.
type SignedIn struct {
	Token  string
	Step   string
	Device string // lets this browser in while strangers guess at the account
	Person uuid.UUID
	Tenant uuid.UUID
}

// SignIn checks a password and starts a session with a new id. The answer for an unknown account, ErrBadSignIn, is that for a wrong
// password and takes as long. After too many failures it is TooMany, told by the account's name alone and the address, so it
// tells nothing about the account either; a browser that has signed in to the account before has a limit of its own.
func (s *Sessions) SignIn(ctx context.Context, db *tenants.DB, in Credentials) (SignedIn, error) {
	if len(in.Email) > maxEmail {
		in.Email = in.Email[:maxEmail]
	}
	device, known := s.knownDevice(in)
	guard := bucket(bucketAccount, limitKey(in.Email))
	if known {
		guard = bucket(bucketDevice, device)
	}
	address := bucket(bucketAddress, addressKey(in.Address))

	var (
		tried   [2]time.Time
		account struct {
			ID       uuid.UUID `db:"id"`
			Hash     string    `db:"password_hash"`
			Disabled bool      `db:"disabled"`
		}
	)
	err := db.System(ctx, func(tx *tenants.Tx) error {
		var err error
		if tried[0], err = reserve(ctx, tx, guard, accountLimit, true); err != nil {
			return err
		}
		if !known {
			if tried[1], err = reserve(ctx, tx, address, addressLimit, false); err != nil {
				return err
			}
		}

		err = tx.GetContext(ctx, &account, `
			SELECT id, password_hash, disabled_at IS NOT NULL AS disabled FROM people WHERE email_key = $1`, cleanText(emailKey(in.Email)))
		if errors.Is(err, sql.ErrNoRows) {
			account.Hash = nobodysHash
			return nil
		}
		if err != nil {
			return fmt.Errorf("find account: %w", err)
		}

		return nil
	})
	if err != nil {
		return SignedIn{}, err
	}

	if len(in.Password) > maxPassword {
		in.Password = ""
	}
	ok, err := matches(ctx, in.Password, account.Hash)
	if err != nil {
		// It was not checked, so it was not wrong.
		return SignedIn{}, errors.Join(err, db.System(ctx, func(tx *tenants.Tx) error {
			return errors.Join(forgive(ctx, tx, guard, tried[0]), forgive(ctx, tx, address, tried[1]))
		}))
	}
	if !ok || account.Disabled || account.ID == uuid.Nil {
		return SignedIn{}, ErrBadSignIn
	}

	out, err := s.admit(ctx, db, account.ID, account.Hash, in, known, func(tx *tenants.Tx) error {
		if err := forgiveAll(ctx, tx, guard); err != nil {
			return err
		}

		return forgive(ctx, tx, address, tried[1])
	})
	if err != nil || out.Step != "" {
		return out, err
	}
	out.Device, err = s.signDevice(in.Email, device)

	return out, err
}

// admit lets somebody in whose password was right: to a session, or where they have a second factor to the step that asks for it.
func (s *Sessions) admit(ctx context.Context, db *tenants.DB, person uuid.UUID, hash string, in Credentials, known bool, forgive func(*tenants.Tx) error) (out SignedIn, err error) {
	err = db.System(ctx, func(tx *tenants.Tx) error {
		// A password that was set while this one was checked ends every session, and must end this one too.
		still := false
		if err := tx.GetContext(ctx, &still, `
			SELECT password_hash = $2 AND disabled_at IS NULL FROM people WHERE id = $1 FOR NO KEY UPDATE`, person, hash); err != nil {
			return fmt.Errorf("read account again: %w", err)
		}
		if !still {
			return ErrBadSignIn
		}
		if err := forgive(tx); err != nil {
			return err
		}
		asks, err := hasFactor(ctx, tx, person)
		if err != nil {
			return err
		}
		if asks {
			out.Person = person
			ceremony, err := askHeld(ctx, tx, in.Party, person)
			if err != nil {
				return err
			}
			of := sha256.Sum256([]byte(hash))
			out.Step, err = startStep(ctx, tx, uuid.NullUUID{UUID: person, Valid: true}, of[:], in.Browser, ceremony)
			return err
		}
		out, err = s.enter(ctx, tx, person, in, known)

		return err
	})
	if err != nil {
		return SignedIn{}, err
	}

	return out, nil
}

// enter starts the session of somebody who has proved all that is asked, in a System transaction. known: from a browser that has signed
// in to the account before.
func (s *Sessions) enter(ctx context.Context, tx *tenants.Tx, person uuid.UUID, in Credentials, known bool) (SignedIn, error) {
	out := SignedIn{Person: person}
	places, err := Places(ctx, tx, person)
	if err != nil {
		return SignedIn{}, err
	}
	if len(places) == 1 {
		out.Tenant = places[0].ID
	}
	token, session, err := s.start(ctx, tx, person, out.Tenant, Origin{Address: in.Address.String(), UserAgent: in.Agent}, nil)
	if err != nil {
		return SignedIn{}, err
	}
	out.Token = token
	if err := noteSignIn(ctx, tx, person, session, known); err != nil {
		return SignedIn{}, err
	}

	var who Person
	err = tx.GetContext(ctx, &who, `SELECT id, name, coalesce(operator_role, '') AS operator_role FROM people WHERE id = $1`, person)
	if err != nil {
		return SignedIn{}, fmt.Errorf("read person: %w", err)
	}
	if out.Tenant != uuid.Nil {
		if tx, err = tx.Enter(ctx, out.Tenant); err != nil {
			return SignedIn{}, err
		}
	}

	return out, tenants.Audit(ctx, tx, tenants.Act{
		Actor: who.actor(out.Tenant != uuid.Nil), Action: "session.sign_in", ObjectKind: "person", ObjectID: person.String(),
	})
}

// signDevice makes the token by which a browser is known to an account from its next sign-in on.
func (s *Sessions) signDevice(email, device string) (string, error) {
	return s.sign(typeDevice, bucket(bucketAccount, limitKey(email)), device, time.Now(), deviceLife)
}

// knownDevice returns the id of the browser and whether it has signed in to this account before. A browser that has not gets a
// new id.
func (s *Sessions) knownDevice(in Credentials) (string, bool) {
	c, err := s.read(in.Device, typeDevice)
	if err == nil && c.Subject == bucket(bucketAccount, limitKey(in.Email)) && c.ID != "" {
		return c.ID, true
	}

	return base64.RawURLEncoding.EncodeToString(randomBytes(16)), false
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		panic(err) // crypto/rand does not fail on a working system, and nothing safe can be done without it
	}

	return b
}

// cleanText makes foreign text storable: valid UTF-8 without NUL.
func cleanText(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
