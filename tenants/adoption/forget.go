package adoption

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// Forget takes accounts and phones out of what was counted, before they are erased: the sums are then what they would be had these
// never been heard from. Under identity.Lock.
func Forget(ctx context.Context, tx *tenants.Tx, accounts, phones []uuid.UUID) error {
	l, err := Lift(ctx, tx, accounts)
	if err != nil {
		return err
	}
	var windows []window
	if err := tx.SelectContext(ctx, &windows, `
		SELECT phone_id, number_id, last_at, holder FROM phone_windows WHERE tenant_id = $1 AND phone_id = ANY($2)`, tx.Tenant, pq.Array(phones)); err != nil {
		return fmt.Errorf("read windows of phones to forget: %w", err)
	}
	for _, w := range windows {
		w.LastAt = w.LastAt.UTC()
		l.sums.addPhone(w, -1)
	}
	for _, step := range []struct {
		what, statement string
		ids             []uuid.UUID
	}{
		{"forget weeks", `DELETE FROM heard_weeks WHERE tenant_id = $1 AND identity_id = ANY($2)`, accounts},
		{"forget standings", `DELETE FROM heard_last WHERE tenant_id = $1 AND identity_id = ANY($2)`, accounts},
		{"forget windows of phones", `DELETE FROM phone_windows WHERE tenant_id = $1 AND phone_id = ANY($2)`, phones},
	} {
		if _, err := tx.ExecContext(ctx, step.statement, tx.Tenant, pq.Array(step.ids)); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}

	return l.sums.write(ctx, tx)
}
