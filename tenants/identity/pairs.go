package identity

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// hintImported: a list that the business uploaded puts the phone beside the WhatsApp ID (B5).
const hintImported = "imported"

// Pair is a WhatsApp ID that a list puts beside a phone.
type Pair struct{ BSUID, Phone string }

// KnownPairs tells which pairs a list has named before.
func KnownPairs(ctx context.Context, tx *tenants.Tx, pairs []Pair) (map[Pair]bool, error) {
	bsuids, phones := columnsOfPairs(pairs)
	var rows []Pair
	err := tx.SelectContext(ctx, &rows, `
		SELECT DISTINCT d.value AS bsuid, h.claim_value AS phone FROM unnest($2::text[], $3::text[]) AS w (bsuid, phone)
		JOIN identifiers d ON d.tenant_id = $1 AND d.kind = 'bsuid' AND d.value = w.bsuid
		JOIN hints h ON h.tenant_id = $1 AND h.subject_id = d.id AND h.kind = $4 AND h.claim_kind = 'phone' AND h.claim_value = w.phone`,
		tx.Tenant, pq.Array(bsuids), pq.Array(phones), hintImported)
	if err != nil {
		return nil, fmt.Errorf("look pairs up: %w", err)
	}
	known := make(map[Pair]bool, len(rows))
	for _, p := range rows {
		known[p] = true
	}

	return known, nil
}

func columnsOfPairs(pairs []Pair) (bsuids, phones []string) {
	for _, p := range pairs {
		bsuids, phones = append(bsuids, p.BSUID), append(phones, p.Phone)
	}

	return bsuids, phones
}

// SuggestPairs keeps pairs as hints: whoever has the WhatsApp ID and shows no phone is suggested to be whoever has the phone, now
// or when they first write. Nobody is linked. Under Lock.
func SuggestPairs(ctx context.Context, tx *tenants.Tx, scope string, pairs []Pair) error {
	if len(pairs) == 0 {
		return nil
	}
	ids, hints := make([]uuid.UUID, len(pairs)), make([]uuid.UUID, len(pairs))
	for i := range pairs {
		ids[i], hints[i] = newID(), newID()
	}
	bsuids, phones := columnsOfPairs(pairs)
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO identifiers (tenant_id, id, scope, kind, value, raw, first_seen, last_seen)
		SELECT $1, w.id, $4, 'bsuid', w.value, w.value, $5, $6 FROM unnest($2::uuid[], $3::text[]) AS w (id, value)
		WHERE NOT EXISTS (SELECT 1 FROM identifiers d WHERE d.tenant_id = $1 AND d.kind = 'bsuid' AND d.value = w.value)`,
		tx.Tenant, pq.Array(ids), pq.Array(bsuids), scope, neverFirst, neverLast); err != nil {
		return fmt.Errorf("add identifiers of pairs: %w", err)
	}
	var subjects []uuid.UUID
	err := tx.SelectContext(ctx, &subjects, `
		INSERT INTO hints (tenant_id, id, subject_id, kind, claim_kind, claim_value, at, item_id)
		SELECT $1, CASE WHEN row_number() OVER (PARTITION BY w.id) = 1 THEN w.id ELSE gen_random_uuid() END, d.id, $5, 'phone', w.phone, now(), 0
		FROM unnest($2::uuid[], $3::text[], $4::text[]) AS w (id, bsuid, phone)
		JOIN identifiers d ON d.tenant_id = $1 AND d.kind = 'bsuid' AND d.value = w.bsuid
		ON CONFLICT (tenant_id, subject_id, kind, claim_kind, claim_value) DO NOTHING RETURNING subject_id`,
		tx.Tenant, pq.Array(hints), pq.Array(bsuids), pq.Array(phones), hintImported)
	if err != nil {
		return fmt.Errorf("keep pairs: %w", err)
	}

	return syncHolders(ctx, tx, subjects)
}

// ForgetPairs takes such hints back. Under Lock.
func ForgetPairs(ctx context.Context, tx *tenants.Tx, pairs []Pair) error {
	bsuids, phones := columnsOfPairs(pairs)
	var subjects []uuid.UUID
	err := tx.SelectContext(ctx, &subjects, `
		DELETE FROM hints h USING unnest($2::text[], $3::text[]) AS w (bsuid, phone), identifiers d
		WHERE h.tenant_id = $1 AND d.tenant_id = $1 AND d.kind = 'bsuid' AND d.value = w.bsuid AND h.subject_id = d.id
		  AND h.kind = $4 AND h.claim_kind = 'phone' AND h.claim_value = w.phone
		RETURNING h.subject_id`, tx.Tenant, pq.Array(bsuids), pq.Array(phones), hintImported)
	if err != nil {
		return fmt.Errorf("forget pairs: %w", err)
	}
	// What only a pair had named is not known any more.
	if _, err := tx.ExecContext(ctx, `
		DELETE FROM identifiers d WHERE d.tenant_id = $1 AND d.id = ANY($2) AND d.last_seen < d.first_seen AND d.claimed_at IS NULL
		  AND NOT EXISTS (SELECT 1 FROM hints h WHERE h.tenant_id = $1 AND h.subject_id = d.id)
		  AND NOT EXISTS (SELECT 1 FROM tenures t WHERE t.tenant_id = $1 AND t.identifier_id = d.id)`, tx.Tenant, pq.Array(subjects)); err != nil {
		return fmt.Errorf("drop identifiers of pairs: %w", err)
	}

	return syncHolders(ctx, tx, subjects)
}

// syncHolders brings the cases of whoever has the identifiers to what is known now.
func syncHolders(ctx context.Context, tx *tenants.Tx, identifiers []uuid.UUID) error {
	var contacts []uuid.UUID
	if err := tx.SelectContext(ctx, &contacts, `
		SELECT DISTINCT i.contact_id FROM tenures t
		JOIN identities i ON i.tenant_id = $1 AND i.id = t.identity_id AND i.contact_id IS NOT NULL
		WHERE t.tenant_id = $1 AND t.identifier_id = ANY($2)`, tx.Tenant, pq.Array(identifiers)); err != nil {
		return fmt.Errorf("read holders: %w", err)
	}

	return SyncContacts(ctx, tx, contacts)
}
