package identity

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
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

// compare is the order of the index by which identifiers are found: what lies side by side there is then looked up one after the other.
func (h handle) compare(o handle) int {
	return cmp.Or(strings.Compare(string(h.kind), string(o.kind)), strings.Compare(h.value, o.value), strings.Compare(h.scope, o.scope))
}

type seenHandle struct {
	raw         string
	first, last time.Time
	lone        bool // its own row is where the time is kept
	leads       bool // it decides whose some event is
}

// identifierRow is one row of identifiers.
type identifierRow struct {
	ID        uuid.UUID     `db:"id"`
	Scope     string        `db:"scope"`
	Kind      whatsapp.Kind `db:"kind"`
	Value     string        `db:"value"`
	FirstSeen time.Time     `db:"first_seen"`
	LastSeen  time.Time     `db:"last_seen"`
	ClaimedAt *time.Time    `db:"claimed_at"`
}

// knownRow is an identifier of the batch that has been seen before, with one of its tenures.
type knownRow struct {
	N          int           `db:"n"` // which of the handles asked for, from 1
	ID         uuid.UUID     `db:"id"`
	FirstSeen  time.Time     `db:"first_seen"`
	LastSeen   time.Time     `db:"last_seen"`
	TenureID   uuid.NullUUID `db:"tenure_id"`
	IdentityID uuid.NullUUID `db:"identity_id"`
	FromAt     *time.Time    `db:"from_at"`
	ToAt       *time.Time    `db:"to_at"`
	SeenFrom   *time.Time    `db:"seen_from"` // the tenure's first_seen
	Current    *bool         `db:"current"`
	ContactID  *uuid.UUID    `db:"contact_id"` // of those that lead
}

// recordIdentifiers makes sure that every identifier of every event has its row (edge case 10), and reads who holds it. Where
// nothing else of an event is stored with its time, it lengthens the identifier's own life.
func (b *Batch) recordIdentifiers(ctx context.Context) (map[handle]uuid.UUID, error) {
	found := map[handle]*seenHandle{}
	note := func(kind whatsapp.Kind, value, raw, scope string, at time.Time, lone, leads bool) {
		if value == "" {
			return
		}
		h := handle{kind, value, scope}
		f, ok := found[h]
		if !ok {
			f = &seenHandle{raw: raw, first: at, last: at}
			found[h] = f
		}
		f.first, f.last, f.lone, f.leads = earlier(f.first, at), later(f.last, at), f.lone || lone, f.leads || leads
	}
	// A pairing has the time of identifiers seen together, a sighting that of a phone or parent seen without a BSUID.
	party := func(p whatsapp.Party, scope string, at time.Time, rotated, past bool) {
		note(whatsapp.KindPhone, p.Phone, p.PhoneRaw, scope, at, rotated, p.BSUID == "")
		note(whatsapp.KindBSUID, p.BSUID, p.BSUID, scope, at, rotated || past || p.Phone == "" && p.Parent == "", true)
		note(whatsapp.KindParentBSUID, p.Parent, p.Parent, scope, at, rotated, p.BSUID == "" && p.Phone == "")
	}
	for _, s := range b.seen {
		if r := s.Event.Rotation; r != nil {
			party(r.Old, s.Scope, s.at, true, false)
			party(r.New, s.Scope, s.at, true, false)
			continue
		}
		if s.Event.Kind == whatsapp.KindSync {
			continue // what the owner typed makes nobody known
		}
		party(s.Event.Party, s.Scope, s.at, false, s.Event.Kind == whatsapp.KindHistory)
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
	var leads []bool
	handles := make([]handle, 0, len(found))
	for _, h := range slices.SortedFunc(maps.Keys(found), handle.compare) {
		handles, leads = append(handles, h), append(leads, found[h].leads)
		kinds, values, scopes = append(kinds, string(h.kind)), append(values, h.value), append(scopes, h.scope)
	}
	var rows []knownRow
	err := b.tx.SelectContext(ctx, &rows, `
		SELECT w.n, i.id, i.first_seen, i.last_seen, t.id AS tenure_id, t.identity_id, t.from_at, t.to_at, t.first_seen AS seen_from, t.current, n.contact_id
		FROM unnest($2::text[], $3::text[], $4::text[], $5::boolean[]) WITH ORDINALITY AS w (kind, value, scope, leads, n)
		JOIN identifiers i ON i.tenant_id = $1 AND i.kind = w.kind AND i.value = w.value AND i.scope = w.scope
		LEFT JOIN tenures t ON t.tenant_id = $1 AND t.identifier_id = i.id
		LEFT JOIN identities n ON n.tenant_id = $1 AND n.id = CASE WHEN w.leads THEN t.identity_id END
		ORDER BY t.first_seen, t.id`,
		b.tx.Tenant, pq.Array(kinds), pq.Array(values), pq.Array(scopes), pq.Array(leads))
	if err != nil {
		return nil, fmt.Errorf("find identifiers: %w", err)
	}

	var (
		moved       []uuid.UUID
		first, last []time.Time
		raw         []string
	)
	for _, r := range rows {
		h := handles[r.N-1]
		_, again := ids[h]
		ids[h] = r.ID
		never := r.LastSeen.Before(r.FirstSeen)
		if never {
			b.claimed[r.ID] = true
		}
		if f := found[h]; (f.lone || never) && !again && (f.first.Before(r.FirstSeen) || f.last.After(r.LastSeen)) {
			moved, first, last = append(moved, r.ID), append(first, earlier(f.first, r.FirstSeen)), append(last, later(f.last, r.LastSeen))
			raw = append(raw, f.raw)
		}
		if r.TenureID.Valid {
			b.tenures[r.ID] = append(b.tenures[r.ID], tenure{
				ID: r.TenureID.UUID, IdentityID: r.IdentityID.UUID, IdentifierID: r.ID, FromAt: r.FromAt, ToAt: r.ToAt, FirstSeen: *r.SeenFrom, Current: *r.Current,
			})
			if found[h].leads {
				b.holders[r.IdentityID.UUID] = r.ContactID
			}
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
	for _, h := range slices.SortedFunc(maps.Keys(found), handle.compare) {
		if _, known := ids[h]; known {
			continue
		}
		f := found[h]
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
