package access

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/secrets"
)

const (
	maxPasskeys   = 10
	maxAnswer     = 16 << 10 // bytes of a device's answer
	bucketPasskey = "passkey address"
)

// Party is who passkeys are made for: the host that people reach the product at (WebAuthn's relying party).
type Party struct{ web *webauthn.WebAuthn }

// NewParty makes a Party of a host name and the origin of its pages. A host that is an address cannot be one.
func NewParty(host, origin string) (*Party, error) {
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return nil, fmt.Errorf("passkeys need a host name, not the address %s", host)
	}
	web, err := webauthn.New(&webauthn.Config{
		RPID: host, RPDisplayName: totpIssuer, RPOrigins: []string{origin},
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementPreferred, UserVerification: protocol.VerificationRequired,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("set up passkeys: %w", err)
	}

	return &Party{web: web}, nil
}

// Passkey is one passkey of somebody's.
type Passkey struct {
	Handle string     // names it to its owner
	ID     []byte     `db:"id"`
	Name   string     `db:"name"`
	Added  time.Time  `db:"added_at"`
	Used   *time.Time `db:"used_at"`
}

// Passkeys lists a member's, the oldest first, in a System transaction.
func Passkeys(ctx context.Context, tx *tenants.Tx, m Member) ([]Passkey, error) {
	var list []Passkey
	if err := tx.SelectContext(ctx, &list, `
		SELECT id, name, added_at, used_at FROM passkeys WHERE person_id = $1 ORDER BY added_at, id LIMIT $2`, m.Person.ID, maxPasskeys); err != nil {
		return nil, fmt.Errorf("list passkeys: %w", err)
	}
	for i := range list {
		list[i].Handle = base64.RawURLEncoding.EncodeToString(list[i].ID)
	}

	return list, nil
}

// holder is a person as WebAuthn sees one.
type holder struct {
	Person
	keys []webauthn.Credential
}

func (h holder) WebAuthnID() []byte                         { return h.ID[:] }
func (h holder) WebAuthnName() string                       { return h.Email }
func (h holder) WebAuthnDisplayName() string                { return h.Name }
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.keys }

func holderOf(ctx context.Context, tx *tenants.Tx, person uuid.UUID) (holder, error) {
	var h holder
	if err := tx.GetContext(ctx, &h.Person, `SELECT id, email, name FROM people WHERE id = $1 AND disabled_at IS NULL`, person); err != nil {
		return holder{}, fmt.Errorf("read person: %w", err)
	}
	var raw []string
	if err := tx.SelectContext(ctx, &raw, `SELECT credential FROM passkeys WHERE person_id = $1 ORDER BY added_at, id FOR UPDATE`, person); err != nil {
		return holder{}, fmt.Errorf("read passkeys: %w", err)
	}
	h.keys = make([]webauthn.Credential, len(raw))
	for i, text := range raw {
		if err := json.Unmarshal([]byte(text), &h.keys[i]); err != nil {
			return holder{}, fmt.Errorf("decode passkey: %w", err)
		}
	}

	return h, nil
}

// ceremonyOf is where what was asked of the device of a session is kept until it answers.
func ceremonyOf(m Member) []byte {
	hash := sha256.Sum256(append([]byte("passkey "), m.session...))

	return hash[:]
}

