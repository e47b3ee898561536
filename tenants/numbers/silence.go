package numbers

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/notices"
)

// How often a number is listened to, and one from which nothing has come for days.
const (
	listenEvery  = time.Hour
	listenSeldom = 12 * time.Hour
	asideWithin  = 13 * time.Hour // what was set aside since then is news, were it listened to seldom
)

// planListening has a number listened to from now on.
func planListening(ctx context.Context, tx *tenants.Tx, id uuid.UUID) error {
	return plan(ctx, tx, jobListen, id, time.Now().Add(listenEvery))
}

// listen tells the owner where nothing comes for a number from which much usually does, once for each silence; and, once a day, where
// all that comes is refused, or something came that could not be read.
func (w *Worker) listen(ctx context.Context, tenant, id uuid.UUID) (next time.Time, err error) {
	now := time.Now()
	meters, err := ingest.AppMeters(ctx, w.db, tenant)
	if err != nil {
		return time.Time{}, err
	}
	err = w.db.As(ctx, tenant, func(tx *tenants.Tx) error {
		n, err := Get(ctx, tx, id)
		if err != nil || n.State == Disconnected {
			return err
		}
		if err := tellToday(ctx, tx, n, meters[n.AppID], now); err != nil {
			return err
		}
		rate, err := ingest.NumberRate(ctx, tx, id, now)
		if err != nil {
			return err
		}
		hours, odd := rate.Quiet()
		next = now.Add(listenEvery)
		if rate.Still() {
			next = now.Add(listenSeldom)
		}
		if !odd {
			return keepQuiet(ctx, tx, id, time.Time{})
		}
		since := now.UTC().Truncate(time.Hour).Add(-time.Duration(hours) * time.Hour)
		if err := keepQuiet(ctx, tx, id, since); err != nil {
			return err
		}

		return notices.Tell(ctx, tx, notices.Own{
			Number: id, WABA: n.WABAID, Field: notices.FieldSilence, Event: notices.SilenceBegan, At: since,
			Facts: notices.Facts{"hours": strconv.Itoa(hours)},
		})
	})
	if errors.Is(err, tenants.ErrNotFound) {
		return time.Time{}, nil
	}

	return next, err
}

// tellToday tells what is wrong with what comes, each thing once a day.
func tellToday(ctx context.Context, tx *tenants.Tx, n Number, app ingest.AppMeter, now time.Time) error {
	today := now.UTC().Truncate(24 * time.Hour)
	var accepted time.Time
	if n.LastEventAt != nil {
		accepted = *n.LastEventAt
	}
	if app.WrongSecret(accepted) {
		if err := notices.Tell(ctx, tx, notices.Own{Number: n.ID, WABA: n.WABAID, Field: notices.FieldSecret, Event: notices.SecretWrong, At: today}); err != nil {
			return err
		}
	}
	count, err := ingest.SetAsideSince(ctx, tx, n.ID, now.Add(-asideWithin))
	if err != nil || count == 0 {
		return err
	}

	return notices.Tell(ctx, tx, notices.Own{
		Number: n.ID, WABA: n.WABAID, Field: notices.FieldAside, Event: notices.AsideGrew, At: today, Facts: notices.Facts{"count": strconv.Itoa(count)},
	})
}

// keepQuiet keeps since when a number is silent; the zero time: it is not.
func keepQuiet(ctx context.Context, tx *tenants.Tx, id uuid.UUID, since time.Time) error {
	if _, err := tx.ExecContext(ctx, `
		UPDATE numbers SET quiet_since = $3
		WHERE tenant_id = $1 AND id = $2 AND quiet_since IS DISTINCT FROM $3`, tx.Tenant, id, nullTime(since)); err != nil {
		return fmt.Errorf("keep silence of number %s: %w", id, err)
	}

	return nil
}
