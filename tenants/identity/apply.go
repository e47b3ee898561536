package identity

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// plan maps derived accounts to identity rows.
type plan struct {
	*loaded
	*derivation
	owner    []uuid.UUID             // identity of each account
	fresh    map[int]bool            // accounts whose identity is new
	revived  map[uuid.UUID]int       // identities that come back into their own
	absorbed map[uuid.UUID]uuid.UUID // identities that another now absorbs
	held     map[uuid.UUID][]tenure  // tenures by identity, as before
}

// rederive derives the components of the given identifiers and applies what changed.
func (b *Batch) rederive(ctx context.Context, news []uuid.UUID) error {
	l, err := load(ctx, b.tx, news)
	if err != nil {
		return err
	}
	p := newPlan(l, l.derive())
	for _, n := range p.nodes {
		delete(b.tenures, n.id)
	}
	for id := range p.identities {
		delete(b.holders, id)
	}

	settle, err := p.lift(ctx, b)
	if err != nil {
		return err
	}
	if err := p.writeIdentities(ctx, b.tx); err != nil {
		return err
	}
	if err := p.writeTenures(ctx, b.tx); err != nil {
		return err
	}
	if err := settle(); err != nil {
		return err
	}
	for id := range p.absorbed {
		b.divided[id] = true
	}
	for i, id := range p.owner {
		b.identities[id], b.anew[id] = true, true
		if !p.fresh[i] {
			b.divided[id] = true
			b.touch(p.identities[id].ContactID)
			b.lost = append(b.lost, p.lostBy(i)...)
		}
	}
	if err := followRuled(ctx, b.tx, keys(p.refs)); err != nil {
		return err
	}
	changed, err := b.joinContacts(ctx, p)
	if err != nil {
		return err
	}
	if err := b.syncConflicts(ctx, p); err != nil {
		return err
	}

	return b.askAnew(ctx, changed, keys(p.refs))
}

// newPlan keeps an identity row with the account that has its anchor. Of several the oldest stays and absorbs the others;
// an account with none takes back one that had been absorbed from it before, else gets a new one.
func newPlan(l *loaded, d *derivation) *plan {
	p := &plan{
		loaded: l, derivation: d, owner: make([]uuid.UUID, len(d.accounts)), fresh: map[int]bool{},
		revived: map[uuid.UUID]int{}, absorbed: map[uuid.UUID]uuid.UUID{}, held: map[uuid.UUID][]tenure{},
	}
	for _, ts := range l.tenures {
		for _, t := range ts {
			p.held[t.IdentityID] = append(p.held[t.IdentityID], t)
		}
	}

	ids := make([]uuid.UUID, 0, len(l.identities))
	for id := range l.identities {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })

	for _, id := range ids {
		row, home := l.identities[id], -1
		if row.AbsorbedInto == nil {
			home = p.home(row)
		}
		switch {
		case home == -1:
		case p.owner[home] == uuid.Nil:
			p.owner[home] = id
		default:
			p.absorbed[id] = p.owner[home]
		}
	}
	for _, id := range ids {
		row := l.identities[id]
		if row.AbsorbedInto == nil {
			continue
		}
		switch home := p.home(row); {
		case home == -1:
		case p.owner[home] == uuid.Nil:
			p.owner[home] = id
			p.revived[id] = home
		case p.owner[home] != *row.AbsorbedInto:
			p.absorbed[id] = p.owner[home] // with its contact, which the one it was absorbed into had from it
		}
	}
	for i := range p.owner {
		if p.owner[i] == uuid.Nil {
			p.owner[i] = newID()
			p.fresh[i] = true
		}
	}

	return p
}

// home is the account that now has an identity's anchor, by the time it had it. Where that time came to belong to nobody, it
// is the account with anything else it held; -1 only where it never held anything.
func (p *plan) home(row *identityRow) int {
	anchor, ok := p.refs[row.AnchorID]
	if !ok {
		return -1
	}
	if c := p.nodes[anchor].claimed; c != nil && c.Equal(row.CreatedAt) {
		return p.hadLast(anchor, c.Unix())
	}

	at := p.nodes[anchor].first
	for _, t := range p.held[row.ID] {
		if t.IdentifierID == row.AnchorID {
			at = t.FirstSeen.Unix()
			break
		}
	}
	if i := p.accountOf(anchor, at); i >= 0 {
		return i
	}
	for _, t := range p.held[row.ID] {
		if i := p.accountOf(p.refs[t.IdentifierID], t.FirstSeen.Unix()); i >= 0 {
			return i
		}
	}
	for _, s := range p.holder[anchor] {
		if s.account >= 0 {
			return s.account
		}
	}

	return -1
}

