package teller

import (
	"context"
	"fmt"
	"time"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/facts"
	changespages "github.com/pehchan/pehchan/views/changes"
)

const digestLines = 5

// RunDigests tells owners once a week by mail what changed, until ctx ends. Any number of processes may do so side by side.
func (t *Teller) RunDigests(ctx context.Context) error {
	return t.takeTurns(ctx, facts.Digests, t.digest)
}

// digest queues the mails of one business and plans those of the next week, in one transaction: each week is told once. Who has read
// everything, or switched it off, gets none.
func (t *Teller) digest(ctx context.Context, tx *tenants.Tx, first bool, now time.Time) error {
	tenant, err := access.CurrentTenant(ctx, tx)
	if err != nil {
		return err
	}
	zone := tenant.Location()
	if first {
		return facts.NextDigest(ctx, tx, now, zone)
	}

	readers, err := access.Readers(ctx, tx, access.MailDigest)
	if err != nil {
		return err
	}
	year, week := now.In(zone).ISOWeek()
	for _, to := range readers {
		news, all, seq, err := facts.Untold(ctx, tx, to.ID, digestLines)
		if err != nil {
			return err
		}
		if all == 0 {
			continue
		}
		ctx := InLanguage(ctx, to, tenant.Lang, zone)
		var views []changespages.Fact
		for _, e := range news {
			views = append(views, web.EntryView(ctx, e, seq, now))
		}
		m := changespages.Digest(ctx, views, all, tenant.Name, t.link(web.ChangesPath))
		m.Leave = t.link(web.LeavePath + LeaveToken(t.keys, tenant.ID, to.ID, access.MailDigest))
		if err := QueueCalm(ctx, tx, t.keys, tenant, to, fmt.Sprintf("digest %s %d-%02d %s", tenant.ID, year, week, to.ID), m); err != nil {
			return err
		}
		if err := facts.Told(ctx, tx, to.ID, seq); err != nil {
			return err
		}
	}

	return facts.NextDigest(ctx, tx, now, zone)
}
