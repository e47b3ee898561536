package identity

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// pair is a BSUID beside a phone or parent.
type pair struct{ bsuid, other uuid.UUID }

func (p pair) compare(o pair) int {
	return cmp.Or(bytes.Compare(p.bsuid[:], o.bsuid[:]), bytes.Compare(p.other[:], o.other[:]))
}

// pairSeen is what a batch says of a pair: the seconds at which it was seen, and by which item and field.
type pairSeen struct {
	at     []time.Time
	item   int64
	source string
	news   bool
	sooner bool // than they had been seen together
}

// recordEvidence stores what the events attest and returns the identifiers whose component must be derived again. Events
// that say nothing new only lengthen a run.
func (b *Batch) recordEvidence(ctx context.Context, ids map[handle]uuid.UUID) ([]uuid.UUID, error) {
	pairs, alone, involved := b.gather()

	rotated, err := b.recordRotations(ctx, ids)
	if err != nil {
		return nil, err
	}
	if err := b.recordPairings(ctx, pairs); err != nil {
		return nil, err
	}
	past, err := b.recordPast(ctx)
	if err != nil {
		return nil, err
	}
	named, err := b.recordCalled(ctx)
	if err != nil {
		return nil, err
	}
	alive, err := b.recordSightings(ctx, alone)
	if err != nil {
		return nil, err
	}

	tenures, news := b.tenures, map[uuid.UUID]bool{}
	for _, id := range slices.Concat(rotated, past, named, alive) {
		news[id] = true
	}
	for id := range involved {
		if len(tenures[id]) == 0 || b.claimed[id] {
			news[id] = true
		}
	}
	for p, s := range pairs {
		held, of := tenures[p.other], tenures[p.bsuid]
		if s.news || len(held) != 1 || len(of) != 1 || !held[0].whole() || !held[0].Current || held[0].IdentityID != of[0].IdentityID {
			news[p.bsuid], news[p.other] = true, true
		}
	}
	for _, a := range alone {
		if held := tenures[a.identifier]; len(held) != 1 || !held[0].whole() || !held[0].Current {
			news[a.identifier] = true
		}
	}
	// What is older than anything known of an identifier may lie beyond a silence; the derivation decides.
	for _, s := range b.seen {
		for _, id := range []uuid.UUID{s.bsuid, s.phone, s.parent} {
			if held := tenures[id]; len(held) > 0 && s.at.Before(held[0].FirstSeen) {
				news[id] = true
			}
		}
	}
	told := keys(news)
	for p, s := range pairs {
		if s.sooner {
			told = append(told, p.other)
		}
	}
	asked, err := b.askElsewhere(ctx, told)
	if err != nil {
		return nil, err
	}
	for _, id := range asked {
		news[id] = true
	}

	return keys(news), nil
}

type aloneSeen struct {
	identifier uuid.UUID
	at         time.Time
	item       int64
	failed     bool // a message to it did not arrive, which is no sign of life
}

// gather sorts the batch's events into pairs seen together and identifiers seen alone.
func (b *Batch) gather() (map[pair]*pairSeen, []aloneSeen, map[uuid.UUID]bool) {
	pairs, involved := map[pair]*pairSeen{}, map[uuid.UUID]bool{}
	var alone []aloneSeen

	for _, s := range b.seen {
		for _, other := range []uuid.UUID{s.phone, s.parent} {
			switch {
			case other == uuid.Nil:
			case s.bsuid == uuid.Nil:
				involved[other] = true
				failed := s.Event.Kind == whatsapp.KindStatus && s.Event.Status == "failed"
				alone = append(alone, aloneSeen{identifier: other, at: s.at, item: s.ItemID, failed: failed})
			case s.Event.Kind == whatsapp.KindHistory:
				involved[other] = true // its pair is of another weight: past.go
			default:
				involved[other] = true
				p := pair{s.bsuid, other}
				if pairs[p] == nil {
					pairs[p] = &pairSeen{item: s.ItemID, source: string(s.Event.Kind)}
				}
				pairs[p].at = append(pairs[p].at, s.at)
			}
		}
		if s.bsuid != uuid.Nil {
			involved[s.bsuid] = true
		}
	}

	return pairs, alone, involved
}

type pairingRow struct {
	ID        uuid.UUID `db:"id"`
	BSUID     uuid.UUID `db:"bsuid_id"`
	Other     uuid.UUID `db:"other_id"`
	FirstAt   time.Time `db:"first_at"`
	LastAt    time.Time `db:"last_at"`
	Source    string    `db:"source"`
	FirstItem int64     `db:"first_item"`
	LastItem  int64     `db:"last_item"`
}

