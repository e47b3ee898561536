// Package outbox sends what conversations has stored to be sent: each message once, in the order of its thread, and never to anybody
// but the account it was written to.
package outbox

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"
	"golang.org/x/time/rate"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

const (
	hands      = 8  // numbers served at once by one process
	batch      = 20 // messages of a number before the next number has its turn
	atOnce     = 4  // calls of one number under way, each to another account
	perSecond  = 40 // messages of one number; Meta's own limit is told by 130429
	shortPause = 20 * time.Millisecond
	longPause  = 400 * time.Millisecond
)

// Sender sends messages. Any number of them, in any number of processes, work on one database; a number is served by one at a time.
type Sender struct {
	db    *tenants.DB
	keys  *secrets.Keyring
	graph whatsapp.Graph
	log   *slog.Logger

	mu     sync.Mutex
	limits map[uuid.UUID]*rate.Limiter // by number
	step   func(name string)           // tests end a turn between two steps with it
}

// NewSender makes a Sender; Run starts it.
func NewSender(db *tenants.DB, keys *secrets.Keyring, graph whatsapp.Graph, log *slog.Logger) *Sender {
	return &Sender{db: db, keys: keys, graph: graph, log: log, limits: map[uuid.UUID]*rate.Limiter{}, step: func(string) {}}
}

// Run sends until ctx ends. Calls under way are waited for, and what came of them is kept.
func (s *Sender) Run(ctx context.Context) error {
	ctx = tenants.Often(ctx)
	var turns sync.WaitGroup
	defer turns.Wait()
	free := make(chan struct{}, hands)
	pause := shortPause
	for ctx.Err() == nil {
		due, err := s.due(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.Error("numbers with messages to send not listed", "error", err)
		}
		for _, l := range due {
			select {
			case <-ctx.Done():
				return nil
			case free <- struct{}{}:
			}
			turns.Go(func() {
				defer func() { <-free }()
				if err := s.serve(ctx, l); err != nil && ctx.Err() == nil {
					s.log.Error("messages of a number not sent", "tenant", l.Tenant, "number", l.Number, "error", err)
				}
			})
		}
		if pause = min(2*pause, longPause); len(due) > 0 {
			pause = shortPause
		}
		wait(ctx, pause)
	}

	return nil
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// lane is a number with messages to send.
type lane struct {
	Tenant uuid.UUID `db:"tenant_id"`
	Number uuid.UUID `db:"number_id"`
}

// due lists numbers with messages to send and nobody to send them: one number of every tenant before a second of any, those that were
// served longest ago first.
func (s *Sender) due(ctx context.Context) (lanes []lane, err error) {
	err = s.db.System(ctx, func(tx *tenants.Tx) error {
		return tx.SelectContext(ctx, &lanes, `
			SELECT tenant_id, number_id FROM (
				SELECT o.tenant_id, o.number_id, o.served_at, o.leased_until > now() AS served,
				       row_number() OVER (PARTITION BY o.tenant_id ORDER BY o.leased_until > now() DESC, o.served_at) AS place
				FROM outbox_lanes o JOIN tenants t ON t.id = o.tenant_id AND t.state = ANY($2)
				WHERE o.ready AND o.not_before <= now()) l
			WHERE NOT served ORDER BY place, served_at LIMIT $1`, hands, pq.Array(tenants.StatesOf(tenants.Sending)))
	})
	if err != nil {
		return nil, fmt.Errorf("list numbers with messages to send: %w", err)
	}

	return lanes, nil
}

// limit lets a number send so many messages a second.
func (s *Sender) limit(number uuid.UUID) *rate.Limiter {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ok := s.limits[number]
	if !ok {
		l = rate.NewLimiter(perSecond, batch)
		s.limits[number] = l
	}

	return l
}
