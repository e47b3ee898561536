package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
)

func TestReceiveStoresOnce(t *testing.T) {
	t.Parallel()
	p := newPlace(t)

	body := toAsha(text(1, "namaste"))
	if p.receive(t, p.app, body) {
		t.Error("first delivery: got a repeat")
	}
	if !p.receive(t, p.app, body) {
		t.Error("second delivery: got no repeat")
	}
	if p.receive(t, p.ashasApp, body) {
		t.Error("the same body of another app: got a repeat")
	}

	// Acknowledged and not split yet: one received and waiting for whoever uses the app.
	p.wantItems(t, p.asha, ingest.Counts{Received: 2, Waiting: 2})
	p.wantItems(t, p.ravi, ingest.Counts{Received: 1, Waiting: 1})
	if got, want := p.meter(t, p.asha).Deliveries, (ingest.Deliveries{Accepted: 2, Duplicate: 1}); got != want {
		t.Errorf("deliveries: got %+v, want %+v", got, want)
	}

	p.work(t)
	p.settle(t)
	// Signed by asha's own app for a number of the platform's: held, nobody's.
	p.wantItems(t, p.asha, ingest.Counts{Received: 1, Routed: 1})
	p.wantItems(t, p.ravi, ingest.Counts{})
	if got, want := p.meter(t, p.asha).Deliveries, (ingest.Deliveries{Accepted: 1, Duplicate: 1}); got != want {
		t.Errorf("deliveries of asha: got %+v, want %+v", got, want)
	}
	if got, want := p.meter(t, p.ravi).Deliveries, (ingest.Deliveries{}); got != want {
		t.Errorf("deliveries of another tenant: got %+v, want %+v", got, want)
	}
}

func TestReceiveKeepsWhatWasSent(t *testing.T) {
	t.Parallel()
	p := newPlace(t)

	// The web server uses its buffer again as soon as Receive returns.
	buffer := make([]byte, 0, 64)
	want := []string{"{}", "", "\x00\xff{", "not json at all"}
	for _, body := range want {
		buffer = append(buffer[:0], body...)
		if _, err := p.receiver.Receive(t.Context(), p.app, buffer); err != nil {
			t.Fatal(err)
		}
	}

	var got []string
	err := p.as(uuid.Nil, func(ctx context.Context, tx *tenants.Tx) error {
		return tx.SelectContext(ctx, &got, `SELECT encode(body, 'escape') FROM inbox_events ORDER BY id`)
	})
	if err != nil || len(got) != 4 || got[0] != "{}" || got[1] != "" || got[2] != `\000\377{` || got[3] != "not json at all" {
		t.Errorf("stored bodies: got %q (%v), want %q", got, err, want)
	}
}

func TestReceiveManyAtOnce(t *testing.T) {
	t.Parallel()
	p := newPlace(t)

	// Two processes, each body sent to both and twice to each.
	other := ingest.NewReceiver(p.DB, ingest.Options{Rows: 16})
	defer other.Close()
	const bodies = 200
	var (
		all   sync.WaitGroup
		first atomic.Int64
	)
	for i := range bodies {
		for _, r := range []*ingest.Receiver{p.receiver, other, p.receiver, other} {
			all.Go(func() {
				receipt, err := r.Receive(context.Background(), p.app, []byte(toAsha(text(i, "hi"))))
				if err != nil {
					t.Errorf("receive: %v", err)
				}
				if !receipt.Duplicate {
					first.Add(1)
				}
			})
		}
	}
	all.Wait()

	if first.Load() != bodies {
		t.Errorf("deliveries taken as new: got %d, want %d", first.Load(), bodies)
	}
	m, err := ingest.FleetMeter(t.Context(), p.DB)
	if want := (ingest.Deliveries{Accepted: bodies, Duplicate: 3 * bodies}); err != nil || m.Deliveries != want {
		t.Errorf("deliveries: got %+v (%v), want %+v", m.Deliveries, err, want)
	}
}

