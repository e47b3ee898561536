package tenants

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"
)

// Rota is work that is done for each business again and again, by any number of processes: each has one job of the kind for ever.
type Rota struct {
	Kind   string
	AtOnce int           // how many are claimed
	Limit  time.Duration // a job claimed and not done by then is another worker's
}

// Turn is that a business's time has come. First: its job is new, and only wants its day.
type Turn struct {
	Tenant uuid.UUID `db:"tenant_id"`
	First  bool      `db:"first"`
}

// Plan gives every business that gets mails its job.
func (r Rota) Plan(ctx context.Context, db *DB) error {
	err := db.System(ctx, func(tx *Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO jobs (id, tenant_id, kind, args)
			SELECT md5($1::text || ' ' || t.id)::uuid, t.id, $1, '{}' FROM tenants t
			WHERE t.state = ANY($2) AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.id = md5($1::text || ' ' || t.id)::uuid)
			ON CONFLICT (id) DO NOTHING`, r.Kind, pq.Array(StatesOf(Mailing)))

		return err
	})
	if err != nil {
		return fmt.Errorf("plan jobs of %s: %w", r.Kind, err)
	}

	return nil
}

// Claim claims a few businesses whose time has come. One that is not ended by Next is due again some minutes later.
func (r Rota) Claim(ctx context.Context, db *DB) ([]Turn, error) {
	var due []Turn
	err := db.System(ctx, func(tx *Tx) error {
		return tx.SelectContext(ctx, &due, `
			UPDATE jobs SET state = 'running', run_at = now() + make_interval(secs => $2)
			WHERE id IN (SELECT id FROM jobs WHERE kind = $3 AND state IN ('waiting', 'running') AND run_at <= now()
			             ORDER BY run_at LIMIT $1 FOR UPDATE SKIP LOCKED)
			RETURNING tenant_id, done = 0 AS first`, r.AtOnce, r.Limit.Seconds(), r.Kind)
	})
	if err != nil {
		return nil, fmt.Errorf("look for jobs of %s: %w", r.Kind, err)
	}

	return due, nil
}

// Next ends the job of tx's tenant for now, until at.
func (r Rota) Next(ctx context.Context, tx *Tx, at time.Time) error {
	if _, err := tx.ExecContext(ctx, `
		UPDATE jobs SET state = 'waiting', run_at = $2, done = done + 1, finished_at = now()
		WHERE id = md5($3::text || ' ' || $1::uuid)::uuid AND tenant_id = $1`, tx.Tenant, at, r.Kind); err != nil {
		return fmt.Errorf("plan the next job of %s: %w", r.Kind, err)
	}

	return nil
}
