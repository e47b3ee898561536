package privacy

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Hold is that nothing old is let go for the time being, because a court or an authority may ask for it.
type Hold struct {
	Reason string    `db:"reason"`
	By     string    `db:"by_name"`
	At     time.Time `db:"at"`
}

const maxReason = 500

// HoldOf is the hold that stands, nil where none does.
func HoldOf(ctx context.Context, tx *tenants.Tx) (*Hold, error) {
	var h Hold
	err := tx.GetContext(ctx, &h, `SELECT reason, by_name, at FROM legal_holds WHERE tenant_id = $1`, tx.Tenant)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // that there is none is no fault
	}
	if err != nil {
		return nil, fmt.Errorf("read hold: %w", err)
	}

	return &h, nil
}

// SetHold has nothing let go from now on, but for the few rows that may be going at this moment, whatever is said about how long things are
// kept. Conflict "hold_stands" where one does.
func SetHold(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, reason string) error {
	reason = whatsapp.MaskPhones(strings.TrimSpace(reason))
	switch n := utf8.RuneCountInString(reason); {
	case n < 3:
		return &tenants.Invalid{Field: "reason", Key: "hold_reason"}
	case n > maxReason || strings.ContainsRune(reason, 0):
		return &tenants.Invalid{Field: "reason", Key: "hold_reason"}
	}
	done, err := tx.ExecContext(ctx, `
		INSERT INTO legal_holds (tenant_id, reason, by_name) VALUES ($1, $2, $3) ON CONFLICT (tenant_id) DO NOTHING`, tx.Tenant, reason, actor.Name)
	if err != nil {
		return fmt.Errorf("set hold: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errors.Join(&tenants.Conflict{Code: "hold_stands"}, err)
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "privacy.hold", ObjectKind: "tenant", ObjectID: tx.Tenant.String(), Detail: map[string]any{"reason": reason},
	})
}

// EndHold lets old things go again, from the next night on. Without a hold it does nothing.
func EndHold(ctx context.Context, tx *tenants.Tx, actor tenants.Actor) error {
	done, err := tx.ExecContext(ctx, `DELETE FROM legal_holds WHERE tenant_id = $1`, tx.Tenant)
	if err != nil {
		return fmt.Errorf("end hold: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return err //nolint:wrapcheck // the driver cannot but know
	}

	return tenants.Audit(ctx, tx, tenants.Act{Actor: actor, Action: "privacy.hold_end", ObjectKind: "tenant", ObjectID: tx.Tenant.String()})
}
