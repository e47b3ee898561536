package privacy

import (
	"context"
	"fmt"
	"time"

	"github.com/pehchan/pehchan/tenants"
)

// Going is what of a class would go in the next night.
type Going struct {
	Class  string     `db:"-"`
	Days   int        `db:"-"`
	N      int        `db:"n"`      // MostCounted: that many or more
	Oldest *time.Time `db:"oldest"` // nil where nothing goes
}

// MostCounted is how far what would go is counted.
const MostCounted = 100_000

// olds find what of each class came before $2, as letting it go does.
var olds = map[string]string{
	Raw: `SELECT received_at AS at FROM inbox_items WHERE tenant_id = $1 AND received_at < $2 AND state = 'routed' AND reason NOT IN ('expired', 'erased')
		ORDER BY received_at LIMIT $3`,
	Messages: `SELECT received_at AS at FROM messages WHERE tenant_id = $1 AND received_at < $2 ORDER BY id LIMIT $3`,
	Aside:    `SELECT received_at AS at FROM inbox_items WHERE tenant_id = $1 AND state = 'set_aside' AND received_at < $2 ORDER BY id LIMIT $3`,
	Lists: `SELECT i.created_at AS at FROM imports i JOIN import_rows r ON r.tenant_id = $1 AND r.import_id = i.id AND r.cells <> '[]'
		WHERE i.tenant_id = $1 AND (i.ended_at < $2 OR i.ended_at IS NULL AND i.created_at < $2 AND i.state NOT IN ('checking', 'running', 'undoing'))
		ORDER BY i.id LIMIT $3`,
	Looks: `SELECT day::timestamptz AS at FROM contact_views WHERE tenant_id = $1 AND day < $2 ORDER BY day LIMIT $3`,
}

// WouldGo counts what would go if each class were kept so many days, of those that are to be kept shorter than now.
func WouldGo(ctx context.Context, tx *tenants.Tx, was, days map[string]int) ([]Going, error) {
	var list []Going
	for _, c := range Classes {
		n := days[c.Name]
		if n <= 0 || was[c.Name] != 0 && n >= was[c.Name] {
			continue
		}
		g := Going{Class: c.Name, Days: n}
		if err := tx.GetContext(ctx, &g, `SELECT count(*) AS n, min(at) AS oldest FROM (`+olds[c.Name]+`) o`,
			tx.Tenant, time.Now().AddDate(0, 0, -n), MostCounted); err != nil {
			return nil, fmt.Errorf("count what of %s would go: %w", c.Name, err)
		}
		list = append(list, g)
	}

	return list, nil
}
