package usernames

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// PlannedBy counts the numbers whose username a person of the business is to see to, and the places that its name is printed in.
func PlannedBy(ctx context.Context, tx *tenants.Tx, person uuid.UUID) (n int, err error) {
	if err := tx.GetContext(ctx, &n, `
		SELECT (SELECT count(*) FROM number_usernames WHERE tenant_id = $1 AND owner_id = $2)
		     + (SELECT count(*) FROM kit_places WHERE tenant_id = $1 AND owner_id = $2)`, tx.Tenant, person); err != nil {
		return 0, fmt.Errorf("count username plans of a colleague: %w", err)
	}

	return n, nil
}

// HandOver gives every username plan and printed place of from to another person, or with uuid.Nil to nobody, and returns how many. Who may
// be given them the caller has looked at.
func HandOver(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, from, to uuid.UUID) (int, error) {
	var n int
	if err := tx.GetContext(ctx, &n, `
		WITH plans AS (UPDATE number_usernames SET owner_id = $3 WHERE tenant_id = $1 AND owner_id = $2 RETURNING 1),
		     places AS (UPDATE kit_places SET owner_id = $3 WHERE tenant_id = $1 AND owner_id = $2 RETURNING 1)
		SELECT (SELECT count(*) FROM plans) + (SELECT count(*) FROM places)`, tx.Tenant, from, uuid.NullUUID{UUID: to, Valid: to != uuid.Nil}); err != nil {
		return 0, fmt.Errorf("hand username plans over: %w", err)
	}
	if n == 0 {
		return 0, nil
	}
	detail := map[string]any{"count": n}
	if to != uuid.Nil {
		detail["person"] = to
	}

	return n, tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "username.hand_over", ObjectKind: "person", ObjectID: from.String(), Detail: detail,
	})
}
