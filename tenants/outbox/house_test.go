package outbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/outbox"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/testdb"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

var meera = tenants.Actor{Kind: "person", ID: "meera", Name: "Meera"}

// meta is a Graph API that remembers what it took.
type meta struct {
	*httptest.Server

	mu    sync.Mutex
	mood  func(w http.ResponseWriter, r *http.Request) bool // answers itself, or returns true to have the message taken
	taken []sent
}

// sent is a message as it reached Graph.
type sent struct {
	To        string `json:"to"`
	Recipient string `json:"recipient"`
	Type      string `json:"type"`
	Tag       string `json:"biz_opaque_callback_data"`
	Text      struct {
		Body string `json:"body"`
	} `json:"text"`
	Interactive json.RawMessage `json:"interactive"`
	Template    json.RawMessage `json:"template"`
	WAMID       string          `json:"-"`
}

func newMeta(t *testing.T) *meta {
	t.Helper()
	m := &meta{}
	m.Server = httptest.NewServer(http.HandlerFunc(m.answer))
	t.Cleanup(m.Close)

	return m
}

func (m *meta) answer(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	mood := m.mood
	m.mu.Unlock()
	if mood != nil && !mood(w, r) {
		return
	}
	if r.Method == http.MethodGet {
		_, _ = io.WriteString(w, `{"id":"800","display_phone_number":"15550199042"}`)
		return
	}
	_, _ = io.WriteString(w, `{"messages":[{"id":"`+m.take(r)+`"}]}`)
}