func TestReceiveRefusesRatherThanHoards(t *testing.T) {
	t.Parallel()
	p := newPlace(t)

	small := ingest.NewReceiver(p.DB, ingest.Options{Bytes: 100})
	defer small.Close()
	if _, err := small.Receive(t.Context(), p.app, make([]byte, 101)); !errors.Is(err, tenants.ErrUnavailable) {
		t.Errorf("more than may be held in memory: got %v, want ErrUnavailable", err)
	}
	if _, err := small.Receive(t.Context(), p.app, make([]byte, 100)); err != nil {
		t.Errorf("as much as may be held: %v", err)
	}

	// Once the database says that too much waits, senders keep what they have.
	for i := range 5 {
		p.receive(t, p.app, toAsha(text(i, "hi")))
	}
	slow := ingest.NewReceiver(p.DB, ingest.Options{Backlog: 3})
	defer slow.Close()
	var err error
	until(t, "the backlog is noticed", func() bool {
		_, err = slow.Receive(t.Context(), p.app, []byte(uuid.NewString()))
		return err != nil
	})
	if !errors.Is(err, tenants.ErrUnavailable) {
		t.Errorf("with a backlog: got %v, want ErrUnavailable", err)
	}
	p.work(t)
	until(t, "the backlog is gone", func() bool {
		_, err := slow.Receive(t.Context(), p.app, []byte(uuid.NewString()))
		return err == nil
	})
}

func TestReceiveWithoutDatabase(t *testing.T) {
	t.Parallel()
	p := newPlace(t)

	db, err := tenants.Open(t.Context(), p.AppDSN)
	if err != nil {
		t.Fatal(err)
	}
	r := ingest.NewReceiver(db, ingest.Options{})
	db.Close()
	for range 3 {
		if _, err := r.Receive(t.Context(), p.app, []byte("{}")); !errors.Is(err, tenants.ErrUnavailable) {
			t.Errorf("without a database: got %v, want ErrUnavailable", err)
		}
	}
	r.Close()
	if _, err := r.Receive(t.Context(), p.app, []byte("{}")); !errors.Is(err, tenants.ErrUnavailable) {
		t.Errorf("after Close: got %v, want ErrUnavailable", err)
	}
}

func TestReceiveIsolatesWhatTheDatabaseRefuses(t *testing.T) {
	t.Parallel()
	p := newPlace(t)

	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			if _, err := p.receiver.Receive(context.Background(), p.app, fmt.Append(nil, i)); err != nil {
				t.Errorf("good delivery: %v", err)
			}
		})
	}
	for i := range 3 {
		all.Go(func() {
			if _, err := p.receiver.Receive(context.Background(), uuid.New(), fmt.Append(nil, i)); err == nil {
				t.Error("delivery of an app that is not there: got none, want an error")
			}
		})
	}
	all.Wait()
}

func TestCloseStoresWhatWasTaken(t *testing.T) {
	t.Parallel()
	p := newPlace(t)

	r := ingest.NewReceiver(p.DB, ingest.Options{Rows: 4})
	var (
		all    sync.WaitGroup
		stored atomic.Int64
	)
	for i := range 200 {
		all.Go(func() {
			if _, err := r.Receive(context.Background(), p.app, fmt.Append(nil, i)); err == nil {
				stored.Add(1)
			}
		})
	}
	r.Refuse(p.app)
	r.Close()
	all.Wait()

	if got := p.count(t, uuid.Nil, `SELECT count(*) FROM inbox_events`); int64(got) != stored.Load() {
		t.Errorf("stored: got %d, want the %d acknowledged", got, stored.Load())
	}
	if got := p.meter(t, p.asha).Deliveries.Refused; got != 1 {
		t.Errorf("refused after Close: got %d, want 1", got)
	}
}

func TestRefusedAreCountedInTheBackground(t *testing.T) {
	t.Parallel()
	p := newPlace(t)

	for range 1000 {
		p.receiver.Refuse(p.ashasApp)
	}
	until(t, "the refused are counted", func() bool { return p.meter(t, p.asha).Deliveries.Refused == 1000 })
	if got := p.meter(t, p.ravi).Deliveries.Refused; got != 0 {
		t.Errorf("refused of another tenant's app: got %d, want 0", got)
	}
	if got := p.count(t, uuid.Nil, `SELECT count(*) FROM inbox_events`); got != 0 {
		t.Errorf("deliveries stored: got %d, want 0", got)
	}
}
