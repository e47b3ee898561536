package identity

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// Objection is the channel of a stop with which customers object to more than offers: nobody is to be taken for them by a name,
// a username or another hint.
const Objection = "objection"

// objecting are those of some contacts who object to being looked for and have not welcomed offers since.
func objecting(ctx context.Context, tx *tenants.Tx, contacts []uuid.UUID) (map[uuid.UUID]bool, error) {
	var found []uuid.UUID
	if err := tx.SelectContext(ctx, &found, `
		SELECT DISTINCT i.contact_id FROM identities i JOIN consents c ON c.tenant_id = $1 AND c.identity_id = i.id AND c.channel = $3
		WHERE i.tenant_id = $1 AND i.contact_id = ANY($2)
		  AND NOT EXISTS (SELECT 1 FROM consents r WHERE r.tenant_id = $1 AND r.identity_id = i.id AND r.value = $4 AND r.at > c.at)
		  AND NOT EXISTS (
			SELECT 1 FROM tenures t JOIN account_signals s ON s.tenant_id = $1 AND s.identifier_id = t.identifier_id AND s.kind = 'word' AND s.value = $4 AND s.at > c.at
				AND (t.from_at IS NULL OR s.at >= t.from_at) AND (t.to_at IS NULL OR s.at < t.to_at)
			WHERE t.tenant_id = $1 AND t.identity_id = i.id)`,
		tx.Tenant, pq.Array(contacts), Objection, Resume); err != nil {
		return nil, fmt.Errorf("read who objects: %w", err)
	}
	quiet := make(map[uuid.UUID]bool, len(found))
	for _, id := range found {
		quiet[id] = true
	}

	return quiet, nil
}
