package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// tenure is one identifier held by one identity over [FromAt, ToAt); nil is unbounded.
type tenure struct {
	ID           uuid.UUID  `db:"id"`
	IdentityID   uuid.UUID  `db:"identity_id"`
	IdentifierID uuid.UUID  `db:"identifier_id"`
	FromAt       *time.Time `db:"from_at"`
	ToAt         *time.Time `db:"to_at"`
	FirstSeen    time.Time  `db:"first_seen"`
	LastSeen     time.Time  `db:"last_seen"`
	Current      bool       `db:"current"`
}

func (t tenure) covers(at time.Time) bool {
	return (t.FromAt == nil || !at.Before(*t.FromAt)) && (t.ToAt == nil || at.Before(*t.ToAt))
}

// whole: the identity is the only one ever to have held the identifier, and holds it still.
func (t tenure) whole() bool { return t.FromAt == nil && t.ToAt == nil }

func tenuresOf(ctx context.Context, tx *tenants.Tx, identifiers []uuid.UUID) (map[uuid.UUID][]tenure, error) {
	by := map[uuid.UUID][]tenure{}
	if len(identifiers) == 0 {
		return by, nil
	}

	var rows []tenure
	err := tx.SelectContext(ctx, &rows, `
		SELECT id, identity_id, identifier_id, from_at, to_at, first_seen, last_seen, current
		FROM tenures WHERE tenant_id = $1 AND identifier_id = ANY($2) ORDER BY first_seen, id`,
		tx.Tenant, pq.Array(identifiers))
	if err != nil {
		return nil, fmt.Errorf("read tenures: %w", err)
	}
	for _, t := range rows {
		by[t.IdentifierID] = append(by[t.IdentifierID], t)
	}

	return by, nil
}

// desired are the tenures of each identifier as they were derived, without ids.
func (p *plan) desired() map[uuid.UUID][]tenure {
	desired := map[uuid.UUID][]tenure{}
	for i, a := range p.accounts {
		for _, h := range a.holds {
			id := p.nodes[h.id].id
			desired[id] = append(desired[id], tenure{
				IdentityID: p.owner[i], IdentifierID: id, FromAt: bound(h.from), ToAt: bound(h.to),
				FirstSeen: time.Unix(h.first, 0).UTC(), LastSeen: time.Unix(h.last, 0).UTC(), Current: h.current,
			})
		}
	}

	return desired
}
