package identity

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/adoption"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// The kinds of case, and how one ended.
const (
	CaseUnresolved     = "unresolved"     // somebody without a phone, nobody decided
	CaseSuggested      = "suggested"      // the same, and a strong sign names somebody
	CaseConflict       = "conflict"       // the evidence contradicts itself or a person
	CaseUnidentifiable = "unidentifiable" // an item that names nobody

	OutcomeSame    = "same"
	OutcomeNotSame = "not_same"
	OutcomeNew     = "new"
	OutcomeProved  = "proved" // WhatsApp settled it
	OutcomeListed  = "listed" // a list of the business's own says who it is
	OutcomeMerged  = "merged" // the contact became part of another
	OutcomeGone    = "gone"   // nothing left to decide
)

// Reason is why a candidate is, or is not, the one. Code is an i18n key suffix under "evidence."; Args fill its sentence.
type Reason struct {
	Code   string            `json:"code"`
	Args   map[string]string `json:"args,omitempty"`
	ItemID int64             `json:"item_id,omitempty"` // the event that carried it
	Tier   string            `json:"tier,omitempty"`    // A, B or C; "" is the candidate's
}

// caseCandidate is stored with a case. It names an identity, not a contact, so that a merge does not make it stale.
type caseCandidate struct {
	Identity uuid.UUID `json:"identity_id"`
	Tier     string    `json:"tier"`
	Reasons  []Reason  `json:"reasons"`
}

// wantedCase is a case that the evidence calls for.
type wantedCase struct {
	key        string
	kind       string
	identity   *uuid.UUID
	contact    *uuid.UUID
	candidates []caseCandidate
	since      time.Time
	item       *int64
}

// openCases opens, re-opens or refreshes the wanted cases, and closes those among the existing that are no longer wanted. lost gives
// the outcome of one that is not. It returns the cases that WhatsApp's proof has closed. One that opens again, or about which there
// is more to know than when it was put off or could not be told, begins anew.
func openCases(ctx context.Context, tx *tenants.Tx, existing []string, wanted []wantedCase, lost func(key string) string) (proved []uuid.UUID, err error) {
	if len(wanted) > 0 {
		if err := writeCases(ctx, tx, wanted); err != nil {
			return nil, err
		}
	}

	var gone, outcomes []string
	for _, key := range existing {
		if !slices.ContainsFunc(wanted, func(w wantedCase) bool { return w.key == key }) {
			gone, outcomes = append(gone, key), append(outcomes, lost(key))
		}
	}
	if len(gone) == 0 {
		return nil, nil
	}
	var closed []struct {
		ID      uuid.UUID `db:"id"`
		Outcome string    `db:"outcome"`
	}
	if err := tx.SelectContext(ctx, &closed, `
		WITH changed AS (
			UPDATE cases k SET state = 'done', outcome = w.outcome, closed_at = now(), closed_by = 'system', lease_by = '', lease_until = NULL,
			       part_of = NULL, version = version + 1
			FROM unnest($2::text[], $3::text[]) AS w (key, outcome)
			WHERE k.tenant_id = $1 AND k.key = w.key AND k.state = 'open'
			RETURNING `+adoption.CaseState+`
		), `+adoption.CountCases+` SELECT id, outcome FROM changed`, tx.Tenant, pq.Array(gone), pq.Array(outcomes)); err != nil {
		return nil, fmt.Errorf("close cases: %w", err)
	}
	all := make([]uuid.UUID, len(closed))
	for i, c := range closed {
		all[i] = c.ID
		if c.Outcome == OutcomeProved {
			proved = append(proved, c.ID)
		}
	}

	return proved, freeParts(ctx, tx, all)
}

