package identity

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/adoption"
)

// Links by rule are derived like everything attested: what the switches, the evidence and people's decisions call for is compared
// with what stands, and the difference applied. Each is a link like any other, with its receipt and its undo.

// ruled is a link by rule: that stands, or that is called for.
type ruled struct {
	Link    uuid.UUID `db:"id"`
	Rule    string    `db:"rule"`
	Subject uuid.UUID `db:"identity_id"`
	Target  uuid.UUID `db:"target_id"`
	At      time.Time `db:"proved_at"`
	sign    sign
}

// same tells whether two are one link. Of two accounts with one parent id neither is the other's target more than the other way round.
func (r ruled) same(o ruled) bool {
	return r.Rule == o.Rule && (r.Subject == o.Subject && r.Target == o.Target || r.Rule == signParent && r.Subject == o.Target && r.Target == o.Subject)
}

// linkByRule brings the links by rule of contacts to what is called for now, and returns the contacts that it changed.
func linkByRule(ctx context.Context, tx *tenants.Tx, contacts []uuid.UUID) ([]uuid.UUID, error) {
	var rules []struct {
		Evidence string `db:"evidence"`
		On       bool   `db:"switched_on"`
		Linked   bool   `db:"linked"` // links by it stand
	}
	if err := tx.SelectContext(ctx, &rules, `
		SELECT evidence, mode = 'on' AS switched_on,
		       EXISTS (SELECT 1 FROM links l WHERE l.tenant_id = $1 AND l.rule <> '' AND l.rule = r.evidence AND l.undone_at IS NULL) AS linked
		FROM link_rules r WHERE r.tenant_id = $1`, tx.Tenant); err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
	var on []string
	idle := true
	for _, r := range rules {
		if r.On {
			on = append(on, r.Evidence)
		}
		idle = idle && !r.On && !r.Linked
	}
	if idle {
		return nil, nil
	}

	var subjects []uuid.UUID
	if err := tx.SelectContext(ctx, &subjects, `
		SELECT id FROM identities WHERE tenant_id = $1 AND contact_id = ANY($2) AND absorbed_into IS NULL ORDER BY id`, tx.Tenant, pq.Array(contacts)); err != nil {
		return nil, fmt.Errorf("read accounts of contacts: %w", err)
	}
	called, err := calledFor(ctx, tx, on, subjects)
	if err != nil {
		return nil, err
	}
	var stand []ruled
	if err := tx.SelectContext(ctx, &stand, `
		SELECT id, rule, identity_id, target_id, proved_at FROM links
		WHERE tenant_id = $1 AND rule <> '' AND undone_at IS NULL AND (identity_id = ANY($2) OR target_id = ANY($3))
		ORDER BY id`, tx.Tenant, pq.Array(subjects), pq.Array(targetsOf(called))); err != nil {
		return nil, fmt.Errorf("read links by rule: %w", err)
	}

	var ended, made []ruled
	for _, s := range stand {
		// One that is about somebody else's subject stands unless an earlier claim on its target is called for.
		if !slices.Contains(subjects, s.Subject) {
			if i := slices.IndexFunc(called, s.rivals); i >= 0 {
				if earlierClaim(called[i], s) {
					ended = append(ended, s)
				} else {
					called = slices.Delete(called, i, i+1)
				}
			}
			continue
		}
		if !slices.ContainsFunc(called, s.same) {
			ended = append(ended, s)
		}
	}
	for _, c := range called {
		i := slices.IndexFunc(stand, c.same)
		if i < 0 {
			made = append(made, c)
			continue
		}
		if c.At.Before(stand[i].At) { // said earlier than was known
			if _, err := tx.ExecContext(ctx, `UPDATE links SET proved_at = $3 WHERE tenant_id = $1 AND id = $2`, tx.Tenant, stand[i].Link, c.At); err != nil {
				return nil, fmt.Errorf("note since when a link is proved: %w", err)
			}
		}
	}

	var changed []uuid.UUID
	for _, e := range ended {
		moved, err := endRuled(ctx, tx, e)
		if err != nil {
			return nil, err
		}
		changed = append(changed, moved...)
	}
	for _, m := range made {
		moved, err := makeRuled(ctx, tx, m)
		if err != nil {
			return nil, err
		}
		changed = append(changed, moved...)
	}

	return changed, retellActivity(ctx, tx, changed)
}

// rivals tells whether two claim one target, of whose accounts in a portfolio there is one only. A parent id tells of other portfolios.
func (r ruled) rivals(o ruled) bool {
	return r.Target == o.Target && r.Rule != signParent && o.Rule != signParent
}

func targetsOf(list []ruled) []uuid.UUID {
	out := make([]uuid.UUID, len(list))
	for i, r := range list {
		out[i] = r.Target
	}

	return out
}

// earlierClaim orders two claims on one target: by what WhatsApp said first. Only one account can be the target's in a portfolio.
func earlierClaim(a, b ruled) bool {
	if !a.At.Equal(b.At) {
		return a.At.Before(b.At)
	}

	return bytes.Compare(a.Subject[:], b.Subject[:]) < 0
}

