package access

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

const dayMinutes = 24 * 60

func checkQuiet(q tenants.Quiet) error {
	for field, minute := range map[string]int{"from": q.From, "until": q.Until} {
		if minute < 0 || minute >= dayMinutes {
			return &tenants.Invalid{Field: field, Key: "clock"}
		}
	}

	return nil
}

// SetQuiet keeps the quiet hours of tx's tenant; the zero value is none.
func SetQuiet(ctx context.Context, tx *tenants.Tx, by Member, q tenants.Quiet) error {
	if !by.Can("settings:edit") {
		return fmt.Errorf("set quiet hours: %w", tenants.ErrForbidden)
	}
	if err := checkQuiet(q); err != nil {
		return err
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

// OwnQuiet are somebody's own quiet hours in tx's tenant, which come on top of those of all; ErrNotFound where they are not of its team.
func OwnQuiet(ctx context.Context, tx *tenants.Tx, person uuid.UUID) (q tenants.Quiet, err error) {
	err = tx.GetContext(ctx, &q, `SELECT quiet_from, quiet_until FROM memberships WHERE tenant_id = $1 AND person_id = $2`, tx.Tenant, person)
	if errors.Is(err, sql.ErrNoRows) {
		return q, tenants.ErrNotFound
	}
	if err != nil {
		return q, fmt.Errorf("read somebody's quiet hours: %w", err)
	}

	return q, nil
}

// SetOwnQuiet keeps a member's own quiet hours in tx's tenant; the zero value is none. ErrNotFound where they are not of its team.
func SetOwnQuiet(ctx context.Context, tx *tenants.Tx, by Member, q tenants.Quiet) error {
	if err := checkQuiet(q); err != nil {
		return err
	}
	before, err := OwnQuiet(ctx, tx, by.Person.ID)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE memberships SET quiet_from = $3, quiet_until = $4 WHERE tenant_id = $1 AND person_id = $2`, tx.Tenant, by.Person.ID, q.From, q.Until); err != nil {
		return fmt.Errorf("keep somebody's quiet hours: %w", err)
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: by.Actor, Action: "person.quiet", ObjectKind: "person", ObjectID: by.Person.ID.String(), Detail: map[string]any{"before": before, "after": q},
	})
}
