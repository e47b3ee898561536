package ingest

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// Unowned is an item set aside at the platform: it cannot be read, and nothing says whose it is. For operators, so never what it holds.
type Unowned struct {
	ID         int64     `db:"id"`
	App        string    `db:"app"` // the app that signed it
	Kind       string    `db:"kind"`
	Reason     string    `db:"reason"`
	Bytes      int64     `db:"bytes"`
	ReceivedAt time.Time `db:"received_at"`
}

// UnownedItems lists what is set aside at the platform, the last first, up to limit (1 to 200) after the item before (0: from the
// start), and says how many there are in all.
func UnownedItems(ctx context.Context, db *tenants.DB, before int64, limit int) (items []Unowned, total int64, err error) {
	if limit < 1 || limit > maxList {
		limit = maxList
	}

	items = []Unowned{}
	err = db.System(ctx, func(tx *tenants.Tx) error {
		if err := tx.GetContext(ctx, &total, `SELECT coalesce(sum(set_aside), 0) FROM inbox_counters WHERE tenant_id = $1`, uuid.Nil); err != nil {
			return err
		}

		return tx.SelectContext(ctx, &items, `
			SELECT i.id, a.name AS app, i.kind, i.reason, octet_length(CASE WHEN i.kind = $3 THEN e.body ELSE i.body END) AS bytes, i.received_at
			FROM inbox_items i JOIN apps a ON a.id = i.app_id JOIN inbox_events e ON e.id = i.event_id
			WHERE i.tenant_id IS NULL AND i.state = 'set_aside' AND ($1 = 0 OR i.id < $1)
			ORDER BY i.id DESC LIMIT $2`, before, limit, kindDelivery)
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list items that nobody owns: %w", err)
	}

	return items, total, nil
}

// SetAsideSince counts what was set aside since a time of a number, or of no number, and is still; at most 200.
func SetAsideSince(ctx context.Context, tx *tenants.Tx, number uuid.UUID, since time.Time) (n int, err error) {
	err = tx.GetContext(ctx, &n, `
		SELECT count(*) FROM (
			SELECT 1 FROM inbox_items
			WHERE tenant_id = $1 AND state = 'set_aside' AND since > $3 AND (number_id = $2 OR number_id IS NULL)
			LIMIT $4) i`, tx.Tenant, number, since, maxList)
	if err != nil {
		return 0, fmt.Errorf("count what was set aside: %w", err)
	}

	return n, nil
}
