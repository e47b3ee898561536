package forward_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/forward"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/testdb"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

var meera = tenants.Actor{Kind: "person", ID: "meera", Name: "Meera"}

// got is a request as a system of the business's saw it.
type got struct {
	header http.Header
	body   []byte
	remote string
}

// system is a business's own system, that keeps what it gets.
type system struct {
	*httptest.Server

	mu     sync.Mutex
	answer http.HandlerFunc
	all    []got
}

func newSystem(t *testing.T) *system {
	t.Helper()
	s := &system{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		s.mu.Lock()
		s.all = append(s.all, got{r.Header.Clone(), body, r.RemoteAddr})
		answer := s.answer
		s.mu.Unlock()
		if answer != nil {
			answer(w, r)
		}
	}))
	t.Cleanup(s.Close)

	return s
}

func (s *system) answers(h http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = h
}

func (s *system) got() []got {
	s.mu.Lock()
	defer s.mu.Unlock()

	return append([]got(nil), s.all...)
}

func (s *system) at(t *testing.T) netip.AddrPort {
	t.Helper()
	at, err := netip.ParseAddrPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}

	return at
}

// house is two businesses on one app of the platform: asha-clinic with numbers 801 of WABA 701 and 803 of 703, ravi-motors with 802 of 702.
type house struct {
	*testdb.Database
	t          *testing.T
	keys       *secrets.Keyring
	receiver   *ingest.Receiver
	app        uuid.UUID
	asha, ravi uuid.UUID
	first      uuid.UUID // number 801
	second     uuid.UUID // number 803
	system     *system
	doors      forward.Doors
}

func open(t *testing.T) *house {
	t.Helper()
	h := &house{Database: testdb.New(t), t: t, asha: uuid.New(), ravi: uuid.New(), system: newSystem(t)}
	keys, err := secrets.Open(filepath.Join(t.TempDir(), "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	h.keys, h.doors = keys, forward.Doors{Inner: []netip.AddrPort{h.system.at(t)}}
	for id, slug := range map[uuid.UUID]string{h.asha: "asha-clinic", h.ravi: "ravi-motors"} {
		if _, err := h.DB.SQL().Exec(`INSERT INTO tenants (id, slug, name) VALUES ($1, $2, $2)`, id, slug); err != nil {
			t.Fatal(err)
		}
	}
	err = h.DB.System(t.Context(), func(tx *tenants.Tx) error {
		app, err := numbers.AddApp(t.Context(), tx, keys, meera, numbers.AppInput{
			Name: "platform", MetaAppID: "4000000000000001", AppSecret: "canary-app-secret", VerifyToken: "a-verify-token",
		})
		h.app = app.ID
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	h.first, h.second = h.connect(h.asha, "701", "801"), h.connect(h.asha, "703", "803")
	h.connect(h.ravi, "702", "802")
	h.receiver = ingest.NewReceiver(h.DB, ingest.Options{Keys: keys})
	t.Cleanup(h.receiver.Close)
	worker := ingest.NewWorker(h.DB, slog.New(slog.DiscardHandler))
	worker.Recognise(keys)
	h.run(worker.Run)

	return h
}

// run runs something until the test ends or stop is called.
func (h *house) run(work func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- work(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				h.t.Errorf("worker: %v", err)
			}
		})
	}
	h.t.Cleanup(stop)

	return stop
}

// send runs a sender.
func (h *house) send() (stop func()) {
	return h.run(forward.NewSender(h.DB, h.keys, h.doors, slog.New(slog.DiscardHandler)).Run)
}

func (h *house) connect(tenant uuid.UUID, waba, phone string) uuid.UUID {
	h.t.Helper()
	n, err := numbers.Connect(context.Background(), h.DB, h.keys, whatsapp.Graph{}, meera, tenant, numbers.ConnectInput{
		App: "platform", WABAID: waba, PhoneNumberID: phone, DisplayPhone: "919800000" + phone, AccessToken: "canary-access-token", Unconfirmed: true,
	})
	if err != nil {
		h.t.Fatal(err)
	}

	return n.ID
}

func (h *house) as(tenant uuid.UUID, fn func(tx *tenants.Tx) error) {
	h.t.Helper()
	if err := h.DB.As(context.Background(), tenant, fn); err != nil {
		h.t.Fatal(err)
	}
}

// target adds a target of asha's at the system's address with a path, for a number or, with uuid.Nil, all.
func (h *house) target(path string, number uuid.UUID) (forward.Target, string) {
	h.t.Helper()
	var (
		target forward.Target
		secret string
	)
	h.as(h.asha, func(tx *tenants.Tx) (err error) {
		target, secret, err = forward.Add(context.Background(), tx, h.keys, h.doors, meera, forward.Input{Address: h.system.URL + path, Number: number})
		return err
	})

	return target, secret
}

func (h *house) get(id uuid.UUID) (t forward.Target) {
	h.t.Helper()
	h.as(h.asha, func(tx *tenants.Tx) (err error) {
		t, err = forward.Get(context.Background(), tx, id)
		return err
	})

	return t
}

func (h *house) log(target uuid.UUID) (list []forward.Forward) {
	h.t.Helper()
	h.as(h.asha, func(tx *tenants.Tx) (err error) {
		list, err = forward.Log(context.Background(), tx, target, forward.Page{Limit: 100})
		return err
	})

	return list
}

// tries are those of all forwards of a target that failed.
func (h *house) tries(target uuid.UUID) (all []forward.Try) {
	h.t.Helper()
	list := h.log(target)
	h.as(h.asha, func(tx *tenants.Tx) error {
		of, err := forward.TriesOf(context.Background(), tx, list)
		for _, f := range list {
			all = append(all, of[f.ID]...)
		}
		return err
	})

	return all
}

// exec changes rows of asha's as time would.
func (h *house) exec(query string, args ...any) {
	h.t.Helper()
	h.as(h.asha, func(tx *tenants.Tx) error {
		_, err := tx.ExecContext(context.Background(), query, append([]any{h.asha}, args...)...)
		return err
	})
}

func (h *house) receive(body string) {
	h.t.Helper()
	if _, err := h.receiver.Receive(context.Background(), h.app, []byte(body)); err != nil {
		h.t.Fatal(err)
	}
}

// wantState waits until a target's forwards are so many of a state.
func (h *house) wantState(target uuid.UUID, state string, n int) {
	h.t.Helper()
	h.until(fmt.Sprintf("%d forwards are %s", n, state), func() bool {
		count := 0
		for _, f := range h.log(target) {
			if f.State == state {
				count++
			}
		}

		return count == n
	})
}

func (h *house) until(what string, ok func() bool) {
	h.t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			h.t.Fatalf("waited in vain until %s", what)
		}
	}
}

