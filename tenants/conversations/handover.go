package conversations

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// Held counts the customers whose conversations a person of the business looks after.
func Held(ctx context.Context, tx *tenants.Tx, person uuid.UUID) (n int, err error) {
	if err := tx.GetContext(ctx, &n, `
		SELECT count(DISTINCT coalesce(r.contact_id, a.identity_id)) FROM assignments a
		LEFT JOIN identities i ON i.tenant_id = $1 AND i.id = a.identity_id
		LEFT JOIN identities r ON r.tenant_id = $1 AND r.id = coalesce(i.absorbed_into, i.id)
		WHERE a.tenant_id = $1 AND a.person_id = $2`, tx.Tenant, person); err != nil {
		return 0, fmt.Errorf("count conversations of a colleague: %w", err)
	}

	return n, nil
}

// HandOver gives every conversation that from looks after to another person, or with uuid.Nil to nobody, and returns of how many
// customers they were. Who may be given them the caller has looked at.
func HandOver(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, from, to uuid.UUID) (int, error) {
	n, err := Held(ctx, tx, from)
	if err != nil || n == 0 {
		return 0, err
	}
	query, args := `DELETE FROM assignments WHERE tenant_id = $1 AND person_id = $2`, []any{tx.Tenant, from}
	detail := map[string]any{"count": n}
	if to != uuid.Nil {
		query, args = `UPDATE assignments SET person_id = $3, assigned_at = now() WHERE tenant_id = $1 AND person_id = $2`, append(args, to)
		detail["person"] = to
	}
	if _, err := tx.ExecContext(ctx, query, args...); err != nil {
		return 0, fmt.Errorf("hand conversations over: %w", err)
	}

	return n, tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "conversation.hand_over", ObjectKind: "person", ObjectID: from.String(), Detail: detail,
	})
}
