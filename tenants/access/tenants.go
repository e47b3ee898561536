package access

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// Tenants lists businesses in the order they were set up, from the one after the given id on (uuid.Nil: from the start), at
// most 200 at once. It needs a System transaction.
func Tenants(ctx context.Context, tx *tenants.Tx, after uuid.UUID) ([]tenants.Tenant, error) {
	list := []tenants.Tenant{}
	err := tx.SelectContext(ctx, &list, `SELECT `+tenantColumns+` FROM tenants WHERE id > $1 ORDER BY id LIMIT 200`, after)
	if err != nil {
		return nil, fmt.Errorf("list tenants: %w", err)
	}

	return list, nil
}

// CurrentTenant is the business of tx.
func CurrentTenant(ctx context.Context, tx *tenants.Tx) (tenants.Tenant, error) {
	var t tenants.Tenant
	if err := tx.GetContext(ctx, &t, `SELECT `+tenantColumns+` FROM tenants WHERE id = $1`, tx.Tenant); err != nil {
		return tenants.Tenant{}, fmt.Errorf("read tenant: %w", err)
	}

	return t, nil
}
