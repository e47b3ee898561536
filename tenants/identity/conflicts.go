package identity

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// syncConflicts brings the conflict cases of a derived component to what its contests call for.
func (b *Batch) syncConflicts(ctx context.Context, p *plan) error {
	var involved []uuid.UUID
	for id := range p.identities {
		involved = append(involved, id)
	}
	if len(involved) == 0 && len(p.contests) == 0 {
		return nil
	}

	var existing []string
	if err := b.tx.SelectContext(ctx, &existing, `
		SELECT key FROM cases WHERE tenant_id = $1 AND identity_id = ANY($2) AND kind = 'conflict' AND state = 'open'`,
		b.tx.Tenant, pq.Array(involved)); err != nil {
		return fmt.Errorf("read conflicts: %w", err)
	}

	var owners map[uuid.UUID]uuid.UUID
	if len(p.contests) > 0 {
		var err error
		if owners, err = ownersOf(ctx, b.tx, p.owner); err != nil {
			return err
		}
	}
	var wanted []wantedCase
	for _, c := range p.contests {
		subject, known := owners[p.owner[c.subject]]
		one := func(o int) bool { other, ok := owners[p.owner[o]]; return known && ok && other == subject }
		if slices.ContainsFunc(c.others, one) {
			continue // somebody has said which one it is
		}
		w := p.conflict(c)
		if known {
			w.contact = &subject
			b.touch(w.contact)
		}
		if !slices.ContainsFunc(wanted, func(o wantedCase) bool { return o.key == w.key }) {
			wanted = append(wanted, w)
		}
	}

	proved, err := openCases(ctx, b.tx, existing, wanted, func(string) string { return OutcomeProved })
	b.proved = append(b.proved, proved...)

	return err
}

// bringConflicts has what WhatsApp's evidence leaves open about accounts be about whoever has them now, also where that changed after the
// case was opened. Nobody has asked anything where an account is nobody's any more.
func bringConflicts(ctx context.Context, tx *tenants.Tx, accounts []uuid.UUID) error {
	if _, err := tx.ExecContext(ctx, `
		UPDATE cases k SET contact_id = i.contact_id, version = k.version + 1,
		       asked_at = CASE WHEN i.contact_id IS NOT NULL THEN k.asked_at END, answered_at = CASE WHEN i.contact_id IS NOT NULL THEN k.answered_at END
		FROM identities i
		WHERE k.tenant_id = $1 AND k.identity_id = ANY($2) AND k.kind = 'conflict' AND k.state = 'open'
		  AND i.tenant_id = $1 AND i.id = k.identity_id AND k.contact_id IS DISTINCT FROM i.contact_id`, tx.Tenant, pq.Array(accounts)); err != nil {
		return fmt.Errorf("bring conflicts along: %w", err)
	}

	return nil
}

// conflict words a contest as a case. Its key speaks of identifiers, not of generated ids.
func (p *plan) conflict(c contest) wantedCase {
	subject := p.owner[c.subject]
	w := wantedCase{kind: CaseConflict, identity: &subject, since: time.Unix(c.since, 0).UTC(), key: "contest:" + c.kind + ":" + p.leastOf(c.subject)}
	args := map[string]string{"at": time.Unix(c.at, 0).UTC().Format(time.RFC3339)}
	if c.via != none {
		via := p.nodes[c.via]
		args["via_kind"], args["via"] = string(via.kind), via.value
		w.key += ":" + via.scope + ":" + via.value
	}
	if c.nth > 0 {
		w.key += fmt.Sprintf(":%d", c.nth)
	}
	if c.verdict >= 0 {
		w.key += ":" + p.verdicts[c.verdict].id.String()
	}
	for _, o := range c.others {
		if p.owner[o] == subject || slices.ContainsFunc(w.candidates, func(k caseCandidate) bool { return k.Identity == p.owner[o] }) {
			continue
		}
		w.key += ":" + p.leastOf(o)
		tier := "B"
		if c.kind == contestDecision {
			tier = "A"
		}
		w.candidates = append(w.candidates, caseCandidate{Identity: p.owner[o], Tier: tier, Reasons: []Reason{{Code: c.kind, Args: args}}})
	}

	return w
}

// leastOf names an account by its first identifier in sorting order.
func (p *plan) leastOf(account int) string {
	least := slices.MinFunc(p.accounts[account].holds, func(a, b hold) int { return p.compare(a.id, b.id) })

	return p.nodes[least.id].value
}
