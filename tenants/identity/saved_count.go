package identity

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// CountSaved counts the entries of the owner's address book that came with a number and stand.
func CountSaved(ctx context.Context, tx *tenants.Tx, number uuid.UUID) (n int64, err error) {
	err = tx.GetContext(ctx, &n, `SELECT count(*) FROM saved_contacts WHERE tenant_id = $1 AND number_id = $2 AND NOT removed`, tx.Tenant, number)
	if err != nil {
		return 0, fmt.Errorf("count saved contacts: %w", err)
	}

	return n, nil
}
