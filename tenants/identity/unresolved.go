package identity

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// standing is what decides whether a contact needs somebody to say who it is.
type standing struct {
	Contact  uuid.UUID  `db:"contact_id"`
	Merged   bool       `db:"merged"`
	Identity *uuid.UUID `db:"identity_id"`
	HasPhone bool       `db:"has_phone"`
	Decided  bool       `db:"decided"`
	Since    *time.Time `db:"since"`
	Open     bool       `db:"open"`
}

func (s standing) unresolved() bool {
	return !s.Merged && s.Identity != nil && s.Since != nil && !s.HasPhone && !s.Decided
}

// SyncContacts brings what contacts are found by, and their place in the queue, to what is known of them now. Everything that
// changes a contact's identities, names or decisions ends with it.
func SyncContacts(ctx context.Context, tx *tenants.Tx, contacts []uuid.UUID) error {
	contacts, _, err := syncContacts(ctx, tx, contacts)
	if err != nil {
		return err
	}

	return arrange(ctx, tx, contacts, nil, nil)
}

// syncContacts is SyncContacts but for the order of the queue. It returns also the contacts that rules have changed, and the cases
// that WhatsApp's proof has closed.
func syncContacts(ctx context.Context, tx *tenants.Tx, contacts []uuid.UUID) (all, proved []uuid.UUID, err error) {
	if len(contacts) == 0 {
		return nil, nil, nil
	}
	changed, err := linkByRule(ctx, tx, contacts)
	if err != nil {
		return nil, nil, err
	}
	for _, id := range changed {
		if !slices.Contains(contacts, id) {
			contacts = append(contacts, id)
		}
	}
	words, err := syncWords(ctx, tx, contacts)
	if err != nil {
		return nil, nil, err
	}
	waiting, err := givenBy(ctx, tx, words)
	if err != nil {
		return nil, nil, err
	}
	for _, id := range waiting {
		if !slices.Contains(contacts, id) {
			contacts = append(contacts, id)
		}
	}

	var rows []standing
	err = tx.SelectContext(ctx, &rows, `
		SELECT c.id AS contact_id, c.merged_into IS NOT NULL AS merged,
		       (SELECT i.id FROM identities i WHERE i.tenant_id = $1 AND i.contact_id = c.id AND i.absorbed_into IS NULL ORDER BY i.id LIMIT 1) AS identity_id,
		       EXISTS (SELECT 1 FROM identities i
		               JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
		               JOIN identifiers d ON d.tenant_id = $1 AND d.id = t.identifier_id AND d.kind || '' = 'phone'
		               WHERE i.tenant_id = $1 AND i.contact_id = c.id AND i.absorbed_into IS NULL) AS has_phone,
		       EXISTS (SELECT 1 FROM identities i
		               JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
		               JOIN decisions x ON x.tenant_id = $1 AND x.revoked_at IS NULL AND x.kind IN ('is_new', 'must_link')
		                    AND (x.a_id = t.identifier_id AND holder($1, x.a_id, coalesce(x.a_at, x.known_until)) = i.id
		                         OR x.b_id = t.identifier_id AND holder($1, x.b_id, coalesce(x.b_at, x.known_until)) = i.id)
		               WHERE i.tenant_id = $1 AND i.contact_id = c.id AND i.absorbed_into IS NULL) AS decided,
		       (SELECT min(first.at) FROM identities i
		        JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
		        CROSS JOIN LATERAL (SELECT m.at FROM messages m WHERE m.tenant_id = $1 AND m.tenure_id = t.id AND m.direction = 'in' AND NOT m.imported
		                            ORDER BY m.at, m.id LIMIT 1) AS first
		        WHERE i.tenant_id = $1 AND i.contact_id = c.id AND i.absorbed_into IS NULL) AS since,
		       EXISTS (SELECT 1 FROM cases k WHERE k.tenant_id = $1 AND k.key = 'contact:' || c.id AND k.state = 'open') AS open
		FROM (SELECT DISTINCT id FROM unnest($2::uuid[]) AS w (id)) w
		CROSS JOIN LATERAL (SELECT id, merged_into FROM contacts WHERE tenant_id = $1 AND id = w.id OFFSET 0) c
		ORDER BY c.id`, tx.Tenant, pq.Array(contacts))
	if err != nil {
		return nil, nil, fmt.Errorf("read standing of contacts: %w", err)
	}

	var unresolved []uuid.UUID
	for _, r := range rows {
		if r.unresolved() {
			unresolved = append(unresolved, r.Contact)
		}
	}
	found, err := strongCandidates(ctx, tx, unresolved)
	if err != nil {
		return nil, nil, err
	}
	listed, err := listedOf(ctx, tx, unresolved)
	if err != nil {
		return nil, nil, err
	}

	var wanted []wantedCase
	var existing []string
	outcomes := map[string]string{}
	for _, r := range rows {
		key := "contact:" + r.Contact.String()
		if r.Open {
			existing = append(existing, key)
		}
		if !r.unresolved() {
			outcomes[key] = r.outcome()
			continue
		}
		if listed[r.Contact] && len(found[r.Contact]) == 0 {
			outcomes[key] = OutcomeListed
			continue
		}
		w := wantedCase{key: key, kind: CaseUnresolved, identity: r.Identity, contact: &r.Contact, since: *r.Since, candidates: found[r.Contact]}
		if len(w.candidates) > 0 {
			w.kind = CaseSuggested
		}
		wanted = append(wanted, w)
	}

	proved, err = openCases(ctx, tx, existing, wanted, func(key string) string { return outcomes[key] })
	if err != nil {
		return nil, nil, err
	}

	return contacts, proved, syncTwins(ctx, tx, contacts)
}

