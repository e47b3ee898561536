package identity

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/adoption"
)

// togetherAtOnce is how many identifiers that both scopes know are put together, and derived again, by one round of statements.
const togetherAtOnce = 500

// largeScope is how many identifiers can be moved to another scope while somebody waits for a page: some five seconds at worst.
const largeScope = 500

// LargeScope tells whether widening a scope takes longer than somebody waits.
func LargeScope(ctx context.Context, tx *tenants.Tx, scope string) (large bool, err error) {
	err = tx.GetContext(ctx, &large, `
		SELECT count(*) > $3 FROM (SELECT FROM identifiers WHERE tenant_id = $1 AND scope = $2 LIMIT $3 + 1) AS few`, tx.Tenant, scope, largeScope)
	if err != nil {
		return false, fmt.Errorf("look how large a scope is: %w", err)
	}

	return large, nil
}

// WidenScope moves everything known under one scope to another, in the one step that follows when the portfolio of a WABA
// becomes known ("waba:<id>" → "portfolio:<id>"). Identifiers that both scopes know are one, so their evidence is put together and
// derived again: two accounts of one portfolio with one BSUID are one account. It is all of one transaction, since a number and those
// it may write to are always of one scope, and took 20 ms for each account of both on two cores that others kept busy; what is counted
// follows these alone.
func WidenScope(ctx context.Context, tx *tenants.Tx, from, to string) error {
	return widenScope(ctx, tx, from, to, togetherAtOnce)
}

func widenScope(ctx context.Context, tx *tenants.Tx, from, to string, atOnce int) error {
	if from == to {
		return nil
	}
	if err := Lock(ctx, tx); err != nil {
		return err
	}

	var both []struct {
		Old uuid.UUID `db:"old"`
		New uuid.UUID `db:"new"`
	}
	err := tx.SelectContext(ctx, &both, `
		SELECT a.id AS old, b.id AS new FROM identifiers a
		JOIN identifiers b ON b.tenant_id = $1 AND b.kind = a.kind AND b.value = a.value AND b.scope = $3
		WHERE a.tenant_id = $1 AND a.scope = $2`, tx.Tenant, from, to)
	if err != nil {
		return fmt.Errorf("find identifiers known twice: %w", err)
	}
	var news []uuid.UUID
	for part := range slices.Chunk(both, atOnce) {
		var olds, joined []uuid.UUID
		for _, t := range part {
			olds, joined = append(olds, t.Old), append(joined, t.New)
		}
		if err := putTogether(ctx, tx, olds, joined); err != nil {
			return err
		}
		news = append(news, joined...)
	}

	return finishWidening(ctx, tx, from, to, news, atOnce)
}

