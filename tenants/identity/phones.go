package identity

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// ScopedPhone is a phone, or the token of one that is not kept, in a scope.
type ScopedPhone struct{ Scope, Value string }

// KnownPhones tells which of these are identifiers.
func KnownPhones(ctx context.Context, tx *tenants.Tx, list []ScopedPhone) (map[ScopedPhone]bool, error) {
	var scopes, values []string
	for _, p := range list {
		scopes, values = append(scopes, p.Scope), append(values, p.Value)
	}
	var rows []struct {
		Scope string `db:"scope"`
		Value string `db:"value"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT d.scope, d.value FROM unnest($2::text[], $3::text[]) AS w (scope, value)
		JOIN identifiers d ON d.tenant_id = $1 AND d.kind = 'phone' AND d.value = w.value AND d.scope = w.scope`,
		tx.Tenant, pq.Array(scopes), pq.Array(values))
	if err != nil {
		return nil, fmt.Errorf("look for phones: %w", err)
	}

	known := make(map[ScopedPhone]bool, len(rows))
	for _, r := range rows {
		known[ScopedPhone(r)] = true
	}

	return known, nil
}

// Renamed is an identifier of kind phone that is to be written otherwise: a phone as its token, or the other way round.
type Renamed struct {
	ScopedPhone        // as it is
	To, Raw     string // as it is to be
}

// RenamePhones writes phones as their tokens or tokens as their phones, and brings up to date what their holders are found by and
// their cases. Whose they are does not change. What is known both ways stays. It needs Lock.
func RenamePhones(ctx context.Context, tx *tenants.Tx, list []Renamed) error {
	var scopes, values, to, raw []string
	for _, r := range list {
		scopes, values, to, raw = append(scopes, r.Scope), append(values, r.Value), append(to, r.To), append(raw, r.Raw)
	}
	if err := renameInCases(ctx, tx, list); err != nil {
		return err
	}
	var contacts []uuid.UUID
	err := tx.SelectContext(ctx, &contacts, `
		WITH renamed AS (
			UPDATE identifiers d SET value = w.to_value, raw = w.raw
			FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS w (scope, value, to_value, raw)
			WHERE d.tenant_id = $1 AND d.kind = 'phone' AND d.value = w.value AND d.scope = w.scope
			  AND NOT EXISTS (SELECT 1 FROM identifiers o WHERE o.tenant_id = $1 AND o.kind = 'phone' AND o.value = w.to_value AND o.scope = w.scope)
			RETURNING d.id
		)
		SELECT DISTINCT i.contact_id FROM renamed r
		JOIN tenures t ON t.tenant_id = $1 AND t.identifier_id = r.id
		JOIN identities i ON i.tenant_id = $1 AND i.id = t.identity_id AND i.contact_id IS NOT NULL
		ORDER BY i.contact_id`, tx.Tenant, pq.Array(scopes), pq.Array(values), pq.Array(to), pq.Array(raw))
	if err != nil {
		return fmt.Errorf("rename phones: %w", err)
	}

	return SyncContacts(ctx, tx, contacts)
}

// renameInCases does so where a case of the phone's own scope is about it, which is written with the phone in it; it is still about the
// same. A case that then stands beside one of the same key is set apart by its id, as HideCases does.
func renameInCases(ctx context.Context, tx *tenants.Tx, list []Renamed) error {
	var scopes, values []string
	for _, r := range list {
		scopes, values = append(scopes, r.Scope), append(values, r.Value)
	}
	var about []struct {
		Case uuid.UUID `db:"id"`
		N    int       `db:"n"` // of list, from 1
	}
	if err := tx.SelectContext(ctx, &about, `
		SELECT k.id, w.n FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS w (scope, value, n)
		JOIN identities i ON i.tenant_id = $1 AND i.scope = w.scope
		JOIN cases k ON k.tenant_id = $1 AND k.identity_id = i.id AND (position(w.value IN k.key) > 0 OR position(w.value IN k.candidates::text) > 0)
		WHERE w.value LIKE 'p:%' ORDER BY k.id, w.n`, tx.Tenant, pq.Array(scopes), pq.Array(values)); err != nil {
		return fmt.Errorf("look for phones in cases: %w", err)
	}
	for _, a := range about { // one case may be about several
		r := list[a.N-1]
		if _, err := tx.ExecContext(ctx, `
			UPDATE cases k
			SET candidates = replace(k.candidates::text, $3, $4)::jsonb,
			    key = replace(k.key, $3, $4) || CASE WHEN EXISTS (
			        SELECT 1 FROM cases o WHERE o.tenant_id = $1 AND o.key = replace(k.key, $3, $4) AND o.id <> k.id) THEN ' ' || k.id ELSE '' END
			WHERE k.tenant_id = $1 AND k.id = $2`, tx.Tenant, a.Case, r.Value, r.To); err != nil {
			return fmt.Errorf("rename phone in case %s: %w", a.Case, err)
		}
	}

	return nil
}
