package operator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// Usage is what one business used in a month (UTC).
type Usage struct {
	Tenant   uuid.UUID `db:"tenant_id"`
	Slug     string    `db:"slug"`
	Name     string    `db:"name"`
	Plan     string    `db:"plan"`
	Month    time.Time `db:"month"`
	Heard    int64     `db:"heard"`    // messages that customers wrote
	Sent     int64     `db:"sent"`     // messages that Meta took from here
	API      int64     `db:"api"`      // requests to the API
	Contacts int64     `db:"contacts"` // known at the last count of the month
}

const selectUsage = `
	SELECT u.tenant_id, t.slug, t.name, t.plan, u.month, u.heard, u.sent, u.api, u.contacts
	FROM usage_months u JOIN tenants t ON t.id = u.tenant_id`

// UsageOf lists what all businesses used in the month of a day, those that used most first, in a System transaction, at most 5000.
func UsageOf(ctx context.Context, tx *tenants.Tx, month time.Time) ([]Usage, error) {
	list := []Usage{}
	if err := tx.SelectContext(ctx, &list, selectUsage+`
		WHERE u.month = date_trunc('month', $1::date)::date ORDER BY u.heard + u.sent + u.api DESC, t.slug LIMIT 5000`, month.Format(time.DateOnly)); err != nil {
		return nil, fmt.Errorf("list usage: %w", err)
	}

	return list, nil
}

// UsageBy lists what one business used by month, the latest first, at most 24, in a System transaction.
func UsageBy(ctx context.Context, tx *tenants.Tx, tenant uuid.UUID) ([]Usage, error) {
	list := []Usage{}
	if err := tx.SelectContext(ctx, &list, selectUsage+` WHERE u.tenant_id = $1 ORDER BY u.month DESC LIMIT 24`, tenant); err != nil {
		return nil, fmt.Errorf("list usage of a business: %w", err)
	}

	return list, nil
}

// CountCalls adds requests to the API by business, each in a short transaction of its own: what comes in for a business holds its row too,
// and one that waits for it keeps no other's. It returns what could not be added, with the errors.
func CountCalls(ctx context.Context, db *tenants.DB, calls map[uuid.UUID]int64) (left map[uuid.UUID]int64, err error) {
	left = map[uuid.UUID]int64{}
	var errs []error
	for id, n := range calls {
		if err := db.As(ctx, id, func(tx *tenants.Tx) error {
			if _, err := tx.ExecContext(ctx, `SET LOCAL lock_timeout = '1s'`); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, `
				INSERT INTO usage_months AS u (tenant_id, month, api)
				SELECT t.id, date_trunc('month', now() AT TIME ZONE 'UTC')::date, $2 FROM tenants t WHERE t.id = $1 AND t.state <> 'erased'
				ON CONFLICT (tenant_id, month) DO UPDATE SET api = u.api + excluded.api`, tx.Tenant, n)

			return err
		}); err != nil {
			left[id] = n
			errs = append(errs, fmt.Errorf("count requests: %w", err))
		}
	}

	return left, errors.Join(errs...)
}

// Counter counts by and by what counting at once would cost too much.
type Counter struct {
	db  *tenants.DB
	log *slog.Logger
}

// NewCounter makes a Counter; Run starts it.
func NewCounter(db *tenants.DB, log *slog.Logger) *Counter { return &Counter{db: db, log: log} }

const (
	countEvery = time.Minute
	countAtOne = 20
)

// Run counts until ctx ends.
func (w *Counter) Run(ctx context.Context) error {
	tick := time.NewTicker(countEvery)
	defer tick.Stop()
	for {
		if err := w.Step(ctx); err != nil && ctx.Err() == nil {
			w.log.Error("usage not counted", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Step counts the contacts of the few businesses whose last count is oldest: each once in six hours while they use anything.
func (w *Counter) Step(ctx context.Context) error {
	var due []uuid.UUID
	err := w.db.System(ctx, func(tx *tenants.Tx) error {
		return tx.SelectContext(ctx, &due, `
			SELECT u.tenant_id FROM usage_months u JOIN tenants t ON t.id = u.tenant_id AND t.state <> 'erased'
			WHERE u.month = date_trunc('month', now() AT TIME ZONE 'UTC')::date AND (u.counted_at IS NULL OR u.counted_at < now() - interval '6 hours')
			ORDER BY u.counted_at NULLS FIRST, u.tenant_id LIMIT $1`, countAtOne)
	})
	if err != nil {
		return fmt.Errorf("look for usage to count: %w", err)
	}
	for _, tenant := range due {
		err := w.db.As(ctx, tenant, func(tx *tenants.Tx) error {
			_, err := tx.ExecContext(ctx, `
				UPDATE usage_months SET contacts = (SELECT count(*) FROM contacts WHERE tenant_id = $1 AND merged_into IS NULL), counted_at = now()
				WHERE tenant_id = $1 AND month = date_trunc('month', now() AT TIME ZONE 'UTC')::date`, tx.Tenant)
			return err
		})
		if err != nil {
			return fmt.Errorf("count contacts: %w", err)
		}
	}

	return nil
}
