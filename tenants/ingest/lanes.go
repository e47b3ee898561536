package ingest

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// lane is a tenant with items waiting, as one process sees it.
type lane struct {
	tenant uuid.UUID
	limit  int // items in its next batch: halved by what fails for a while, doubled by what succeeds
}

// turned is a lane after its turn.
type turned struct {
	lane
	after after
	err   error
}

// after is what a lane does after its turn.
type after int

const (
	sleeps  after = iota // nothing waits
	goesOn               // more is waiting
	isTaken              // somebody else works on its tenant just now
	rests                // failed, and may succeed later
)

const (
	laneRows   = 2000 // an event is the cheaper the more are near it in the indexes; half a second, for which the tenant is locked
	laneBytes  = 8 << 20
	maxLanes   = 1000 // listed at a time
	takenPause = 10 * time.Millisecond
	restPause  = 500 * time.Millisecond
)

// runLanes gives each lane that is ready one turn after the other, so that a tenant with much to do keeps nobody waiting for
// longer than a batch. At most hands turns run at once.
func (w *Worker) runLanes(ctx context.Context, hands int) {
	work, back := make(chan lane), make(chan turned)
	var turns sync.WaitGroup
	for range hands {
		turns.Go(func() {
			for l := range work {
				back <- w.turn(ctx, l)
			}
		})
	}
	defer turns.Wait()
	defer close(work)

	var (
		queue   []lane
		known   = map[uuid.UUID]bool{} // queued or having its turn
		resting = map[uuid.UUID]lane{}
		until   = map[uuid.UUID]time.Time{}
		pause   = shortPause
		timer   = time.NewTimer(0)
		running int
	)
	defer timer.Stop()
	for {
		w.giving.Store(time.Now().UnixNano())
		var (
			give chan<- lane
			next lane
		)
		if len(queue) > 0 && ctx.Err() == nil {
			give, next = work, queue[0]
		}
		if ctx.Err() != nil && running == 0 {
			return
		}

		done := ctx.Done()
		if ctx.Err() != nil {
			done = nil // only waiting for the turns under way
		}
		select {
		case <-done:
		case give <- next:
			queue, running = queue[1:], running+1
		case t := <-back:
			running--
			switch t.after {
			case goesOn:
				queue = append(queue, t.lane)
				continue
			case isTaken:
				resting[t.tenant], until[t.tenant] = t.lane, time.Now().Add(takenPause)
			case rests:
				w.log.Warn("lane rests", "tenant", t.tenant, "error", t.err)
				resting[t.tenant], until[t.tenant] = t.lane, time.Now().Add(restPause)
			case sleeps:
			}
			delete(known, t.tenant)
		case <-w.ready:
			timer.Reset(0)
		case <-timer.C:
			fresh, err := w.readyLanes(ctx)
			if err != nil && ctx.Err() == nil {
				w.log.Error("lanes not listed", "error", err)
			}
			before := len(queue)
			for _, tenant := range fresh {
				if known[tenant] || time.Now().Before(until[tenant]) {
					continue
				}
				l, rested := resting[tenant]
				if !rested {
					l = lane{tenant: tenant, limit: w.batch()}
				}
				delete(resting, tenant)
				delete(until, tenant)
				known[tenant] = true
				queue = append(queue, l)
			}
			if len(queue) > before || len(resting) > 0 {
				pause = shortPause
			} else {
				pause = min(pause*2, longPause)
			}
			timer.Reset(pause)
		}
	}
}

func (w *Worker) batch() int {
	if w.Batch == 0 {
		return laneRows
	}

	return w.Batch
}

// readyLanes lists tenants with items waiting, the one whose last item is oldest first.
func (w *Worker) readyLanes(ctx context.Context) (ready []uuid.UUID, err error) {
	err = w.db.System(ctx, func(tx *tenants.Tx) error {
		return tx.SelectContext(ctx, &ready, `
			SELECT tenant_id FROM lanes WHERE ready AND not_before <= now() ORDER BY not_before LIMIT $1`, maxLanes)
	})
	if err != nil {
		return nil, fmt.Errorf("list ready lanes: %w", err)
	}

	return ready, nil
}

// sleep puts a lane that was found empty to rest, unless items came since gen was read; then it stays ready. An item that
// failed and is to be tried again wakes it when its time comes.
func (w *Worker) sleep(ctx context.Context, tenant uuid.UUID, gen int64) error {
	return w.db.As(ctx, tenant, func(tx *tenants.Tx) error {
		var next sql.NullTime
		if err := tx.GetContext(ctx, &next, `
			SELECT min(not_before) FROM inbox_items WHERE tenant_id = $1 AND state = 'waiting'`, tenant); err != nil {
			return fmt.Errorf("look for items to try again: %w", err)
		}
		if _, err := tx.ExecContext(ctx, `
			UPDATE lanes SET ready = $3::timestamptz IS NOT NULL, not_before = coalesce($3, now())
			WHERE tenant_id = $1 AND gen = $2`, tenant, gen, next); err != nil {
			return fmt.Errorf("put lane to sleep: %w", err)
		}

		return nil
	})
}
