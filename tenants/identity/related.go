package identity

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/lib/pq"
)

// touchRelated marks those whose cases may hang on accounts that this batch derived or contacts that it changed: who has, or had, the same
// phone or parent id in another portfolio, of whom a hint or the owner's address book says that they are one of these, and who quoted a
// message that went to one of these.
func (b *Batch) touchRelated(ctx context.Context) error {
	if len(b.divided)+len(b.contacts)+len(b.anew) == 0 {
		return nil
	}

	var related []uuid.UUID
	err := b.tx.SelectContext(ctx, &related, `
		WITH held AS (
			SELECT DISTINCT d.kind, d.value, d.scope
			FROM (SELECT id FROM identities WHERE tenant_id = $1 AND id = ANY($2)
			      UNION SELECT id FROM identities WHERE tenant_id = $1 AND contact_id = ANY($3)) i
			JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
			JOIN identifiers d ON d.tenant_id = $1 AND d.id = t.identifier_id AND d.kind IN ('phone', 'parent_bsuid', 'bsuid')
			UNION
			SELECT kind, value, scope FROM identifiers WHERE tenant_id = $1 AND id = ANY($4)
		), named AS (
			SELECT d.id FROM held h JOIN identifiers d ON d.tenant_id = $1 AND d.kind = h.kind AND d.value = h.value AND d.scope <> h.scope
			WHERE h.kind <> 'bsuid'
			UNION
			SELECT s.subject_id FROM held h JOIN hints s ON s.tenant_id = $1 AND s.claim_kind = h.kind AND s.claim_value = h.value
			UNION
			SELECT d.id FROM held h
			JOIN saved_contacts s ON s.tenant_id = $1 AND h.kind = 'phone' AND s.phone <> '' AND s.phone = h.value AND s.bsuid <> ''
			JOIN identifiers d ON d.tenant_id = $1 AND d.kind = 'bsuid' AND d.value = s.bsuid
		), quoting AS (
			SELECT DISTINCT m.tenure_id FROM tenures t
			JOIN identifiers d ON d.tenant_id = $1 AND d.id = t.identifier_id AND d.kind = 'phone'
			JOIN statuses a ON a.tenant_id = $1 AND a.tenure_id = t.id
			JOIN messages m ON m.tenant_id = $1 AND m.context_wamid = a.wamid AND m.context_wamid <> '' AND m.number_id = a.number_id AND m.direction = 'in'
			WHERE t.tenant_id = $1 AND t.identity_id = ANY($5)
		)
		SELECT i.contact_id FROM named n
		JOIN tenures t ON t.tenant_id = $1 AND t.identifier_id = n.id
		JOIN identities i ON i.tenant_id = $1 AND i.id = t.identity_id AND i.contact_id IS NOT NULL
		UNION
		SELECT i.contact_id FROM quoting q
		JOIN tenures t ON t.tenant_id = $1 AND t.id = q.tenure_id
		JOIN identities i ON i.tenant_id = $1 AND i.id = t.identity_id AND i.contact_id IS NOT NULL`,
		b.tx.Tenant, pq.Array(keys(b.divided)), pq.Array(keys(b.contacts)), pq.Array(b.lost), pq.Array(keys(b.anew)))
	if err != nil {
		return fmt.Errorf("find who is related: %w", err)
	}
	for _, id := range related {
		b.contacts[id] = true
	}

	return nil
}
