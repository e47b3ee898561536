package access

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/google/uuid"

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

		return provedByFactor(ctx, tx, m, tried)
	})
}

// asksProof is what an unanswered question to a device is sealed for, so that no other session's is good for this one.
func asksProof(m Member) string { return "proof " + hex.EncodeToString(m.session) }

// AskProof asks for one of the member's passkeys as proof that a session is still its person's, in a System transaction, and returns what
// the browser is to ask the device, as JSON; nil where they have none. It keeps nothing: what is asked says by itself, sealed, which
// session it was asked for and until when it is good, and ProveByPasskey takes it once.
func AskProof(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, party *Party, m Member, now time.Time) ([]byte, error) {
	var held [][]byte
	if err := tx.SelectContext(ctx, &held, `SELECT id FROM passkeys WHERE person_id = $1 ORDER BY added_at, id LIMIT $2`, m.Person.ID, maxPasskeys); err != nil {
		return nil, fmt.Errorf("read passkeys: %w", err)
	}
	if len(held) == 0 {
		return nil, nil
	}
	until := binary.BigEndian.AppendUint64(nil, uint64(now.Add(StepLife).Unix()))
	challenge, err := keys.Seal(uuid.Nil, asksProof(m), until)
	if err != nil {
		return nil, fmt.Errorf("seal challenge: %w", err)
	}
	kept, err := json.Marshal(party.ceremony(challenge, m.Person.ID, held))
	if err != nil {
		return nil, fmt.Errorf("encode ceremony: %w", err)
	}

	return asked(string(kept))
}

// ProveByPasskey is Prove with the answer of a device to what AskProof asked. A wrong one, a late one, and one that was taken before is
// Conflict "passkey_refused".
func ProveByPasskey(ctx context.Context, db *tenants.DB, keys *secrets.Keyring, party *Party, m Member, answer string, now time.Time) error {
	tried, err := tryFactor(ctx, db, m.Person.ID, "")
	if err != nil {
		return err
	}

	return db.System(ctx, func(tx *tenants.Tx) error {
		if err := lockLiving(ctx, tx, m); err != nil {
			return err
		}
		challenge, err := takeQuestion(ctx, tx, keys, m, answer, now)
		if err != nil {
			return err
		}
		h, err := holderOf(ctx, tx, m.Person.ID)
		if err != nil {
			return err
		}
		held := make([][]byte, len(h.keys))
		for i, key := range h.keys {
			held[i] = key.ID
		}
		kept, err := json.Marshal(party.ceremony(challenge, m.Person.ID, held))
		if err != nil {
			return fmt.Errorf("encode ceremony: %w", err)
		}
		if _, err := usePasskey(ctx, tx, party, string(kept), uuid.NullUUID{UUID: m.Person.ID, Valid: true}, answer); err != nil {
			return err
		}

		return provedByFactor(ctx, tx, m, tried)
	})
}

// takeQuestion is the challenge that an answer is to, used up from the commit on; where it is none of AskProof's for this session, is over
// or was used up before it is Conflict "passkey_refused".
func takeQuestion(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, m Member, answer string, now time.Time) ([]byte, error) {
	refused := &tenants.Conflict{Code: "passkey_refused"}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(bounded(answer))
	if err != nil {
		return nil, refused
	}
	challenge, err := base64.RawURLEncoding.DecodeString(parsed.Response.CollectedClientData.Challenge)
	if err != nil {
		return nil, refused
	}
	until, err := keys.Open(uuid.Nil, asksProof(m), challenge)
	if err != nil || len(until) != 8 {
		return nil, refused
	}
	if over := time.Unix(int64(binary.BigEndian.Uint64(until)), 0); !now.Before(over) {
		return nil, refused
	}
	// Nobody's row: it outlives the sign-ins half done that end with a person's other sessions. It is forgotten later than the question
	// is over, whatever the clocks say.
	hash := sha256.Sum256(append([]byte("proof "), challenge...))
	done, err := tx.ExecContext(ctx, `
		INSERT INTO sign_in_steps (hash, browser, expires_at) VALUES ($1, '', now() + make_interval(secs => $2)) ON CONFLICT (hash) DO NOTHING`,
		hash[:], 2*StepLife.Seconds())
	if err != nil {
		return nil, fmt.Errorf("use up challenge: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return nil, refused
	}

	return challenge, nil
}

// provedByFactor is proved by something else than the password, which was right at a try.
func provedByFactor(ctx context.Context, tx *tenants.Tx, m Member, tried factorTry) error {
	if err := tried.forgive(ctx, tx); err != nil {
		return err
	}
	var hash string
	if err := tx.GetContext(ctx, &hash, `SELECT password_hash FROM people WHERE id = $1`, m.Person.ID); err != nil {
		return fmt.Errorf("read password: %w", err)
	}

	return proved(ctx, tx, m, hash)
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
