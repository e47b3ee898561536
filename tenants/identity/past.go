package identity

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// The history that a number's owner shares names the people of past chats by the ids they had when it was shared. That is
// WhatsApp's word too, but about another time than the message's, so it is weaker than anything live (edge case 87).

// pastPair is a BSUID that history named beside a phone or parent, from the first to the last such message.
type pastPair struct {
	first, last time.Time
	item        int64
}

// recordPast keeps the pairs that history events name, and returns the identifiers of those that say something new.
func (b *Batch) recordPast(ctx context.Context) ([]uuid.UUID, error) {
	pairs := map[pair]*pastPair{}
	for _, s := range b.seen {
		for _, other := range []uuid.UUID{s.phone, s.parent} {
			if s.Event.Kind != whatsapp.KindHistory || s.bsuid == uuid.Nil || other == uuid.Nil {
				continue
			}
			p := pair{s.bsuid, other}
			if pairs[p] == nil {
				pairs[p] = &pastPair{first: s.at, last: s.at, item: s.ItemID}
			}
			pairs[p].first, pairs[p].last = earlier(pairs[p].first, s.at), later(pairs[p].last, s.at)
		}
	}
	if len(pairs) == 0 {
		return nil, nil
	}

	var (
		bsuids, others []uuid.UUID
		first, last    []time.Time
		items          []int64
	)
	for p, s := range pairs {
		bsuids, others, first, last = append(bsuids, p.bsuid), append(others, p.other), append(first, s.first), append(last, s.last)
		items = append(items, s.item)
	}
	var rows []struct {
		BSUID uuid.UUID `db:"bsuid_id"`
		Other uuid.UUID `db:"other_id"`
	}
	err := b.tx.SelectContext(ctx, &rows, `
		INSERT INTO past_pairings AS p (tenant_id, bsuid_id, other_id, first_at, last_at, item_id)
		SELECT $1, w.* FROM unnest($2::uuid[], $3::uuid[], $4::timestamptz[], $5::timestamptz[], $6::bigint[]) AS w
		ON CONFLICT (tenant_id, bsuid_id, other_id) DO UPDATE
		SET first_at = least(p.first_at, excluded.first_at), last_at = greatest(p.last_at, excluded.last_at)
		WHERE excluded.first_at < p.first_at OR excluded.last_at > p.last_at
		RETURNING bsuid_id, other_id`,
		b.tx.Tenant, pq.Array(bsuids), pq.Array(others), pq.Array(first), pq.Array(last), pq.Array(items))
	if err != nil {
		return nil, fmt.Errorf("keep pairs of past chats: %w", err)
	}

	var news []uuid.UUID
	for _, r := range rows {
		news = append(news, r.BSUID, r.Other)
	}

	return news, nil
}

// growPast reads the past pairs that touch the frontier and returns every identifier they name.
func growPast(ctx context.Context, tx *tenants.Tx, frontier []uuid.UUID, past map[pair]pairing) ([]uuid.UUID, error) {
	var rows []struct {
		BSUID uuid.UUID `db:"bsuid_id"`
		Other uuid.UUID `db:"other_id"`
		First int64     `db:"first_at"`
		Last  int64     `db:"last_at"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT bsuid_id, other_id, extract(epoch FROM first_at)::bigint AS first_at, extract(epoch FROM last_at)::bigint AS last_at
		FROM past_pairings WHERE tenant_id = $1 AND bsuid_id = ANY($2)
		UNION
		SELECT bsuid_id, other_id, extract(epoch FROM first_at)::bigint, extract(epoch FROM last_at)::bigint
		FROM past_pairings WHERE tenant_id = $1 AND other_id = ANY($2)`, tx.Tenant, pq.Array(frontier))
	if err != nil {
		return nil, fmt.Errorf("read pairs of past chats: %w", err)
	}

	var next []uuid.UUID
	for _, r := range rows {
		past[pair{r.BSUID, r.Other}] = pairing{first: r.First, last: r.Last}
		next = append(next, r.BSUID, r.Other)
	}

	return next, nil
}

