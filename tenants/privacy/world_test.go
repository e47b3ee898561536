package privacy_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/privacy"
	"github.com/pehchan/pehchan/tenants/sandbox"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/testdb"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

var meera = tenants.Actor{Kind: "person", ID: "meera", Name: "Meera"}

// What the person to be erased is known by, and the word that stands in everything of theirs.
const (
	canary = "zcanaryz"
	phone  = "919812349876"
	bsuid  = "IN.77044zcanaryz01"
	parent = "IN.ENT.55812zcanaryz"

	// A neighbour, who stays.
	otherPhone = "919800000555"
	otherID    = "IN.1010101010101010"
)

// house is a business with one number, its worker and the stand-in for WhatsApp.
type house struct {
	*testdb.Database

	t            *testing.T
	keys         *secrets.Keyring
	graph        whatsapp.Graph
	log          *lockedBuffer
	receiver     *ingest.Receiver
	tenant, app  uuid.UUID
	number       uuid.UUID
	waba, sender string
	sent         int
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()

	return b.b.Write(p) //nolint:wrapcheck // a buffer does not fail
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()

	return b.b.String()
}

func open(t *testing.T) *house {
	t.Helper()
	h := &house{Database: testdb.New(t), t: t, log: &lockedBuffer{}, tenant: uuid.Must(uuid.NewV7())}
	var err error
	if h.keys, err = secrets.Open(filepath.Join(t.TempDir(), "master.key")); err != nil {
		t.Fatal(err)
	}
	known := sandbox.Known().Numbers[0]
	h.waba, h.sender = known.WABAID, known.PhoneNumberID
	stand := sandbox.NewGraph(sandbox.GraphOptions{})
	t.Cleanup(stand.Close)
	meta := httptest.NewServer(stand)
	t.Cleanup(meta.Close)
	h.graph = whatsapp.NewGraph(meta.URL)
	ctx := t.Context()
	if err := h.DB.System(ctx, func(tx *tenants.Tx) error {
		if _, err := tx.Exec(`INSERT INTO tenants (id, slug, name) VALUES ($1, 'asha-clinic', 'Asha Clinic')`, h.tenant); err != nil {
			return err
		}
		a, err := numbers.AddApp(ctx, tx, h.keys, meera, numbers.AppInput{Name: "platform", MetaAppID: "4000000000000001", AppSecret: "an-app-secret", VerifyToken: "a-verify-token"})
		h.app = a.ID
		return err
	}); err != nil {
		t.Fatal(err)
	}
	n, err := numbers.Connect(ctx, h.DB, h.keys, whatsapp.Graph{}, meera, h.tenant, numbers.ConnectInput{
		App: "platform", WABAID: known.WABAID, PhoneNumberID: known.PhoneNumberID, DisplayPhone: "919800000801", PortfolioID: known.PortfolioID,
		AccessToken: goodToken(t), Unconfirmed: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	h.number = n.ID
	h.receiver = ingest.NewReceiver(h.DB, ingest.Options{Keys: h.keys})
	t.Cleanup(h.receiver.Close)
	log := slog.New(slog.NewTextHandler(h.log, nil))
	w := ingest.NewWorker(h.DB, log)
	w.Recognise(h.keys)
	running, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(running) }()
	t.Cleanup(func() { cancel(); <-ended })

	return h
}

func (h *house) as(fn func(context.Context, *tenants.Tx) error) {
	h.t.Helper()
	ctx := h.t.Context()
	if err := h.DB.As(ctx, h.tenant, func(tx *tenants.Tx) error { return fn(ctx, tx) }); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) exec(statement string, args ...any) {
	h.t.Helper()
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		_, err := tx.ExecContext(ctx, statement, args...)
		return err
	})
}

// deliver sends one change of a webhook and waits until it is processed.
func (h *house) deliver(field string, value map[string]any) {
	h.t.Helper()
	value["messaging_product"] = "whatsapp"
	value["metadata"] = map[string]any{"display_phone_number": "919800000801", "phone_number_id": h.sender}
	body, err := json.Marshal(map[string]any{"object": "whatsapp_business_account", "entry": []any{
		map[string]any{"id": h.waba, "changes": []any{map[string]any{"field": field, "value": value}}},
	}})
	if err != nil {
		h.t.Fatal(err)
	}
	h.receive(body)
}