func (p *plan) writeIdentities(ctx context.Context, tx *tenants.Tx) error {
	var (
		ids, anchors []uuid.UUID
		scopes       []string
	)
	for i, a := range p.accounts {
		if p.fresh[i] && len(a.holds) > 0 {
			n := p.nodes[a.holds[0].id]
			ids, anchors, scopes = append(ids, p.owner[i]), append(anchors, n.id), append(scopes, n.scope)
		}
	}
	if len(ids) > 0 {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO identities (tenant_id, id, scope, anchor_id)
			SELECT $1, w.* FROM unnest($2::uuid[], $3::text[], $4::uuid[]) AS w`,
			tx.Tenant, pq.Array(ids), pq.Array(scopes), pq.Array(anchors))
		if err != nil {
			return fmt.Errorf("add identities: %w", err)
		}
	}

	for id, into := range p.absorbed {
		if _, err := tx.ExecContext(ctx, `
			UPDATE identities SET absorbed_into = $3, contact_id = NULL WHERE tenant_id = $1 AND (id = $2 OR absorbed_into = $2)`, tx.Tenant, id, into); err != nil {
			return fmt.Errorf("absorb identity: %w", err)
		}
	}
	for id := range p.revived {
		if _, err := tx.ExecContext(ctx, `UPDATE identities SET absorbed_into = NULL WHERE tenant_id = $1 AND id = $2`, tx.Tenant, id); err != nil {
			return fmt.Errorf("revive identity: %w", err)
		}
	}

	return nil
}

// writeTenures brings the tenures of every identifier in the plan to what was derived, and messages with them where an
// identifier's time was divided anew.
func (p *plan) writeTenures(ctx context.Context, tx *tenants.Tx) error {
	desired := p.desired()
	var (
		added, changed []tenure
		anew           division
	)
	for _, n := range p.nodes {
		id := n.id
		want, have := desired[id], p.tenures[id]
		kept, moves := matchTenures(have, want)
		for i := range want {
			if kept[i] == nil {
				want[i].ID = newID()
				added = append(added, want[i])
				continue
			}
			want[i].ID = kept[i].ID
			if !want[i].equal(*kept[i]) {
				changed = append(changed, want[i])
			}
		}
		if dividedAnew(have, want, moves) { // else nothing hangs there yet, or hangs where it should
			anew.add(have, want, moves)
		}
	}

	if err := insertTenures(ctx, tx, added); err != nil {
		return err
	}
	if err := anew.write(ctx, tx); err != nil {
		return err
	}

	return updateTenures(ctx, tx, changed)
}

// matchTenures finds for each wanted tenure the row to keep. moves are rows that no wanted tenure keeps.
func matchTenures(have, want []tenure) (kept []*tenure, moves []tenure) {
	kept = make([]*tenure, len(want))
	for i := range have {
		w := slices.IndexFunc(want, func(t tenure) bool { return t.covers(have[i].FirstSeen) })
		if w >= 0 && kept[w] == nil {
			kept[w] = &have[i]
			continue
		}
		moves = append(moves, have[i])
	}

	return kept, moves
}

func sameBounds(a, b []tenure) bool {
	return !slices.ContainsFunc(a, func(x tenure) bool {
		return !slices.ContainsFunc(b, func(y tenure) bool {
			return x.ID == y.ID && sameTime(x.FromAt, y.FromAt) && sameTime(x.ToAt, y.ToAt)
		})
	})
}

func (t tenure) equal(o tenure) bool {
	return t.IdentityID == o.IdentityID && sameTime(t.FromAt, o.FromAt) && sameTime(t.ToAt, o.ToAt) &&
		t.FirstSeen.Equal(o.FirstSeen) && t.LastSeen.Equal(o.LastSeen) && t.Current == o.Current
}

func sameTime(a, b *time.Time) bool {
	return a == nil && b == nil || a != nil && b != nil && a.Equal(*b)
}

func bound(at int64) *time.Time {
	if at == always || at == forever {
		return nil
	}
	t := time.Unix(at, 0).UTC()

	return &t
}

type tenureColumns struct {
	id, identity, identifier []uuid.UUID
	from, to                 []*time.Time
	first, last              []time.Time
	current                  []bool
}

func tenureColumnsOf(rows []tenure) tenureColumns {
	var c tenureColumns
	for _, t := range rows {
		c.id, c.identity, c.identifier = append(c.id, t.ID), append(c.identity, t.IdentityID), append(c.identifier, t.IdentifierID)
		c.from, c.to = append(c.from, t.FromAt), append(c.to, t.ToAt)
		c.first, c.last, c.current = append(c.first, t.FirstSeen), append(c.last, t.LastSeen), append(c.current, t.Current)
	}

	return c
}

func insertTenures(ctx context.Context, tx *tenants.Tx, rows []tenure) error {
	if len(rows) == 0 {
		return nil
	}

	c := tenureColumnsOf(rows)
	_, err := tx.ExecContext(ctx, `
		INSERT INTO tenures (tenant_id, id, identity_id, identifier_id, from_at, to_at, first_seen, last_seen, current)
		SELECT $1, w.* FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[], $8::timestamptz[], $9::boolean[]) AS w`,
		tx.Tenant, pq.Array(c.id), pq.Array(c.identity), pq.Array(c.identifier), pq.Array(c.from), pq.Array(c.to), pq.Array(c.first), pq.Array(c.last), pq.Array(c.current))
	if err != nil {
		return fmt.Errorf("add tenures: %w", err)
	}

	return nil
}

func updateTenures(ctx context.Context, tx *tenants.Tx, rows []tenure) error {
	if len(rows) == 0 {
		return nil
	}

	c := tenureColumnsOf(rows)
	_, err := tx.ExecContext(ctx, `
		UPDATE tenures t SET identity_id = w.identity_id, from_at = w.from_at, to_at = w.to_at,
		       first_seen = w.first_seen, last_seen = w.last_seen, current = w.current
		FROM unnest($2::uuid[], $3::uuid[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[], $8::boolean[])
		     AS w (id, identity_id, from_at, to_at, first_seen, last_seen, current)
		WHERE t.tenant_id = $1 AND t.id = w.id`,
		tx.Tenant, pq.Array(c.id), pq.Array(c.identity), pq.Array(c.from), pq.Array(c.to), pq.Array(c.first), pq.Array(c.last), pq.Array(c.current))
	if err != nil {
		return fmt.Errorf("update tenures: %w", err)
	}

	return nil
}