// believePast gives an account what past chats say it held, where nothing live, no person and no other chat says otherwise.
func (d *deriver) believePast() {
	var believed []pairing
	for _, p := range d.past {
		holder := d.find(int(p.bsuid))
		before, seen := d.lastHeard(p.other, always, p.first)
		contradicted := seen && p.first-before > silence ||
			slices.ContainsFunc(d.spans[p.other], func(s span) bool { return d.find(s.holder) != holder }) ||
			slices.ContainsFunc(d.past, func(o pairing) bool { return o.other == p.other && d.find(int(o.bsuid)) != holder }) ||
			d.holdsAnother(holder, p.other) || d.forbidden(holder, -1, span{first: p.first, last: p.last}, p.other) >= 0
		if !contradicted {
			believed = append(believed, p)
		}
	}
	for _, p := range believed {
		d.addSpan(int(p.bsuid), p.other, p.first, p.last)
	}
}

// holdsAnother tells whether an account is known live with another identifier of the same kind.
func (d *deriver) holdsAnother(holder int, id ref) bool {
	for other := range d.spans {
		if other != id && d.nodes[other].kind == d.nodes[id].kind && d.holds(holder, other) {
			return true
		}
	}

	return false
}

// holds tells whether an account is known live with an identifier.
func (d *deriver) holds(holder int, id ref) bool {
	return slices.ContainsFunc(d.spans[id], func(s span) bool { return d.find(s.holder) == d.find(holder) })
}

// wroteAgain marks people known from past chats alone who now write: only then is somebody to say who they are. It looks before
// their messages are stored, for one of them may be a message of the past that now came live.
func (b *Batch) wroteAgain(ctx context.Context) error {
	wrote := map[uuid.UUID]bool{}
	for i, s := range b.seen {
		if id := b.Placements[i].IdentityID; id != uuid.Nil && makesContact(s.Event) {
			wrote[id] = true
		}
	}
	if len(wrote) == 0 {
		return nil
	}

	var found []uuid.UUID
	err := b.tx.SelectContext(ctx, &found, `
		SELECT DISTINCT i.contact_id FROM identities i
		WHERE i.tenant_id = $1 AND i.id = ANY($2) AND i.contact_id IS NOT NULL
		  AND EXISTS (SELECT 1 FROM messages WHERE tenant_id = $1 AND imported)
		  AND EXISTS (SELECT 1 FROM tenures t JOIN messages m ON m.tenant_id = $1 AND m.tenure_id = t.id AND m.imported
		              WHERE t.tenant_id = $1 AND t.identity_id = i.id)
		  AND NOT EXISTS (SELECT 1 FROM cases k WHERE k.tenant_id = $1 AND k.key = 'contact:' || i.contact_id)`,
		b.tx.Tenant, pq.Array(keys(wrote)))
	if err != nil {
		return fmt.Errorf("find people of past chats: %w", err)
	}
	for _, id := range found {
		b.contacts[id] = true
	}

	return nil
}

// namedInPast are the pairs of past chats among the identifiers, as proofs.
func namedInPast(ctx context.Context, tx *tenants.Tx, held []uuid.UUID) ([]Proof, error) {
	var rows []struct {
		From  time.Time     `db:"first_at"`
		Until time.Time     `db:"last_at"`
		Item  int64         `db:"item_id"`
		BSUID string        `db:"bsuid"`
		Kind  whatsapp.Kind `db:"kind"`
		Value string        `db:"value"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT p.first_at, p.last_at, p.item_id, b.value AS bsuid, o.kind, o.value
		FROM past_pairings p
		JOIN identifiers b ON b.tenant_id = $1 AND b.id = p.bsuid_id
		JOIN identifiers o ON o.tenant_id = $1 AND o.id = p.other_id
		WHERE p.tenant_id = $1 AND p.bsuid_id = ANY($2) AND p.other_id = ANY($2)
		ORDER BY p.last_at DESC LIMIT 200`, tx.Tenant, pq.Array(held))
	if err != nil {
		return nil, fmt.Errorf("read pairs of past chats: %w", err)
	}

	proofs := make([]Proof, len(rows))
	for i, r := range rows {
		proofs[i] = Proof{
			Kind: ProofHistory, Tier: "A", From: r.From, Until: r.Until, Items: []int64{r.Item},
			Handles: []Handle{{whatsapp.KindBSUID, r.BSUID}, {r.Kind, r.Value}},
		}
	}

	return proofs, nil
}
