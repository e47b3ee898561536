package ingest

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// Lag is how long events were on their way from being accepted to being seen: half of the number's last Of events took at most
// P50, 95 of 100 at most P95.
type Lag struct {
	P50, P95 time.Duration
	Of       int
}

const (
	lagWindow = time.Hour
	lagEvents = 2000 // of the tenant's newest, in which the number's are looked for
)

// NumberLag measures the lag of a number's events of the last hour. One that a person had processed again counts from its first
// arrival, so a replay shows for an hour. Of is 0 where nothing came.
func NumberLag(ctx context.Context, tx *tenants.Tx, number uuid.UUID) (Lag, error) {
	var row struct {
		P50 float64 `db:"p50"`
		P95 float64 `db:"p95"`
		Of  int     `db:"n"`
	}
	err := tx.GetContext(ctx, &row, `
		SELECT coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY took), 0) AS p50,
		       coalesce(percentile_cont(0.95) WITHIN GROUP (ORDER BY took), 0) AS p95, count(*) AS n
		FROM (SELECT extract(epoch FROM since - received_at)::float8 AS took, number_id
		      FROM (SELECT since, received_at, number_id, state FROM inbox_items
		            WHERE tenant_id = $1 AND received_at > now() - $3 * interval '1 second' ORDER BY received_at DESC, id DESC LIMIT $4) newest
		      WHERE state = 'routed') i
		WHERE number_id = $2`, tx.Tenant, number, lagWindow.Seconds(), lagEvents)
	if err != nil {
		return Lag{}, fmt.Errorf("measure lag: %w", err)
	}
	seconds := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

	return Lag{P50: seconds(row.P50), P95: seconds(row.P95), Of: row.Of}, nil
}
