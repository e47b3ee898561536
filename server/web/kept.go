package web

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// Kept remembers what was counted for each tenant: the more work it was to count, the longer.
type Kept[T any] struct {
	mu       sync.Mutex
	byTenant map[uuid.UUID]keptFor[T]
}

type keptFor[T any] struct {
	counted T
	until   time.Time
}

const (
	keptWorth = 20 // times as long as the counting took
	maxKept   = 10_000
)

// Of is what was counted for a tenant, counted again where that was too long ago.
func (k *Kept[T]) Of(ctx context.Context, db *tenants.DB, tenant uuid.UUID, count func(context.Context, *tenants.Tx) (T, error)) (counted T, err error) {
	k.mu.Lock()
	known, ok := k.byTenant[tenant]
	k.mu.Unlock()
	started := time.Now()
	if ok && started.Before(known.until) {
		return known.counted, nil
	}

	err = db.As(ctx, tenant, func(tx *tenants.Tx) (err error) {
		counted, err = count(ctx, tx)
		return err
	})
	if err != nil {
		return counted, err
	}

	k.mu.Lock()
	defer k.mu.Unlock()
	if k.byTenant == nil || len(k.byTenant) >= maxKept {
		k.byTenant = map[uuid.UUID]keptFor[T]{}
	}
	ended := time.Now()
	k.byTenant[tenant] = keptFor[T]{counted, ended.Add(keptWorth * ended.Sub(started))}

	return counted, nil
}
