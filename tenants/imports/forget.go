package imports

import (
	"context"
	"fmt"
	"time"

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

// Expire empties the rows of lists that ended before a time, or were uploaded before it and left lying, the next of them, and tells how
// many it was. Their counts stay; taking such a list in, or back, is no longer possible row by row.
func Expire(ctx context.Context, tx *tenants.Tx, before time.Time, limit int) (int, error) {
	done, err := tx.ExecContext(ctx, `
		UPDATE import_rows r SET cells = '[]', phone = '', bsuid = '', external = '', effect = '', made = false
		FROM (SELECT r.import_id, r.row FROM imports i JOIN import_rows r ON r.tenant_id = $1 AND r.import_id = i.id AND r.cells <> '[]'
		      WHERE i.tenant_id = $1 AND (i.ended_at < $2 OR i.ended_at IS NULL AND i.created_at < $2 AND i.state NOT IN ('checking', 'running', 'undoing')) LIMIT $3) o
		WHERE r.tenant_id = $1 AND r.import_id = o.import_id AND r.row = o.row`, tx.Tenant, before, limit)
	if err != nil {
		return 0, fmt.Errorf("empty old lists: %w", err)
	}
	n, err := done.RowsAffected()
	if err != nil {
		return 0, fmt.Errorf("empty old lists: %w", err)
	}

	return int(n), nil
}
