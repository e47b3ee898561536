package identity

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// proofOfLink is what a link's journal row keeps: the identifiers gained, and the two that a cut would hold apart.
type proofOfLink struct {
	Gained []uuid.UUID `json:"gained,omitempty"`
	Cut    []uuid.UUID `json:"cut,omitempty"`
	// Lent: the surviving identity had no contact and took the absorbed one's.
	Lent bool `json:"lent,omitempty"`
	// Filled: what the surviving contact took from the other because it had none of its own.
	Filled map[string]string `json:"filled,omitempty"`
}

type link struct {
	ID       uuid.UUID
	Kind     string
	Actor    tenants.Actor
	Keep     *uuid.UUID
	Lose     *uuid.UUID
	Identity *uuid.UUID
	Reason   string
	Proof    proofOfLink
	CaseID   *uuid.UUID
}

func writeLink(ctx context.Context, tx *tenants.Tx, l link) error {
	proof, err := json.Marshal(l.Proof)
	if err != nil {
		return fmt.Errorf("encode link proof: %w", err)
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO links (tenant_id, id, kind, actor_kind, actor_id, actor_name, keep_contact, lose_contact, identity_id, reason, evidence, case_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		tx.Tenant, l.ID, l.Kind, l.Actor.Kind, l.Actor.ID, l.Actor.Name, l.Keep, l.Lose, l.Identity, l.Reason, string(proof), l.CaseID)
	if err != nil {
		return fmt.Errorf("journal link: %w", err)
	}

	return nil
}

// joinContacts carries what was derived about accounts over to contacts: an absorbed identity brings its contact along, one
// that comes back takes its contact back, and each gain is journalled.
func (b *Batch) joinContacts(ctx context.Context, p *plan) error {
	for i := range p.accounts {
		if p.fresh[i] {
			continue
		}
		if _, back := p.revived[p.owner[i]]; back {
			if err := b.restore(ctx, p, p.owner[i]); err != nil {
				return err
			}
			continue
		}
		if err := b.gain(ctx, p, i); err != nil {
			return err
		}
	}
	for j, into := range p.absorbed {
		if err := b.absorb(ctx, p, j, into); err != nil {
			return err
		}
	}

	return nil
}

// gain journals the identifiers that an existing identity got other than by absorbing one.
func (b *Batch) gain(ctx context.Context, p *plan, account int) error {
	row := p.identities[p.owner[account]]
	var gained []uuid.UUID
	for _, h := range p.accounts[account].holds {
		id := p.nodes[h.id].id
		if !slices.ContainsFunc(p.tenures[id], func(t tenure) bool {
			return t.IdentityID == row.ID || p.absorbed[t.IdentityID] == row.ID
		}) && !slices.Contains(gained, id) {
			gained = append(gained, id)
		}
	}
	if len(gained) == 0 {
		return nil
	}

	contact, err := rootOf(ctx, b.tx, row.ContactID)
	if err != nil {
		return err
	}
	b.touch(contact)

	return writeLink(ctx, b.tx, link{
		ID: newID(), Kind: p.linkKind(gained), Actor: tenants.SystemActor, Keep: contact, Identity: &row.ID,
		Proof: proofOfLink{Gained: gained, Cut: []uuid.UUID{p.leading(row.ID, gained), gained[0]}},
	})
}

// absorb joins the contact of identity j to that of the identity that absorbed it.
func (b *Batch) absorb(ctx context.Context, p *plan, j, into uuid.UUID) error {
	keep, lose := p.identities[into], p.identities[j]
	keepContact, err := rootOf(ctx, b.tx, keep.ContactID)
	if err != nil {
		return err
	}
	loseContact, err := rootOf(ctx, b.tx, lose.ContactID)
	if err != nil {
		return err
	}

	var theirs []uuid.UUID
	for _, t := range p.held[j] {
		theirs = append(theirs, t.IdentifierID)
	}
	l := link{
		ID: newID(), Kind: p.linkKind(theirs), Actor: tenants.SystemActor, Keep: keepContact, Identity: &j,
		Proof: proofOfLink{Gained: theirs, Cut: []uuid.UUID{p.leading(into, nil), p.leading(j, nil)}},
	}

	switch {
	case loseContact == nil || keepContact != nil && *keepContact == *loseContact:
		b.touch(keepContact)
		return writeLink(ctx, b.tx, l)
	case keepContact == nil:
		l.Keep, l.Proof.Lent = loseContact, true
		if _, err := b.tx.ExecContext(ctx, `UPDATE identities SET contact_id = $3 WHERE tenant_id = $1 AND id = $2`, b.tx.Tenant, into, *loseContact); err != nil {
			return fmt.Errorf("lend contact: %w", err)
		}
		keep.ContactID = loseContact
		b.touch(loseContact)
		return writeLink(ctx, b.tx, l)
	}

	// The older contact survives: it is the one people have written on. Version 7 ids sort by age.
	if older(*loseContact, *keepContact) {
		keepContact, loseContact = loseContact, keepContact
	}
	l.Keep, l.Lose = keepContact, loseContact
	b.touch(keepContact)
	b.touch(loseContact)

	return moveContact(ctx, b.tx, l)
}

// leading is the identifier a decision about an identity would name: its BSUID if it had one, else its anchor.
func (p *plan) leading(identity uuid.UUID, except []uuid.UUID) uuid.UUID {
	for _, t := range p.held[identity] {
		if p.isBSUIDRef(t.IdentifierID) && !slices.Contains(except, t.IdentifierID) {
			return t.IdentifierID
		}
	}

	return p.identities[identity].AnchorID
}

func (p *plan) isBSUIDRef(id uuid.UUID) bool {
	r, ok := p.refs[id]

	return ok && p.nodes[r].kind == "bsuid"
}

// linkKind is rotated where WhatsApp's word of a change brought the identifiers, attested otherwise.
func (p *plan) linkKind(ids []uuid.UUID) string {
	for _, id := range ids {
		r := p.refs[id]
		for _, t := range p.rotations {
			if r == t.oldPhone || r == t.oldBSUID || r == t.newPhone || r == t.newBSUID || r == t.newParent {
				return "rotated"
			}
		}
	}

	return "attested"
}

// restore gives an identity that is its own again what it had before it was absorbed.
func (b *Batch) restore(ctx context.Context, p *plan, identity uuid.UUID) error {
	var joined []struct {
		ID    uuid.UUID       `db:"id"`
		Keep  *uuid.UUID      `db:"keep_contact"`
		Lose  *uuid.UUID      `db:"lose_contact"`
		Proof json.RawMessage `db:"evidence"`
	}
	err := b.tx.SelectContext(ctx, &joined, `
		SELECT id, keep_contact, lose_contact, evidence FROM links
		WHERE tenant_id = $1 AND identity_id = $2 AND kind IN ('attested', 'rotated') AND undone_at IS NULL
		ORDER BY at DESC, id DESC LIMIT 1`, b.tx.Tenant, identity)
	if err != nil {
		return fmt.Errorf("read link: %w", err)
	}

	for _, l := range joined {
		var proof proofOfLink
		if err := json.Unmarshal(l.Proof, &proof); err != nil {
			return fmt.Errorf("read link proof: %w", err)
		}
		if _, err := b.tx.ExecContext(ctx, `UPDATE links SET undone_at = now(), undone_by = 'system' WHERE tenant_id = $1 AND id = $2`, b.tx.Tenant, l.ID); err != nil {
			return fmt.Errorf("close link: %w", err)
		}
		b.touch(l.Keep)
		if l.Lose != nil {
			if err := moveContactBack(ctx, b.tx, l.ID, *l.Lose); err != nil {
				return err
			}
			b.touch(l.Lose)
		}
		if proof.Lent && l.Keep != nil {
			if _, err := b.tx.ExecContext(ctx, `
				UPDATE identities SET contact_id = NULL
				WHERE tenant_id = $1 AND contact_id = $2 AND id = ANY($3) AND id <> $4 AND absorbed_into IS NULL`,
				b.tx.Tenant, *l.Keep, pq.Array(p.owner), identity); err != nil {
				return fmt.Errorf("return contact: %w", err)
			}
		}
	}
	own, err := rootOf(ctx, b.tx, p.identities[identity].ContactID)
	if err != nil {
		return err
	}
	if own != nil {
		if _, err := b.tx.ExecContext(ctx, `UPDATE identities SET contact_id = $3 WHERE tenant_id = $1 AND id = $2`, b.tx.Tenant, identity, *own); err != nil {
			return fmt.Errorf("restore contact: %w", err)
		}
	}
	b.touch(own)

	return writeLink(ctx, b.tx, link{ID: newID(), Kind: "split", Actor: tenants.SystemActor, Keep: own, Identity: &identity})
}

func (b *Batch) touch(contact *uuid.UUID) {
	if contact != nil {
		b.contacts[*contact] = true
	}
}
