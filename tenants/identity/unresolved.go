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
	if len(contacts) == 0 {
		return nil
	}
	if err := syncWords(ctx, tx, contacts); err != nil {
		return err
	}

	var rows []standing
	err := tx.SelectContext(ctx, &rows, `
		SELECT c.id AS contact_id, c.merged_into IS NOT NULL AS merged,
		       (SELECT i.id FROM identities i WHERE i.tenant_id = $1 AND i.contact_id = c.id AND i.absorbed_into IS NULL ORDER BY i.id LIMIT 1) AS identity_id,
		       EXISTS (SELECT 1 FROM identities i
		               JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
		               JOIN identifiers d ON d.tenant_id = $1 AND d.id = t.identifier_id AND d.kind = 'phone'
		               WHERE i.tenant_id = $1 AND i.contact_id = c.id AND i.absorbed_into IS NULL) AS has_phone,
		       EXISTS (SELECT 1 FROM identities i
		               JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
		               JOIN decisions x ON x.tenant_id = $1 AND (x.a_id = t.identifier_id OR x.b_id = t.identifier_id)
		                    AND x.revoked_at IS NULL AND x.kind IN ('is_new', 'must_link')
		               WHERE i.tenant_id = $1 AND i.contact_id = c.id AND i.absorbed_into IS NULL) AS decided,
		       (SELECT min(first.at) FROM identities i
		        JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
		        CROSS JOIN LATERAL (SELECT m.at FROM messages m WHERE m.tenant_id = $1 AND m.tenure_id = t.id AND m.direction = 'in' AND NOT m.imported
		                            ORDER BY m.at, m.id LIMIT 1) AS first
		        WHERE i.tenant_id = $1 AND i.contact_id = c.id AND i.absorbed_into IS NULL) AS since,
		       EXISTS (SELECT 1 FROM cases k WHERE k.tenant_id = $1 AND k.key = 'contact:' || c.id AND k.state = 'open') AS open
		FROM contacts c WHERE c.tenant_id = $1 AND c.id = ANY($2) ORDER BY c.id`, tx.Tenant, pq.Array(contacts))
	if err != nil {
		return fmt.Errorf("read standing of contacts: %w", err)
	}

	var unresolved []uuid.UUID
	for _, r := range rows {
		if r.unresolved() {
			unresolved = append(unresolved, r.Contact)
		}
	}
	found, err := strongCandidates(ctx, tx, unresolved)
	if err != nil {
		return err
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
		w := wantedCase{key: key, kind: CaseUnresolved, identity: r.Identity, contact: &r.Contact, since: *r.Since, candidates: found[r.Contact]}
		if len(w.candidates) > 0 {
			w.kind = CaseSuggested
		}
		wanted = append(wanted, w)
	}

	if err := openCases(ctx, tx, existing, wanted, func(key string) string { return outcomes[key] }); err != nil {
		return err
	}

	return syncTwins(ctx, tx, contacts)
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

// strongCandidates finds for contacts without a phone the identities that a hint of tier A or B, or an id shared across
// portfolios, points to. Somebody a person has ruled out is not named again.
func strongCandidates(ctx context.Context, tx *tenants.Tx, contacts []uuid.UUID) (map[uuid.UUID][]caseCandidate, error) {
	found := map[uuid.UUID][]caseCandidate{}
	if len(contacts) == 0 {
		return found, nil
	}

	var rows []struct {
		Contact  uuid.UUID `db:"contact_id"`
		Identity uuid.UUID `db:"identity_id"`
		Kind     string    `db:"kind"`
		Value    string    `db:"value"`
		ItemID   int64     `db:"item_id"`
		At       time.Time `db:"at"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT s.contact_id, oi.id AS identity_id, s.kind, s.value, s.item_id, s.at
		FROM (
			SELECT i.contact_id, i.id AS identity_id, t.identifier_id, h.kind, h.claim_kind, h.claim_value AS value, h.item_id, h.at, ''::text AS not_scope
			FROM identities i
			JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
			JOIN hints h ON h.tenant_id = $1 AND h.subject_id = t.identifier_id
			WHERE i.tenant_id = $1 AND i.contact_id = ANY($2) AND i.absorbed_into IS NULL
			UNION ALL
			SELECT i.contact_id, i.id, t.identifier_id, '`+hintSaved+`', 'phone', s.phone, s.item_id, s.at, ''
			FROM identities i
			JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
			JOIN identifiers d ON d.tenant_id = $1 AND d.id = t.identifier_id AND d.kind = 'bsuid'
			JOIN saved_contacts s ON s.tenant_id = $1 AND s.bsuid <> '' AND s.bsuid = d.value AND s.phone <> ''
			JOIN numbers n ON n.tenant_id = $1 AND n.id = s.number_id AND n.scope = i.scope
			WHERE i.tenant_id = $1 AND i.contact_id = ANY($2) AND i.absorbed_into IS NULL AND`+liveSaved+`
			UNION ALL
			SELECT i.contact_id, i.id, t.identifier_id, 'same_parent', d.kind, d.value, 0, t.first_seen, d.scope
			FROM identities i
			JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
			JOIN identifiers d ON d.tenant_id = $1 AND d.id = t.identifier_id AND d.kind = 'parent_bsuid'
			WHERE i.tenant_id = $1 AND i.contact_id = ANY($2) AND i.absorbed_into IS NULL
		) s
		JOIN identifiers od ON od.tenant_id = $1 AND od.kind = s.claim_kind AND od.value = s.value AND od.scope <> s.not_scope
		JOIN tenures ot ON ot.tenant_id = $1 AND ot.identifier_id = od.id
		JOIN identities oi ON oi.tenant_id = $1 AND oi.id = ot.identity_id AND oi.contact_id IS NOT NULL AND oi.contact_id <> s.contact_id
		WHERE NOT EXISTS (
			SELECT 1 FROM decisions x
			JOIN tenures ta ON ta.tenant_id = $1 AND ta.identifier_id = x.a_id
			JOIN tenures tb ON tb.tenant_id = $1 AND tb.identifier_id = x.b_id
			WHERE x.tenant_id = $1 AND x.revoked_at IS NULL AND x.kind = 'cannot_link'
			  AND (ta.identity_id = s.identity_id AND tb.identity_id = oi.id OR tb.identity_id = s.identity_id AND ta.identity_id = oi.id))
		ORDER BY s.contact_id, s.kind, s.value, oi.id`, tx.Tenant, pq.Array(contacts))
	if err != nil {
		return nil, fmt.Errorf("find candidates: %w", err)
	}

	for _, r := range rows {
		reason := Reason{Code: r.Kind, Args: map[string]string{"via": r.Value, "at": r.At.UTC().Format(time.RFC3339)}, ItemID: r.ItemID}
		list := found[r.Contact]
		i := slices.IndexFunc(list, func(c caseCandidate) bool { return c.Identity == r.Identity })
		if i == -1 {
			found[r.Contact] = append(list, caseCandidate{Identity: r.Identity, Tier: tierOf(r.Kind), Reasons: []Reason{reason}})
			continue
		}
		list[i].Reasons = append(list[i].Reasons, reason)
		list[i].Tier = min(list[i].Tier, tierOf(r.Kind))
	}
	for _, list := range found {
		slices.SortStableFunc(list, func(a, b caseCandidate) int { return strings.Compare(a.Tier, b.Tier) })
	}

	return found, nil
}

func tierOf(kind string) string {
	if kind == hintCardRequest || kind == "same_parent" || kind == "same_phone" {
		return "A"
	}

	return "B"
}
