package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// decision is what a person said about two identifiers, or of one that it is somebody new.
type decision struct {
	kind   string // must_link, cannot_link, is_new
	a      heldAt
	b      heldAt // zero for is_new
	link   *uuid.UUID
	caseID *uuid.UUID
}

// heldAt is an identifier as a decision names a person by it: what they had at a time. past: it has passed on since. Without a
// time it is whoever has it now that is meant.
type heldAt struct {
	id   uuid.UUID
	at   *time.Time
	past bool
}

// decide keeps a decision with how far the evidence about its identifiers went when it was taken.
func decide(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, d decision) error {
	var b *uuid.UUID
	if d.b.id != uuid.Nil {
		b = &d.b.id
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO decisions (tenant_id, id, kind, a_id, b_id, known_until, actor_kind, actor_id, link_id, case_id, a_at, b_at, a_past, b_past, decided_at)
		SELECT $1, $2, $3, $4, $5, greatest(max(i.last_seen),
		       (SELECT max(p.last_at) FROM pairings p WHERE p.tenant_id = $1 AND (p.bsuid_id IN ($4, $5) OR p.other_id IN ($4, $5))),
		       (SELECT max(s.at) FROM sightings s WHERE s.tenant_id = $1 AND s.identifier_id IN ($4, $5)),
		       (SELECT max(r.at) FROM rotations r WHERE r.tenant_id = $1 AND (r.old_bsuid IN ($4, $5) OR r.new_bsuid IN ($4, $5) OR r.old_phone IN ($4, $5) OR r.new_phone IN ($4, $5)))),
		       $6, $7, $8, $9, $10, $11, $12, $13, clock_timestamp()
		FROM identifiers i WHERE i.tenant_id = $1 AND i.id IN ($4, $5)`,
		tx.Tenant, newID(), d.kind, d.a.id, b, actor.Kind, actor.ID, d.link, d.caseID, d.a.at, d.b.at, d.a.past, d.b.past)
	if err != nil {
		return fmt.Errorf("keep decision: %w", err)
	}

	return nil
}

// apart keeps two identities from being one person: each of one with each of the other.
func apart(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, a, b []Identity, caseID *uuid.UUID) error {
	for _, x := range a {
		for _, y := range b {
			if err := decide(ctx, tx, actor, decision{kind: "cannot_link", a: leadingOf(x), b: leadingOf(y), caseID: caseID}); err != nil {
				return err
			}
		}
	}

	return nil
}
