package ingest_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/testdb"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// place is a platform with two businesses: asha-clinic with number 801 of WABA 701, ravi-motors with 802 of 702, both on the
// platform's app; and ashas-own, an app of asha-clinic's without numbers.
type place struct {
	*testdb.Database
	keys                   *secrets.Keyring
	receiver               *ingest.Receiver
	asha, ravi             uuid.UUID
	ashaNumber, raviNumber uuid.UUID
	app, ashasApp          uuid.UUID
}

var meera = tenants.Actor{Kind: "person", ID: "meera", Name: "Meera"}

func newPlace(t testing.TB) *place {
	t.Helper()

	p := &place{Database: testdb.New(t)}
	keys, err := secrets.Open(filepath.Join(t.TempDir(), "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	p.keys = keys
	p.asha, p.ravi = p.addTenant(t, "asha-clinic"), p.addTenant(t, "ravi-motors")
	p.app, p.ashasApp = p.addApp(t, uuid.Nil, "platform"), p.addApp(t, p.asha, "ashas-own")
	p.ashaNumber = p.connect(t, p.asha, "platform", "701", "801", "919800000801")
	p.raviNumber = p.connect(t, p.ravi, "platform", "702", "802", "919800000802")
	p.receiver = ingest.NewReceiver(p.DB, ingest.Options{})
	t.Cleanup(p.receiver.Close)

	return p
}

func (p *place) addTenant(t testing.TB, slug string) uuid.UUID {
	t.Helper()

	id := uuid.New()
	if _, err := p.DB.SQL().Exec(`INSERT INTO tenants (id, slug, name) VALUES ($1, $2, $2)`, id, slug); err != nil {
		t.Fatal(err)
	}

	return id
}

func (p *place) addApp(t testing.TB, tenant uuid.UUID, name string) uuid.UUID {
	t.Helper()

	var app numbers.App
	err := p.as(tenant, func(ctx context.Context, tx *tenants.Tx) (err error) {
		app, err = numbers.AddApp(ctx, tx, p.keys, meera, numbers.AppInput{
			Name: name, MetaAppID: "4000000000000001", AppSecret: "an-app-secret", VerifyToken: "a-verify-token",
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	return app.ID
}

func (p *place) connect(t testing.TB, tenant uuid.UUID, app, waba, phoneNumberID, display string) uuid.UUID {
	t.Helper()

	n, err := numbers.Connect(context.Background(), p.DB, p.keys, whatsapp.Graph{}, meera, tenant, numbers.ConnectInput{
		App: app, WABAID: waba, PhoneNumberID: phoneNumberID, DisplayPhone: display, AccessToken: "some-access-token", Unconfirmed: true,
	})
	if err != nil {
		t.Fatal(err)
	}

	return n.ID
}

// as runs fn in a tenant, or in System for uuid.Nil, and returns its error.
func (p *place) as(tenant uuid.UUID, fn func(context.Context, *tenants.Tx) error) error {
	ctx := context.Background()
	inner := func(tx *tenants.Tx) error { return fn(ctx, tx) }
	if tenant == uuid.Nil {
		return p.DB.System(ctx, inner)
	}

	return p.DB.As(ctx, tenant, inner)
}

// receive delivers a body and returns whether it was a repeat.
func (p *place) receive(t testing.TB, app uuid.UUID, body string) bool {
	t.Helper()

	receipt, err := p.receiver.Receive(context.Background(), app, []byte(body))
	if err != nil {
		t.Fatal(err)
	}

	return receipt.Duplicate
}

// work runs a worker until the test ends or stop is called.
func (p *place) work(t testing.TB) (stop func()) {
	t.Helper()

	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	w := ingest.NewWorker(p.DB, slog.New(slog.DiscardHandler))
	go func() { done <- w.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("worker: %v", err)
		}
	}
	t.Cleanup(stop)

	return stop
}

// settle waits until nothing waits any more.
func (p *place) settle(t testing.TB) {
	t.Helper()

	until(t, "everything is processed", func() bool {
		m, err := ingest.FleetMeter(context.Background(), p.DB)
		if err != nil {
			t.Fatal(err)
		}
		var repeats int
		err = p.as(uuid.Nil, func(ctx context.Context, tx *tenants.Tx) error {
			return tx.GetContext(ctx, &repeats, `SELECT count(*) FROM inbox_repeats`)
		})
		if err != nil {
			t.Fatal(err)
		}

		return m.Items.Waiting == 0 && repeats == 0
	})
}

func until(t testing.TB, what string, ok func() bool) {
	t.Helper()

	for deadline := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func (p *place) meter(t testing.TB, tenant uuid.UUID) ingest.Meter {
	t.Helper()

	m, err := ingest.TenantMeter(context.Background(), p.DB, tenant)
	if err != nil {
		t.Fatal(err)
	}

	return m
}

// wantItems checks a tenant's items and that every counter of the platform is what counting gives.
func (p *place) wantItems(t testing.TB, tenant uuid.UUID, want ingest.Counts) {
	t.Helper()

	if got := p.meter(t, tenant).Items; got != want {
		t.Errorf("items: got %+v, want %+v", got, want)
	}
	p.wantBalance(t)
}

// wantBalance checks the zero-loss equation, and every counter against the items themselves.
func (p *place) wantBalance(t testing.TB) {
	t.Helper()

	for _, tenant := range []uuid.UUID{p.asha, p.ravi, uuid.Nil} {
		drifts, err := ingest.Recount(context.Background(), p.DB, tenant)
		if err != nil {
			t.Fatal(err)
		}
		if len(drifts) > 0 {
			t.Errorf("counters differ from items: %+v", drifts)
		}
		if tenant == uuid.Nil {
			continue
		}
		if m := p.meter(t, tenant); !m.Items.Balanced() || m.Items.Held != 0 {
			t.Errorf("meter does not balance: %+v", m)
		}
	}
	m, err := ingest.FleetMeter(context.Background(), p.DB)
	if err != nil {
		t.Fatal(err)
	}
	if !m.Items.Balanced() {
		t.Errorf("fleet meter does not balance: %+v", m)
	}
}

func (p *place) count(t testing.TB, tenant uuid.UUID, query string) (n int) {
	t.Helper()

	err := p.as(tenant, func(ctx context.Context, tx *tenants.Tx) error { return tx.GetContext(ctx, &n, query) })
	if err != nil {
		t.Fatal(err)
	}

	return n
}

// items are all items of a tenant, in the order of arrival.
func (p *place) items(t testing.TB, tenant uuid.UUID, state string) []ingest.Item {
	t.Helper()

	var items []ingest.Item
	err := p.as(tenant, func(ctx context.Context, tx *tenants.Tx) (err error) {
		items, err = ingest.Items(ctx, tx, ingest.ItemFilter{State: state})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(items)

	return items
}

// text is a message of person n to a number, with a text.
func text(n int, body string) string {
	return fmt.Sprintf(`{"from":"9198%08d","from_user_id":"IN.77%08d","id":"wamid.%d.%s","timestamp":"%d","type":"text","text":{"body":%q}}`,
		n, n, n, strings.ReplaceAll(body, " ", "-"), 1790000000+n, body)
}

// change is a change of field messages.
func change(phoneNumberID, display string, messages ...string) string {
	return fmt.Sprintf(`{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":%q,"phone_number_id":%q},"messages":[%s]}}`,
		display, phoneNumberID, strings.Join(messages, ","))
}

func entry(waba string, changes ...string) string {
	return fmt.Sprintf(`{"id":%q,"changes":[%s]}`, waba, strings.Join(changes, ","))
}

func delivery(entries ...string) string {
	return `{"object":"whatsapp_business_account","entry":[` + strings.Join(entries, ",") + `]}`
}

func toAsha(messages ...string) string {
	return delivery(entry("701", change("801", "919800000801", messages...)))
}

func toRavi(messages ...string) string {
	return delivery(entry("702", change("802", "919800000802", messages...)))
}
