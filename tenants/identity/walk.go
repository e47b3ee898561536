package identity

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// Walk returns the contacts after the given id, by id and not more than limit, so that somebody who writes meanwhile is neither
// missed nor met twice. reach narrows them as in ListReach, "" does not. The last one's id leads on; none are left where the
// list is empty.
func Walk(ctx context.Context, tx *tenants.Tx, reach string, after uuid.UUID, limit int) ([]Contact, error) {
	var ids []uuid.UUID
	err := tx.SelectContext(ctx, &ids, `
		SELECT c.id FROM contacts c
		WHERE c.tenant_id = $1 AND c.id > $2 AND c.merged_into IS NULL
		  AND ($3 = '' OR ($3 IN ('both', 'phone')) = EXISTS (SELECT 1 FROM contact_words w WHERE w.tenant_id = $1 AND w.contact_id = c.id AND w.word >= 'p:' AND w.word < 'p;'))
		  AND ($3 = '' OR ($3 IN ('both', 'id')) = EXISTS (SELECT 1 FROM contact_words w WHERE w.tenant_id = $1 AND w.contact_id = c.id AND w.word >= 'b:' AND w.word < 'b;'))
		ORDER BY c.id LIMIT $4`, tx.Tenant, after, reach, limit)
	if err != nil {
		return nil, fmt.Errorf("walk contacts: %w", err)
	}

	return hydrate(ctx, tx, ids)
}

// ExternalSystems are the names of the systems whose ids contacts carry, in order and at most fifty.
func ExternalSystems(ctx context.Context, tx *tenants.Tx) ([]string, error) {
	var systems []string
	err := tx.SelectContext(ctx, &systems, `
		SELECT DISTINCT k.system FROM contacts c CROSS JOIN LATERAL jsonb_object_keys(c.external_ids) AS k (system)
		WHERE c.tenant_id = $1 AND c.merged_into IS NULL ORDER BY k.system LIMIT 50`, tx.Tenant)
	if err != nil {
		return nil, fmt.Errorf("list external systems: %w", err)
	}

	return systems, nil
}
