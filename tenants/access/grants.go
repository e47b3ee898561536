package access

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// Grant is a business's leave for one operator to be in it for a while.
type Grant struct {
	ID        uuid.UUID `db:"id"`
	Scope     string    `db:"scope"` // read or act
	Ticket    string    `db:"ticket"`
	ExpiresAt time.Time `db:"expires_at"`
}

// enterByGrant puts an operator into the tenant of a grant that is on, in a System transaction. One that is over leaves them outside.
func (m *Member) enterByGrant(ctx context.Context, tx *tenants.Tx, tenant, id uuid.UUID) error {
	var g Grant
	err := tx.GetContext(ctx, &g, `
		SELECT id, scope, ticket, expires_at FROM support_grants
		WHERE tenant_id = $1 AND id = $2 AND operator_id = $3 AND allowed AND ended_at IS NULL AND expires_at > now()`, tenant, id, m.Person.ID)
	if errors.Is(err, sql.ErrNoRows) || err == nil && m.Person.OperatorRole == "" {
		m.Lapsed = true
		return nil
	}
	if err != nil {
		return fmt.Errorf("read leave: %w", err)
	}
	t, err := readTenant(ctx, tx, tenant)
	if err != nil {
		return err
	}
	if !tenants.Allows(t.State, tenants.Working) {
		m.Lapsed = true
		return nil
	}
	m.Tenant, m.Grant, m.Role = t, &g, OperatorReads
	if g.Scope == "act" {
		m.Role = OperatorActs
	}

	return nil
}
