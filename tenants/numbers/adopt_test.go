package numbers_test

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/numbers"
)

// held counts what the platform holds for a number.
func (p place) held(t *testing.T, phoneNumberID string) (n int) {
	t.Helper()

	err := p.as(uuid.Nil, func(ctx context.Context, tx *tenants.Tx) error {
		return tx.GetContext(ctx, &n, `SELECT count(*) FROM inbox_items WHERE state = 'held' AND phone_number_id = $1`, phoneNumberID)
	})
	if err != nil {
		t.Fatal(err)
	}

	return n
}

func TestConnectAdoptsWhatWasHeld(t *testing.T) {
	t.Parallel()
	p, m := newPlace(t), newMeta(t)
	p.addApp(t, uuid.Nil, "demo")
	app, err := p.app(uuid.Nil, "demo")
	if err != nil {
		t.Fatal(err)
	}

	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	receiver := ingest.NewReceiver(p.DB, ingest.Options{Log: log})
	body := `{"object":"whatsapp_business_account","entry":[{"id":"` + m.number.WABAID + `","changes":[{"field":"messages","value":{
		"messaging_product":"whatsapp","metadata":{"display_phone_number":"` + m.number.DisplayPhone + `","phone_number_id":"` + m.number.PhoneNumberID + `"},
		"contacts":[{"wa_id":"919800000101","profile":{"name":"Asha"}}],
		"messages":[{"from":"919800000101","id":"wamid.held","timestamp":"1751600000","type":"text","text":{"body":"anybody there?"}}]}}]}]}`
	if _, err := receiver.Receive(context.Background(), app.ID, []byte(body)); err != nil {
		t.Fatal(err)
	}
	receiver.Close()

	// The worker stops once the item is held, so that only Connect can hand it over.
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- ingest.NewWorker(p.DB, log).Run(ctx) }()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for p.held(t, m.number.PhoneNumberID) == 0 {
		<-tick.C
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}

	if _, err := p.connect(m, p.asha, m.input()); err != nil {
		t.Fatal(err)
	}
	if got := p.held(t, m.number.PhoneNumberID); got != 0 {
		t.Errorf("still held after the connection: %d items", got)
	}
}

// A number whose held items cannot be had now is connected and subscribed all the same.
func TestConnectDoesNotWaitForWhatWasHeld(t *testing.T) {
	t.Parallel()
	p, m := newPlace(t), newMeta(t)
	p.addApp(t, uuid.Nil, "demo")

	var n numbers.Number
	p.whileHeld(t, "connect", func(ctx context.Context) (err error) {
		n, err = numbers.Connect(ctx, p.DB, p.keys, m.graph, meera, p.asha, m.input())
		return err
	})
	if !slices.Contains(said(n.Checks), "subscribed") {
		t.Errorf("connected: checks %v, want it subscribed", said(n.Checks))
	}
	if err := p.disconnect(p.asha, n.ID); err != nil {
		t.Fatal(err)
	}
	var back numbers.Number
	p.whileHeld(t, "reconnect", func(ctx context.Context) (err error) {
		back, err = numbers.Reconnect(ctx, p.DB, p.keys, m.graph, meera, p.asha, n.ID, m.callback)
		return err
	})
	if !slices.Contains(said(back.Checks), "subscribed") || back.State != numbers.Waiting {
		t.Errorf("back: %+v, want it subscribed", back)
	}
}

// whileHeld does act while nobody can get at what is held, and ends its context once it waits for that.
func (p place) whileHeld(t *testing.T, what string, act func(context.Context) error) {
	t.Helper()

	ended := make(chan error, 1)
	err := p.as(uuid.Nil, func(ctx context.Context, tx *tenants.Tx) error {
		if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('inbox split', 0))`); err != nil {
			return err
		}
		acting, stop := context.WithCancel(ctx)
		defer stop()
		go func() { ended <- act(acting) }()
		for waits := false; !waits; {
			select {
			case err := <-ended:
				t.Errorf("%s ended with %v before it came to what is held", what, err)
				ended <- err
				return nil
			default:
			}
			err := tx.GetContext(ctx, &waits, `
				SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
				               AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))`)
			if err != nil {
				return err
			}
		}
		stop()
		if err := <-ended; err != nil {
			t.Errorf("%s: got %v, want it done", what, err)
		}

		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
