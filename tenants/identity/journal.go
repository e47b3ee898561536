package identity

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/adoption"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// proofOfLink is what a link's journal row keeps: the identifiers gained, and the two that a cut would hold apart.
type proofOfLink struct {
	Gained []uuid.UUID `json:"gained,omitempty"`
	Cut    []uuid.UUID `json:"cut,omitempty"`
	// Filled: what the surviving contact took from the other because it had none of its own.
	Filled map[string]string `json:"filled,omitempty"`
	// Sign: the evidence by which a rule made the link.
	Sign *Reason `json:"sign,omitempty"`
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
		WITH changed AS (
			INSERT INTO links AS l (tenant_id, id, kind, actor_kind, actor_id, actor_name, keep_contact, lose_contact, identity_id, reason, evidence, case_id)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING `+adoption.LinkState+`
		), `+adoption.CountLinks+` SELECT count(*) FROM changed`,
		tx.Tenant, l.ID, l.Kind, l.Actor.Kind, l.Actor.ID, l.Actor.Name, l.Keep, l.Lose, l.Identity, l.Reason, string(proof), l.CaseID)
	if err != nil {
		return fmt.Errorf("journal link: %w", err)
	}

	return nil
}

// joinContacts carries what was derived about accounts over to contacts, and journals what each account gained, absorbed or
// gave back. New accounts that nobody knew need neither. It returns the contacts that changed.
func (b *Batch) joinContacts(ctx context.Context, p *plan) (changed []uuid.UUID, err error) {
	var known []uuid.UUID
	for i, id := range p.owner {
		if !p.fresh[i] {
			known = append(known, id)
		}
	}
	if len(known) == 0 {
		return nil, nil
	}
	for j := range p.absorbed {
		known = append(known, j)
	}
	if changed, err = regroup(ctx, b.tx, known); err != nil {
		return nil, err
	}
	for _, id := range changed {
		b.contacts[id] = true
	}

	for i, id := range p.owner {
		if _, back := p.revived[id]; back {
			err = b.journalReturn(ctx, id)
		} else if !p.fresh[i] {
			err = b.journalGain(ctx, p, i)
		}
		if err != nil {
			return nil, err
		}
	}
	for j, into := range p.absorbed {
		if err := b.journalAbsorption(ctx, p, j, into); err != nil {
			return nil, err
		}
	}

	return changed, nil
}

// hadLast is the account that had an identifier at a time, else last before it, else first after it. So a list that named the phone
// speaks of one account, however late WhatsApp tells who had it when.
func (p *plan) hadLast(r ref, at int64) int {
	if i, ok := p.byBSUID[r]; ok {
		return i
	}
	account := -1
	for _, s := range p.holder[r] {
		if s.account >= 0 && (s.from <= at || account == -1) {
			account = s.account
		}
	}

	return account
}

// lostBy are the identifiers that an account's identity held and holds no more.
func (p *plan) lostBy(account int) []uuid.UUID {
	var lost []uuid.UUID
	for _, t := range p.held[p.owner[account]] {
		if !slices.ContainsFunc(p.accounts[account].holds, func(h hold) bool { return p.nodes[h.id].id == t.IdentifierID }) {
			lost = append(lost, t.IdentifierID)
		}
	}

	return lost
}

// journalGain notes the identifiers that an existing identity got other than by absorbing one.
func (b *Batch) journalGain(ctx context.Context, p *plan, account int) error {
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

	contact, err := contactOf(ctx, b.tx, row.ID)
	if err != nil {
		return err
	}
	b.touch(contact)

	return writeLink(ctx, b.tx, link{
		ID: newID(), Kind: p.linkKind(gained), Actor: tenants.SystemActor, Keep: contact, Identity: &row.ID,
		Proof: proofOfLink{Gained: gained, Cut: []uuid.UUID{p.leading(row.ID, gained), gained[0]}},
	})
}

// journalAbsorption notes that identity j turned out to be the same account as another.
func (b *Batch) journalAbsorption(ctx context.Context, p *plan, j, into uuid.UUID) error {
	var theirs []uuid.UUID
	for _, t := range p.held[j] {
		theirs = append(theirs, t.IdentifierID)
	}
	l := link{
		ID: newID(), Kind: p.linkKind(theirs), Actor: tenants.SystemActor, Identity: &j,
		Proof: proofOfLink{Gained: theirs, Cut: []uuid.UUID{p.leading(into, nil), p.leading(j, nil)}},
	}

	var err error
	if l.Keep, err = contactOf(ctx, b.tx, into); err != nil {
		return err
	}
	for _, before := range []*uuid.UUID{p.identities[j].ContactID, p.identities[into].ContactID} {
		if before != nil && l.Keep != nil && *before != *l.Keep {
			l.Lose = before
		}
	}
	b.touch(l.Keep)

	return writeLink(ctx, b.tx, l)
}

// journalReturn notes that an identity is its own again, and ends the link that had made it part of another.
func (b *Batch) journalReturn(ctx context.Context, identity uuid.UUID) error {
	if _, err := b.tx.ExecContext(ctx, `
		WITH changed AS (
			UPDATE links l SET undone_at = clock_timestamp(), undone_by = 'system'
			WHERE l.tenant_id = $1 AND l.id = (SELECT id FROM links WHERE tenant_id = $1 AND identity_id = $2 AND kind IN ('attested', 'rotated')
			                                     AND undone_at IS NULL ORDER BY at DESC, id DESC LIMIT 1) RETURNING `+adoption.LinkState+`
		), `+adoption.CountLinks+` SELECT count(*) FROM changed`, b.tx.Tenant, identity); err != nil {
		return fmt.Errorf("end link: %w", err)
	}
	contact, err := contactOf(ctx, b.tx, identity)
	if err != nil {
		return err
	}
	b.touch(contact)

	return writeLink(ctx, b.tx, link{ID: newID(), Kind: "split", Actor: tenants.SystemActor, Keep: contact, Identity: &identity})
}

// leading is the identifier a decision about an identity would name: its BSUID if it had one, else its anchor.
func (p *plan) leading(identity uuid.UUID, except []uuid.UUID) uuid.UUID {
	for _, t := range p.held[identity] {
		if r, ok := p.refs[t.IdentifierID]; ok && p.nodes[r].kind == whatsapp.KindBSUID && !slices.Contains(except, t.IdentifierID) {
			return t.IdentifierID
		}
	}

	return p.identities[identity].AnchorID
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

func (b *Batch) touch(contact *uuid.UUID) {
	if contact != nil {
		b.contacts[*contact] = true
	}
}
