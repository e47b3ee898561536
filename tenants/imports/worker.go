package imports

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/secrets"
)

const (
	lookEvery = 500 * time.Millisecond
	maxTries  = 8
	batchRows = 500
	// Lanes ask for the tenant's lock rather than wait for it, so between two batches they get a moment.
	breath = 15 * time.Millisecond
)

// Worker carries imports out. Any number of them, in any number of processes, work on one database.
type Worker struct {
	db   *tenants.DB
	keys *secrets.Keyring
	log  *slog.Logger
}

// NewWorker makes a Worker that knows by keys who asked to be erased; Run starts it.
func NewWorker(db *tenants.DB, keys *secrets.Keyring, log *slog.Logger) *Worker {
	return &Worker{db: db, keys: keys, log: log}
}

// Run works until ctx ends. A batch under way is rolled back and waits for the next worker.
func (w *Worker) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		more, err := w.step(ctx)
		if err != nil && ctx.Err() == nil {
			w.log.Error("import not carried on", "error", err)
		}
		pause := lookEvery
		if more && err == nil {
			pause = breath
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}

	return nil
}

type jobArgs struct {
	Import uuid.UUID `json:"import_id"`
	Step   string    `json:"step"`       // Checking, Running or Undoing
	Again  bool      `json:"again"`      // it failed, and an operator has it go on where it was
	Kind   string    `json:"actor_kind"` // who asked for the step
	By     string    `json:"actor_id"`
	Name   string    `json:"actor_name"`
}

type job struct {
	ID     uuid.UUID `db:"id"`
	Tenant uuid.UUID `db:"tenant_id"`
	Args   []byte    `db:"args"`
	Tries  int       `db:"tries"`
}

// step does one batch of the import whose turn it is. more tells whether there was one to do.
func (w *Worker) step(ctx context.Context) (more bool, err error) {
	var due []job
	err = w.db.System(ctx, func(tx *tenants.Tx) error {
		return tx.SelectContext(ctx, &due, `
			SELECT id, tenant_id, args, tries FROM jobs
			WHERE kind = $1 AND state IN ('waiting', 'running') AND run_at <= now() ORDER BY run_at LIMIT 8`, jobKind)
	})
	if err != nil {
		return false, fmt.Errorf("look for imports: %w", err)
	}

	for _, j := range due {
		var mine bool
		err := w.db.As(ctx, j.Tenant, func(tx *tenants.Tx) (err error) {
			mine, err = w.batch(ctx, tx, j.ID)
			return err
		})
		if err != nil && ctx.Err() == nil {
			return true, w.postpone(ctx, j, err)
		}
		if err != nil || mine {
			return mine, err
		}
	}

	return false, nil
}

// batch takes the next rows of a job's import through its step, and keeps how far it has come in the same transaction. mine is
// false where another worker is at it.
func (w *Worker) batch(ctx context.Context, tx *tenants.Tx, id uuid.UUID) (mine bool, err error) {
	var j job
	err = tx.GetContext(ctx, &j, `
		SELECT id, tenant_id, args, tries FROM jobs WHERE id = $1 AND state IN ('waiting', 'running') FOR UPDATE SKIP LOCKED`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("claim import: %w", err)
	}
	var args jobArgs
	if err := json.Unmarshal(j.Args, &args); err != nil {
		return false, fmt.Errorf("read job: %w", err)
	}
	// Locked, so that who stops it waits for this batch and no other follows.
	by := tenants.Actor{Kind: args.Kind, ID: args.By, Name: args.Name}
	i, err := locked(ctx, tx, args.Import)
	if errors.Is(err, tenants.ErrNotFound) {
		return true, end(ctx, tx, i, id, by) // stopped and thrown away since
	}
	if err != nil {
		return false, err
	}
	if i.Job == nil || *i.Job != id {
		i.State = "" // stopped, and at another step since
	} else if args.Again {
		if i.State, err = revive(ctx, tx, i, id, args.Step); err != nil {
			return false, err
		}
	}

	after := i.AtRow
	if i.Mapping.Headed {
		after = max(after, 1)
	}
	last, err := after, error(nil)
	switch i.State {
	case Checking, Running:
		last, err = take(ctx, tx, w.keys, i, after)
	case Undoing:
		last, err = takeBack(ctx, tx, by, i, after)
	}
	if err != nil {
		return false, err
	}
	if last > after {
		return true, keep(ctx, tx, i, id, last)
	}

	return true, end(ctx, tx, i, id, by)
}