// StartPasskey asks for a new passkey, in a System transaction, and returns what the browser is to ask the device, as JSON.
func StartPasskey(ctx context.Context, tx *tenants.Tx, party *Party, m Member) ([]byte, error) {
	if err := lockLiving(ctx, tx, m); err != nil {
		return nil, err
	}
	h, err := holderOf(ctx, tx, m.Person.ID)
	if err != nil {
		return nil, err
	}
	if len(h.keys) >= maxPasskeys {
		return nil, &tenants.Conflict{Code: "too_many_passkeys"}
	}
	known := make([]protocol.CredentialDescriptor, len(h.keys))
	for i := range h.keys {
		known[i] = h.keys[i].Descriptor()
	}
	options, session, err := party.web.BeginRegistration(h, webauthn.WithExclusions(known))
	if err != nil {
		return nil, fmt.Errorf("ask for a passkey: %w", err)
	}
	kept, err := json.Marshal(session)
	if err != nil {
		return nil, fmt.Errorf("encode ceremony: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO sign_in_steps (hash, person_id, browser, ceremony, expires_at) VALUES ($1, $2, '', $3, now() + make_interval(secs => $4))
		ON CONFLICT (hash) DO UPDATE SET ceremony = excluded.ceremony, expires_at = excluded.expires_at`,
		ceremonyOf(m), m.Person.ID, string(kept), StepLife.Seconds()); err != nil {
		return nil, fmt.Errorf("keep ceremony: %w", err)
	}

	return json.Marshal(options.Response)
}

// FinishPasskey adds the passkey that a device has made, as the browser tells it, and signs the person out everywhere else. It returns new
// recovery codes where they had none. What is no answer to what was asked is Conflict "passkey_refused".
func FinishPasskey(ctx context.Context, db *tenants.DB, keys *secrets.Keyring, party *Party, m Member, name, answer string) ([]string, error) {
	name = strings.TrimSpace(name)
	if n := utf8.RuneCountInString(name); n == 0 || n > 80 {
		return nil, &tenants.Invalid{Field: "name", Key: "passkey_name"}
	}
	var codes []string
	err := db.System(ctx, func(tx *tenants.Tx) error {
		if err := lockLiving(ctx, tx, m); err != nil {
			return err
		}
		session, err := takeCeremony(ctx, tx, ceremonyOf(m))
		if err != nil {
			return err
		}
		h, err := holderOf(ctx, tx, m.Person.ID)
		if err != nil {
			return err
		}
		parsed, err := protocol.ParseCredentialCreationResponseBytes(bounded(answer))
		if err != nil {
			return &tenants.Conflict{Code: "passkey_refused"}
		}
		made, err := party.web.CreateCredential(h, session, parsed)
		if err != nil {
			return &tenants.Conflict{Code: "passkey_refused"}
		}
		raw, err := json.Marshal(made)
		if err != nil {
			return fmt.Errorf("encode passkey: %w", err)
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO passkeys (id, person_id, name, credential) VALUES ($1, $2, $3, $4)`, made.ID, m.Person.ID, name, string(raw))
		if tenants.Violates(err, "passkeys_pkey") {
			return &tenants.Conflict{Code: "passkey_refused"}
		}
		if err != nil {
			return fmt.Errorf("add passkey: %w", err)
		}
		codes, err = factorAdded(ctx, tx, keys, m, "passkey")

		return err
	})

	return codes, err
}

func bounded(answer string) []byte {
	if len(answer) > maxAnswer {
		return nil
	}

	return []byte(answer)
}

// takeCeremony uses up what was asked of a device; where it is over or was never asked it is Conflict "passkey_refused".
func takeCeremony(ctx context.Context, tx *tenants.Tx, hash []byte) (session webauthn.SessionData, err error) {
	var kept []string
	if err := tx.SelectContext(ctx, &kept, `
		DELETE FROM sign_in_steps WHERE hash = $1 AND ceremony IS NOT NULL AND expires_at > now() RETURNING ceremony`, hash); err != nil {
		return session, fmt.Errorf("take ceremony: %w", err)
	}
	if len(kept) == 0 {
		return session, &tenants.Conflict{Code: "passkey_refused"}
	}
	if err := json.Unmarshal([]byte(kept[0]), &session); err != nil {
		return session, fmt.Errorf("decode ceremony: %w", err)
	}

	return session, nil
}

