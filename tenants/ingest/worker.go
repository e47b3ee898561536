package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/secrets"
)

// Worker does what happens after a delivery is stored: it splits deliveries, runs lanes, adopts held items, replays, and carries on
// with what was decided for many at once. Any number of them, in any number of processes, work on one database.
type Worker struct {
	Batch int // most items in one transaction of a lane; 400 where 0

	db     *tenants.DB
	log    *slog.Logger
	keys   *secrets.Keyring // nil: codes that customers send back are not recognised, and what comes by numbers that keep no phones waits
	arrive chan struct{}    // deliveries were stored by this process
	ready  chan struct{}    // lanes were made ready by it

	// When the splitter and the lanes last went round, Unix nanoseconds.
	splitting, giving atomic.Int64
}

// The shortest and longest time a loop that found nothing to do waits before it looks again. What another process stored is
// found by looking; what this one stored wakes the loop at once.
const (
	shortPause = 5 * time.Millisecond
	longPause  = 250 * time.Millisecond
	adoptEvery = 10 * time.Second
	jobsEvery  = 500 * time.Millisecond
)

// NewWorker makes a Worker; Run starts it.
func NewWorker(db *tenants.DB, log *slog.Logger) *Worker {
	w := &Worker{db: db, log: log, arrive: make(chan struct{}, 1), ready: make(chan struct{}, 1)}
	w.splitting.Store(time.Now().UnixNano())
	w.giving.Store(time.Now().UnixNano())

	return w
}

// Recognise has the worker know the link-back codes that customers send, and seal and open what comes by numbers that keep no phones;
// it is called before Run.
func (w *Worker) Recognise(keys *secrets.Keyring) { w.keys = keys }

// unwellAfter is how long the splitter or the lanes may take for one round; they take some milliseconds, or seconds over a heavy
// batch, also while the database is away.
const unwellAfter = time.Minute

// Well says nil while the work goes round, and else what stands still: something that a new process would mend.
func (w *Worker) Well() error {
	for what, at := range map[string]*atomic.Int64{"the splitter": &w.splitting, "the lanes": &w.giving} {
		if since := time.Since(time.Unix(0, at.Load())); since > unwellAfter {
			return fmt.Errorf("%s stood still for %s", what, since.Round(time.Second))
		}
	}

	return nil
}

// Wake tells the worker that a delivery was stored, so that it need not find out by looking. It never blocks.
func (w *Worker) Wake() { signal(w.arrive) }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run works until ctx ends. Work under way is rolled back and waits for the next worker.
func (w *Worker) Run(ctx context.Context) error {
	var loops sync.WaitGroup
	loops.Go(func() { w.splitAll(ctx) })
	loops.Go(func() { w.runLanes(ctx, min(max(runtime.GOMAXPROCS(0)+1, 2), 8)) })
	loops.Go(func() { w.every(ctx, adoptEvery, "adopt held items", w.adoptConnected) })
	loops.Go(func() { w.every(ctx, jobsEvery, "replay", w.replayStep) })
	loops.Go(func() { w.every(ctx, jobsEvery, "relink", w.relinkStep) })
	loops.Go(func() { w.every(ctx, jobsEvery, "decide many cases", w.bulkStep) })
	loops.Go(func() { w.every(ctx, fillEvery, "count the past", w.fillStep) })
	loops.Wait()

	return nil
}

// splitAll splits whatever is stored. After a batch that the database would not take, each delivery of it goes by itself.
func (w *Worker) splitAll(ctx context.Context) {
	pause, alone := shortPause, 0
	for ctx.Err() == nil {
		w.splitting.Store(time.Now().UnixNano())
		var (
			n   int
			err error
		)
		if alone > 0 {
			alone--
			n, err = w.splitAlone(ctx)
		} else {
			n, err = w.split(ctx, splitRows)
		}

		switch {
		case ctx.Err() != nil:
			return
		case err != nil && later(err):
			w.log.Error("deliveries not split", "error", err)
			wait(ctx, longPause, nil)
		case err != nil:
			w.log.Error("deliveries not split; trying each by itself", "error", class(err))
			alone = splitRows
			wait(ctx, shortPause, nil)
		case n > 0:
			signal(w.ready)
			pause = shortPause
		case wait(ctx, pause, w.arrive):
			pause, alone = shortPause, 0
		default:
			pause, alone = min(pause*2, longPause), 0
		}
	}
}

// every does something again and again: at once while it says that there is more to do.
func (w *Worker) every(ctx context.Context, pause time.Duration, what string, step func(context.Context) (more bool, err error)) {
	for ctx.Err() == nil {
		more, err := step(ctx)
		if err != nil && ctx.Err() == nil {
			w.log.Error("background work failed", "work", what, "error", err)
		}
		if !more || err != nil {
			wait(ctx, pause, nil)
		}
	}
}

// wait waits for d, and tells whether it was woken before.
func wait(ctx context.Context, d time.Duration, woken <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()

	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-woken:
		return true
	}

	return false
}