// writeCases is the part of openCases that opens. What was known is contained (@>) in what is wanted where nothing is new.
func writeCases(ctx context.Context, tx *tenants.Tx, wanted []wantedCase) error {
	var (
		ids                     []uuid.UUID
		kinds, keys, candidates []string
		identities, contacts    []*uuid.UUID
		since                   []time.Time
		items                   []*int64
	)
	for _, w := range wanted {
		named := []byte("[]")
		if w.candidates != nil {
			var err error
			if named, err = json.Marshal(w.candidates); err != nil {
				return fmt.Errorf("encode candidates: %w", err)
			}
		}
		ids, kinds, keys, candidates = append(ids, newID()), append(kinds, w.kind), append(keys, w.key), append(candidates, string(named))
		identities, contacts, since, items = append(identities, w.identity), append(contacts, w.contact), append(since, w.since), append(items, w.item)
	}
	_, err := tx.ExecContext(ctx, `
		WITH changed AS (
			INSERT INTO cases AS k (tenant_id, id, kind, key, identity_id, contact_id, candidates, waiting_since, item_id)
			SELECT $1, w.* FROM unnest($2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::jsonb[], $8::timestamptz[], $9::bigint[]) AS w
			ON CONFLICT (tenant_id, key) DO UPDATE
			SET state = 'open', kind = excluded.kind, identity_id = excluded.identity_id, contact_id = excluded.contact_id,
			    candidates = excluded.candidates, waiting_since = excluded.waiting_since, outcome = '', closed_at = NULL, closed_by = '', link_id = NULL,
			    version = k.version + (k.state = 'done' OR k.kind <> excluded.kind OR k.candidates <> excluded.candidates
			                           OR k.identity_id IS DISTINCT FROM excluded.identity_id OR k.contact_id IS DISTINCT FROM excluded.contact_id)::int,
			    opened_at = CASE WHEN k.state = 'done' THEN now() ELSE k.opened_at END,
			    asked_at = CASE WHEN k.contact_id IS NOT DISTINCT FROM excluded.contact_id THEN k.asked_at END,
			    answered_at = CASE WHEN k.contact_id IS NOT DISTINCT FROM excluded.contact_id THEN k.answered_at END,
			    hold_until = CASE WHEN k.state = 'done' OR NOT k.candidates @> excluded.candidates THEN NULL ELSE k.hold_until END,
			    unsure_by = CASE WHEN k.state = 'done' OR NOT k.candidates @> excluded.candidates THEN '{}' ELSE k.unsure_by END,
			    proposed_by = CASE WHEN k.state = 'done' OR NOT k.candidates @> excluded.candidates THEN '' ELSE k.proposed_by END
			WHERE k.state = 'done' OR k.kind <> excluded.kind OR k.candidates <> excluded.candidates
			   OR k.identity_id IS DISTINCT FROM excluded.identity_id OR k.contact_id IS DISTINCT FROM excluded.contact_id
			   OR k.waiting_since <> excluded.waiting_since
			RETURNING `+adoption.CaseState+`
		), `+adoption.CountCases+` SELECT count(*) FROM changed`,
		tx.Tenant, pq.Array(ids), pq.Array(kinds), pq.Array(keys), pq.Array(identities), pq.Array(contacts), pq.Array(candidates), pq.Array(since), pq.Array(items))
	if err != nil {
		return fmt.Errorf("open cases: %w", err)
	}

	return nil
}

// freeParts lets the cases that were part of the given ones stand on their own.
func freeParts(ctx context.Context, tx *tenants.Tx, ids []uuid.UUID) error {
	if len(ids) == 0 {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `
		WITH changed AS (UPDATE cases k SET part_of = NULL WHERE k.tenant_id = $1 AND k.part_of = ANY($2) RETURNING `+adoption.CaseState+`
		), `+adoption.CountCases+` SELECT count(*) FROM changed`, tx.Tenant, pq.Array(ids)); err != nil {
		return fmt.Errorf("free parts of cases: %w", err)
	}

	return nil
}

// journalSettled has the journal say which open cases WhatsApp's proof ended while these events were taken in: the link that the
// proof made tells it or, where it made none, a line of its own. Where a person's decision ended one, that has its own line.
func (b *Batch) journalSettled(ctx context.Context) error {
	if len(b.proved) == 0 || len(b.seen) == 0 {
		return nil
	}

	ids := make([]uuid.UUID, len(b.proved))
	for i := range ids {
		ids[i] = newID()
	}
	if _, err := b.tx.ExecContext(ctx, `
		WITH settled AS (
			SELECT DISTINCT ON (coalesce(i.contact_id, k.contact_id)) w.id, k.id AS case_id, k.identity_id, coalesce(i.contact_id, k.contact_id) AS contact_id
			FROM unnest($2::uuid[], $3::uuid[]) AS w (id, case_id)
			JOIN cases k ON k.tenant_id = $1 AND k.id = w.case_id AND k.state = 'done'
			LEFT JOIN identities i ON i.tenant_id = $1 AND i.id = k.identity_id
			WHERE coalesce(i.contact_id, k.contact_id) IS NOT NULL
			ORDER BY coalesce(i.contact_id, k.contact_id), k.kind = 'conflict', k.id
		), told AS (
			UPDATE links l SET case_id = s.case_id FROM settled s
			WHERE l.tenant_id = $1 AND l.keep_contact = s.contact_id AND l.at = now() AND l.kind IN ('attested', 'rotated') AND l.case_id IS NULL
			RETURNING s.contact_id
		)
		INSERT INTO links (tenant_id, id, kind, actor_kind, keep_contact, identity_id, evidence, case_id)
		SELECT $1, s.id, 'settled', $4, s.contact_id, s.identity_id, '{}', s.case_id FROM settled s
		WHERE s.contact_id NOT IN (SELECT contact_id FROM told)`,
		b.tx.Tenant, pq.Array(ids), pq.Array(b.proved), tenants.SystemActor.Kind); err != nil {
		return fmt.Errorf("journal settled cases: %w", err)
	}

	return nil
}

func contactOf(ctx context.Context, tx *tenants.Tx, identity uuid.UUID) (*uuid.UUID, error) {
	var contact *uuid.UUID
	if err := tx.GetContext(ctx, &contact, `SELECT contact_id FROM identities WHERE tenant_id = $1 AND id = $2`, tx.Tenant, identity); err != nil {
		return nil, fmt.Errorf("read contact of identity: %w", err)
	}

	return contact, nil
}

