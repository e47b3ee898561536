package access_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/secrets"
)

const passkeyOrigin = "https://pehchan.example"

// device holds one passkey for pehchan.example, and its person always agrees.
type device struct {
	key   *ecdsa.PrivateKey
	id    []byte
	count uint32
}

// addDevice gives a person a passkey.
func (h *house) addDevice(t *testing.T, person uuid.UUID) *device {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		t.Fatal(err)
	}
	// The key as CBOR has it: an elliptic curve key (2) for ES256 (-7) on P-256 (1), x and y.
	cose := slices.Concat([]byte{0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32}, point[1:33], []byte{0x22, 0x58, 32}, point[33:])
	d := &device{key: key, id: []byte(uuid.NewString())}
	kept, err := json.Marshal(webauthn.Credential{ID: d.id, PublicKey: cose})
	if err != nil {
		t.Fatal(err)
	}
	h.exec(t, `INSERT INTO passkeys (id, person_id, name, credential) VALUES ($1, $2, 'phone', $3)`, d.id, person, string(kept))

	return d
}

// answer is what a browser posts when the device has agreed to what was asked.
func (d *device) answer(t *testing.T, options []byte, person uuid.UUID) string {
	t.Helper()
	var ask struct{ Challenge string }
	if err := json.Unmarshal(options, &ask); err != nil {
		t.Fatal(err)
	}
	client, err := json.Marshal(map[string]any{"type": "webauthn.get", "challenge": ask.Challenge, "origin": passkeyOrigin})
	if err != nil {
		t.Fatal(err)
	}
	d.count++
	host, said := sha256.Sum256([]byte("pehchan.example")), sha256.Sum256(client)
	const presentAndVerified = 0x05
	data := binary.BigEndian.AppendUint32(append(host[:], presentAndVerified), d.count)
	signed := sha256.Sum256(slices.Concat(data, said[:]))
	signature, err := ecdsa.SignASN1(rand.Reader, d.key, signed[:])
	if err != nil {
		t.Fatal(err)
	}
	text := base64.RawURLEncoding.EncodeToString
	posted, err := json.Marshal(map[string]any{"id": text(d.id), "rawId": text(d.id), "type": "public-key", "response": map[string]string{
		"clientDataJSON": text(client), "authenticatorData": text(data), "signature": text(signature), "userHandle": text(person[:]),
	}})
	if err != nil {
		t.Fatal(err)
	}

	return string(posted)
}

// A passkey proves the session it was asked for, once, and only its own person's.
func TestProveByPasskey(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := context.Background()
	party, err := access.NewParty("pehchan.example", passkeyOrigin)
	if err != nil {
		t.Fatal(err)
	}
	here, there, meera := h.memberOf(t, "asha"), h.memberOf(t, "asha"), h.memberOf(t, "meera")
	phone, hers := h.addDevice(t, h.asha), h.addDevice(t, h.meera)
	keys, others, now := keyring(t), keyring(t), time.Now()
	askOf := func(keys *secrets.Keyring, m access.Member) (options []byte) {
		t.Helper()
		h.system(t, func(ctx context.Context, tx *tenants.Tx) (err error) {
			options, err = access.AskProof(ctx, tx, keys, party, m, now)
			return err
		})
		return options
	}
	ask := func(m access.Member) []byte { t.Helper(); return askOf(keys, m) }
	prove := func(m access.Member, answer string, at time.Time) error {
		return access.ProveByPasskey(ctx, h.DB, keys, party, m, answer, at)
	}
	h.exec(t, `UPDATE sessions SET proved_at = now() - interval '1 hour'`)
	count := func(query string) (n int) {
		t.Helper()
		h.system(t, func(ctx context.Context, tx *tenants.Tx) error { return tx.GetContext(ctx, &n, query) })
		return n
	}
	proved := func() int {
		t.Helper()
		return count(`SELECT count(*) FROM sessions WHERE proved_at > now() - interval '10 minutes'`)
	}

	older, options, other := ask(here), ask(here), ask(there)
	for name, answer := range map[string]string{
		"nothing": "{}",
		"an answer to what was asked of another session": phone.answer(t, other, h.asha),
		"an answer to a question of its own making":      phone.answer(t, []byte(`{"challenge":"MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI"}`), h.asha),
		"an answer to what another installation asked":   phone.answer(t, askOf(others, here), h.asha),
		"somebody else's passkey":                        hers.answer(t, options, h.meera),
		"somebody else's as if it were hers":             hers.answer(t, options, h.asha),
	} {
		wantConflict(t, prove(here, answer, now), "passkey_refused")
		if proved() != 0 {
			t.Fatalf("%s proved it", name)
		}
		h.exec(t, `DELETE FROM sign_in_failures`)
	}
	if count(`SELECT count(*) FROM sign_in_steps`) != 0 {
		t.Error("want neither a question nor a wrong answer kept")
	}
	good := phone.answer(t, options, h.asha)
	wantConflict(t, prove(here, good, now.Add(access.StepLife+time.Second)), "passkey_refused")
	if err := prove(here, good, now); err != nil || proved() != 1 {
		t.Fatalf("the passkey: %v, %d sessions proved, want this one", err, proved())
	}
	// Each question is good for one answer, another answer of the same device is none more: two pages may ask at once.
	wantConflict(t, prove(here, good, now), "passkey_refused")
	wantConflict(t, prove(here, phone.answer(t, options, h.asha), now), "passkey_refused")
	if err := prove(here, phone.answer(t, older, h.asha), now); err != nil {
		t.Errorf("the question of another page: %v", err)
	}

	if got := ask(h.memberOf(t, "ravi")); got != nil {
		t.Errorf("Ravi has no passkey and was asked %s", got)
	}
	if got := ask(meera); got == nil {
		t.Error("want Meera asked for hers")
	}
	h.system(t, func(ctx context.Context, tx *tenants.Tx) error { return access.End(ctx, tx, there) })
	wantIs(t, prove(there, phone.answer(t, other, h.asha), now), access.ErrNoSession)
}
