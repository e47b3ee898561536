package facts

import (
	"context"
	"time"

	"github.com/pehchan/pehchan/tenants"
)

// Ledger is Current for the platform's operator, who stands in no tenant.
func Ledger(ctx context.Context, db *tenants.DB) (list []Fact, err error) {
	err = db.System(ctx, func(tx *tenants.Tx) error {
		list, err = Current(ctx, tx)
		return err
	})

	return list, err
}

// Versions is History for the platform's operator; ErrNotFound where there is no such fact.
func Versions(ctx context.Context, db *tenants.DB, key string) (list []Fact, err error) {
	err = db.System(ctx, func(tx *tenants.Tx) error {
		list, err = History(ctx, tx, key)
		return err
	})
	if err == nil && len(list) == 0 {
		err = tenants.ErrNotFound
	}

	return list, err
}

// Publish is Edit in a transaction of its own.
func Publish(ctx context.Context, db *tenants.DB, by tenants.Actor, in Change, now time.Time) (f Fact, err error) {
	err = db.System(ctx, func(tx *tenants.Tx) error {
		f, err = Edit(ctx, tx, by, in, now)
		return err
	})

	return f, err
}

// Verify notes that the sources of version, the newest of a fact, were read on the day of now and still say so. A day by which it had to be
// checked is behind it then.
func Verify(ctx context.Context, db *tenants.DB, by tenants.Actor, key string, version int, now time.Time) (f Fact, err error) {
	err = db.System(ctx, func(tx *tenants.Tx) error {
		f, err = Get(ctx, tx, key)
		if err != nil {
			return err
		}
		in := Change{Key: key, Version: version, Content: f.Content}
		in.VerifiedOn = dayOf(now)
		if in.ExpiresOn != nil && !in.ExpiresOn.After(in.VerifiedOn) {
			in.ExpiresOn = nil
		}
		f, err = Edit(ctx, tx, by, in, now)

		return err
	})

	return f, err
}

// Try says what Publish would do, and whom it concerns, and changes nothing.
func Try(ctx context.Context, db *tenants.DB, in Change, now time.Time) (before, after Fact, reach Reach, err error) {
	err = db.System(ctx, func(tx *tenants.Tx) error {
		if before, after, err = next(ctx, tx, in, now); err != nil {
			return err
		}
		reach, err = Affected(ctx, tx, in.Country)

		return err
	})

	return before, after, reach, err
}
