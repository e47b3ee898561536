package web

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// Kept remembers what was counted for each tenant: the more work it was to count, the longer. Whoever comes while it is counted waits
// for that rather than count too.
type Kept[T any] struct {
	mu       sync.Mutex
	byTenant map[uuid.UUID]*keptFor[T]
}

type keptFor[T any] struct {
	turn    chan struct{} // taken by whoever reads or counts
	counted T
	until   time.Time
}

const (
	keptWorth = 20 // times as long as the counting took
	maxKept   = 10_000
)

// Of is what was counted for a tenant, counted again where that was too long ago.
func (k *Kept[T]) Of(ctx context.Context, db *tenants.DB, tenant uuid.UUID, count func(context.Context, *tenants.Tx) (T, error)) (counted T, err error) {
	known := k.of(tenant)
	select {
	case known.turn <- struct{}{}:
		defer func() { <-known.turn }()
	case <-ctx.Done():
		return counted, fmt.Errorf("wait for a count: %w", ctx.Err())
	}
	started := time.Now()
	if started.Before(known.until) {
		return known.counted, nil
	}

	err = db.As(ctx, tenant, func(tx *tenants.Tx) (err error) {
		counted, err = count(ctx, tx)
		return err
	})
	if err != nil {
		return counted, err
	}
	ended := time.Now()
	known.counted, known.until = counted, ended.Add(keptWorth*ended.Sub(started))

	return counted, nil
}

func (k *Kept[T]) of(tenant uuid.UUID) *keptFor[T] {
	k.mu.Lock()
	defer k.mu.Unlock()
	known, ok := k.byTenant[tenant]
	if !ok {
		if k.byTenant == nil || len(k.byTenant) >= maxKept {
			k.byTenant = map[uuid.UUID]*keptFor[T]{}
		}
		known = &keptFor[T]{turn: make(chan struct{}, 1)}
		k.byTenant[tenant] = known
	}

	return known
}
