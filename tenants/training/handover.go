package training

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// LeadsLevel is from where on the ladder only who may settle handles an escalation.
const LeadsLevel = "L2"

// Taken is how many open escalations a person has taken, and how many of them stand from LeadsLevel on.
type Taken struct {
	All  int `db:"all_open"`
	High int `db:"high"`
}

// TakenBy counts the open escalations that a person of the business has taken.
func TakenBy(ctx context.Context, tx *tenants.Tx, person uuid.UUID) (n Taken, err error) {
	if err := tx.GetContext(ctx, &n, `
		SELECT count(*) AS all_open, count(*) FILTER (WHERE level >= $3) AS high
		FROM escalations WHERE tenant_id = $1 AND owner_id = $2 AND closed_at IS NULL`, tx.Tenant, person, LeadsLevel); err != nil {
		return Taken{}, fmt.Errorf("count escalations of a colleague: %w", err)
	}

	return n, nil
}

// HandOver gives the open escalations that from has taken, with highOnly those from LeadsLevel on alone, to another person, or with
// uuid.Nil to nobody, and returns how many. Who may be given them the caller has looked at; their clocks run on.
func HandOver(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, from, to uuid.UUID, highOnly bool) (int, error) {
	done, err := tx.ExecContext(ctx, `
		UPDATE escalations SET owner_id = $3, owner_name = coalesce((SELECT name FROM people WHERE id = $3), '')
		WHERE tenant_id = $1 AND owner_id = $2 AND closed_at IS NULL AND (NOT $4 OR level >= $5)`,
		tx.Tenant, from, uuid.NullUUID{UUID: to, Valid: to != uuid.Nil}, highOnly, LeadsLevel)
	if err != nil {
		return 0, fmt.Errorf("hand escalations over: %w", err)
	}
	n, err := done.RowsAffected()
	if err != nil || n == 0 {
		return 0, err
	}
	detail := map[string]any{"count": n}
	if to != uuid.Nil {
		detail["person"] = to
	}

	return int(n), tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "escalation.hand_over", ObjectKind: "person", ObjectID: from.String(), Detail: detail,
	})
}