func (s standing) outcome() string {
	switch {
	case s.Merged:
		return OutcomeMerged
	case s.HasPhone:
		return OutcomeProved
	default:
		return OutcomeGone
	}
}

// strongCandidates finds for contacts without a phone the identities that a sign of tier A or B points to. Somebody a person has
// ruled out is not named again, unless WhatsApp has said more since.
func strongCandidates(ctx context.Context, tx *tenants.Tx, contacts []uuid.UUID) (map[uuid.UUID][]caseCandidate, error) {
	found := map[uuid.UUID][]caseCandidate{}
	if len(contacts) == 0 {
		return found, nil
	}

	var identities []uuid.UUID
	if err := tx.SelectContext(ctx, &identities, `
		SELECT id FROM identities WHERE tenant_id = $1 AND contact_id = ANY($2) AND absorbed_into IS NULL`, tx.Tenant, pq.Array(contacts)); err != nil {
		return nil, fmt.Errorf("read accounts of contacts: %w", err)
	}
	signs, err := signsOf(ctx, tx, identities)
	if err != nil {
		return nil, err
	}
	numbers, err := givenOf(ctx, tx, identities)
	if err != nil {
		return nil, err
	}
	ruled, err := ruledApart(ctx, tx, identities)
	if err != nil {
		return nil, err
	}

	add := func(s sign, tier string, why Reason) {
		if s.Contact == nil || s.Known == nil || *s.Contact == *s.Known {
			return
		}
		if at, apart := ruled[[2]uuid.UUID{s.Subject, s.Target}]; apart && (tier != "A" || !s.At.After(at)) {
			return
		}
		list := found[*s.Contact]
		i := slices.IndexFunc(list, func(c caseCandidate) bool { return c.Identity == s.Target })
		if i == -1 {
			found[*s.Contact] = append(list, caseCandidate{Identity: s.Target, Tier: tier, Reasons: []Reason{why}})
			return
		}
		list[i].Reasons = append(list[i].Reasons, why)
		list[i].Tier = min(list[i].Tier, tier)
	}
	for _, s := range signs {
		add(s, s.tier(), s.reason())
	}
	for _, r := range numbers {
		if !r.isHint() {
			add(r.sign, r.tier(), r.reason())
		}
	}
	for _, list := range found {
		slices.SortStableFunc(list, func(a, b caseCandidate) int { return strings.Compare(a.Tier, b.Tier) })
	}

	return found, nil
}

// ruledApart is when people last held each of the accounts apart from another: the standing decisions, by the two accounts.
func ruledApart(ctx context.Context, tx *tenants.Tx, identities []uuid.UUID) (map[[2]uuid.UUID]time.Time, error) {
	var rows []struct {
		A  uuid.UUID `db:"a"`
		B  uuid.UUID `db:"b"`
		At time.Time `db:"decided_at"`
	}
	err := tx.SelectContext(ctx, &rows, `
		WITH near AS (
			SELECT x.id FROM tenures t JOIN decisions x ON x.tenant_id = $1 AND x.revoked_at IS NULL AND x.a_id = t.identifier_id
			WHERE t.tenant_id = $1 AND t.identity_id = ANY($2)
			UNION
			SELECT x.id FROM tenures t JOIN decisions x ON x.tenant_id = $1 AND x.revoked_at IS NULL AND x.b_id = t.identifier_id
			WHERE t.tenant_id = $1 AND t.identity_id = ANY($2)
		), ruled AS (
			SELECT holder($1, x.a_id, coalesce(x.a_at, x.known_until)) AS a, holder($1, x.b_id, coalesce(x.b_at, x.known_until)) AS b, x.decided_at
			FROM near JOIN decisions x ON x.tenant_id = $1 AND x.id = near.id AND x.kind = 'cannot_link'
		)
		SELECT a, b, max(decided_at) AS decided_at
		FROM (SELECT a, b, decided_at FROM ruled UNION ALL SELECT b, a, decided_at FROM ruled) r
		WHERE a = ANY($2) AND b IS NOT NULL GROUP BY a, b`, tx.Tenant, pq.Array(identities))
	if err != nil {
		return nil, fmt.Errorf("read who is held apart: %w", err)
	}
	ruled := make(map[[2]uuid.UUID]time.Time, len(rows))
	for _, r := range rows {
		ruled[[2]uuid.UUID{r.A, r.B}] = r.At
	}

	return ruled, nil
}
