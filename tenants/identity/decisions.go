package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// decision is what a person said about two identifiers, or of one that it is somebody new.
type decision struct {
	kind   string // must_link, cannot_link, is_new
	a      heldAt
	b      heldAt // zero for is_new
	link   *uuid.UUID
	caseID *uuid.UUID
	bulk   *uuid.UUID // the Bulk it was taken with
}

// heldAt is an identifier as a decision names a person by it: what they had at a time. past: it has passed on since. Without a
// time it is whoever has it now that is meant.
type heldAt struct {
	id   uuid.UUID
	at   *time.Time
	past bool
}

// decide keeps decisions, each with how far the evidence about its identifiers went when it was taken.
func decide(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, list ...decision) error {
	if len(list) == 0 {
		return nil
	}

	var (
		ids, as                 []uuid.UUID
		bs, links, cases, bulks []*uuid.UUID
		kinds                   []string
		aAt, bAt                []*time.Time
		aPast, bPast            []bool
	)
	for _, d := range list {
		b := &d.b.id
		if d.b.id == uuid.Nil {
			b = nil
		}
		ids, kinds, as, bs = append(ids, newID()), append(kinds, d.kind), append(as, d.a.id), append(bs, b)
		aAt, bAt, aPast, bPast = append(aAt, d.a.at), append(bAt, d.b.at), append(aPast, d.a.past), append(bPast, d.b.past)
		links, cases, bulks = append(links, d.link), append(cases, d.caseID), append(bulks, d.bulk)
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO decisions (tenant_id, id, kind, a_id, b_id, a_at, b_at, a_past, b_past, link_id, case_id, bulk_id, actor_kind, actor_id, known_until, decided_at)
		SELECT $1, w.id, w.kind, w.a, w.b, w.a_at, w.b_at, w.a_past, w.b_past, w.link_id, w.case_id, w.bulk_id, $2, $3, known.until, clock_timestamp()
		FROM unnest($4::uuid[], $5::text[], $6::uuid[], $7::uuid[], $8::timestamptz[], $9::timestamptz[], $10::boolean[], $11::boolean[], $12::uuid[], $13::uuid[], $14::uuid[])
		     AS w (id, kind, a, b, a_at, b_at, a_past, b_past, link_id, case_id, bulk_id)
		CROSS JOIN LATERAL (
			SELECT max(greatest(i.last_seen,
			       (SELECT max(p.last_at) FROM pairings p WHERE p.tenant_id = $1 AND p.bsuid_id = i.id),
			       (SELECT max(p.last_at) FROM pairings p WHERE p.tenant_id = $1 AND p.other_id = i.id),
			       (SELECT max(s.at) FROM sightings s WHERE s.tenant_id = $1 AND s.identifier_id = i.id),
			       (SELECT max(r.at) FROM rotations r WHERE r.tenant_id = $1 AND i.id IN (r.old_bsuid, r.new_bsuid, r.old_phone, r.new_phone, r.old_parent, r.new_parent)))) AS until
			FROM identifiers i WHERE i.tenant_id = $1 AND i.id IN (w.a, w.b)) known`,
		tx.Tenant, actor.Kind, actor.ID, pq.Array(ids), pq.Array(kinds), pq.Array(as), pq.Array(bs), pq.Array(aAt), pq.Array(bAt), pq.Array(aPast), pq.Array(bPast),
		pq.Array(links), pq.Array(cases), pq.Array(bulks))
	if err != nil {
		return fmt.Errorf("keep decisions: %w", err)
	}

	return nil
}

// apart keeps two people from being one: each account of one from each of the other.
func apart(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, a, b []Identity, caseID *uuid.UUID) error {
	var list []decision
	for _, x := range a {
		for _, y := range b {
			list = append(list, decision{kind: "cannot_link", a: leadingOf(x), b: leadingOf(y), caseID: caseID})
		}
	}

	return decide(ctx, tx, actor, list...)
}
