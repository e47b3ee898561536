package ingest

import (
	"context"
	"fmt"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
)

// bulkStep carries on with many cases decided at once, those that have waited longest first. more tells whether there was a step to do.
func (w *Worker) bulkStep(ctx context.Context) (more bool, err error) {
	var due []replayJob
	err = w.db.System(ctx, func(tx *tenants.Tx) error {
		return tx.SelectContext(ctx, &due, `
			SELECT id, tenant_id, args, tries FROM jobs
			WHERE kind = $1 AND state IN ('waiting', 'running') AND run_at <= now() ORDER BY run_at LIMIT 1`, identity.KindBulk)
	})
	if err != nil {
		return false, fmt.Errorf("look for cases decided at once: %w", err)
	}
	if len(due) == 0 {
		return false, nil
	}

	job := due[0]
	err = w.db.As(ctx, job.Tenant, func(tx *tenants.Tx) error { return identity.ContinueBulk(ctx, tx, job.ID) })
	if err != nil && ctx.Err() == nil {
		return true, w.postpone(ctx, job, err)
	}

	return true, err
}
