package access

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// SetStanding keeps what operators may do in tx's business without asking first: "" for nothing, read, or act. What was
// allowed by an earlier leave and goes beyond this one ends at once, also for an operator who is in.
func SetStanding(ctx context.Context, tx *tenants.Tx, by Member, scope string) error {
	if !by.Can("support:manage") {
		return fmt.Errorf("set standing leave: %w", tenants.ErrForbidden)
	}
	if scope != "" && scope != "read" && scope != "act" {
		return &tenants.Invalid{Field: "standing", Key: "choice"}
	}
	var before string
	if err := tx.GetContext(ctx, &before, `SELECT standing_access FROM tenants WHERE id = $1 FOR UPDATE`, tx.Tenant); err != nil {
		return fmt.Errorf("read standing leave: %w", err)
	}
	if before == scope {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `UPDATE tenants SET standing_access = $2 WHERE id = $1`, tx.Tenant, scope); err != nil {
		return fmt.Errorf("set standing leave: %w", err)
	}

	if err := tenants.Audit(ctx, tx, tenants.Act{
		Actor: by.Actor, Action: "support.standing", ObjectKind: "tenant", ObjectID: tx.Tenant.String(),
		Detail: map[string]any{"before": before, "after": scope},
	}); err != nil {
		return err
	}
	var beyond []uuid.UUID
	if err := tx.SelectContext(ctx, &beyond, `
		SELECT id FROM support_grants
		WHERE tenant_id = $1 AND standing AND ended_at IS NULL AND coalesce(expires_at, good_until) > now() AND $2 <> 'act' AND scope <> $2
		ORDER BY id`, tx.Tenant, scope); err != nil {
		return fmt.Errorf("list leaves that end: %w", err)
	}
	for _, id := range beyond {
		if err := EndSupport(ctx, tx, by, id); err != nil {
			return err
		}
	}

	return nil
}
