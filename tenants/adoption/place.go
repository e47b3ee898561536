package adoption

import (
	"context"
	"fmt"

	"github.com/pehchan/pehchan/tenants"
)

// RenamePlace gives what is counted at a scope to another, which all its accounts are of now. No account may have been of both.
func RenamePlace(ctx context.Context, tx *tenants.Tx, from, to string) error {
	if _, err := tx.ExecContext(ctx, `UPDATE heard_last SET place = $3 WHERE tenant_id = $1 AND place = $2`, tx.Tenant, from, to); err != nil {
		return fmt.Errorf("rename the place where accounts stand: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		WITH gone AS (DELETE FROM adoption_cells WHERE tenant_id = $1 AND place = $2 RETURNING kind, at, country, shown, n)
		INSERT INTO adoption_cells AS c (tenant_id, kind, place, at, country, shown, n) SELECT $1, kind, $3, at, country, shown, n FROM gone
		ON CONFLICT (tenant_id, kind, place, at, country, shown) DO UPDATE SET n = c.n + excluded.n`, tx.Tenant, from, to); err != nil {
		return fmt.Errorf("rename the place of sums: %w", err)
	}

	return nil
}
