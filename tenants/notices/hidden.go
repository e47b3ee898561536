package notices

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/phonefree"
)

// Hide takes phones of customers out of the notices that a number, and its account, have from before the number kept none: the next of
// them by id. It returns the id of the last, "" where there was none, and can be done again.
func Hide(ctx context.Context, tx *tenants.Tx, h phonefree.Hider, number uuid.UUID, after string, limit int) (last string, err error) {
	var rows []struct {
		ID     uuid.UUID `db:"id"`
		Facts  Facts     `db:"facts"`
		Digest string    `db:"digest"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		SELECT o.id, o.facts, o.digest FROM numbers n
		JOIN notices o ON o.tenant_id = $1 AND (o.number_id = n.id OR o.number_id IS NULL AND o.waba_id = n.waba_id)
		WHERE n.tenant_id = $1 AND n.id = $2 AND o.id > coalesce(nullif($3, '')::uuid, $5) AND o.digest !~ '^p:' ORDER BY o.id LIMIT $4`,
		tx.Tenant, number, after, limit, uuid.Nil); err != nil {
		return "", fmt.Errorf("read notices to clean: %w", err)
	}
	for _, r := range rows {
		facts, err := json.Marshal(phonefree.Facts(r.Facts))
		if err != nil {
			return "", fmt.Errorf("encode notice: %w", err)
		}
		// What was told again since stands there already.
		if _, err := tx.ExecContext(ctx, `
			DELETE FROM notices o USING notices r
			WHERE r.tenant_id = $1 AND r.id = $2 AND o.tenant_id = $1 AND o.digest = $3 AND o.id <> r.id AND o.waba_id = r.waba_id
			  AND o.number_id IS NOT DISTINCT FROM r.number_id AND o.field = r.field AND o.at = r.at`, tx.Tenant, r.ID, h.Digest(r.Digest)); err != nil {
			return "", fmt.Errorf("drop repeat of notice: %w", err)
		}
		if _, err := tx.ExecContext(ctx, `UPDATE notices SET facts = $3::jsonb, digest = $4 WHERE tenant_id = $1 AND id = $2`,
			tx.Tenant, r.ID, string(facts), h.Digest(r.Digest)); err != nil {
			return "", fmt.Errorf("clean notice: %w", err)
		}
	}
	if len(rows) == 0 {
		return "", nil
	}

	return rows[len(rows)-1].ID.String(), nil
}
