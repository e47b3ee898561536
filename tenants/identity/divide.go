package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// division is how the time of some identifiers is divided anew: for each, by its place, the tenures that messages hang on and those
// between which they are divided by their time.
type division struct {
	of     []int64 // which identifier each of all is of
	all    []uuid.UUID
	wantOf []int64
	want   []uuid.UUID
	from   []*time.Time
	to     []*time.Time
	drop   []uuid.UUID // nothing keeps these
	n      int64
}

func (d *division) add(have, want, gone []tenure) {
	d.n++
	here := map[uuid.UUID]bool{}
	for _, list := range [][]tenure{have, want} {
		for _, t := range list {
			if !here[t.ID] {
				here[t.ID] = true
				d.of, d.all = append(d.of, d.n), append(d.all, t.ID)
			}
		}
	}
	for _, w := range want {
		d.wantOf, d.want, d.from, d.to = append(d.wantOf, d.n), append(d.want, w.ID), append(d.from, w.FromAt), append(d.to, w.ToAt)
	}
	for _, t := range gone {
		d.drop = append(d.drop, t.ID)
	}
}

// handing says of each tenure to which others what hangs on it may go, and for which time.
const handing = `
	SELECT h.id AS old, w.id, w.from_at, w.to_at
	FROM unnest($2::bigint[], $3::uuid[]) AS h (of, id)
	JOIN unnest($4::bigint[], $5::uuid[], $6::timestamptz[], $7::timestamptz[]) AS w (of, id, from_at, to_at) ON w.of = h.of AND w.id <> h.id`

// write hands the messages, statuses and profile facts to the new tenures, and drops the rows that nothing keeps.
func (d *division) write(ctx context.Context, tx *tenants.Tx) error {
	if d.n == 0 {
		return nil
	}
	for _, statement := range []string{
		`UPDATE messages m SET tenure_id = w.id FROM (` + handing + `) w
		 WHERE m.tenant_id = $1 AND m.tenure_id = w.old AND (w.from_at IS NULL OR m.at >= w.from_at) AND (w.to_at IS NULL OR m.at < w.to_at)`,
		`UPDATE statuses s SET tenure_id = w.id FROM (` + handing + `) w
		 WHERE s.tenant_id = $1 AND s.tenure_id = w.old AND (w.from_at IS NULL OR s.at >= w.from_at) AND (w.to_at IS NULL OR s.at < w.to_at)`,
		`INSERT INTO profile_facts AS p (tenant_id, tenure_id, kind, value, first_seen, last_seen)
		 SELECT $1, w.id, f.kind, f.value, min(f.first_seen), max(f.last_seen)
		 FROM (` + handing + `) w JOIN profile_facts f ON f.tenant_id = $1 AND f.tenure_id = w.old
		 WHERE (w.from_at IS NULL OR f.last_seen + interval '10 minutes' > w.from_at) AND (w.to_at IS NULL OR f.first_seen < w.to_at) -- factStep
		 GROUP BY w.id, f.kind, f.value
		 ON CONFLICT (tenant_id, tenure_id, kind, value) DO UPDATE
		 SET first_seen = least(p.first_seen, excluded.first_seen), last_seen = greatest(p.last_seen, excluded.last_seen)`,
		// What is left of a holder's time no longer bears the name of the next. $2 and $3 are as in the others.
		`DELETE FROM profile_facts f USING unnest($4::bigint[], $5::uuid[], $6::timestamptz[], $7::timestamptz[]) AS w (of, id, from_at, to_at)
		 WHERE f.tenant_id = $1 AND f.tenure_id = w.id AND cardinality($2::bigint[]) = cardinality($3::uuid[])
		   AND (f.last_seen + interval '10 minutes' <= w.from_at OR f.first_seen >= w.to_at)`,
	} {
		if _, err := tx.ExecContext(ctx, statement, tx.Tenant,
			pq.Array(d.of), pq.Array(d.all), pq.Array(d.wantOf), pq.Array(d.want), pq.Array(d.from), pq.Array(d.to)); err != nil {
			return fmt.Errorf("divide tenures: %w", err)
		}
	}
	if err := moveTips(ctx, tx, d.of, d.all); err != nil {
		return err
	}
	if len(d.drop) == 0 {
		return nil
	}
	for _, statement := range []string{
		`DELETE FROM profile_facts WHERE tenant_id = $1 AND tenure_id = ANY($2)`,
		`DELETE FROM thread_tips WHERE tenant_id = $1 AND tenure_id = ANY($2)`,
	} {
		if _, err := tx.ExecContext(ctx, statement, tx.Tenant, pq.Array(d.drop)); err != nil {
			return fmt.Errorf("drop names and threads: %w", err)
		}
	}
	var left bool
	if err := tx.GetContext(ctx, &left, `
		SELECT EXISTS (SELECT 1 FROM messages WHERE tenant_id = $1 AND tenure_id = ANY($2))
		    OR EXISTS (SELECT 1 FROM statuses WHERE tenant_id = $1 AND tenure_id = ANY($2))`, tx.Tenant, pq.Array(d.drop)); err != nil {
		return fmt.Errorf("look what hangs on tenures: %w", err)
	}
	if left {
		return errors.New("drop tenures: messages hang on them still")
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM tenures WHERE tenant_id = $1 AND id = ANY($2)`, tx.Tenant, pq.Array(d.drop)); err != nil {
		return fmt.Errorf("drop tenures: %w", err)
	}

	return nil
}
