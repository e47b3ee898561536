package privacy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/erased"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/phonefree"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// What is done for the privacy of customers by and by. The id of a job is made of its kind and what it is about.
const (
	jobErase  = "privacy_erase"  // go on erasing whom a request is about
	jobRetain = "privacy_retain" // let what is old go
)

// errAgain: to be tried again a while later.
var errAgain = errors.New("not yet")

// plan has a job done at a time, once more where it was done before.
func plan(ctx context.Context, tx *tenants.Tx, kind string, about uuid.UUID, at time.Time) error {
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO jobs (id, tenant_id, kind, args, run_at)
		VALUES (md5($2::text || ' ' || $3::uuid)::uuid, $1, $2, jsonb_build_object('about', $3::uuid), $4)
		ON CONFLICT (id) DO UPDATE SET state = 'waiting', run_at = excluded.run_at, tries = 0, problem = '', finished_at = NULL`,
		tx.Tenant, kind, about, at); err != nil {
		return fmt.Errorf("plan %s: %w", kind, err)
	}

	return nil
}

// Worker erases and lets go. Any number of them, in any number of processes, work on one database.
type Worker struct {
	db    *tenants.DB
	keys  *secrets.Keyring
	graph whatsapp.Graph
	log   *slog.Logger
	parts []part
}

// NewWorker makes a Worker that asks graph; Run starts it.
func NewWorker(db *tenants.DB, keys *secrets.Keyring, graph whatsapp.Graph, log *slog.Logger) *Worker {
	return &Worker{db: db, keys: keys, graph: graph, log: log, parts: parts}
}

const (
	lookEvery  = time.Second
	cutEvery   = 30 * time.Second
	dueAtOnce  = 4
	workLimit  = time.Minute // a job claimed and not finished by then is another worker's
	tryAgainIn = time.Minute
)

// Run works until ctx ends.
func (w *Worker) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()

	var cut time.Time
	for {
		if err := w.step(ctx); err != nil && ctx.Err() == nil {
			w.log.Error("privacy not looked after", "error", err)
		}
		if time.Since(cut) > cutEvery {
			cut = time.Now()
			if err := w.CutReturned(ctx); err != nil && ctx.Err() == nil {
				w.log.Error("deliveries of the erased not cut", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

type job struct {
	ID     uuid.UUID `db:"id"`
	Tenant uuid.UUID `db:"tenant_id"`
	Kind   string    `db:"kind"`
	About  uuid.UUID `db:"about"`
}

// step does the jobs that are due, at most a handful. One that fails is tried again later.
func (w *Worker) step(ctx context.Context) error {
	var due []job
	err := w.db.System(ctx, func(tx *tenants.Tx) error {
		// Who waits to be erased comes before what is merely old. What is claimed here is due again after workLimit, should this process die over it.
		return tx.SelectContext(ctx, &due, `
			UPDATE jobs SET state = 'running', run_at = now() + make_interval(secs => $2)
			WHERE id IN (SELECT id FROM jobs
			             WHERE kind IN ($3, $4) AND state IN ('waiting', 'running') AND run_at <= now()
			             ORDER BY kind = $4, run_at LIMIT $1 FOR UPDATE SKIP LOCKED)
			RETURNING id, tenant_id, kind, (args->>'about')::uuid AS about`,
			dueAtOnce, workLimit.Seconds(), jobErase, jobRetain)
	})
	if err != nil {
		return fmt.Errorf("look for privacy jobs: %w", err)
	}

	for _, j := range due {
		next, err := w.do(ctx, j)
		if err != nil {
			if ctx.Err() != nil {
				return fmt.Errorf("%s: %w", j.Kind, err)
			}
			if !errors.Is(err, errAgain) {
				w.log.Error("privacy job failed", "job", j.Kind, "tenant", j.Tenant, "error", err)
			}
			next = time.Now().Add(tryAgainIn)
		}
		if err := w.reschedule(ctx, j, next); err != nil {
			return err
		}
	}

	return nil
}

// do does a job and returns when to do it next; the zero time means never.
func (w *Worker) do(ctx context.Context, j job) (next time.Time, err error) {
	if j.Kind == jobRetain {
		return w.retain(ctx, j.Tenant)
	}

	return w.erase(ctx, j.Tenant, j.About)
}

// reschedule leaves alone a job that somebody planned anew while it was done.
func (w *Worker) reschedule(ctx context.Context, j job, next time.Time) error {
	var at *time.Time
	if !next.IsZero() {
		at = &next
	}
	err := w.db.As(ctx, j.Tenant, func(tx *tenants.Tx) error {
		_, err := tx.ExecContext(ctx, `
			UPDATE jobs
			SET state = CASE WHEN $2::timestamptz IS NULL THEN 'done' ELSE 'waiting' END, run_at = coalesce($2, run_at),
			    finished_at = CASE WHEN $2::timestamptz IS NULL THEN now() END
			WHERE id = $1 AND state = 'running'`, j.ID, at)

		return err
	})
	if err != nil {
		return fmt.Errorf("reschedule %s: %w", j.Kind, err)
	}

	return nil
}

// CutReturned takes what came again of people who were erased out of the deliveries it came in. Who they were is known by their
// tombstones alone.
func (w *Worker) CutReturned(ctx context.Context) error {
	due, err := ingest.CutWaits(ctx, w.db)
	if err != nil {
		return err
	}
	for _, tenant := range due {
		for n := 1; n > 0; {
			if n, err = w.cutDeliveries(ctx, tenant); err != nil {
				return err
			}
		}
	}

	return nil
}

// cutDeliveries takes everybody of a tenant who is or is being erased out of the next deliveries.
func (w *Worker) cutDeliveries(ctx context.Context, tenant uuid.UUID) (n int, err error) {
	who := func(ctx context.Context) (erased.Person, error) { return w.everybody(ctx, tenant) }

	return ingest.CutDeliveries(ctx, w.db, w.keys, tenant, who, eraseRows)
}

// everybody is all whom a tenant has erased, known by their tombstones, and all whom it is erasing, known also as others may have written
// them, as one person to be cut out.
func (w *Worker) everybody(ctx context.Context, tenant uuid.UUID) (erased.Person, error) {
	h, hidden, known := erased.For(w.keys, tenant), phonefree.For(w.keys, tenant), map[string]bool{}
	var words []string
	err := w.db.As(ctx, tenant, func(tx *tenants.Tx) error {
		var sealed [][]byte
		if err := tx.SelectContext(ctx, &sealed, `SELECT subject FROM erasures WHERE tenant_id = $1 AND subject IS NOT NULL`, tenant); err != nil {
			return fmt.Errorf("read whom a business is erasing: %w", err)
		}
		for _, raw := range sealed {
			s, err := w.open(tenant, raw)
			if err != nil {
				return err
			}
			words = append(words, s.Words...)
		}
		for after := []byte(nil); ; {
			stones, err := erased.After(ctx, tx, after, eraseScan)
			if err != nil || len(stones) == 0 {
				return err
			}
			for _, s := range stones {
				if s.Kind == erased.Identifier {
					known[string(s.Hash)] = true
				}
			}
			after = stones[len(stones)-1].Hash
		}
	})
	gone := func(id string) bool { return known[string(h.Hash(erased.Identifier, id))] }
	p := erased.Named(words, hidden.Phone)
	going := p.Is
	p.Is = func(id string) bool {
		return going(id) || gone(id) || whatsapp.Digits(id) == id && gone(hidden.Phone(id))
	}

	return p, err
}
