package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/adoption"
	"github.com/pehchan/pehchan/tenants/identity"
)

// countPast has what was seeded counted, as it is for a business that had a past before there were counts, and then once more.
func (p *place) countPast(ctx context.Context, t *table, b business) error {
	job := uuid.New()
	if err := p.exec(ctx, `
		INSERT INTO jobs (id, tenant_id, kind, args) VALUES (md5($2::text || ' ' || $1::uuid)::uuid, $1, $2, '{}')`, b.tenant, adoption.KindFill); err != nil {
		return err
	}
	begun, parts, longest := time.Now(), 0, time.Duration(0)
	for filling := true; filling; parts++ {
		began := time.Now()
		err := p.db.As(ctx, b.tenant, func(tx *tenants.Tx) error {
			if err := tx.GetContext(ctx, &job, `
				UPDATE jobs SET run_at = now() - interval '1 second' WHERE tenant_id = $1 AND kind = $2 RETURNING id`, b.tenant, adoption.KindFill); err != nil {
				return fmt.Errorf("find the job: %w", err)
			}
			if err := identity.Lock(ctx, tx); err != nil {
				return err
			}
			if err := adoption.ContinueFill(ctx, tx, job); err != nil {
				return err
			}
			var err error
			filling, err = adoption.Filling(ctx, tx)

			return err
		})
		if err != nil {
			return err
		}
		if filling {
			longest = max(longest, time.Since(began))
		}
	}
	t.line("counting a past", fmt.Sprintf("%s in %d parts, the longest %s", time.Since(begun).Round(time.Millisecond), parts, milliseconds(longest)))

	var again adoption.Recount
	begun = time.Now()
	err := p.db.As(ctx, b.tenant, func(tx *tenants.Tx) (err error) {
		again, err = adoption.Check(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	t.line("counting anew (adoption rebuild --check)", fmt.Sprintf("%s for %d accounts, %d weeks of accounts, %d sums; %d wrong",
		time.Since(begun).Round(time.Millisecond), again.Accounts, again.Rows, again.Cells, again.Wrong))

	return nil
}