// RemovePasskey takes one of the member's away, in a System transaction; ErrNotFound where it is not theirs. The last second factor of
// somebody whose role needs one stays: Conflict "factor_needed".
func (s *Sessions) RemovePasskey(ctx context.Context, tx *tenants.Tx, m Member, handle string) error {
	id, err := base64.RawURLEncoding.DecodeString(handle)
	if err != nil {
		return tenants.ErrNotFound
	}
	if err := lockLiving(ctx, tx, m); err != nil {
		return err
	}
	done, err := tx.ExecContext(ctx, `DELETE FROM passkeys WHERE person_id = $1 AND id = $2`, m.Person.ID, id)
	if err != nil {
		return fmt.Errorf("remove passkey: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return tenants.ErrNotFound
	}

	return s.factorRemoved(ctx, tx, m, "passkey")
}

// AskPasskey begins a sign-in without a password: the device says who it is. It returns the step as SignIn does; too many from one address
// are TooMany.
func AskPasskey(ctx context.Context, db *tenants.DB, party *Party, browser string, from netip.Addr) (string, error) {
	_, session, err := party.web.BeginDiscoverableLogin()
	if err != nil {
		return "", fmt.Errorf("ask for a passkey: %w", err)
	}
	step := ""
	err = db.System(ctx, func(tx *tenants.Tx) (err error) {
		if _, err := reserve(ctx, tx, bucket(bucketPasskey, addressKey(from)), addressLimit, false); err != nil {
			return err
		}
		step, err = startStep(ctx, tx, uuid.NullUUID{}, nil, browser, session)

		return err
	})

	return step, err
}

// askHeld asks for one of the person's passkeys, nil where they have none.
func askHeld(ctx context.Context, tx *tenants.Tx, party *Party, person uuid.UUID) (*webauthn.SessionData, error) {
	if party == nil {
		return nil, nil //nolint:nilnil // nothing is asked
	}
	h, err := holderOf(ctx, tx, person)
	if err != nil || len(h.keys) == 0 {
		return nil, err
	}
	_, session, err := party.web.BeginLogin(h)
	if err != nil {
		return nil, fmt.Errorf("ask for a passkey: %w", err)
	}

	return session, nil
}

// ceremony is a question to any of a person's passkeys.
func (p *Party) ceremony(challenge []byte, person uuid.UUID, held [][]byte) webauthn.SessionData {
	return webauthn.SessionData{
		Challenge: protocol.URLEncodedBase64(challenge).String(), RelyingPartyID: p.web.Config.RPID, UserID: person[:], AllowedCredentialIDs: held,
		UserVerification: protocol.VerificationRequired,
	}
}

// asked is what the browser is to ask the device, as JSON.
func asked(ceremony string) ([]byte, error) {
	var session webauthn.SessionData
	if err := json.Unmarshal([]byte(ceremony), &session); err != nil {
		return nil, fmt.Errorf("decode ceremony: %w", err)
	}
	type key struct {
		Type string `json:"type"`
		ID   string `json:"id"`
	}
	allowed := make([]key, len(session.AllowedCredentialIDs))
	for i, id := range session.AllowedCredentialIDs {
		allowed[i] = key{Type: "public-key", ID: base64.RawURLEncoding.EncodeToString(id)}
	}

	return json.Marshal(map[string]any{
		"challenge": session.Challenge, "rpId": session.RelyingPartyID, "userVerification": session.UserVerification,
		"allowCredentials": allowed, "timeout": StepLife.Milliseconds(),
	})
}

// usePasskey checks the answer of a device to what was asked, and returns whose it is. person is who it must be; where it is not valid
// the device says. A wrong one is Conflict "passkey_refused".
func usePasskey(ctx context.Context, tx *tenants.Tx, party *Party, ceremony string, person uuid.NullUUID, answer string) (uuid.UUID, error) {
	var session webauthn.SessionData
	if err := json.Unmarshal([]byte(ceremony), &session); err != nil {
		return uuid.Nil, fmt.Errorf("decode ceremony: %w", err)
	}
	refused := &tenants.Conflict{Code: "passkey_refused"}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(bounded(answer))
	if err != nil {
		return uuid.Nil, refused
	}
	if !person.Valid {
		id, err := uuid.FromBytes(parsed.Response.UserHandle)
		if err != nil {
			return uuid.Nil, refused
		}
		person.UUID = id
	}
	var found []uuid.UUID
	if err := tx.SelectContext(ctx, &found, `
		SELECT id FROM people WHERE id = $1 AND disabled_at IS NULL FOR NO KEY UPDATE`, person.UUID); err != nil {
		return uuid.Nil, fmt.Errorf("look for person: %w", err)
	}
	if len(found) == 0 {
		return uuid.Nil, refused
	}
	h, err := holderOf(ctx, tx, person.UUID)
	if err != nil {
		return uuid.Nil, err
	}
	var used *webauthn.Credential
	if person.Valid {
		used, err = party.web.ValidateLogin(h, session, parsed)
	} else {
		_, used, err = party.web.ValidatePasskeyLogin(func([]byte, []byte) (webauthn.User, error) { return h, nil }, session, parsed)
	}
	// A counter that went back tells of a copy of the passkey.
	if err != nil || used.Authenticator.CloneWarning {
		return uuid.Nil, refused
	}
	raw, err := json.Marshal(used)
	if err != nil {
		return uuid.Nil, fmt.Errorf("encode passkey: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE passkeys SET credential = $3, used_at = now() WHERE id = $1 AND person_id = $2`, used.ID, h.ID, string(raw)); err != nil {
		return uuid.Nil, fmt.Errorf("use passkey: %w", err)
	}

	return h.ID, nil
}