// touchRuled marks the contacts of accounts that wrote and that a rule has linked: if both write at once, they may be two people.
func (b *Batch) touchRuled(ctx context.Context) error {
	wrote := map[uuid.UUID]bool{}
	for i, s := range b.seen {
		if makesContact(s.Event) {
			wrote[b.Placements[i].IdentityID] = true
		}
	}
	if len(wrote) == 0 {
		return nil
	}

	var contacts []uuid.UUID
	if err := b.tx.SelectContext(ctx, &contacts, `
		SELECT keep_contact FROM links WHERE tenant_id = $1 AND rule <> '' AND undone_at IS NULL AND identity_id = ANY($2)
		UNION
		SELECT keep_contact FROM links WHERE tenant_id = $1 AND rule <> '' AND undone_at IS NULL AND target_id IS NOT NULL AND target_id = ANY($2)`,
		b.tx.Tenant, pq.Array(keys(wrote))); err != nil {
		return fmt.Errorf("find who a rule has linked: %w", err)
	}
	for _, id := range contacts {
		root, err := rootOf(ctx, b.tx, &id)
		if err != nil {
			return err
		}
		b.touch(root)
	}

	return nil
}

// makeRuled joins two accounts because a rule calls for it. The contact known longer stays.
func makeRuled(ctx context.Context, tx *tenants.Tx, r ruled) ([]uuid.UUID, error) {
	own, err := identityByID(ctx, tx, r.Subject)
	if err != nil {
		return nil, err
	}
	theirs, err := identityByID(ctx, tx, r.Target)
	if err != nil {
		return nil, err
	}
	keep, err := contactOf(ctx, tx, r.Target)
	if err != nil {
		return nil, err
	}
	lose, err := contactOf(ctx, tx, r.Subject)
	if err != nil {
		return nil, err
	}
	if keep == nil || lose != nil && *keep == *lose {
		keep, lose = lose, nil
	}

	why := r.sign.reason()
	proof, err := json.Marshal(proofOfLink{Sign: &why, Gained: []uuid.UUID{leadingOf(own).id}})
	if err != nil {
		return nil, fmt.Errorf("encode link proof: %w", err)
	}
	id := newID()
	if _, err := tx.ExecContext(ctx, `
		WITH changed AS (
			INSERT INTO links AS l (tenant_id, id, kind, actor_kind, actor_id, actor_name, keep_contact, lose_contact, identity_id, target_id, rule,
			                        proved_at, evidence)
			VALUES ($1, $2, 'merged', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING `+adoption.LinkState+`
		), `+adoption.CountLinks+` SELECT count(*) FROM changed`,
		tx.Tenant, id, tenants.SystemActor.Kind, tenants.SystemActor.ID, tenants.SystemActor.Name, keep, lose, r.Subject, r.Target, r.Rule, r.At, string(proof)); err != nil {
		return nil, fmt.Errorf("journal link by rule: %w", err)
	}
	if lose != nil {
		if err := journalMoves(ctx, tx, id, *keep, *lose); err != nil {
			return nil, err
		}
	}
	if err := decide(ctx, tx, tenants.SystemActor, decision{kind: "must_link", a: leadingOf(theirs), b: leadingOf(own), link: &id}); err != nil {
		return nil, err
	}
	changed, err := regroup(ctx, tx, []uuid.UUID{r.Subject, r.Target})
	if err != nil {
		return nil, err
	}

	return changed, tenants.Audit(ctx, tx, tenants.Act{
		Actor: tenants.SystemActor, Action: "contact.link", ObjectKind: "contact", ObjectID: keep.String(), Detail: map[string]any{"link": id, "rule": r.Rule},
	})
}

// endRuled takes back a link by rule that nothing calls for any more.
func endRuled(ctx context.Context, tx *tenants.Tx, r ruled) ([]uuid.UUID, error) {
	if _, err := tx.ExecContext(ctx, `
		WITH changed AS (
			UPDATE links l SET undone_at = clock_timestamp(), undone_by = 'system' WHERE l.tenant_id = $1 AND l.id = $2 RETURNING `+adoption.LinkState+`
		), `+adoption.CountLinks+` SELECT count(*) FROM changed`, tx.Tenant, r.Link); err != nil {
		return nil, fmt.Errorf("end link by rule: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE decisions SET revoked_at = now() WHERE tenant_id = $1 AND link_id = $2 AND revoked_at IS NULL`, tx.Tenant, r.Link); err != nil {
		return nil, fmt.Errorf("take decision back: %w", err)
	}

	return regroup(ctx, tx, []uuid.UUID{r.Subject, r.Target})
}

// undoRuled takes back a link by rule for a person, who thereby says the contrary of what the rule decided, and has the circuit
// breaker look.
func undoRuled(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, l Link) error {
	var made struct {
		A     uuid.UUID  `db:"a_id"`
		B     uuid.UUID  `db:"b_id"`
		AAt   *time.Time `db:"a_at"`
		BAt   *time.Time `db:"b_at"`
		APast bool       `db:"a_past"`
		BPast bool       `db:"b_past"`
	}
	if err := tx.GetContext(ctx, &made, `
		SELECT a_id, b_id, a_at, b_at, a_past, b_past FROM decisions WHERE tenant_id = $1 AND link_id = $2 AND kind = 'must_link'`, tx.Tenant, l.ID); err != nil {
		return fmt.Errorf("read what a rule decided: %w", err)
	}
	if err := decide(ctx, tx, actor, decision{
		kind: "cannot_link", a: heldAt{made.A, made.AAt, made.APast}, b: heldAt{made.B, made.BAt, made.BPast},
	}); err != nil {
		return err
	}
	if err := undoMerge(ctx, tx, actor, l); err != nil {
		return err
	}
	_, err := breakRule(ctx, tx, l.Rule)

	return err
}
