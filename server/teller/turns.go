package teller

import (
	"context"
	"time"

	"github.com/pehchan/pehchan/tenants"
)

const (
	turnEvery = 30 * time.Second
	turnPlan  = 10 * time.Minute // how soon a new business has its job planned
)

// takeTurns tells the people of each business what do queues, when its turn has come, until ctx ends. One that fails has its turn again in a
// few minutes.
func (t *Teller) takeTurns(ctx context.Context, rota tenants.Rota, do func(ctx context.Context, tx *tenants.Tx, first bool, now time.Time) error) error {
	tick := time.NewTicker(turnEvery)
	defer tick.Stop()

	planned := time.Time{}
	for {
		if time.Since(planned) > turnPlan {
			if err := rota.Plan(ctx, t.DB); err != nil && ctx.Err() == nil {
				t.log.Error("mails not planned", "job", rota.Kind, "error", err)
			}
			planned = time.Now()
		}
		due, err := rota.Claim(ctx, t.DB)
		if err != nil && ctx.Err() == nil {
			t.log.Error("mails not sent", "job", rota.Kind, "error", err)
		}
		for _, d := range due {
			if err := t.DB.As(ctx, d.Tenant, func(tx *tenants.Tx) error { return do(ctx, tx, d.First, time.Now()) }); err != nil && ctx.Err() == nil {
				t.log.Error("mails not sent", "job", rota.Kind, "tenant", d.Tenant, "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
