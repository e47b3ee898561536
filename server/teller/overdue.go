package teller

import (
	"context"
	"fmt"
	"time"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/usernames"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/mails"
	usernamespages "github.com/pehchan/pehchan/views/usernames"
)

// RunOverdue tells people once a day by mail that the day of something they look after has passed, until ctx ends.
func (t *Teller) RunOverdue(ctx context.Context) error {
	return t.takeTurns(ctx, usernames.Overdues, t.overdue)
}

// overdue queues the mails of one business, one for a person, and plans those of the next day, in one transaction: of each day that has passed
// somebody is told once.
func (t *Teller) overdue(ctx context.Context, tx *tenants.Tx, first bool, now time.Time) error {
	tenant, err := access.CurrentTenant(ctx, tx)
	if err != nil {
		return err
	}
	zone := tenant.Location()
	if first {
		return usernames.NextOverdue(ctx, tx, now, zone)
	}
	readers, err := access.TaskReaders(ctx, tx)
	if err != nil {
		return err
	}
	for _, to := range readers {
		tasks, err := usernames.Untold(ctx, tx, to.ID, now, zone)
		if err != nil {
			return err
		}
		if len(tasks) == 0 {
			continue
		}
		ctx := InLanguage(ctx, to, tenant.Lang, zone)
		items := make([]mails.Item, len(tasks))
		for i, task := range tasks {
			items[i] = t.overdueItem(ctx, task)
			if err := usernames.Tell(ctx, tx, to.ID, task); err != nil {
				return err
			}
		}
		m := usernamespages.OverdueMail(ctx, tenant.Name, items, t.link("/home"))
		m.Leave = t.link(web.LeavePath + LeaveToken(t.keys, tenant.ID, to.ID, access.MailTasks))
		if err := QueueCalm(ctx, tx, t.keys, tenant, to, fmt.Sprintf("overdue %s %s %s", tenant.ID, to.ID, now.Format(time.RFC3339)), m); err != nil {
			return err
		}
	}

	return usernames.NextOverdue(ctx, tx, now, zone)
}

func (t *Teller) overdueItem(ctx context.Context, task usernames.Task) mails.Item {
	item := mails.Item{Text: i18n.T(ctx, "usernames.overdue_since", "date", i18n.Day(ctx, web.OrZero(task.Due)))}
	if task.Place != "" {
		item.Title, item.Href = i18n.T(ctx, "home.mine_place", "place", i18n.T(ctx, "kit.place_"+task.Place)), t.link(web.KitPath+"#place-"+task.Place)
		return item
	}
	number := task.Name.Number
	item.Title = i18n.T(ctx, "home.mine_username", "number", web.NumberView(number, ingest.Counts{}).Label())
	item.Href = t.link(web.UsernamesPath + "/" + number.ID.String())

	return item
}
