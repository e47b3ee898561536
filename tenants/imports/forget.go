package imports

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// Forget empties the rows of lists that are about a person: those that made or met their contacts, and those that name them by phone or
// BSUID. That there was a row, and what became of it, stays, so that the counts of a list do. It returns how many rows it emptied.
func Forget(ctx context.Context, tx *tenants.Tx, contacts []uuid.UUID, values []string) (n int64, err error) {
	done, err := tx.ExecContext(ctx, `
		UPDATE import_rows SET cells = '[]', phone = '', bsuid = '', external = '', effect = '', contact_id = NULL, made = false
		WHERE tenant_id = $1 AND (contact_id = ANY($2) OR phone <> '' AND phone = ANY($3) OR bsuid <> '' AND bsuid = ANY($3))`,
		tx.Tenant, pq.Array(contacts), pq.Array(values))
	if err != nil {
		return 0, fmt.Errorf("empty rows of lists: %w", err)
	}
	if n, err = done.RowsAffected(); err != nil {
		return 0, fmt.Errorf("count rows of lists: %w", err)
	}

	return n, nil
}
