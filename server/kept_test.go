package server_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/testdb"
)

// What takes long to count is counted once for all who ask meanwhile, by each tenant for itself, and nobody waits longer than they want to.
func TestKeptCountsOnceForAll(t *testing.T) {
	t.Parallel()
	db := testdb.New(t).DB
	clinic, motors := uuid.New(), uuid.New()
	var kept web.Kept[uuid.UUID]
	counted, free := map[uuid.UUID]*atomic.Int64{clinic: {}, motors: {}}, make(chan struct{})
	begun := make(chan struct{}, 8)
	count := func(_ context.Context, tx *tenants.Tx) (uuid.UUID, error) {
		if counted[tx.Tenant].Add(1); tx.Tenant == clinic {
			begun <- struct{}{}
			<-free
		}
		return tx.Tenant, nil
	}

	var asking sync.WaitGroup
	for range 8 {
		asking.Go(func() {
			if got, err := kept.Of(t.Context(), db, clinic, count); got != clinic || err != nil {
				t.Errorf("got %s, %v, want the clinic's", got, err)
			}
		})
	}
	if got, err := kept.Of(t.Context(), db, motors, count); got != motors || err != nil {
		t.Errorf("another tenant got %s, %v, want its own at once", got, err)
	}
	<-begun
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, err := kept.Of(gone, db, clinic, count); err == nil {
		t.Error("who has gone still waited for the count")
	}
	time.AfterFunc(50*time.Millisecond, func() { close(free) }) // so long that all find it kept
	asking.Wait()
	if n := counted[clinic].Load(); n != 1 {
		t.Errorf("counted %d times, want once", n)
	}
}
