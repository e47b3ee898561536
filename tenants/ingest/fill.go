package ingest

import (
	"context"
	"fmt"
	"time"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/adoption"
	"github.com/pehchan/pehchan/tenants/identity"
)

// fillEvery: such jobs are made by a migration, so they are rare.
const fillEvery = 5 * time.Second

// fillStep counts a part of what was said to a tenant before there were counts. more tells whether there was one to count.
func (w *Worker) fillStep(ctx context.Context) (more bool, err error) {
	var due []replayJob
	err = w.db.System(ctx, func(tx *tenants.Tx) error {
		return tx.SelectContext(ctx, &due, `
			SELECT id, tenant_id, args, tries FROM jobs
			WHERE kind = $1 AND state IN ('waiting', 'running') AND run_at <= now() ORDER BY run_at LIMIT 1`, adoption.KindFill)
	})
	if err != nil {
		return false, fmt.Errorf("look for a past to count: %w", err)
	}
	if len(due) == 0 {
		return false, nil
	}

	job := due[0]
	err = w.db.As(ctx, job.Tenant, func(tx *tenants.Tx) error {
		if err := identity.Lock(ctx, tx); err != nil {
			return err
		}

		return adoption.ContinueFill(ctx, tx, job.ID)
	})
	if err != nil && ctx.Err() == nil {
		return true, w.postpone(ctx, job, err)
	}

	return true, err
}