// recordPairings joins the new seconds of each pair with its runs. A run ends where nothing is seen for over 180 days.
func (b *Batch) recordPairings(ctx context.Context, pairs map[pair]*pairSeen) error {
	if len(pairs) == 0 {
		return nil
	}

	var bs, os []uuid.UUID
	for _, p := range slices.SortedFunc(maps.Keys(pairs), pair.compare) {
		bs, os = append(bs, p.bsuid), append(os, p.other)
	}
	var rows []pairingRow
	err := b.tx.SelectContext(ctx, &rows, `
		SELECT p.id, p.bsuid_id, p.other_id, p.first_at, p.last_at, p.source, p.first_item, p.last_item
		FROM unnest($2::uuid[], $3::uuid[]) AS w (bsuid_id, other_id)
		JOIN pairings p ON p.tenant_id = $1 AND p.bsuid_id = w.bsuid_id AND p.other_id = w.other_id
		ORDER BY p.first_at`, b.tx.Tenant, pq.Array(bs), pq.Array(os))
	if err != nil {
		return fmt.Errorf("read pairings: %w", err)
	}
	known := map[pair][]pairingRow{}
	for _, r := range rows {
		p := pair{r.BSUID, r.Other}
		known[p] = append(known[p], r)
	}

	var added, changed []pairingRow
	var gone []uuid.UUID
	for i := range bs {
		p := pair{bs[i], os[i]}
		old, s := known[p], pairs[p]
		runs := joinRuns(p, old, s)
		s.news = len(runs) != len(old)
		s.sooner = len(old) > 0 && runs[0].FirstAt.Before(old[0].FirstAt)
		switch {
		case len(old) == len(runs):
			for i := range runs {
				if !runs[i].FirstAt.Equal(old[i].FirstAt) || !runs[i].LastAt.Equal(old[i].LastAt) {
					runs[i].ID = old[i].ID
					changed = append(changed, runs[i])
				}
			}
		default:
			for _, o := range old {
				gone = append(gone, o.ID)
			}
			added = append(added, runs...)
		}
	}

	return b.writePairings(ctx, added, changed, gone)
}

// joinRuns adds the seconds of s to the runs of p. The result does not depend on the order in which seconds were added.
func joinRuns(p pair, old []pairingRow, s *pairSeen) []pairingRow {
	all := slices.Clone(old)
	for _, at := range s.at {
		all = append(all, pairingRow{BSUID: p.bsuid, Other: p.other, FirstAt: at, LastAt: at, Source: s.source, FirstItem: s.item, LastItem: s.item})
	}
	slices.SortStableFunc(all, func(a, b pairingRow) int { return a.FirstAt.Compare(b.FirstAt) })

	runs := all[:1]
	for _, r := range all[1:] {
		last := &runs[len(runs)-1]
		if r.FirstAt.Sub(last.LastAt) > time.Duration(silence)*time.Second {
			runs = append(runs, r)
			continue
		}
		if r.LastAt.After(last.LastAt) {
			last.LastAt, last.LastItem = r.LastAt, r.LastItem
		}
	}
	for i := range runs {
		runs[i].ID = newID()
	}

	return runs
}

func (b *Batch) writePairings(ctx context.Context, added, changed []pairingRow, gone []uuid.UUID) error {
	if len(gone) > 0 {
		if _, err := b.tx.ExecContext(ctx, `DELETE FROM pairings WHERE tenant_id = $1 AND id = ANY($2)`, b.tx.Tenant, pq.Array(gone)); err != nil {
			return fmt.Errorf("replace pairings: %w", err)
		}
	}
	if c := columnsOf(changed); len(changed) > 0 {
		_, err := b.tx.ExecContext(ctx, `
			UPDATE pairings p SET first_at = w.first_at, last_at = w.last_at, first_item = w.first_item, last_item = w.last_item
			FROM unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[], $5::bigint[], $6::bigint[])
			     AS w (id, first_at, last_at, first_item, last_item)
			WHERE p.tenant_id = $1 AND p.id = w.id`,
			b.tx.Tenant, pq.Array(c.id), pq.Array(c.first), pq.Array(c.last), pq.Array(c.firstItem), pq.Array(c.lastItem))
		if err != nil {
			return fmt.Errorf("lengthen pairings: %w", err)
		}
	}
	if c := columnsOf(added); len(added) > 0 {
		_, err := b.tx.ExecContext(ctx, `
			INSERT INTO pairings (tenant_id, id, bsuid_id, other_id, first_at, last_at, source, first_item, last_item)
			SELECT $1, w.* FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::timestamptz[], $6::timestamptz[], $7::text[], $8::bigint[], $9::bigint[]) AS w`,
			b.tx.Tenant, pq.Array(c.id), pq.Array(c.bsuid), pq.Array(c.other), pq.Array(c.first), pq.Array(c.last), pq.Array(c.source), pq.Array(c.firstItem), pq.Array(c.lastItem))
		if err != nil {
			return fmt.Errorf("add pairings: %w", err)
		}
	}

	return nil
}

