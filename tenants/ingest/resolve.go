package ingest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
)

// resolve makes events into identities, contacts, messages and cases, and returns how many of each number were repeats.
func resolve(ctx context.Context, tx *tenants.Tx, seen []identity.Seen) (repeats map[uuid.UUID]int, err error) {
	batch, err := identity.Observe(ctx, tx, seen)
	if err != nil {
		return nil, err
	}
	if repeats, err = conversations.Record(ctx, tx, batch, seen); err != nil {
		return nil, err
	}

	return repeats, batch.Settle(ctx)
}

// homesOf reads in which scope the customers of the items' numbers have their identifiers.
func homesOf(ctx context.Context, tx *tenants.Tx, items []waitingItem) (map[uuid.UUID]home, error) {
	numbers := map[uuid.UUID]bool{}
	for _, it := range items {
		if it.Number.Valid {
			numbers[it.Number.UUID] = true
		}
	}

	var rows []struct {
		ID uuid.UUID `db:"id"`
		home
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT n.id, n.scope, n.phone_free,
		       EXISTS (SELECT 1 FROM numbers o WHERE o.tenant_id = $1 AND o.scope = n.scope AND o.phone_free_since IS NOT NULL) AS mixed
		FROM numbers n WHERE n.tenant_id = $1 AND n.id = ANY($2)`, tx.Tenant, pq.Array(keysOf(numbers)))
	if err != nil {
		return nil, fmt.Errorf("read scopes of numbers: %w", err)
	}
	homes := make(map[uuid.UUID]home, len(rows))
	for _, r := range rows {
		homes[r.ID] = r.home
	}

	return homes, nil
}

// touchNumbers notes a number's first and last event, and what the test button was pressed for. The last one moves by a few
// seconds at a time: a number's row is read by every page.
func touchNumbers(ctx context.Context, tx *tenants.Tx, items []waitingItem) error {
	last, tested := map[uuid.UUID]time.Time{}, map[uuid.UUID]time.Time{}
	for _, it := range items {
		switch {
		case it.Reason == replaying:
		case it.Reason == Test:
			tested[it.App] = it.ReceivedAt
		case it.Number.Valid && it.ReceivedAt.After(last[it.Number.UUID]):
			last[it.Number.UUID] = it.ReceivedAt
		}
	}

	if len(last) > 0 {
		var (
			ids []uuid.UUID
			at  []time.Time
		)
		for id, t := range last {
			ids, at = append(ids, id), append(at, t)
		}
		if _, err := tx.ExecContext(ctx, `
			UPDATE numbers n
			SET first_event_at = coalesce(n.first_event_at, w.at), last_event_at = greatest(n.last_event_at, w.at),
			    state = CASE n.state WHEN 'waiting' THEN 'connected' ELSE n.state END
			FROM unnest($2::uuid[], $3::timestamptz[]) AS w (id, at)
			WHERE n.tenant_id = $1 AND n.id = w.id
			  AND (n.first_event_at IS NULL OR n.state = 'waiting' OR n.last_event_at < w.at - $4 * interval '1 second')`,
			tx.Tenant, pq.Array(ids), pq.Array(at), touchGap.Seconds()); err != nil {
			return fmt.Errorf("note events of numbers: %w", err)
		}
	}
	for app, at := range tested {
		if _, err := tx.ExecContext(ctx, `
			UPDATE numbers SET tested_at = greatest(tested_at, $3)
			WHERE tenant_id = $1 AND app_id = $2 AND state <> 'disconnected'`, tx.Tenant, app, at); err != nil {
			return fmt.Errorf("note test of numbers: %w", err)
		}
	}

	return nil
}

func noRows(err error) bool { return errors.Is(err, sql.ErrNoRows) }
