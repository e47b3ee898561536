package access

import (
	"context"
	"fmt"
	"time"

	"github.com/pehchan/pehchan/tenants"
)

// furthest is how many days ahead a target may lie.
const furthest = 5 * 366

// SetTarget chooses the day by which the business wants to know its customers by their WhatsApp IDs; nil for none. One that is past, or too far
// ahead, is Invalid.
func SetTarget(ctx context.Context, tx *tenants.Tx, by Member, day *time.Time, now time.Time) error {
	if !by.Can("settings:edit") {
		return fmt.Errorf("choose a target date: %w", tenants.ErrForbidden)
	}
	if day != nil {
		if left := by.Tenant.DaysUntil(*day, now); left < 0 || left > furthest {
			return &tenants.Invalid{Field: "ready_by", Key: "target_day"}
		}
	}
	var before *time.Time
	if err := tx.GetContext(ctx, &before, `SELECT ready_by FROM tenants WHERE id = $1 FOR NO KEY UPDATE`, tx.Tenant); err != nil {
		return fmt.Errorf("read target date: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE tenants SET ready_by = $2 WHERE id = $1`, tx.Tenant, day); err != nil {
		return fmt.Errorf("keep target date: %w", err)
	}
	written := func(t *time.Time) map[string]string {
		if t == nil {
			return map[string]string{"ready_by": ""}
		}

		return map[string]string{"ready_by": t.Format(time.DateOnly)}
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: by.Actor, Action: "tenant.target", ObjectKind: "tenant", ObjectID: tx.Tenant.String(),
		Detail: map[string]any{"before": written(before), "after": written(day)},
	})
}
