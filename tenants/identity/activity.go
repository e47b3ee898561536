package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// listContacts puts the contacts of accounts among those last heard of at the time of what they have written, where this batch does not
// tell it: a derivation has found that earlier messages are theirs.
func listContacts(ctx context.Context, tx *tenants.Tx, accounts []uuid.UUID) error {
	if len(accounts) == 0 {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO contact_activity (tenant_id, contact_id, last_at)
		SELECT $1, i.contact_id, coalesce(max(l.at), $3) FROM identities i
		JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
		LEFT JOIN LATERAL (SELECT m.at FROM messages m WHERE m.tenant_id = $1 AND m.tenure_id = t.id AND m.direction = 'in' ORDER BY m.at DESC, m.id DESC LIMIT 1) l ON true
		WHERE i.tenant_id = $1 AND i.id = ANY($2) GROUP BY i.contact_id
		ON CONFLICT (tenant_id, contact_id) DO NOTHING`, tx.Tenant, pq.Array(accounts), neverLast); err != nil {
		return fmt.Errorf("list new contacts: %w", err)
	}

	return nil
}

// touchActivity moves "last heard of" where it moved by a minute or more: its index is what the contact list walks.
func (b *Batch) touchActivity(ctx context.Context, last map[uuid.UUID]time.Time) error {
	var unsure []uuid.UUID
	for id := range last {
		if b.holders[id] == nil {
			unsure = append(unsure, id)
		}
	}
	if len(unsure) > 0 {
		var rows []identityRow
		if err := b.tx.SelectContext(ctx, &rows, `
			SELECT id, contact_id FROM identities WHERE tenant_id = $1 AND id = ANY($2) AND contact_id IS NOT NULL`, b.tx.Tenant, pq.Array(unsure)); err != nil {
			return fmt.Errorf("read contacts of identities: %w", err)
		}
		for _, r := range rows {
			b.holders[r.ID] = r.ContactID
		}
	}

	heard := map[uuid.UUID]time.Time{}
	for id, t := range last {
		if c := b.holders[id]; c != nil {
			heard[*c] = later(heard[*c], t)
		}
	}
	if len(heard) == 0 {
		return nil
	}
	var (
		contacts []uuid.UUID
		at       []time.Time
	)
	for _, c := range keys(heard) {
		contacts, at = append(contacts, c), append(at, heard[c])
	}
	_, err := b.tx.ExecContext(ctx, `
		MERGE INTO contact_activity a USING (SELECT * FROM unnest($2::uuid[], $3::timestamptz[]) AS w (contact_id, at)) w
		ON a.tenant_id = $1 AND a.contact_id = w.contact_id
		WHEN MATCHED AND a.last_at + interval '1 minute' < w.at THEN UPDATE SET last_at = w.at
		WHEN NOT MATCHED THEN INSERT (tenant_id, contact_id, last_at) VALUES ($1, w.contact_id, w.at)`, b.tx.Tenant, pq.Array(contacts), pq.Array(at))
	if err != nil {
		return fmt.Errorf("note activity: %w", err)
	}

	return nil
}

// retellActivity says anew when contacts were last heard from, by what they wrote as it hangs on them now: accounts have come or gone, or
// their time was divided anew.
func retellActivity(ctx context.Context, tx *tenants.Tx, contacts []uuid.UUID) error {
	if len(contacts) == 0 {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE contact_activity a SET last_at = w.at
		FROM (
			SELECT c.id, coalesce((
				SELECT max(l.at) FROM identities i JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
				CROSS JOIN LATERAL (SELECT m.at FROM messages m
				                    WHERE m.tenant_id = $1 AND m.tenure_id = t.id AND m.direction = 'in' ORDER BY m.at DESC, m.id DESC LIMIT 1) l
				WHERE i.tenant_id = $1 AND i.contact_id = c.id), $3) AS at
			FROM unnest($2::uuid[]) AS c (id)) w
		WHERE a.tenant_id = $1 AND a.contact_id = w.id AND (a.last_at > w.at OR a.last_at + interval '1 minute' < w.at)`,
		tx.Tenant, pq.Array(contacts), neverLast); err != nil {
		return fmt.Errorf("tell activity anew: %w", err)
	}

	return nil
}

// retellDivided is retellActivity for the contacts of accounts that a derivation changed.
func (b *Batch) retellDivided(ctx context.Context) error {
	if len(b.divided) == 0 {
		return nil
	}
	var contacts []uuid.UUID
	if err := b.tx.SelectContext(ctx, &contacts, `
		SELECT DISTINCT contact_id FROM identities WHERE tenant_id = $1 AND (id = ANY($2) OR contact_id = ANY($3)) AND contact_id IS NOT NULL ORDER BY contact_id`,
		b.tx.Tenant, pq.Array(keys(b.divided)), pq.Array(keys(b.contacts))); err != nil {
		return fmt.Errorf("read contacts of changed accounts: %w", err)
	}

	return retellActivity(ctx, b.tx, contacts)
}
