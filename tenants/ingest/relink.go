package ingest

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
)

const relinkContacts = 200 // in one transaction

// relinkStep derives again what a switched rule links, for the next contacts of the job that has waited longest. more tells
// whether there was one to do.
func (w *Worker) relinkStep(ctx context.Context) (more bool, err error) {
	var due []replayJob
	err = w.db.System(ctx, func(tx *tenants.Tx) error {
		return tx.SelectContext(ctx, &due, `
			SELECT id, tenant_id, args, tries FROM jobs
			WHERE kind = $1 AND state IN ('waiting', 'running') AND run_at <= now() ORDER BY run_at LIMIT 1`, identity.KindRelink)
	})
	if err != nil {
		return false, fmt.Errorf("look for switched rules: %w", err)
	}
	if len(due) == 0 {
		return false, nil
	}

	job := due[0]
	err = w.db.As(ctx, job.Tenant, func(tx *tenants.Tx) error { return relink(ctx, tx, job.ID) })
	if err != nil && ctx.Err() == nil {
		return true, w.postpone(ctx, job, err)
	}

	return true, err
}

func relink(ctx context.Context, tx *tenants.Tx, id uuid.UUID) error {
	// First the tenant, then the job, so that two workers do not wait for each other.
	if err := identity.Lock(ctx, tx); err != nil {
		return err
	}
	var raw []byte
	err := tx.GetContext(ctx, &raw, `SELECT args FROM jobs WHERE id = $1 AND state IN ('waiting', 'running') FOR UPDATE`, id)
	if noRows(err) {
		return nil // another worker has finished it
	}
	if err != nil {
		return fmt.Errorf("claim job: %w", err)
	}
	var args identity.RelinkArgs
	if err := json.Unmarshal(raw, &args); err != nil {
		return fmt.Errorf("read job: %w", err)
	}

	last, looked, err := identity.Relink(ctx, tx, args.Evidence, args.After, relinkContacts)
	if err != nil {
		return err
	}
	if last == uuid.Nil {
		if _, err := tx.ExecContext(ctx, `UPDATE jobs SET state = 'done', finished_at = now() WHERE id = $1`, id); err != nil {
			return fmt.Errorf("finish job: %w", err)
		}
		return nil
	}
	args.After = last
	if raw, err = json.Marshal(args); err != nil {
		return fmt.Errorf("encode job: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE jobs SET state = 'running', args = $2, done = done + $3, tries = 0, run_at = now() WHERE id = $1`, id, string(raw), looked); err != nil {
		return fmt.Errorf("keep progress of job: %w", err)
	}

	return nil
}
