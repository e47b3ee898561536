package tenants

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// Enter goes on with a System transaction as one of tenant, for the few acts that write a platform row and the tenant's own
// together: a person and their membership, a session and its audit entry. There is no way back: what is done with tx
// afterwards happens in the tenant too.
func (tx *Tx) Enter(ctx context.Context, tenant uuid.UUID) (*Tx, error) {
	if tx.Tenant != uuid.Nil || tenant == uuid.Nil {
		return nil, errors.New("only a System transaction enters a tenant")
	}
	if _, err := tx.ExecContext(ctx, "SET LOCAL app.tenant_id = '"+tenant.String()+"'"); err != nil {
		return nil, fmt.Errorf("enter tenant: %w", contextual(ctx, err))
	}
	tx.Tenant = tenant

	return tx, nil
}