// take keeps the message of a request and returns its wamid.
func (m *meta) take(r *http.Request) string {
	var s sent
	if json.NewDecoder(r.Body).Decode(&s) != nil {
		panic(http.ErrAbortHandler)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s.WAMID = fmt.Sprintf("wamid.out-%d", len(m.taken)+1)
	m.taken = append(m.taken, s)

	return s.WAMID
}

// decode reads the message of a request and leaves it there to be read again.
func decode(r *http.Request, s *sent) error {
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	if err != nil {
		return err
	}

	return json.Unmarshal(body, s)
}

func (m *meta) feels(mood func(http.ResponseWriter, *http.Request) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mood = mood
}

func (m *meta) all() []sent {
	m.mu.Lock()
	defer m.mu.Unlock()

	return append([]sent(nil), m.taken...)
}

// refuses answers with an error of Graph's own.
func refuses(status, code int) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"error":{"code":%d,"message":"(#%d) no"}}`, code, code)

		return false
	}
}

// house is a business with one number, and the Graph API it sends through.
type house struct {
	t      *testing.T
	db     *testdb.Database
	keys   *secrets.Keyring
	key    string // its file
	meta   *meta
	tenant uuid.UUID
	number uuid.UUID
	items  int64
	keyed  int
}

func open(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, db: testdb.New(t), key: filepath.Join(t.TempDir(), "master.key"), meta: newMeta(t)}
	var err error
	if h.keys, err = secrets.Open(h.key); err != nil {
		t.Fatal(err)
	}
	h.tenant, h.number = h.business("asha-clinic", "700", "800")

	return h
}

// business is a tenant with a connected number.
func (h *house) business(slug, waba, number string) (tenant, id uuid.UUID) {
	h.t.Helper()
	ctx := h.t.Context()
	tenant = uuid.Must(uuid.NewV7())
	err := h.db.DB.System(ctx, func(tx *tenants.Tx) error {
		if _, err := tx.Exec(`INSERT INTO tenants (id, slug, name) VALUES ($1, $2, $2)`, tenant, slug); err != nil {
			return err
		}
		_, err := numbers.AddApp(ctx, tx, h.keys, meera, numbers.AppInput{Name: "app-" + slug, MetaAppID: waba + "1", AppSecret: "app-secret-1234", VerifyToken: "verify-1234"})
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	n, err := numbers.Connect(ctx, h.db.DB, h.keys, whatsapp.NewGraph(h.meta.URL), meera, tenant, numbers.ConnectInput{
		App: "app-" + slug, WABAID: waba, PhoneNumberID: number, DisplayPhone: "15550199042", PortfolioID: "900", AccessToken: "token-1234", Unconfirmed: true,
	})
	if err != nil {
		h.t.Fatal(err)
	}

	return tenant, n.ID
}

func (h *house) sender() *outbox.Sender {
	return outbox.NewSender(h.db.DB, h.keys, whatsapp.NewGraph(h.meta.URL), slog.New(slog.DiscardHandler))
}

// ctx marks statements as the program's own contexts do.
func (h *house) ctx() context.Context { return tenants.Often(h.t.Context()) }

func (h *house) as(fn func(*tenants.Tx) error) {
	h.t.Helper()
	if err := h.db.DB.As(h.ctx(), h.tenant, fn); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) exec(statement string, args ...any) {
	h.t.Helper()
	h.as(func(tx *tenants.Tx) error { _, err := tx.Exec(statement, args...); return err })
}

// now lets the time pass for which a number rests, or a dead sender holds its lease.
func (h *house) later() {
	h.t.Helper()
	h.exec(`UPDATE outbox_lanes SET not_before = now(), leased_until = now()`)
	h.exec(`UPDATE outbox SET not_before = now()`)
}

// feed is an event as a lane takes it in.
func (h *house) feed(kind whatsapp.ItemKind, item map[string]any) {
	h.t.Helper()
	h.takeIn(h.event(kind, item))
}

// event is one that has been delivered and not yet been looked at.
func (h *house) event(kind whatsapp.ItemKind, item map[string]any) identity.Seen {
	h.t.Helper()
	contact := map[string]any{}
	for from, to := range map[string]string{"from": "wa_id", "from_user_id": "user_id", "recipient_id": "wa_id", "recipient_user_id": "user_id"} {
		if item[from] != nil {
			contact[to] = item[from]
		}
	}
	body, err := json.Marshal(map[string]any{
		"field": "messages", "entry_id": "700", "item": item, "contacts": []any{contact},
		"metadata": map[string]any{"display_phone_number": "15550199042", "phone_number_id": "800"},
	})
	if err != nil {
		h.t.Fatal(err)
	}
	event, err := whatsapp.ParseEvent(kind, body)
	if err != nil {
		h.t.Fatal(err)
	}
	h.items++

	return identity.Seen{ItemID: h.items, NumberID: h.number, Scope: "portfolio:900", ReceivedAt: time.Now(), Event: event}
}

// takeIn is what a lane does with events in one transaction.
func (h *house) takeIn(seen ...identity.Seen) {
	h.t.Helper()
	ctx := h.ctx()
	h.as(func(tx *tenants.Tx) error {
		if err := identity.Lock(ctx, tx); err != nil {
			return err
		}
		batch, err := identity.Observe(ctx, tx, seen)
		if err != nil {
			return err
		}
		if _, err := conversations.Record(ctx, tx, batch, seen); err != nil {
			return err
		}
		return batch.Settle(ctx)
	})
}

// writes is a text of a customer, an hour ago for the first and a second later for each that follows.
func (h *house) writes(phone, bsuid string) {
	h.t.Helper()
	item := map[string]any{"id": fmt.Sprint("in-", h.items), "timestamp": h.clock(), "type": "text", "text": map[string]any{"body": "hello"}}
	if phone != "" {
		item["from"] = phone
	}
	if bsuid != "" {
		item["from_user_id"] = bsuid
	}
	h.feed(whatsapp.KindMessage, item)
}

func (h *house) clock() string { return fmt.Sprint(time.Now().Add(-time.Hour).Unix() + h.items) }

// report is a status of a message that Graph took.
func (h *house) report(s sent, state, phone, bsuid string) {
	h.t.Helper()
	item := map[string]any{"id": s.WAMID, "status": state, "timestamp": h.clock(), "biz_opaque_callback_data": s.Tag}
	if phone != "" {
		item["recipient_id"] = phone
	}
	if bsuid != "" {
		item["recipient_user_id"] = bsuid
	}
	h.feed(whatsapp.KindStatus, item)
}

func (h *house) whois(kind whatsapp.Kind, value string) identity.Contact {
	h.t.Helper()
	var c identity.Contact
	h.as(func(tx *tenants.Tx) error {
		r, err := identity.Resolve(h.t.Context(), tx, kind, value, "")
		if err == nil && r.Contact != nil {
			c = *r.Contact
		}
		return err
	})

	return c
}

// opens is the composer of a contact, as somebody sees it.
func (h *house) opens(contact uuid.UUID) conversations.Recipient {
	h.t.Helper()
	var r conversations.Recipient
	h.as(func(tx *tenants.Tx) (err error) {
		r, err = conversations.ReplyTo(h.t.Context(), tx, conversations.Thread{Contact: contact})
		return err
	})

	return r
}

// submits sends a text to whom the composer shows.
func (h *house) submits(r conversations.Recipient, text string) (conversations.Outgoing, error) {
	h.keyed++
	return h.submit(conversations.Draft{Version: r.Version, Key: fmt.Sprint("key-", h.keyed), Text: text})
}

func (h *house) submit(d conversations.Draft) (out conversations.Outgoing, err error) {
	err = h.db.DB.As(h.t.Context(), h.tenant, func(tx *tenants.Tx) error {
		out, err = conversations.Submit(h.t.Context(), tx, meera, d)
		return err
	})

	return out, err
}

func (h *house) sends(r conversations.Recipient, text string) conversations.Outgoing {
	h.t.Helper()
	out, err := h.submits(r, text)
	if err != nil {
		h.t.Fatalf("submit: %v", err)
	}

	return out
}

// state is what became of a message.
func (h *house) state(message uuid.UUID) conversations.Outgoing {
	h.t.Helper()
	var list map[uuid.UUID]conversations.Outgoing
	h.as(func(tx *tenants.Tx) (err error) {
		list, err = conversations.OutgoingOf(h.t.Context(), tx, []uuid.UUID{message})
		return err
	})

	return list[message]
}

// turns has a sender work until nothing is due.
func (h *house) turns(s *outbox.Sender) {
	h.t.Helper()
	for {
		n, err := s.Once(h.t.Context())
		if err != nil {
			h.t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

func wantChanged(t *testing.T, err error, what ...string) *conversations.Changed {
	t.Helper()
	var changed *conversations.Changed
	if !errors.As(err, &changed) {
		t.Fatalf("submit after a change: %v, want %v", err, what)
	}
	if got := strings.Join(changed.What, " "); got != strings.Join(what, " ") {
		t.Errorf("changed %q, want %q", got, strings.Join(what, " "))
	}

	return changed
}