// revive puts an import that failed back to the step that failed, as far as it was, and returns its state. One that somebody has thrown to another
// state since stays there.
func revive(ctx context.Context, tx *tenants.Tx, i Import, id uuid.UUID, step string) (string, error) {
	if _, err := tx.ExecContext(ctx, `UPDATE jobs SET args = args - 'again' WHERE id = $1`, id); err != nil {
		return "", fmt.Errorf("begin job again: %w", err)
	}
	if i.State != Failed && (i.State != Unmapped || step != Checking) {
		return i.State, nil
	}
	if _, err := tx.ExecContext(ctx, `UPDATE imports SET state = $3, ended_at = NULL WHERE tenant_id = $1 AND id = $2`, tx.Tenant, i.ID, step); err != nil {
		return "", fmt.Errorf("begin import again: %w", err)
	}

	return step, audit(ctx, tx, tenants.SystemActor, "import.again", i.ID, map[string]any{"at_row": i.AtRow})
}

func keep(ctx context.Context, tx *tenants.Tx, i Import, id uuid.UUID, last int) error {
	if _, err := tx.ExecContext(ctx, `UPDATE imports SET at_row = $3 WHERE tenant_id = $1 AND id = $2`, tx.Tenant, i.ID, last); err != nil {
		return fmt.Errorf("keep progress of import: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE jobs SET state = 'running', done = $2, tries = 0, run_at = now() WHERE id = $1`, id, last); err != nil {
		return fmt.Errorf("keep progress of job: %w", err)
	}

	return nil
}

// end closes a step: nothing is left to do.
func end(ctx context.Context, tx *tenants.Tx, i Import, id uuid.UUID, actor tenants.Actor) error {
	next := map[string]string{Checking: Checked, Running: Done, Undoing: Undone}[i.State]
	if _, err := tx.ExecContext(ctx, `UPDATE jobs SET state = 'done', done = total, finished_at = now() WHERE id = $1`, id); err != nil {
		return fmt.Errorf("finish job: %w", err)
	}
	if next == "" {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE imports SET state = $3, at_row = rows, ended_at = CASE WHEN $3 = 'checked' THEN NULL ELSE now() END WHERE tenant_id = $1 AND id = $2`,
		tx.Tenant, i.ID, next); err != nil {
		return fmt.Errorf("finish import: %w", err)
	}
	switch next {
	case Done:
		return audit(ctx, tx, actor, "import.done", i.ID, map[string]any{
			"new": i.New, "changed": i.Changed, "same": i.Same, "conflict": i.Conflict, "skipped": i.Skipped,
		})
	case Undone:
		return audit(ctx, tx, actor, "import.undone", i.ID, map[string]any{"undone": i.Reverted, "kept": i.Kept})
	}

	return nil
}

// postpone has a batch that failed tried again later; one that fails for good ends its import, which can then be taken back.
func (w *Worker) postpone(ctx context.Context, j job, cause error) error {
	w.log.Error("import batch failed", "job", j.ID, "tenant", j.Tenant, "error", cause)
	dead := j.Tries+1 >= maxTries && !tenants.Away(cause)

	return w.db.As(ctx, j.Tenant, func(tx *tenants.Tx) error {
		if _, err := tx.ExecContext(ctx, `
			UPDATE jobs SET tries = tries + 1, run_at = now() + least(tries + 1, 30) * interval '1 second',
			       state = CASE WHEN $2 THEN 'dead' ELSE state END, problem = CASE WHEN $2 THEN 'import_failed' ELSE problem END,
			       finished_at = CASE WHEN $2 THEN now() END
			WHERE id = $1`, j.ID, dead); err != nil {
			return fmt.Errorf("postpone import: %w", err)
		}
		if !dead {
			return nil
		}
		if _, err := tx.ExecContext(ctx, `
			UPDATE imports SET state = CASE state WHEN 'checking' THEN 'mapping' ELSE 'failed' END, ended_at = now() WHERE tenant_id = $1 AND job_id = $2`, j.Tenant, j.ID); err != nil {
			return fmt.Errorf("end import: %w", err)
		}

		return nil
	})
}
