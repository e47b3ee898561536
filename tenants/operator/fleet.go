// Package operator is what the platform's operator sees: businesses and counts, and nothing of anybody's customers.
package operator

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
)

// Business is one tenant with its counts.
type Business struct {
	ID            uuid.UUID  `db:"id"`
	Slug          string     `db:"slug"`
	Name          string     `db:"name"`
	State         string     `db:"state"`   // active, limited, suspended, closing
	Numbers       int        `db:"numbers"` // connected now
	Members       int        `db:"members"`
	ingest.Counts            // of its items
	Duplicates    int64      `db:"duplicates"`
	OldestWaiting float64    `db:"oldest_waiting"` // seconds; 0 where nothing waits
	LastItem      *time.Time `db:"last_item"`      // when the last item came
}

const maxList = 200

// Businesses lists tenants in the order they were set up, from the one after the given id on (uuid.Nil: from the start). limit
// is 1 to 200; anything else means 200.
func Businesses(ctx context.Context, db *tenants.DB, after uuid.UUID, limit int) ([]Business, error) {
	if limit < 1 || limit > maxList {
		limit = maxList
	}

	list := []Business{}
	err := db.System(ctx, func(tx *tenants.Tx) error {
		return tx.SelectContext(ctx, &list, `
			SELECT t.id, t.slug, t.name, t.state,
			       (SELECT count(*) FROM number_directory d WHERE d.tenant_id = t.id AND d.until IS NULL) AS numbers,
			       (SELECT count(*) FROM memberships m WHERE m.tenant_id = t.id) AS members,
			       coalesce(c.received, 0) AS received, coalesce(c.routed, 0) AS routed, coalesce(c.held, 0) AS held,
			       coalesce(c.set_aside, 0) AS set_aside, coalesce(c.waiting, 0) AS waiting, coalesce(c.duplicates, 0) AS duplicates,
			       coalesce((SELECT greatest(extract(epoch FROM now() - i.since), 0) FROM inbox_items i
			                 WHERE i.tenant_id = t.id AND i.state = 'waiting' ORDER BY i.id LIMIT 1), 0) AS oldest_waiting,
			       (SELECT max(i.received_at) FROM inbox_items i WHERE i.tenant_id = t.id) AS last_item
			FROM (SELECT id, slug, name, state FROM tenants WHERE id > $1 ORDER BY id LIMIT $2) t
			LEFT JOIN LATERAL (
				SELECT sum(received) AS received, sum(routed) AS routed, sum(held) AS held, sum(set_aside) AS set_aside,
				       sum(waiting) AS waiting, sum(duplicates) AS duplicates
				FROM inbox_counters WHERE tenant_id = t.id
			) c ON true
			ORDER BY t.id`, after, limit)
	})
	if err != nil {
		return nil, fmt.Errorf("list businesses: %w", err)
	}

	return list, nil
}