// contact is the contact of somebody of asha's by BSUID.
func (h *house) contact(bsuid string) (id uuid.UUID) {
	h.t.Helper()
	h.until("somebody has a contact", func() bool {
		err := h.DB.As(context.Background(), h.asha, func(tx *tenants.Tx) error {
			return tx.GetContext(context.Background(), &id, `
				SELECT i.contact_id FROM identifiers d JOIN tenures t ON t.tenant_id = $1 AND t.identifier_id = d.id
				JOIN identities i ON i.tenant_id = $1 AND i.id = t.identity_id WHERE d.tenant_id = $1 AND d.value = $2 AND i.contact_id IS NOT NULL`, h.asha, bsuid)
		})

		return err == nil
	})

	return id
}

func text(n int, body string) string {
	return fmt.Sprintf(`{"from":"9198%08d","from_user_id":"IN.77%08d","id":"wamid.%d.%s","timestamp":"%d","type":"text","text":{"body":%q}}`, n, n, n, body, 1790000000+n, body)
}

func entry(waba, phone string, messages ...string) string {
	return fmt.Sprintf(`{"id":%q,"changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"919800000%s","phone_number_id":%q},"messages":[%s]}, "field":"messages"}]}`,
		waba, phone, phone, strings.Join(messages, ","))
}

// delivery has a space where nobody else would put one, so that only its own bytes are these.
func delivery(entries ...string) string {
	return `{"object": "whatsapp_business_account","entry":[` + strings.Join(entries, ",") + `]}`
}

func invalid(err error) string {
	var bad *tenants.Invalid
	if errors.As(err, &bad) {
		return bad.Key
	}

	return ""
}
