package ingest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// Novelty is something WhatsApp sends that no documentation we know speaks of. What is one of the warnings of whatsapp.Event, or
// waba_drift.
type Novelty struct {
	Field   string    `db:"field"` // the webhook field it came in
	What    string    `db:"what"`
	FirstAt time.Time `db:"first_at"`
	LastAt  time.Time `db:"last_at"`
	Times   int64     `db:"times"`
	Tenants int       `db:"tenants"` // to how many it came
	Sample  string    `db:"sample"`  // an item that held it, with nothing of a customer in it
}

// maxSample bounds a sample, in bytes; one that is longer is left out.
const maxSample = 8 << 10

// drifts collects what a batch holds that is undocumented.
type drifts map[driftKey]*Novelty

type driftKey struct{ field, what string }

func (d drifts) note(it waitingItem, warnings []string) {
	if it.Note == wabaDrift {
		warnings = append([]string{wabaDrift}, warnings...)
	}
	for _, w := range warnings {
		code, name, named := strings.Cut(w, ":")
		if named {
			code += ":" + maskedKey(name)
		}
		k := driftKey{it.Field, text(code)}
		if d[k] == nil {
			d[k] = &Novelty{FirstAt: it.ReceivedAt, LastAt: it.ReceivedAt}
			if sample := MaskJSON(it.Body); len(sample) <= maxSample {
				d[k].Sample = string(sample)
			}
		}
		d[k].Times++
		if it.ReceivedAt.Before(d[k].FirstAt) {
			d[k].FirstAt = it.ReceivedAt
		}
		if it.ReceivedAt.After(d[k].LastAt) {
			d[k].LastAt = it.ReceivedAt
		}
	}
}

func (d drifts) write(ctx context.Context, tx *tenants.Tx) error {
	if len(d) == 0 {
		return nil
	}

	var (
		fields, whats, samples []string
		first, last            []time.Time
		times                  []int64
	)
	order := slices.SortedFunc(maps.Keys(d), func(a, b driftKey) int {
		return strings.Compare(a.field+"\x00"+a.what, b.field+"\x00"+b.what)
	})
	for _, k := range order {
		fields, whats, samples = append(fields, k.field), append(whats, k.what), append(samples, d[k].Sample)
		first, last, times = append(first, d[k].FirstAt), append(last, d[k].LastAt), append(times, d[k].Times)
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO drift AS d (tenant_id, field, what, first_at, last_at, times, sample)
		SELECT $1, w.* FROM unnest($2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::bigint[], $7::text[]) AS w
		ON CONFLICT (tenant_id, field, what) DO UPDATE
		SET first_at = least(d.first_at, excluded.first_at), last_at = greatest(d.last_at, excluded.last_at), times = d.times + excluded.times`,
		tx.Tenant, pq.Array(fields), pq.Array(whats), pq.Array(first), pq.Array(last), pq.Array(times), pq.Array(samples))
	if err != nil {
		return fmt.Errorf("note drift: %w", err)
	}

	return nil
}

// Novelties lists what has come undocumented to any tenant, the last seen first, at most 200.
func Novelties(ctx context.Context, db *tenants.DB) (list []Novelty, err error) {
	err = db.System(ctx, func(tx *tenants.Tx) error {
		return tx.SelectContext(ctx, &list, `
			SELECT field, what, min(first_at) AS first_at, max(last_at) AS last_at, sum(times)::bigint AS times, count(*) AS tenants,
			       coalesce((array_agg(sample ORDER BY first_at, tenant_id) FILTER (WHERE sample <> ''))[1], '') AS sample
			FROM drift GROUP BY field, what ORDER BY max(last_at) DESC, field, what LIMIT $1`, maxList)
	})
	if err != nil {
		return nil, fmt.Errorf("list drift: %w", err)
	}

	return list, nil
}

// TenantNovelties lists what has come undocumented to tx's tenant, the last seen first, at most 200.
func TenantNovelties(ctx context.Context, tx *tenants.Tx) ([]Novelty, error) {
	list := []Novelty{}
	err := tx.SelectContext(ctx, &list, `
		SELECT field, what, first_at, last_at, times, 1 AS tenants, sample FROM drift
		WHERE tenant_id = $1 ORDER BY last_at DESC, field, what LIMIT $2`, tx.Tenant, maxList)
	if err != nil {
		return nil, fmt.Errorf("list drift of tenant: %w", err)
	}

	return list, nil
}
