package training

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// Nudge notes that somebody of tx's tenant is reminded by mail, at most once on a day in its zone: else it is Conflict "nudged_today".
func Nudge(ctx context.Context, tx *tenants.Tx, by tenants.Actor, person uuid.UUID, now time.Time, zone *time.Location) error {
	done, err := tx.ExecContext(ctx, `
		INSERT INTO nudges (tenant_id, person_id, day, by_name)
		SELECT $1, $2, $3, $4 WHERE EXISTS (SELECT 1 FROM memberships WHERE tenant_id = $1 AND person_id = $2)
		ON CONFLICT (tenant_id, person_id, day) DO NOTHING`, tx.Tenant, person, now.In(zone).Format(time.DateOnly), by.Name)
	if err != nil {
		return fmt.Errorf("note nudge: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return &tenants.Conflict{Code: "nudged_today"}
	}

	return tenants.Audit(ctx, tx, tenants.Act{Actor: by, Action: "training.nudge", ObjectKind: "person", ObjectID: person.String()})
}

// Nudged is when each person of tx's tenant was last reminded, of those who were in the last week.
func Nudged(ctx context.Context, tx *tenants.Tx) (map[uuid.UUID]time.Time, error) {
	var rows []struct {
		Person uuid.UUID `db:"person_id"`
		At     time.Time `db:"at"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		SELECT person_id, max(at) AS at FROM nudges WHERE tenant_id = $1 AND day > current_date - 7 GROUP BY person_id LIMIT 1000`, tx.Tenant); err != nil {
		return nil, fmt.Errorf("list nudges: %w", err)
	}
	last := make(map[uuid.UUID]time.Time, len(rows))
	for _, r := range rows {
		last[r.Person] = r.At
	}

	return last, nil
}
