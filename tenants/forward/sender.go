package forward

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/secrets"
)

const (
	// hands are the targets served at once by one process, illHands those of them that failed the last time: a target that hangs holds up no
	// other for long.
	hands    = 96
	illHands = 32

	batch      = 32 // forwards of a target before the next one has its turn
	atOnce     = 8  // calls of one target under way
	shortPause = 20 * time.Millisecond
	longPause  = 500 * time.Millisecond
	sweepEvery = time.Minute
)

// Sender passes things on. Any number of them, in any number of processes, work on one database; a target is served by one at a time.
type Sender struct {
	db     *tenants.DB
	keys   *secrets.Keyring
	caller caller
	log    *slog.Logger
	most   int               // MostWaiting; less in tests
	step   func(name string) // tests end a turn between two steps with it
}

// NewSender makes a Sender; Run starts it.
func NewSender(db *tenants.DB, keys *secrets.Keyring, d Doors, log *slog.Logger) *Sender {
	return &Sender{db: db, keys: keys, caller: newCaller(d), log: log, most: MostWaiting, step: func(string) {}}
}

// Run passes on until ctx ends. Calls under way are waited for, and what came of them is kept.
func (s *Sender) Run(ctx context.Context) error {
	ctx = tenants.Often(ctx)
	var work sync.WaitGroup
	defer work.Wait()
	work.Go(func() { s.sweepAll(ctx) })
	work.Go(func() { s.serveAll(ctx, &work, false, hands) })
	s.serveAll(ctx, &work, true, illHands)

	return nil
}

// serveAll serves the targets that are well, or those that are ill.
func (s *Sender) serveAll(ctx context.Context, work *sync.WaitGroup, ill bool, hands int) {
	free := make(chan struct{}, hands)
	pause := shortPause
	for ctx.Err() == nil {
		due, err := s.due(ctx, ill, hands)
		if err != nil && ctx.Err() == nil {
			s.log.Error("targets with something to pass on not listed", "error", err)
		}
		for _, l := range due {
			select {
			case <-ctx.Done():
				return
			case free <- struct{}{}:
			}
			work.Go(func() {
				defer func() { <-free }()
				if err := s.serve(ctx, l); err != nil && ctx.Err() == nil {
					s.log.Error("not passed on", "tenant", l.Tenant, "target", l.Target, "error", err)
				}
			})
		}
		if pause = min(2*pause, longPause); len(due) > 0 {
			pause = shortPause
		}
		wait(ctx, pause)
	}
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// lane is a target with something to pass on.
type lane struct {
	Tenant uuid.UUID `db:"tenant_id"`
	Target uuid.UUID `db:"target_id"`
}

// due lists targets with something to pass on and nobody to serve them: one of every tenant before a second of any, those that were served
// longest ago first.
func (s *Sender) due(ctx context.Context, ill bool, limit int) (lanes []lane, err error) {
	err = s.db.System(ctx, func(tx *tenants.Tx) error {
		return tx.SelectContext(ctx, &lanes, `
			SELECT tenant_id, target_id FROM (
				SELECT l.tenant_id, l.target_id, l.served_at, row_number() OVER (PARTITION BY l.tenant_id ORDER BY l.served_at) AS place
				FROM forward_lanes l JOIN tenants t ON t.id = l.tenant_id AND t.state = ANY($3)
				WHERE l.ready AND l.not_before <= now() AND l.rest_until <= now() AND l.leased_until <= now() AND (l.failures > 0) = $1) d
			ORDER BY place, served_at LIMIT $2`, ill, limit, pq.Array(tenants.StatesOf(tenants.Working)))
	})
	if err != nil {
		return nil, fmt.Errorf("list targets with something to pass on: %w", err)
	}

	return lanes, nil
}

// sweepAll forgets the log of long ago, and queues what never came to a lane.
func (s *Sender) sweepAll(ctx context.Context) {
	for ctx.Err() == nil {
		if err := s.sweep(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("targets not swept", "error", err)
		}
		wait(ctx, sweepEvery)
	}
}

func (s *Sender) sweep(ctx context.Context) error {
	var all []uuid.UUID
	if err := s.db.System(ctx, func(tx *tenants.Tx) error {
		return tx.SelectContext(ctx, &all, `SELECT DISTINCT tenant_id FROM forward_lanes`)
	}); err != nil {
		return fmt.Errorf("list businesses with targets: %w", err)
	}
	for _, tenant := range all {
		if err := s.db.As(ctx, tenant, func(tx *tenants.Tx) error {
			if _, err := tx.ExecContext(ctx, `
				DELETE FROM forwards WHERE tenant_id = $1 AND id IN (
					SELECT id FROM forwards WHERE tenant_id = $1 AND made_at < now() - $2 * interval '1 second' LIMIT 5000)`, tenant, KeepLog.Seconds()); err != nil {
				return fmt.Errorf("forget old forwards: %w", err)
			}

			return ingest.PassOnAside(ctx, tx)
		}); err != nil {
			return err
		}
	}

	return nil
}