// putTogether gives all that is known of some identifiers to others, which are the same in the scope that stays.
func putTogether(ctx context.Context, tx *tenants.Tx, olds, news []uuid.UUID) error {
	for _, step := range []struct{ what, statement string }{
		{"put pairings together", `UPDATE pairings p SET bsuid_id = coalesce((SELECT m.new FROM unnest($2::uuid[], $3::uuid[]) AS m (old, new) WHERE m.old = p.bsuid_id), p.bsuid_id),
			other_id = coalesce((SELECT m.new FROM unnest($2::uuid[], $3::uuid[]) AS m (old, new) WHERE m.old = p.other_id), p.other_id)
			WHERE p.tenant_id = $1 AND (p.bsuid_id = ANY($2) OR p.other_id = ANY($2))`},
		{"put sightings together", `INSERT INTO sightings AS o (tenant_id, identifier_id, at, item_id, failed)
			SELECT s.tenant_id, m.new, s.at, s.item_id, s.failed FROM unnest($2::uuid[], $3::uuid[]) AS m (old, new)
			JOIN sightings s ON s.tenant_id = $1 AND s.identifier_id = m.old
			ON CONFLICT (tenant_id, identifier_id, at) DO UPDATE SET failed = false WHERE o.failed AND NOT excluded.failed`},
		{"drop old sightings", `DELETE FROM sightings WHERE tenant_id = $1 AND identifier_id = ANY($2) AND cardinality($3::uuid[]) > 0`},
		{"put signals together", `INSERT INTO account_signals (tenant_id, identifier_id, number_id, kind, category, at, value, item_id)
			SELECT s.tenant_id, m.new, s.number_id, s.kind, s.category, s.at, s.value, s.item_id FROM unnest($2::uuid[], $3::uuid[]) AS m (old, new)
			JOIN account_signals s ON s.tenant_id = $1 AND s.identifier_id = m.old ON CONFLICT DO NOTHING`},
		{"drop old signals", `DELETE FROM account_signals WHERE tenant_id = $1 AND identifier_id = ANY($2) AND cardinality($3::uuid[]) > 0`},
		{"put past chats together", `INSERT INTO past_pairings AS o (tenant_id, bsuid_id, other_id, first_at, last_at, item_id)
			SELECT p.tenant_id, b.id, c.id, min(p.first_at), max(p.last_at), min(p.item_id)
			FROM past_pairings p
			CROSS JOIN LATERAL (SELECT coalesce((SELECT m.new FROM unnest($2::uuid[], $3::uuid[]) AS m (old, new) WHERE m.old = p.bsuid_id), p.bsuid_id) AS id) b
			CROSS JOIN LATERAL (SELECT coalesce((SELECT m.new FROM unnest($2::uuid[], $3::uuid[]) AS m (old, new) WHERE m.old = p.other_id), p.other_id) AS id) c
			WHERE p.tenant_id = $1 AND (p.bsuid_id = ANY($2) OR p.other_id = ANY($2)) GROUP BY p.tenant_id, b.id, c.id
			ON CONFLICT (tenant_id, bsuid_id, other_id) DO UPDATE
			SET first_at = least(o.first_at, excluded.first_at), last_at = greatest(o.last_at, excluded.last_at)`},
		{"drop old past chats", `DELETE FROM past_pairings WHERE tenant_id = $1 AND (bsuid_id = ANY($2) OR other_id = ANY($2)) AND cardinality($3::uuid[]) > 0`},
		{"put names together", `INSERT INTO called AS o (tenant_id, identifier_id, words, first_at)
			SELECT c.tenant_id, m.new, c.words, c.first_at FROM unnest($2::uuid[], $3::uuid[]) AS m (old, new)
			JOIN called c ON c.tenant_id = $1 AND c.identifier_id = m.old
			ON CONFLICT (tenant_id, identifier_id, words) DO UPDATE SET first_at = least(o.first_at, excluded.first_at)`},
		{"drop old names", `DELETE FROM called WHERE tenant_id = $1 AND identifier_id = ANY($2) AND cardinality($3::uuid[]) > 0`},
		{"put hints together", `INSERT INTO hints (tenant_id, id, subject_id, kind, claim_kind, claim_value, at, item_id)
			SELECT h.tenant_id, gen_random_uuid(), m.new, h.kind, h.claim_kind, h.claim_value, h.at, h.item_id FROM unnest($2::uuid[], $3::uuid[]) AS m (old, new)
			JOIN hints h ON h.tenant_id = $1 AND h.subject_id = m.old ON CONFLICT DO NOTHING`},
		{"drop old hints", `DELETE FROM hints WHERE tenant_id = $1 AND subject_id = ANY($2) AND cardinality($3::uuid[]) > 0`},
		{"move decisions", `UPDATE decisions d SET a_id = coalesce((SELECT m.new FROM unnest($2::uuid[], $3::uuid[]) AS m (old, new) WHERE m.old = d.a_id), d.a_id),
			b_id = coalesce((SELECT m.new FROM unnest($2::uuid[], $3::uuid[]) AS m (old, new) WHERE m.old = d.b_id), d.b_id)
			WHERE d.tenant_id = $1 AND (d.a_id = ANY($2) OR d.b_id = ANY($2))`},
		{"move tenures", `UPDATE tenures t SET identifier_id = m.new FROM unnest($2::uuid[], $3::uuid[]) AS m (old, new) WHERE t.tenant_id = $1 AND t.identifier_id = m.old`},
		{"move anchors", `UPDATE identities i SET anchor_id = m.new FROM unnest($2::uuid[], $3::uuid[]) AS m (old, new) WHERE i.tenant_id = $1 AND i.anchor_id = m.old`},
		{"lengthen identifiers", `UPDATE identifiers n SET first_seen = least(n.first_seen, o.first_seen), last_seen = greatest(n.last_seen, o.last_seen),
			claimed_at = least(n.claimed_at, o.claimed_at)
			FROM unnest($2::uuid[], $3::uuid[]) AS m (old, new) JOIN identifiers o ON o.tenant_id = $1 AND o.id = m.old WHERE n.tenant_id = $1 AND n.id = m.new`},
	} {
		if _, err := tx.ExecContext(ctx, step.statement, tx.Tenant, pq.Array(olds), pq.Array(news)); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	for _, column := range []string{
		`UPDATE rotations r SET old_phone = m.new FROM unnest($2::uuid[], $3::uuid[]) AS m (old, new) WHERE r.tenant_id = $1 AND r.old_phone = m.old`,
		`UPDATE rotations r SET old_bsuid = m.new FROM unnest($2::uuid[], $3::uuid[]) AS m (old, new) WHERE r.tenant_id = $1 AND r.old_bsuid = m.old`,
		`UPDATE rotations r SET old_parent = m.new FROM unnest($2::uuid[], $3::uuid[]) AS m (old, new) WHERE r.tenant_id = $1 AND r.old_parent = m.old`,
		`UPDATE rotations r SET new_phone = m.new FROM unnest($2::uuid[], $3::uuid[]) AS m (old, new) WHERE r.tenant_id = $1 AND r.new_phone = m.old`,
		`UPDATE rotations r SET new_bsuid = m.new FROM unnest($2::uuid[], $3::uuid[]) AS m (old, new) WHERE r.tenant_id = $1 AND r.new_bsuid = m.old`,
		`UPDATE rotations r SET new_parent = m.new FROM unnest($2::uuid[], $3::uuid[]) AS m (old, new) WHERE r.tenant_id = $1 AND r.new_parent = m.old`,
	} {
		if _, err := tx.ExecContext(ctx, column, tx.Tenant, pq.Array(olds), pq.Array(news)); err != nil {
			return fmt.Errorf("move rotations: %w", err)
		}
	}

	if err := adoption.JoinPhones(ctx, tx, olds, news); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM identifiers WHERE tenant_id = $1 AND id = ANY($2)`, tx.Tenant, pq.Array(olds)); err != nil {
		return fmt.Errorf("drop identifiers known twice: %w", err)
	}

	return nil
}

// finishWidening gives the scope its new name, and derives again what was put together.
func finishWidening(ctx context.Context, tx *tenants.Tx, from, to string, news []uuid.UUID, atOnce int) error {
	for _, statement := range []string{
		`UPDATE identifiers SET scope = $3 WHERE tenant_id = $1 AND scope = $2`,
		`UPDATE identities SET scope = $3 WHERE tenant_id = $1 AND scope = $2`,
		`UPDATE numbers SET scope = $3 WHERE tenant_id = $1 AND scope = $2`,
	} {
		if _, err := tx.ExecContext(ctx, statement, tx.Tenant, from, to); err != nil {
			return fmt.Errorf("widen scope: %w", err)
		}
	}
	if err := adoption.RenamePlace(ctx, tx, from, to); err != nil {
		return err
	}
	for part := range slices.Chunk(news, atOnce) {
		b := &Batch{tx: tx, identities: map[uuid.UUID]bool{}, divided: map[uuid.UUID]bool{}, anew: map[uuid.UUID]bool{}, contacts: map[uuid.UUID]bool{}}
		if err := b.rederive(ctx, part); err != nil {
			return err
		}
		if err := b.Settle(ctx); err != nil {
			return err
		}
	}

	return nil
}
