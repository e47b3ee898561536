// Package lives ends the lives of businesses: when the grace of a closing one is over, every row of it goes, from every table that the
// database itself says may hold one, so that no new table can be forgotten.
package lives

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

const (
	// KindErase is the kind of the job that erases a business.
	KindErase = "tenant_erase"
	// KindErased is the kind of the job that tells an owner of before that it is done.
	KindErased = "tenant_erased"

	lookEvery = 20 * time.Second
	workLimit = 10 * time.Minute // a job claimed and not done by then is another worker's
	tryAgain  = 5 * time.Minute
)

// Worker erases businesses whose grace is over. Any number of them, in any number of processes, work on one database.
type Worker struct {
	db  *tenants.DB
	log *slog.Logger
}

// NewWorker makes a Worker; Run starts it.
func NewWorker(db *tenants.DB, log *slog.Logger) *Worker { return &Worker{db: db, log: log} }

// Run erases until ctx ends.
func (w *Worker) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()

	for {
		if err := w.Step(ctx); err != nil && ctx.Err() == nil {
			w.log.Error("closed businesses not erased", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// job is the erasing of a business: what has gone so far, by table, and who belonged to nobody else.
type job struct {
	ID     uuid.UUID
	Tenant uuid.UUID        `json:"tenant_id"`
	Rows   map[string]int64 `json:"rows"`
	People []uuid.UUID      `json:"people"`
	Again  bool             `json:"again"` // it was erased before, and a backup brought it back
}

// Step works on the one business that has been due longest, if any is.
func (w *Worker) Step(ctx context.Context) error {
	var due []struct {
		ID   uuid.UUID `db:"id"`
		Args []byte    `db:"args"`
	}
	err := w.db.System(ctx, func(tx *tenants.Tx) error {
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO jobs (id, kind, args)
			SELECT md5($1::text || ' ' || id)::uuid, $1, jsonb_build_object('tenant_id', id, 'rows', '{}'::jsonb, 'people', '[]'::jsonb)
			FROM tenants WHERE state = 'closing' AND erase_after <= now()
			ON CONFLICT (id) DO NOTHING`, KindErase); err != nil {
			return fmt.Errorf("plan erasing: %w", err)
		}

		return tx.SelectContext(ctx, &due, `
			UPDATE jobs SET state = 'running', run_at = now() + make_interval(secs => $2)
			WHERE id IN (SELECT id FROM jobs WHERE kind = $1 AND state IN ('waiting', 'running') AND run_at <= now()
			             ORDER BY run_at LIMIT 1 FOR UPDATE SKIP LOCKED)
			RETURNING id, args`, KindErase, workLimit.Seconds())
	})
	if err != nil {
		return fmt.Errorf("look for businesses to erase: %w", err)
	}

	for _, row := range due {
		j := job{ID: row.ID}
		if err := json.Unmarshal(row.Args, &j); err != nil {
			return fmt.Errorf("read job: %w", err)
		}
		if err := w.erase(ctx, &j); err != nil {
			if ctx.Err() != nil {
				return err
			}
			w.log.Error("business not erased", "tenant", j.Tenant, "error", err)
			if err := w.putOff(ctx, j); err != nil {
				return err
			}
		}
	}

	return nil
}

func (w *Worker) putOff(ctx context.Context, j job) error {
	return w.db.System(ctx, func(tx *tenants.Tx) error {
		_, err := tx.ExecContext(ctx, `
			UPDATE jobs SET state = 'waiting', tries = tries + 1, problem = 'not all could be erased', run_at = now() + make_interval(secs => $2)
			WHERE id = $1`, j.ID, tryAgain.Seconds())

		return err
	})
}

// keep notes how far a job is, and claims it for longer.
func (w *Worker) keep(ctx context.Context, j *job) error {
	return w.db.System(ctx, func(tx *tenants.Tx) error { return note(ctx, tx, j) })
}

func note(ctx context.Context, tx *tenants.Tx, j *job) error {
	args, err := json.Marshal(map[string]any{"tenant_id": j.Tenant, "rows": j.Rows, "people": j.People, "again": j.Again})
	if err != nil {
		return fmt.Errorf("note what has gone: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE jobs SET args = $2, run_at = now() + make_interval(secs => $3) WHERE id = $1`, j.ID, string(args), workLimit.Seconds()); err != nil {
		return fmt.Errorf("note what has gone: %w", err)
	}

	return nil
}
