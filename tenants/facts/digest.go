package facts

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// KindDigest is the kind of the job that tells a business's owners once a week by mail what changed. Each tenant has one for ever.
const KindDigest = "digest"

const (
	digestsAtOnce = 8
	digestLimit   = 5 * time.Minute // a job claimed and not done by then is another worker's
	digestHour    = 8               // on Mondays, in the tenant's zone
)

// DueDigest is a digest that is due. First: the tenant's job is new, and only wants its day.
type DueDigest struct {
	Tenant uuid.UUID `db:"tenant_id"`
	First  bool      `db:"first"`
}

// PlanDigests gives every business its job.
func PlanDigests(ctx context.Context, db *tenants.DB) error {
	err := db.System(ctx, func(tx *tenants.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO jobs (id, tenant_id, kind, args)
			SELECT md5($1::text || ' ' || t.id)::uuid, t.id, $1, '{}' FROM tenants t
			WHERE t.state = ANY($2) AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.id = md5($1::text || ' ' || t.id)::uuid)
			ON CONFLICT (id) DO NOTHING`, KindDigest, pq.Array(tenants.StatesOf(tenants.Mailing)))

		return err
	})
	if err != nil {
		return fmt.Errorf("plan digests: %w", err)
	}

	return nil
}

// ClaimDigests claims a few digests that are due. One that is not ended by NextDigest is due again some minutes later.
func ClaimDigests(ctx context.Context, db *tenants.DB) ([]DueDigest, error) {
	var due []DueDigest
	err := db.System(ctx, func(tx *tenants.Tx) error {
		return tx.SelectContext(ctx, &due, `
			UPDATE jobs SET state = 'running', run_at = now() + make_interval(secs => $2)
			WHERE id IN (SELECT id FROM jobs WHERE kind = $3 AND state IN ('waiting', 'running') AND run_at <= now()
			             ORDER BY run_at LIMIT $1 FOR UPDATE SKIP LOCKED)
			RETURNING tenant_id, done = 0 AS first`, digestsAtOnce, digestLimit.Seconds(), KindDigest)
	})
	if err != nil {
		return nil, fmt.Errorf("look for digests: %w", err)
	}

	return due, nil
}

// NextDigest ends the digest of tx's tenant and plans the one of the next week.
func NextDigest(ctx context.Context, tx *tenants.Tx, now time.Time, zone *time.Location) error {
	if _, err := tx.ExecContext(ctx, `
		UPDATE jobs SET state = 'waiting', run_at = $2, done = done + 1, finished_at = now()
		WHERE id = md5($3::text || ' ' || $1::uuid)::uuid AND tenant_id = $1`, tx.Tenant, nextMonday(now, zone), KindDigest); err != nil {
		return fmt.Errorf("plan the next digest: %w", err)
	}

	return nil
}

// nextMonday is the next Monday morning after now, in a zone.
func nextMonday(now time.Time, zone *time.Location) time.Time {
	at := now.In(zone)
	days := (8 - int(at.Weekday())) % 7
	next := time.Date(at.Year(), at.Month(), at.Day()+days, digestHour, 0, 0, 0, zone)
	if !next.After(now) {
		next = time.Date(at.Year(), at.Month(), at.Day()+days+7, digestHour, 0, 0, 0, zone)
	}

	return next
}

// Untold is the news that a person of tx's tenant has neither read nor been told by mail, newest day first, at most limit; all counts
// it. seq is the ledger's end, for Told.
func Untold(ctx context.Context, tx *tenants.Tx, person uuid.UUID, limit int) (list []Entry, all int, seq int64, err error) {
	var from int64
	if err := tx.GetContext(ctx, &from, `
		SELECT greatest(`+readTo+`, (SELECT seq FROM digests WHERE tenant_id = $1 AND person_id = $2))`, tx.Tenant, person); err != nil {
		return nil, 0, 0, fmt.Errorf("read what a person was told: %w", err)
	}
	if seq, err = Newest(ctx, tx); err != nil {
		return nil, 0, 0, err
	}
	for filter := (Filter{After: from}); ; {
		news, next, err := News(ctx, tx, filter)
		if err != nil {
			return nil, 0, 0, err
		}
		for _, e := range news {
			if e.Replaced {
				continue
			}
			if all++; all <= limit {
				list = append(list, e)
			}
		}
		if next == "" {
			return list, all, seq, nil
		}
		filter.Cursor = next
	}
}

// Told notes that a person of tx's tenant was told by mail all up to seq.
func Told(ctx context.Context, tx *tenants.Tx, person uuid.UUID, seq int64) error {
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO digests (tenant_id, person_id, seq) VALUES ($1, $2, $3)
		ON CONFLICT (tenant_id, person_id) DO UPDATE SET seq = greatest(digests.seq, excluded.seq), sent_at = now()`, tx.Tenant, person, seq); err != nil {
		return fmt.Errorf("note what a person was told: %w", err)
	}

	return nil
}
