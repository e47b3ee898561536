package facts

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// KindDigest is the kind of the job that tells a business's owners once a week by mail what changed. Each tenant has one for ever.
const KindDigest = "digest"

// Digests are the jobs that tell them.
var Digests = tenants.Rota{Kind: KindDigest, AtOnce: 8, Limit: 5 * time.Minute}

const digestHour = 8 // on Mondays, in the tenant's zone

// NextDigest ends the digest of tx's tenant and plans the one of the next week.
func NextDigest(ctx context.Context, tx *tenants.Tx, now time.Time, zone *time.Location) error {
	return Digests.Next(ctx, tx, nextMonday(now, zone))
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