type pairingColumns struct {
	id, bsuid, other    []uuid.UUID
	first, last         []time.Time
	source              []string
	firstItem, lastItem []int64
}

func columnsOf(rows []pairingRow) pairingColumns {
	var c pairingColumns
	for _, r := range rows {
		c.id, c.bsuid, c.other = append(c.id, r.ID), append(c.bsuid, r.BSUID), append(c.other, r.Other)
		c.first, c.last, c.source = append(c.first, r.FirstAt), append(c.last, r.LastAt), append(c.source, r.Source)
		c.firstItem, c.lastItem = append(c.firstItem, r.FirstItem), append(c.lastItem, r.LastItem)
	}

	return c
}

// recordSightings keeps when identifiers were seen alone. It returns those that show a sign of life and were known by messages that
// did not arrive: how long they had been silent may look otherwise now.
func (b *Batch) recordSightings(ctx context.Context, alone []aloneSeen) (alive []uuid.UUID, err error) {
	if len(alone) == 0 {
		return nil, nil
	}
	slices.SortStableFunc(alone, func(x, y aloneSeen) int { // one that arrived counts before one that did not at the same second
		switch {
		case x.failed == y.failed:
			return 0
		case y.failed:
			return -1
		}
		return 1
	})
	type second struct {
		identifier uuid.UUID
		at         int64
	}
	known := map[second]bool{}
	var (
		ids    []uuid.UUID
		at     []time.Time
		items  []int64
		failed []bool
	)
	for _, a := range alone {
		if key := (second{a.identifier, a.at.Unix()}); !known[key] {
			known[key] = true
			ids, at, items, failed = append(ids, a.identifier), append(at, a.at), append(items, a.item), append(failed, a.failed)
		}
	}
	err = b.tx.SelectContext(ctx, &alive, `
		WITH added AS (
			INSERT INTO sightings AS s (tenant_id, identifier_id, at, item_id, failed)
			SELECT $1, w.* FROM unnest($2::uuid[], $3::timestamptz[], $4::bigint[], $5::boolean[]) AS w (id, at, item_id, failed)
			ON CONFLICT (tenant_id, identifier_id, at) DO UPDATE SET failed = false WHERE s.failed AND NOT excluded.failed
		)
		SELECT DISTINCT w.id FROM unnest($2::uuid[], $5::boolean[]) AS w (id, failed)
		JOIN sightings s ON s.tenant_id = $1 AND s.identifier_id = w.id AND s.failed
		WHERE NOT w.failed`,
		b.tx.Tenant, pq.Array(ids), pq.Array(at), pq.Array(items), pq.Array(failed))
	if err != nil {
		return nil, fmt.Errorf("add sightings: %w", err)
	}

	return alive, nil
}

// recordRotations stores each change WhatsApp spoke of, and returns the identifiers of those not known before (edge case 32:
// a replay says nothing new).
func (b *Batch) recordRotations(ctx context.Context, ids map[handle]uuid.UUID) ([]uuid.UUID, error) {
	var news []uuid.UUID
	for _, s := range b.seen {
		r := s.Event.Rotation
		if r == nil {
			continue
		}
		id := func(kind whatsapp.Kind, value string) *uuid.UUID {
			if found, ok := ids[handle{kind, value, s.Scope}]; ok && value != "" {
				return &found
			}
			return nil
		}
		sides := []*uuid.UUID{
			id(whatsapp.KindPhone, r.Old.Phone), id(whatsapp.KindBSUID, r.Old.BSUID), id(whatsapp.KindParentBSUID, r.Old.Parent),
			id(whatsapp.KindPhone, r.New.Phone), id(whatsapp.KindBSUID, r.New.BSUID), id(whatsapp.KindParentBSUID, r.New.Parent),
		}
		res, err := b.tx.ExecContext(ctx, `
			INSERT INTO rotations (tenant_id, id, wamid, digest, type, at, old_phone, old_bsuid, old_parent, new_phone, new_bsuid, new_parent, item_id)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
			ON CONFLICT (tenant_id, wamid, digest) DO NOTHING`,
			b.tx.Tenant, newID(), s.Event.WAMID, s.Event.Digest, r.Type, s.at, sides[0], sides[1], sides[2], sides[3], sides[4], sides[5], s.ItemID)
		if err != nil {
			return nil, fmt.Errorf("add rotation: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil {
			return nil, fmt.Errorf("add rotation: %w", err)
		} else if n == 0 {
			continue
		}
		for _, side := range sides {
			if side != nil {
				news = append(news, *side)
			}
		}
	}

	return news, nil
}
