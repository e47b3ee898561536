package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// handle is an identifier by what WhatsApp calls it.
type handle struct {
	kind  whatsapp.Kind
	value string
	scope string
}

type seenHandle struct {
	raw         string
	first, last time.Time
}

// identifierRow is one row of identifiers.
type identifierRow struct {
	ID        uuid.UUID     `db:"id"`
	Scope     string        `db:"scope"`
	Kind      whatsapp.Kind `db:"kind"`
	Value     string        `db:"value"`
	FirstSeen time.Time     `db:"first_seen"`
	LastSeen  time.Time     `db:"last_seen"`
}

// recordIdentifiers makes sure that every identifier of every event has its row (edge case 10), and lengthens its life.
func (b *Batch) recordIdentifiers(ctx context.Context) (map[handle]uuid.UUID, error) {
	found := map[handle]*seenHandle{}
	note := func(kind whatsapp.Kind, value, raw, scope string, at time.Time) {
		if value == "" {
			return
		}
		h := handle{kind, value, scope}
		if f, ok := found[h]; ok {
			f.first, f.last = earlier(f.first, at), later(f.last, at)
			return
		}
		found[h] = &seenHandle{raw: raw, first: at, last: at}
	}
	party := func(p whatsapp.Party, scope string, at time.Time) {
		note(whatsapp.KindPhone, p.Phone, p.PhoneRaw, scope, at)
		note(whatsapp.KindBSUID, p.BSUID, p.BSUID, scope, at)
		note(whatsapp.KindParentBSUID, p.Parent, p.Parent, scope, at)
	}
	for _, s := range b.seen {
		if r := s.Event.Rotation; r != nil {
			party(r.Old, s.Scope, s.at)
			party(r.New, s.Scope, s.at)
			continue
		}
		if s.Event.Kind == whatsapp.KindSync {
			continue // what the owner typed makes nobody known
		}
		party(s.Event.Party, s.Scope, s.at)
	}

	ids, err := b.upsertIdentifiers(ctx, found)
	if err != nil {
		return nil, err
	}

	for i := range b.seen {
		s := &b.seen[i]
		if r := s.Event.Rotation; r != nil {
			s.turnedInto = ids[handle{whatsapp.KindBSUID, r.New.BSUID, s.Scope}]
			continue
		}
		if s.Event.Kind == whatsapp.KindSync {
			continue
		}
		s.phone = ids[handle{whatsapp.KindPhone, s.Event.Party.Phone, s.Scope}]
		s.bsuid = ids[handle{whatsapp.KindBSUID, s.Event.Party.BSUID, s.Scope}]
		s.parent = ids[handle{whatsapp.KindParentBSUID, s.Event.Party.Parent, s.Scope}]
	}

	return ids, nil
}

func (b *Batch) upsertIdentifiers(ctx context.Context, found map[handle]*seenHandle) (map[handle]uuid.UUID, error) {
	ids := make(map[handle]uuid.UUID, len(found))
	if len(found) == 0 {
		return ids, nil
	}

	var kinds, values, scopes []string
	for h := range found {
		kinds, values, scopes = append(kinds, string(h.kind)), append(values, h.value), append(scopes, h.scope)
	}
	var rows []identifierRow
	err := b.tx.SelectContext(ctx, &rows, `
		SELECT i.id, i.scope, i.kind, i.value, i.first_seen, i.last_seen
		FROM unnest($2::text[], $3::text[], $4::text[]) AS w (kind, value, scope)
		JOIN identifiers i ON i.tenant_id = $1 AND i.kind = w.kind AND i.value = w.value AND i.scope = w.scope`,
		b.tx.Tenant, pq.Array(kinds), pq.Array(values), pq.Array(scopes))
	if err != nil {
		return nil, fmt.Errorf("find identifiers: %w", err)
	}

	var (
		moved       []uuid.UUID
		first, last []time.Time
		raw         []string
	)
	for _, r := range rows {
		h := handle{r.Kind, r.Value, r.Scope}
		ids[h] = r.ID
		if r.LastSeen.Before(r.FirstSeen) {
			b.claimed[r.ID] = true
		}
		if f := found[h]; f.first.Before(r.FirstSeen) || f.last.After(r.LastSeen) {
			moved, first, last = append(moved, r.ID), append(first, earlier(f.first, r.FirstSeen)), append(last, later(f.last, r.LastSeen))
			raw = append(raw, f.raw)
		}
	}
	if len(moved) > 0 {
		_, err := b.tx.ExecContext(ctx, `
			UPDATE identifiers i SET first_seen = w.first_seen, last_seen = w.last_seen,
			       raw = CASE WHEN i.last_seen < i.first_seen THEN w.raw ELSE i.raw END -- a list's spelling gives way to WhatsApp's
			FROM unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[], $5::text[]) AS w (id, first_seen, last_seen, raw)
			WHERE i.tenant_id = $1 AND i.id = w.id`,
			b.tx.Tenant, pq.Array(moved), pq.Array(first), pq.Array(last), pq.Array(raw))
		if err != nil {
			return nil, fmt.Errorf("lengthen identifiers: %w", err)
		}
	}

	return ids, b.insertIdentifiers(ctx, found, ids)
}

func (b *Batch) insertIdentifiers(ctx context.Context, found map[handle]*seenHandle, ids map[handle]uuid.UUID) error {
	var (
		id                         []uuid.UUID
		kinds, values, scopes, raw []string
		first, last                []time.Time
	)
	for h, f := range found {
		if _, known := ids[h]; known {
			continue
		}
		ids[h] = newID()
		id, kinds, values = append(id, ids[h]), append(kinds, string(h.kind)), append(values, h.value)
		scopes, raw, first, last = append(scopes, h.scope), append(raw, f.raw), append(first, f.first), append(last, f.last)
	}
	if len(id) == 0 {
		return nil
	}

	b.newValues = append(b.newValues, id...)
	_, err := b.tx.ExecContext(ctx, `
		INSERT INTO identifiers (tenant_id, id, scope, kind, value, raw, first_seen, last_seen)
		SELECT $1, w.id, w.scope, w.kind, w.value, w.raw, w.first_seen, w.last_seen
		FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[])
		     AS w (id, scope, kind, value, raw, first_seen, last_seen)`,
		b.tx.Tenant, pq.Array(id), pq.Array(scopes), pq.Array(kinds), pq.Array(values), pq.Array(raw), pq.Array(first), pq.Array(last))
	if err != nil {
		return fmt.Errorf("add identifiers: %w", err)
	}

	return nil
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}

	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}

	return b
}
