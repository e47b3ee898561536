package ingest_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/phonefree"
	"github.com/pehchan/pehchan/tenants/secrets"
)

// seals writes a stored delivery anew, as one of a number that keeps no phones lies.
func (p *place) seals(t *testing.T, sealed []byte) {
	t.Helper()
	err := p.as(uuid.Nil, func(ctx context.Context, tx *tenants.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE inbox_events SET body = $1, sealed = true WHERE id = (SELECT max(id) FROM inbox_events)`, sealed)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// knows runs a worker with keys, or nil for none, until the test ends.
func (p *place) knows(t *testing.T, keys *secrets.Keyring) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	w := ingest.NewWorker(p.DB, slog.New(slog.DiscardHandler))
	w.Recognise(keys)
	go func() { done <- w.Run(ctx) }()
	stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(cancel)

	return stop
}

// A sealed delivery that no key opens is set aside, and what came after it is processed.
func TestDeliveryThatDoesNotOpenHarmsNobody(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.receive(t, p.app, toAsha(text(1, "lost")))
	p.seals(t, []byte("no bytes of ours"))
	p.receive(t, p.app, toRavi(text(2, "fine")))
	p.knows(t, p.keys)
	p.settle(t)

	p.wantItems(t, p.ravi, ingest.Counts{Received: 1, Routed: 1})
	if n := p.count(t, uuid.Nil, `SELECT count(*) FROM inbox_items WHERE kind = 'delivery' AND state = 'set_aside'`); n != 1 {
		t.Errorf("got %d deliveries set aside, want 1", n)
	}
}

// Without the master key a worker leaves what lies sealed to one that has it, and sets nothing aside.
func TestSealedItemsWaitForTheKey(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	body := toAsha(text(1, "kept"))
	p.receive(t, p.app, body)
	sealed, err := phonefree.SealDelivery(p.keys, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	p.seals(t, sealed)

	stop := p.knows(t, nil)
	select {
	case <-time.After(300 * time.Millisecond): // some tries
	case <-t.Context().Done():
	}
	stop()
	if n := p.count(t, uuid.Nil, `SELECT count(*) FROM inbox_items`); n != 0 {
		t.Fatalf("got %d items, want the delivery to wait whole", n)
	}

	p.knows(t, p.keys)
	p.settle(t)
	p.wantItems(t, p.asha, ingest.Counts{Received: 1, Routed: 1})
}
