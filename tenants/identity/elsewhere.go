package identity

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// What somebody calls themselves at the business's other portfolios counts where they have said nothing here: a status may show who has a
// phone now before they have written a word. A name elsewhere joins nobody; it only asks.

// elsewhere is a name by which another portfolio knows whoever has a phone, since when they were seen with it there, or by which it
// knows whoever has a parent id.
type elsewhere map[ref][]name

// loadElsewhere reads the names of other portfolios for the phones and parents among the identifiers, where they may be asked for.
func (l *loaded) loadElsewhere(ctx context.Context, tx *tenants.Tx, ids []uuid.UUID) error {
	l.elsewhere = elsewhere{}
	if !l.doubtful() {
		return nil
	}

	var rows []struct {
		ID    uuid.UUID `db:"id"`
		Words string    `db:"words"`
		First int64     `db:"first_at"`
	}
	err := tx.SelectContext(ctx, &rows, `
		WITH mine AS MATERIALIZED (
			SELECT d.id, d.kind, o.id AS other_id FROM unnest($2::uuid[]) AS w (id)
			CROSS JOIN LATERAL (SELECT id, kind, value, scope FROM identifiers WHERE tenant_id = $1 AND id = w.id OFFSET 0) d
			CROSS JOIN LATERAL (SELECT id FROM identifiers WHERE tenant_id = $1 AND kind = d.kind AND value = d.value AND scope <> d.scope OFFSET 0) o
			WHERE d.kind IN ('phone', 'parent_bsuid')
		)
		SELECT m.id, c.words, extract(epoch FROM p.first_at)::bigint AS first_at FROM mine m
		CROSS JOIN LATERAL (SELECT bsuid_id, min(first_at) AS first_at FROM pairings WHERE tenant_id = $1 AND other_id = m.other_id GROUP BY bsuid_id OFFSET 0) p
		CROSS JOIN LATERAL (SELECT words FROM called WHERE tenant_id = $1 AND identifier_id = p.bsuid_id OFFSET 0) c
		UNION
		SELECT m.id, c.words, extract(epoch FROM c.first_at)::bigint FROM mine m
		CROSS JOIN LATERAL (SELECT words, first_at FROM called WHERE tenant_id = $1 AND identifier_id = m.other_id OFFSET 0) c
		WHERE m.kind = 'phone'`, tx.Tenant, pq.Array(ids))
	if err != nil {
		return fmt.Errorf("read what people are called elsewhere: %w", err)
	}
	for _, r := range rows {
		l.elsewhere[l.refs[r.ID]] = append(l.elsewhere[l.refs[r.ID]], name{words: r.Words, first: r.First})
	}

	return nil
}

// doubtful tells whether a phone was seen alone and, more than doubt later, somebody came to have it.
func (g *graph) doubtful() bool {
	late := func(id ref, at int64) bool {
		return id != none && len(g.heard[id]) > 0 && at-slices.Min(g.heard[id]) > doubt
	}

	return slices.ContainsFunc(slices.Concat(g.pairings, g.past), func(p pairing) bool { return late(p.other, p.first) }) ||
		slices.ContainsFunc(g.rotations, func(r rotation) bool { return late(r.oldPhone, r.at) || late(r.newPhone, r.at) })
}

// calledElsewhere are the names by which other portfolios know an account that has told none here: whoever has its parent id, and whoever
// came to its phone after a time and within doubt of another, at which it had that phone.
func (d *deriver) calledElsewhere(id ref, holder int, after, next int64) []name {
	var names []name
	for _, n := range d.elsewhere[id] {
		if n.first > after && n.first <= next+doubt {
			names = append(names, n)
		}
	}
	for other, known := range d.elsewhere {
		if d.nodes[other].kind != d.nodes[id].kind && d.holds(holder, other) {
			names = append(names, known...)
		}
	}

	return names
}

// askElsewhere are the phones and parents of other portfolios about whose holders the identifiers tell something: they are the same, or
// of whom a name is heard.
func (b *Batch) askElsewhere(ctx context.Context, news []uuid.UUID) ([]uuid.UUID, error) {
	if len(news) == 0 {
		return nil, nil
	}
	var found []uuid.UUID
	err := b.tx.SelectContext(ctx, &found, `
		WITH told AS (
			SELECT w.id FROM unnest($2::uuid[]) AS w (id)
			UNION
			SELECT p.other_id FROM unnest($2::uuid[]) AS w (id)
			CROSS JOIN LATERAL (SELECT other_id FROM pairings WHERE tenant_id = $1 AND bsuid_id = w.id OFFSET 0) p
		)
		SELECT DISTINCT o.id FROM told t
		CROSS JOIN LATERAL (SELECT kind, value, scope FROM identifiers WHERE tenant_id = $1 AND id = t.id OFFSET 0) d
		CROSS JOIN LATERAL (SELECT id FROM identifiers WHERE tenant_id = $1 AND kind = d.kind AND value = d.value AND scope <> d.scope OFFSET 0) o
		WHERE d.kind IN ('phone', 'parent_bsuid') AND (SELECT count(DISTINCT scope) > 1 FROM numbers WHERE tenant_id = $1)`, b.tx.Tenant, pq.Array(news))
	if err != nil {
		return nil, fmt.Errorf("find who is known elsewhere: %w", err)
	}

	return found, nil
}
