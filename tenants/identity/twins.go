package identity

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// syncTwins opens a suggested case for each phone or parent id that is live at two contacts, in two of the tenant's
// portfolios, and closes it once they are one contact or somebody has ruled. It never links by itself: another portfolio's
// account with the same number may be another time's owner of it.
func syncTwins(ctx context.Context, tx *tenants.Tx, contacts []uuid.UUID) error {
	var scopes int
	if err := tx.GetContext(ctx, &scopes, `SELECT count(DISTINCT scope) FROM numbers WHERE tenant_id = $1`, tx.Tenant); err != nil {
		return fmt.Errorf("count portfolios: %w", err)
	}
	if scopes < 2 {
		return nil
	}

	var rows []struct {
		Key       string    `db:"key"`
		Kind      string    `db:"kind"`
		Value     string    `db:"value"`
		Identity  uuid.UUID `db:"identity_id"`
		Contact   uuid.UUID `db:"contact_id"`
		Candidate uuid.UUID `db:"candidate_id"`
		Since     time.Time `db:"since"`
		Scope     string    `db:"scope"`
		Listed    bool      `db:"listed"` // one of the two has it by a list alone
	}
	// The one seen later is the question, the one seen first the candidate. A contact still unresolved carries its twin as a
	// candidate of its own case, so only contacts with a phone are paired here.
	err := tx.SelectContext(ctx, &rows, `
		WITH theirs AS (
			SELECT DISTINCT d.kind, d.value FROM identities i
			JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id AND t.current
			JOIN identifiers d ON d.tenant_id = $1 AND d.id = t.identifier_id AND d.kind IN ('phone', 'parent_bsuid')
			WHERE i.tenant_id = $1 AND i.contact_id = ANY($2) AND i.absorbed_into IS NULL
		), near AS (
			SELECT DISTINCT i.contact_id FROM theirs m
			JOIN identifiers d ON d.tenant_id = $1 AND d.kind = m.kind AND d.value = m.value
			JOIN tenures t ON t.tenant_id = $1 AND t.identifier_id = d.id AND t.current
			JOIN identities i ON i.tenant_id = $1 AND i.id = t.identity_id AND i.contact_id IS NOT NULL AND i.absorbed_into IS NULL
		), mine AS ( -- all by which one of them may be somebody's twin: a case is written with every candidate
			SELECT DISTINCT d.kind, d.value FROM near n
			JOIN identities i ON i.tenant_id = $1 AND i.contact_id = n.contact_id AND i.absorbed_into IS NULL
			JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id AND t.current
			JOIN identifiers d ON d.tenant_id = $1 AND d.id = t.identifier_id AND d.kind || '' IN ('phone', 'parent_bsuid')
		), held AS (
			SELECT d.kind, d.value, d.scope, i.id AS identity_id, i.contact_id, d.last_seen < d.first_seen AS listed,
			       (SELECT min(o.first_seen) FROM tenures o WHERE o.tenant_id = $1 AND o.identity_id = i.id) AS first_seen
			FROM mine m
			JOIN identifiers d ON d.tenant_id = $1 AND d.kind = m.kind AND d.value = m.value
			JOIN tenures t ON t.tenant_id = $1 AND t.identifier_id = d.id AND t.current
			JOIN identities i ON i.tenant_id = $1 AND i.id = t.identity_id AND i.contact_id IS NOT NULL AND i.absorbed_into IS NULL
		)
		SELECT 'twin:' || b.contact_id AS key, b.kind, b.value, b.identity_id, b.contact_id,
		       a.identity_id AS candidate_id, b.first_seen AS since, b.scope, a.listed OR b.listed AS listed
		FROM held a JOIN held b ON a.kind = b.kind AND a.value = b.value AND a.scope <> b.scope AND a.contact_id <> b.contact_id
		     AND (a.first_seen, a.scope) < (b.first_seen, b.scope)
		WHERE b.contact_id IN (SELECT contact_id FROM near)
		  AND NOT EXISTS (SELECT 1 FROM cases k WHERE k.tenant_id = $1 AND k.key IN ('contact:' || a.contact_id, 'contact:' || b.contact_id) AND k.state = 'open')
		  AND NOT EXISTS (
			SELECT 1 FROM tenures t JOIN decisions x ON x.tenant_id = $1 AND x.revoked_at IS NULL AND x.kind = 'cannot_link' AND t.identifier_id IN (x.a_id, x.b_id)
			WHERE t.tenant_id = $1 AND t.identity_id = a.identity_id
			  AND (holder($1, x.a_id, coalesce(x.a_at, x.known_until)), holder($1, x.b_id, coalesce(x.b_at, x.known_until)))
			      IN ((a.identity_id, b.identity_id), (b.identity_id, a.identity_id)))
		ORDER BY b.contact_id, a.identity_id, b.kind`, tx.Tenant, pq.Array(contacts))
	if err != nil {
		return fmt.Errorf("find twins: %w", err)
	}

	var existing []string
	if err := tx.SelectContext(ctx, &existing, `
		SELECT key FROM cases WHERE tenant_id = $1 AND contact_id = ANY($2) AND state = 'open' AND key LIKE 'twin:%'`,
		tx.Tenant, pq.Array(contacts)); err != nil {
		return fmt.Errorf("read twins: %w", err)
	}

	var wanted []wantedCase
	var scope string // of the account that the last wanted case names: of several that have a twin, the one known longest
	for _, r := range rows {
		tier, reason := "A", Reason{Code: signTwin, Args: map[string]string{"via": r.Value}}
		switch {
		case r.Listed:
			tier, reason.Code, reason.Tier = "B", signListed, "B"
		case r.Kind == "parent_bsuid":
			reason.Code = signParent
		}
		if n := len(wanted); n == 0 || wanted[n-1].key != r.Key {
			wanted = append(wanted, wantedCase{key: r.Key, kind: CaseSuggested, identity: &r.Identity, contact: &r.Contact, since: r.Since})
			scope = r.Scope
		}
		w := &wanted[len(wanted)-1]
		if cmp.Or(r.Since.Compare(w.since), cmp.Compare(r.Scope, scope)) < 0 {
			w.identity, w.since, scope = &r.Identity, r.Since, r.Scope
		}
		if n := len(w.candidates); n > 0 && w.candidates[n-1].Identity == r.Candidate {
			w.candidates[n-1].Reasons = append(w.candidates[n-1].Reasons, reason)
			w.candidates[n-1].Tier = min(w.candidates[n-1].Tier, tier)
			continue
		}
		w.candidates = append(w.candidates, caseCandidate{Identity: r.Candidate, Tier: tier, Reasons: []Reason{reason}})
	}

	_, err = openCases(ctx, tx, existing, wanted, func(string) string { return OutcomeGone })

	return err
}
