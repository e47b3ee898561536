package notices

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/erased"
)

// Forget makes dots of a person's identifiers in what WhatsApp said of the business's own account and numbers.
func Forget(ctx context.Context, tx *tenants.Tx, words []string) error {
	var rows []struct {
		ID    uuid.UUID `db:"id"`
		Facts string    `db:"facts"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		SELECT n.id, n.facts::text AS facts FROM notices n
		WHERE n.tenant_id = $1 AND EXISTS (SELECT 1 FROM unnest($2::text[]) w WHERE position(w IN n.facts::text) > 0)`, tx.Tenant, pq.Array(words)); err != nil {
		return fmt.Errorf("read notices that name a person: %w", err)
	}
	for _, r := range rows {
		facts, changed := erased.Replace([]byte(r.Facts), words, "•••")
		if !changed {
			continue // part of somebody else's number or id
		}
		if _, err := tx.ExecContext(ctx, `UPDATE notices SET facts = $3::jsonb WHERE tenant_id = $1 AND id = $2`, tx.Tenant, r.ID, string(facts)); err != nil {
			return fmt.Errorf("take a person out of notice: %w", err)
		}
	}

	return nil
}