// namesSomebody tells whether an event of its kind speaks of a customer whenever all is well: what they wrote, and what the business
// wrote to them in its app. Past chats ask nobody anything, and to a group one writes without naming anybody.
func namesSomebody(e whatsapp.Event) bool {
	return makesContact(e) || e.Kind == whatsapp.KindEcho && e.GroupID == ""
}

// openUnidentifiable opens a case for each message, in or out, that names nobody (edge case 25). It is stored; only a person can say
// more.
func (b *Batch) openUnidentifiable(ctx context.Context) error {
	var wanted []wantedCase
	for i, s := range b.seen {
		if b.Placements[i].TenureID != uuid.Nil || !namesSomebody(s.Event) {
			continue
		}
		item := s.ItemID
		wanted = append(wanted, wantedCase{
			kind: CaseUnidentifiable, key: "item:" + s.NumberID.String() + ":" + s.Event.WAMID, since: s.at, item: &item,
		})
	}
	for _, w := range wanted {
		// A replay must not re-open what somebody has dismissed.
		if _, err := b.tx.ExecContext(ctx, `
			WITH changed AS (
				INSERT INTO cases AS k (tenant_id, id, kind, key, waiting_since, item_id) VALUES ($1, $2, $3, $4, $5, $6)
				ON CONFLICT (tenant_id, key) DO NOTHING RETURNING `+adoption.CaseState+`
			), `+adoption.CountCases+` SELECT count(*) FROM changed`, b.tx.Tenant, newID(), w.kind, w.key, w.since, w.item); err != nil {
			return fmt.Errorf("open case: %w", err)
		}
	}

	return nil
}

// syncProse queues identities that nobody has written from yet, of which WhatsApp's sentence alone says who they were before
// (edge case 28). Once they have written, their contact's own case carries the hint.
func (b *Batch) syncProse(ctx context.Context) error {
	if !b.prose {
		err := b.tx.GetContext(ctx, &b.prose, `
			SELECT EXISTS (SELECT 1 FROM cases WHERE tenant_id = $1 AND identity_id = ANY($2) AND state = 'open' AND key LIKE 'prose:%')`,
			b.tx.Tenant, pq.Array(keys(b.identities)))
		if err != nil {
			return fmt.Errorf("look for prose cases: %w", err)
		}
	}
	if !b.prose {
		return nil
	}

	var rows []struct {
		Identity  uuid.UUID  `db:"identity_id"`
		Contact   *uuid.UUID `db:"contact_id"`
		Candidate *uuid.UUID `db:"candidate_id"`
		Value     string     `db:"claim_value"`
		ItemID    int64      `db:"item_id"`
		At        time.Time  `db:"at"`
	}
	err := b.tx.SelectContext(ctx, &rows, `
		SELECT i.id AS identity_id, i.contact_id, o.id AS candidate_id, h.claim_value, h.item_id, h.at
		FROM identities i
		JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
		JOIN hints h ON h.tenant_id = $1 AND h.subject_id = t.identifier_id AND h.kind = 'rotation_prose'
		LEFT JOIN identifiers d ON d.tenant_id = $1 AND d.kind = h.claim_kind AND d.value = h.claim_value AND d.scope = i.scope
		LEFT JOIN tenures ot ON ot.tenant_id = $1 AND ot.identifier_id = d.id
		LEFT JOIN identities o ON o.tenant_id = $1 AND o.id = ot.identity_id
		WHERE i.tenant_id = $1 AND i.id = ANY($2) AND i.absorbed_into IS NULL
		ORDER BY i.id, h.at, h.claim_value, o.id`, b.tx.Tenant, pq.Array(keys(b.identities)))
	if err != nil {
		return fmt.Errorf("read prose hints: %w", err)
	}

	var wanted []wantedCase
	var existing []string
	for _, r := range rows {
		key := "prose:" + r.Identity.String()
		existing = append(existing, key)
		if r.Contact != nil || r.Candidate != nil && *r.Candidate == r.Identity {
			continue
		}
		// WhatsApp may have spoken of one account more than once: that is one question, with all whom it named.
		if n := len(wanted); n == 0 || wanted[n-1].key != key {
			wanted = append(wanted, wantedCase{key: key, kind: CaseUnresolved, identity: &r.Identity, since: r.At, item: &r.ItemID})
		}
		w := &wanted[len(wanted)-1]
		if r.Candidate != nil && !slices.ContainsFunc(w.candidates, func(c caseCandidate) bool { return c.Identity == *r.Candidate }) {
			w.kind = CaseSuggested
			w.candidates = append(w.candidates, caseCandidate{Identity: *r.Candidate, Tier: "B", Reasons: []Reason{{
				Code: hintProse, Args: map[string]string{"via": r.Value, "at": r.At.UTC().Format(time.RFC3339)}, ItemID: r.ItemID,
			}}})
		}
	}

	_, err = openCases(ctx, b.tx, existing, wanted, func(string) string { return OutcomeGone })

	return err
}
