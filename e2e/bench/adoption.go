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

// countedByJob is how many accounts' past the product's own job counts; all of it is told beside how long it took.
const countedByJob = 5_000

// seedHeard has what was seeded of people counted: the last of them by the job that does it for a business which had a past before there
// were counts, the rows of all others by one statement and their sums by a recount.
func (p *place) seedHeard(ctx context.Context, t *table, b business, first, last int) error {
	begin := max(first, last+1-countedByJob)
	// Messages of 140 to 10 days ago, as seedMessages stores them. The phone was last seen with the ID when they were last heard from.
	const heard = `
		FROM (SELECT k, now() - interval '140 days' + (n::bigint * 130 * 1440 / $5::int) * interval '1 minute' AS at,
		             now() - (k % 43200) * interval '1 minute' - interval '1 hour' AS paired
		      FROM generate_series($3::bigint, $4::bigint) k, generate_series(1, $5::int) n WHERE n % 3 <> 0) m`
	for _, statement := range []string{
		`INSERT INTO heard_weeks (tenant_id, identity_id, week, number_id, tenure_id, bsuid, country, days, named, phoned, shown)
		 SELECT $1, seed_id(5, k), date_trunc('week', at, 'UTC')::date, $2, seed_id(7, k), true, 'IN', bit_or(1 << (extract(isodow FROM at)::int - 1)), 0,
		        CASE WHEN min(at) <= paired THEN bit_or(1 << (extract(isodow FROM at)::int - 1)) ELSE 0 END, CASE WHEN min(at) <= paired THEN 5 ELSE 1 END` +
			heard + ` GROUP BY k, 3, paired`,
		`INSERT INTO phone_windows (tenant_id, phone_id, number_id, last_at, hour, holder)
		 SELECT $1, seed_id(1, k), $2, date_trunc('minute', max(at)), date_trunc('hour', max(at)), 2` + heard + ` WHERE at <= paired GROUP BY k`,
	} {
		if err := p.exec(ctx, statement, b.tenant, b.number, first, begin-1, pageMessages); err != nil {
			return fmt.Errorf("seed who was heard from: %w", err)
		}
	}
	if err := p.analyze(ctx); err != nil {
		return err
	}
	if err := p.countPast(ctx, t, b, begin); err != nil {
		return err
	}

	var again adoption.Recount
	begun := time.Now()
	err := p.db.As(ctx, b.tenant, func(tx *tenants.Tx) (err error) {
		again, err = adoption.Rebuild(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	t.line("counting anew (adoption rebuild)", fmt.Sprintf("%s for %d accounts, %d weeks of accounts, %d sums; %d put right",
		time.Since(begun).Round(time.Millisecond), again.Accounts, again.Rows, again.Cells, again.Wrong))

	return nil
}

// countPast has the product's job count what was said to a business by the people from the first on.
func (p *place) countPast(ctx context.Context, t *table, b business, first int) error {
	job := uuid.New()
	if err := p.exec(ctx, `
		INSERT INTO jobs (id, tenant_id, kind, args) VALUES (md5($2::text || ' ' || $1::uuid)::uuid, $1, $2, jsonb_build_object('after', seed_id(0, $3)))
		ON CONFLICT (id) DO UPDATE SET args = excluded.args, state = 'waiting'`, b.tenant, adoption.KindFill, first); err != nil {
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

	return nil
}
