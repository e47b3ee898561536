package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/identity"
)

// nightHour is when the demo begins anew, in the time of web.HomeZone.
const nightHour = 3

// beginAnewEachNight takes back what visitors of the demo decided and forgets who they were, each night until ctx ends, and now, as nights may
// have passed meanwhile.
func beginAnewEachNight(ctx context.Context, db *tenants.DB, log *slog.Logger, tenant uuid.UUID) {
	zone, err := time.LoadLocation(web.HomeZone)
	if err != nil {
		zone = time.UTC
	}
	for {
		taken, err := beginAnew(ctx, db, tenant)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			log.Error("the demo has not begun anew", "error", sentence(err))
		case taken > 0:
			log.Info("the demo begins anew", "taken_back", taken)
		}
		if gone, nameless, err := access.ForgetVisitors(ctx, db, tenant); err != nil && ctx.Err() == nil {
			log.Error("visitors of the demo are not forgotten", "error", sentence(err))
		} else if gone+nameless > 0 {
			log.Info("visitors of the demo are forgotten", "gone", gone, "nameless", nameless)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(nextNight(time.Now(), zone))):
		}
	}
}

// nextNight is the first nightHour after now.
func nextNight(now time.Time, zone *time.Location) time.Time {
	local := now.In(zone)
	night := time.Date(local.Year(), local.Month(), local.Day(), nightHour, 0, 0, 0, zone)
	if !night.After(now) {
		night = time.Date(local.Year(), local.Month(), local.Day()+1, nightHour, 0, 0, 0, zone)
	}

	return night
}

// beginAnew leaves of the demo what its customers did, and nothing of what visitors decided about them.
func beginAnew(ctx context.Context, db *tenants.DB, tenant uuid.UUID) (taken int, err error) {
	var visitors []string
	if err := db.System(ctx, func(tx *tenants.Tx) error {
		visitors, err = access.Visitors(ctx, tx)
		return err
	}); err != nil || len(visitors) == 0 {
		return 0, err
	}
	err = db.As(ctx, tenant, func(tx *tenants.Tx) error {
		taken, err = identity.TakeBackAll(ctx, tx, tenants.SystemActor, visitors)
		return err
	})

	return taken, err
}
