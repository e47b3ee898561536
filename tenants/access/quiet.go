package access

import (
	"context"
	"fmt"

	"github.com/pehchan/pehchan/tenants"
)

const dayMinutes = 24 * 60

// SetQuiet keeps the quiet hours of tx's tenant; the zero value is none.
func SetQuiet(ctx context.Context, tx *tenants.Tx, by Member, q tenants.Quiet) error {
	if !by.Can("settings:edit") {
		return fmt.Errorf("set quiet hours: %w", tenants.ErrForbidden)
	}
	for field, minute := range map[string]int{"from": q.From, "until": q.Until} {
		if minute < 0 || minute >= dayMinutes {
			return &tenants.Invalid{Field: field, Key: "clock"}
		}
	}
	var before tenants.Quiet
	if err := tx.GetContext(ctx, &before, `SELECT quiet_from, quiet_until FROM tenants WHERE id = $1 FOR NO KEY UPDATE`, tx.Tenant); err != nil {
		return fmt.Errorf("read quiet hours: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE tenants SET quiet_from = $2, quiet_until = $3 WHERE id = $1`, tx.Tenant, q.From, q.Until); err != nil {
		return fmt.Errorf("keep quiet hours: %w", err)
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: by.Actor, Action: "tenant.quiet", ObjectKind: "tenant", ObjectID: tx.Tenant.String(), Detail: map[string]any{"before": before, "after": q},
	})
}