func (h *house) receive(body []byte) {
	h.t.Helper()
	if _, err := h.receiver.Receive(h.t.Context(), h.app, body); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) settle() {
	h.t.Helper()
	h.until("everything is processed", func() bool {
		m, err := ingest.FleetMeter(h.t.Context(), h.DB)
		if err != nil {
			h.t.Fatal(err)
		}
		var unsplit int
		if err := h.DB.System(h.t.Context(), func(tx *tenants.Tx) error {
			return tx.Get(&unsplit, `SELECT count(*) FROM inbox_events WHERE split_at IS NULL`)
		}); err != nil {
			h.t.Fatal(err)
		}

		return m.Items.Waiting == 0 && unsplit == 0
	})
}

func (h *house) until(what string, ok func() bool) {
	h.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			h.t.Fatalf("waited in vain until %s", what)
		}
	}
}

// item is a message of somebody's, with a new id.
func (h *house) item(from, id string, at time.Time, more map[string]any) map[string]any {
	h.sent++
	m := map[string]any{"from": from, "from_user_id": id, "id": wamid(from, h.sent), "timestamp": fmt.Sprint(at.Unix())}
	for k, v := range more {
		m[k] = v
	}

	return m
}

// wamid is a message id as WhatsApp makes it: the phone lies in it.
func wamid(phone string, n int) string {
	return "wamid." + base64.StdEncoding.EncodeToString([]byte("\x1d\x05\x13"+phone+"\x15\x02"+fmt.Sprintf("3EB0%08X", n)))
}

func profile(phone, id, name string) map[string]any {
	return map[string]any{"wa_id": phone, "user_id": id, "profile": map[string]any{"name": name, "username": strings.ToLower(strings.ReplaceAll(name, " ", "."))}}
}

func text(body string) map[string]any {
	return map[string]any{"type": "text", "text": map[string]any{"body": body}}
}

// writes is a text of the person to be erased.
func (h *house) writes(at time.Time, body string) {
	h.t.Helper()
	h.deliver("messages", map[string]any{
		"contacts": []any{profile(phone, bsuid, "Asha "+canary)}, "messages": []any{h.item(phone, bsuid, at, text(body))},
	})
}

func (h *house) contact(kind whatsapp.Kind, value string) (c *identity.Contact) {
	h.t.Helper()
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		r, err := identity.Resolve(ctx, tx, kind, value, "")
		if err == nil {
			c = r.Contact
		}
		if errors.Is(err, tenants.ErrNotFound) {
			return nil
		}
		return err
	})

	return c
}

// erase opens a request about a contact, proves it and starts.
func (h *house) request(contact uuid.UUID) (id uuid.UUID) {
	h.t.Helper()
	h.as(func(ctx context.Context, tx *tenants.Tx) (err error) {
		if id, err = privacy.Add(ctx, tx, h.keys, meera, privacy.New{Kind: privacy.Erase, Contact: &contact, Subject: "@asha." + canary, Note: "asked at the counter, " + canary}); err != nil {
			return err
		}
		if err := privacy.Prove(ctx, tx, meera, id, "in_person", false); err != nil {
			return err
		}
		seen, err := privacy.AccountsOf(ctx, tx, contact)
		if err != nil {
			return err
		}
		return privacy.Start(ctx, tx, meera, id, seen)
	})

	return id
}

func (h *house) worker() *privacy.Worker {
	return privacy.NewWorker(h.DB, h.keys, h.graph, slog.New(slog.NewTextHandler(h.log, nil)))
}

func (h *house) state(id uuid.UUID) (r privacy.Request) {
	h.t.Helper()
	h.as(func(ctx context.Context, tx *tenants.Tx) (err error) {
		r, err = privacy.Get(ctx, tx, h.keys, id)
		return err
	})

	return r
}

func (h *house) erase(w *privacy.Worker, contact uuid.UUID) privacy.Request {
	h.t.Helper()
	id := h.request(contact)
	if err := w.Once(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}

	return h.state(id)
}

func goodToken(t *testing.T) string {
	t.Helper()
	for _, token := range sandbox.Known().Tokens {
		if token.State == sandbox.TokenGood {
			return token.Token
		}
	}
	t.Fatal("the sandbox has no good token")

	return ""
}
