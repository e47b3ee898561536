package main_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"syscall"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/testdb"
)

// TestManyFirstMessagesMakeOneContact sends the first messages of one person all at once, to two processes that resolve them.
func TestManyFirstMessagesMakeOneContact(t *testing.T) {
	t.Parallel()
	const first = 64
	database := testdb.New(t)
	m := newEmbedded(t, "DATABASE_URL="+database.AppDSN)
	m.addBusiness(t)
	web := m.start(t, "serve")
	url := web.line(t, "listening on ")
	workers := []process{m.start(t, "work"), m.start(t, "work")}
	for _, w := range workers {
		w.line(t, "working")
	}

	sender, ready := newMeta(url, first), make(chan struct{})
	var senders sync.WaitGroup
	for i := range first {
		body := webhook(messageFrom(1, fmt.Sprintf("wamid.first.%d", i)))
		senders.Go(func() {
			<-ready
			if status, _, err := sender.post(context.Background(), body); err != nil || status != http.StatusOK {
				t.Errorf("message %d: got %d (%v), want 200", i, status, err)
			}
		})
	}
	close(ready)
	senders.Wait()

	store := storeOf(t, database.DB)
	until(t, func() bool {
		meter, err := ingest.TenantMeter(context.Background(), store.db, store.tenant)
		return err == nil && meter.Items.Received == first && meter.Items.Waiting == 0
	})
	for query, want := range map[string]int{
		`SELECT count(*) FROM contacts`:                     1,
		`SELECT count(*) FROM identities`:                   1,
		`SELECT count(*) FROM identifiers`:                  2,
		`SELECT count(*) FROM messages`:                     first,
		`SELECT count(DISTINCT tenure_id) FROM messages`:    1,
		`SELECT count(*) FROM cases`:                        0,
		`SELECT count(*) FROM links WHERE kind <> 'merged'`: 0,
	} {
		if got := store.count(t, query); got != want {
			t.Errorf("%s: got %d, want %d", query, got, want)
		}
	}

	for _, p := range append(workers, web) {
		if code := p.stop(t, syscall.SIGTERM); code != 0 {
			t.Errorf("exit %d: %s", code, p.errOut)
		}
	}
}

// store looks into a database as the business sees it.
type store struct {
	db     *tenants.DB
	tenant uuid.UUID
}

// storeOf looks into the database as the one business in it.
func storeOf(t *testing.T, db *tenants.DB) store {
	t.Helper()

	s := store{db: db}
	ctx := context.Background()
	if err := db.System(ctx, func(tx *tenants.Tx) error { return tx.GetContext(ctx, &s.tenant, `SELECT id FROM tenants`) }); err != nil {
		t.Fatal(err)
	}

	return s
}

func (s store) count(t *testing.T, query string, args ...any) (n int) {
	t.Helper()

	ctx := context.Background()
	if err := s.db.As(ctx, s.tenant, func(tx *tenants.Tx) error { return tx.GetContext(ctx, &n, query, args...) }); err != nil {
		t.Fatal(err)
	}

	return n
}
