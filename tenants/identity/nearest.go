package identity

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// Namesakes are looked up so many together, and so many in all where each has a WhatsApp ID: of a million customers most lie on the disk,
// and whom many are called like tells little.
const (
	atOnce  = 40
	maxNear = 3 * atOnce
)

// nearest are the likeliest of those who are called like a contact, enough of them first, without whoever objects to being looked for.
// Whoever has a WhatsApp ID in a portfolio in which the contact has another is an account of their own (matching.md X1) and comes as much
// later, so that among many who are called alike those are looked at who may have come back. sounding is in the order of namesakes; of
// those who come too late whatever is known of them nothing is read.
func nearest(ctx context.Context, tx *tenants.Tx, c Contact, sounding []namesake, enough int) ([]namesake, error) {
	var scopes []string
	for _, i := range c.Identities {
		if currentBSUID(i) != "" {
			scopes = append(scopes, i.Scope)
		}
	}
	var near, without, with []namesake
	for _, n := range sounding {
		if len(n.ids) > 0 {
			with = append(with, n)
		} else {
			without = append(without, n)
		}
	}
	for _, list := range [][]namesake{without, with[:min(len(with), maxNear+enough)]} {
		for some := range slices.Chunk(list, atOnce) {
			if len(near) >= enough && near[enough-1].likely >= some[0].bits {
				break
			}
			welcome, err := lookUp(ctx, tx, some, scopes)
			if err != nil {
				return nil, err
			}
			near = append(near, welcome...)
			slices.SortStableFunc(near, func(a, b namesake) int { return cmp.Compare(b.likely, a.likely) })
		}
	}

	return near, nil
}

// lookUp says how likely namesakes are, some of which may be accounts of their own in one of the scopes, and leaves out who objects.
func lookUp(ctx context.Context, tx *tenants.Tx, some []namesake, scopes []string) ([]namesake, error) {
	ids := make([]uuid.UUID, len(some))
	for i, n := range some {
		ids[i] = n.contact
	}
	quiet, err := objecting(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	own, err := withAccounts(ctx, tx, some, scopes)
	if err != nil {
		return nil, err
	}
	var welcome []namesake
	for _, n := range some {
		if n.likely = n.bits; own[n.contact] {
			n.likely += worth["two_live_accounts"]
		}
		if !quiet[n.contact] {
			welcome = append(welcome, n)
		}
	}

	return welcome, nil
}

// withAccounts are those of some namesakes who have a WhatsApp ID in one of the scopes: an account goes by one of its IDs at any time, so
// that it is enough where an ID is known. That stands in an index, side by side. Only where one ID is known in several scopes, and not in all
// of these, is it looked at whose it is.
func withAccounts(ctx context.Context, tx *tenants.Tx, some []namesake, scopes []string) (map[uuid.UUID]bool, error) {
	own := map[uuid.UUID]bool{}
	var ids []string
	for _, n := range some {
		ids = append(ids, n.ids...)
	}
	if len(scopes) == 0 || len(ids) == 0 {
		return own, nil
	}
	var rows []struct {
		ID string `db:"value"`
		In bool   `db:"inside"`
		On bool   `db:"outside"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		SELECT w.value, bool_or(d.scope = ANY($3)) AS inside, bool_or(d.scope <> ALL($3)) AS outside FROM unnest($2::text[]) AS w (value)
		CROSS JOIN LATERAL ( -- ID by ID, however few customers there are
			SELECT d.scope FROM identifiers d WHERE d.tenant_id = $1 AND d.kind = 'bsuid' AND d.value = w.value OFFSET 0) d
		GROUP BY w.value`, tx.Tenant, pq.Array(ids), pq.Array(scopes)); err != nil {
		return nil, fmt.Errorf("look where WhatsApp IDs are known: %w", err)
	}
	inside, shared := map[string]bool{}, map[string]bool{}
	for _, r := range rows {
		inside[r.ID], shared[r.ID] = r.In && !r.On, r.In && r.On
	}
	var unsure []uuid.UUID
	for _, n := range some {
		switch {
		case slices.ContainsFunc(n.ids, func(id string) bool { return inside[id] }):
			own[n.contact] = true
		case slices.ContainsFunc(n.ids, func(id string) bool { return shared[id] }):
			unsure = append(unsure, n.contact)
		}
	}

	return own, addHolders(ctx, tx, own, unsure, scopes)
}

// addHolders adds those of some contacts who have a WhatsApp ID in one of the scopes.
func addHolders(ctx context.Context, tx *tenants.Tx, own map[uuid.UUID]bool, contacts []uuid.UUID, scopes []string) error {
	if len(contacts) == 0 {
		return nil
	}
	var found []uuid.UUID
	if err := tx.SelectContext(ctx, &found, `
		SELECT w.id FROM unnest($2::uuid[]) AS w (id)
		CROSS JOIN LATERAL ( -- account by account, however few customers there are
			SELECT FROM identities i JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id AND t.current
			JOIN identifiers d ON d.tenant_id = $1 AND d.id = t.identifier_id AND d.kind || '' = 'bsuid'
			WHERE i.tenant_id = $1 AND i.contact_id = w.id AND i.scope = ANY($3) LIMIT 1) own`, tx.Tenant, pq.Array(contacts), pq.Array(scopes)); err != nil {
		return fmt.Errorf("look who has an account of their own: %w", err)
	}
	for _, id := range found {
		own[id] = true
	}

	return nil
}
