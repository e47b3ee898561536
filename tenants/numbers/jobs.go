package numbers

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/notices"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// What is done for a number by and by. A number has at most one job of a kind.
const (
	jobToken  = "number_token"   // ask Meta about its token
	jobSync   = "number_sync"    // see what came of its old chats and saved contacts
	jobClean  = "number_clean"   // take phones out of what was stored before it kept none
	jobForget = "number_forget"  // end the grace of a disconnected one
	jobListen = "number_silence" // see whether it has fallen silent
	jobWiden  = "number_widen"   // move its many customers to the scope of the portfolio in portfolio_id
)

// plan has a job done at a time, once more where it was done before.
func plan(ctx context.Context, tx *tenants.Tx, kind string, number uuid.UUID, at time.Time) error {
	return planWith(ctx, tx, kind, number, at, nil)
}

// planWith is plan for a job that is told more than its number.
func planWith(ctx context.Context, tx *tenants.Tx, kind string, number uuid.UUID, at time.Time, args map[string]any) error {
	told := map[string]any{"number_id": number}
	maps.Copy(told, args)
	raw, err := json.Marshal(told)
	if err != nil {
		return fmt.Errorf("plan %s of number %s: %w", kind, number, err)
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO jobs (id, tenant_id, kind, args, run_at) VALUES (md5($2::text || ' ' || $3::uuid)::uuid, $1, $2, $5, $4)
		ON CONFLICT (id) DO UPDATE
		SET state = 'waiting', args = excluded.args, run_at = excluded.run_at, tries = 0, problem = '', finished_at = NULL`,
		tx.Tenant, kind, number, at, string(raw)); err != nil {
		return fmt.Errorf("plan %s of number %s: %w", kind, number, err)
	}

	return nil
}

func drop(ctx context.Context, tx *tenants.Tx, kind string, number uuid.UUID) error {
	if _, err := tx.ExecContext(ctx, `
		DELETE FROM jobs WHERE id = md5($2::text || ' ' || $3::uuid)::uuid AND tenant_id = $1`, tx.Tenant, kind, number); err != nil {
		return fmt.Errorf("drop %s of number %s: %w", kind, number, err)
	}

	return nil
}

// Worker does the jobs of numbers. Any number of them, in any number of processes, work on one database.
type Worker struct {
	db    *tenants.DB
	keys  *secrets.Keyring
	graph whatsapp.Graph
	log   *slog.Logger
}

// NewWorker makes a Worker that asks graph; Run starts it.
func NewWorker(db *tenants.DB, keys *secrets.Keyring, graph whatsapp.Graph, log *slog.Logger) *Worker {
	return &Worker{db: db, keys: keys, graph: graph, log: log}
}

const (
	lookEvery  = time.Second
	dueAtOnce  = 8
	workLimit  = time.Minute // a job claimed and not finished by then is another worker's
	tryAgainIn = 15 * time.Minute
)

// Run works until ctx ends.
func (w *Worker) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()

	for {
		if err := w.step(ctx); err != nil && ctx.Err() == nil {
			w.log.Error("numbers not looked after", "error", err)
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
	Number uuid.UUID `db:"number_id"`

	Portfolio string `db:"portfolio_id"` // of jobWiden
}

// step does the jobs that are due, at most a handful, each claimed when its turn comes. One that fails is tried again later.
func (w *Worker) step(ctx context.Context) error {
	for range dueAtOnce {
		j, found, err := w.claim(ctx)
		if err != nil || !found {
			return err
		}
		next, err := w.do(ctx, j)
		if err != nil {
			if ctx.Err() != nil {
				return fmt.Errorf("%s of number %s: %w", j.Kind, j.Number, err)
			}
			w.log.Error("job of a number failed", "job", j.Kind, "tenant", j.Tenant, "number", j.Number, "error", err)
			next = time.Now().Add(tryAgainIn)
		}
		if err := w.reschedule(ctx, j, next); err != nil {
			return err
		}
	}

	return nil
}

// claim takes the job that has been due for longest. It is due again after workLimit, should this process die over it.
func (w *Worker) claim(ctx context.Context) (j job, found bool, err error) {
	err = w.db.System(ctx, func(tx *tenants.Tx) error {
		return tx.GetContext(ctx, &j, `
			UPDATE jobs SET state = 'running', run_at = now() + make_interval(secs => $1)
			WHERE id = (SELECT id FROM jobs
			            WHERE kind IN ($2, $3, $4, $5, $6, $7, $8) AND state IN ('waiting', 'running') AND run_at <= now()
			            ORDER BY run_at LIMIT 1 FOR UPDATE SKIP LOCKED)
			RETURNING id, tenant_id, kind, (args->>'number_id')::uuid AS number_id, coalesce(args->>'portfolio_id', '') AS portfolio_id`,
			workLimit.Seconds(), jobToken, jobSync, jobForget, notices.KindPortfolio, jobListen, jobClean, jobWiden)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return job{}, false, nil
	}
	if err != nil {
		return job{}, false, fmt.Errorf("look for jobs of numbers: %w", err)
	}

	return j, true, nil
}

// do does a job and returns when to do it next; the zero time means never.
func (w *Worker) do(ctx context.Context, j job) (next time.Time, err error) {
	switch j.Kind {
	case jobToken:
		return w.checkToken(ctx, j.Tenant, j.Number)
	case jobSync:
		return w.followSync(ctx, j.Tenant, j.Number)
	case jobListen:
		return w.listen(ctx, j.Tenant, j.Number)
	case jobClean:
		return w.clean(ctx, j.Tenant, j.Number)
	case notices.KindPortfolio:
		return time.Time{}, w.hearPortfolio(ctx, j.Tenant, j.Number)
	case jobWiden:
		return time.Time{}, w.widen(ctx, j.Tenant, j.Number, func(*tenants.Tx, Number) (string, error) { return j.Portfolio, nil })
	}

	return time.Time{}, w.db.As(ctx, j.Tenant, func(tx *tenants.Tx) error { return forget(ctx, tx, j.Number) })
}

// reschedule leaves alone a job that somebody planned anew, or dropped, while it was done.
func (w *Worker) reschedule(ctx context.Context, j job, next time.Time) error {
	err := w.db.As(ctx, j.Tenant, func(tx *tenants.Tx) error {
		_, err := tx.ExecContext(ctx, `
			UPDATE jobs
			SET state = CASE WHEN $2::timestamptz IS NULL THEN 'done' ELSE 'waiting' END, run_at = coalesce($2, run_at),
			    finished_at = CASE WHEN $2::timestamptz IS NULL THEN now() END
			WHERE id = $1 AND state = 'running'`, j.ID, nullTime(next))

		return err
	})
	if err != nil {
		return fmt.Errorf("reschedule %s of number %s: %w", j.Kind, j.Number, err)
	}

	return nil
}
