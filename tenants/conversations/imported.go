package conversations

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// CountImported counts the messages of a number that came with chats of before, and in no other way.
func CountImported(ctx context.Context, tx *tenants.Tx, number uuid.UUID) (n int64, err error) {
	err = tx.GetContext(ctx, &n, `SELECT count(*) FROM messages WHERE tenant_id = $1 AND number_id = $2 AND imported`, tx.Tenant, number)
	if err != nil {
		return 0, fmt.Errorf("count messages from before: %w", err)
	}

	return n, nil
}
