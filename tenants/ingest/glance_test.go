package ingest_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
)

func TestGlance(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.work(t)
	ctx := context.Background()
	pulse := func() map[uuid.UUID]string {
		got, err := ingest.Pulse(ctx, p.DB, []uuid.UUID{p.asha, p.ravi})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}

	p.receive(t, p.app, toAsha(text(1, "namaste")))
	p.settle(t)
	before := pulse()
	p.receive(t, p.app, toAsha(text(2, "namaste")))
	p.settle(t)
	if after := pulse(); after[p.asha] == before[p.asha] || after[p.ravi] != before[p.ravi] {
		t.Errorf("pulse went from %v to %v, want it to move for asha alone", before, after)
	}

	for tenant, want := range map[uuid.UUID]map[uuid.UUID]int64{p.asha: {p.ashaNumber: 2}, p.ravi: {}} {
		err := p.as(tenant, func(ctx context.Context, tx *tenants.Tx) error {
			got, err := ingest.NumberCounts(ctx, tx)
			for number, n := range want {
				if got[number].Received != n || !got[number].Balanced() {
					t.Errorf("number %s: got %+v, want %d received", number, got[number], n)
				}
				delete(got, number)
			}
			for number, n := range got {
				if n.Received != 0 {
					t.Errorf("number %s counted for tenant %s", number, tenant)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}

	p.receive(t, p.ashasApp, toAsha(text(3, "namaste")))
	p.receive(t, p.ashasApp, `no delivery at all`)
	p.settle(t)
	odd := p.items(t, p.asha, ingest.SetAside)
	if len(odd) != 1 {
		t.Fatalf("set aside: got %d items, want 1", len(odd))
	}
	if body, err := ingest.WholeDelivery(ctx, p.DB, nil, p.asha, odd[0].ID); err != nil || string(body) != `no delivery at all` {
		t.Errorf("whole delivery: got %q (%v)", body, err)
	}
	for tenant, item := range map[uuid.UUID]int64{p.ravi: odd[0].ID, p.asha: p.items(t, p.asha, ingest.Routed)[0].ID} {
		if _, err := ingest.WholeDelivery(ctx, p.DB, nil, tenant, item); !errors.Is(err, tenants.ErrNotFound) {
			t.Errorf("delivery of item %d for %s: got %v, want ErrNotFound", item, tenant, err)
		}
	}
	for tenant, want := range map[uuid.UUID]int{p.asha: 2, p.ravi: 1} {
		meters, err := ingest.AppMeters(ctx, p.DB, tenant)
		if err != nil || len(meters) != want || meters[p.app].Accepted != 2 {
			t.Errorf("tenant %s: got %v (%v), want %d apps, the platform's with 2 deliveries", tenant, meters, err, want)
		}
	}
}
