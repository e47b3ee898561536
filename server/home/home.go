package home

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/changes"
	"github.com/pehchan/pehchan/server/overview"
	"github.com/pehchan/pehchan/server/settings"
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/forward"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/operator"
	"github.com/pehchan/pehchan/tenants/usernames"
	pages "github.com/pehchan/pehchan/views/home"
	"github.com/pehchan/pehchan/views/i18n"
)

const (
	homeChanges = 6
	forTeams    = "team" // the density that shows figures
)

// Page says whether all is well and what to do next.
func (s *Pages) Page(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	p := pages.Home{
		Frame: s.Frame(c, "nav.home"), Now: time.Now(), Density: densityOf(m),
		CanDecide: m.Can("queue:decide"), CanConnect: m.Can("numbers:connect"), CanIngest: m.Can("ingest:read"),
		CanAnswer: m.Can("conversations:answer"), CanQueue: m.Can("queue:read"), CanNumbers: m.Can("numbers:read"),
		CanOverview: m.Can("overview:read"), CanAnswers: m.Can("answers:read"),
	}

	err := s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		counts, err := homeNumbers(ctx, tx, &p)
		if err != nil {
			return err
		}
		for _, n := range counts {
			p.SetAside += int(n.SetAside)
			p.Figures.Received += n.Received
			p.Figures.Lost += n.Received - n.Routed - n.Held - n.SetAside - n.Waiting
		}

		if m.Can("privacy:handle") {
			if err := homeIncidents(ctx, tx, &p); err != nil {
				return err
			}
		}
		if m.Can("forwards:manage") {
			if err := homeForwards(ctx, tx, &p); err != nil {
				return err
			}
		}
		if err := homeStart(ctx, tx, m, &p); err != nil {
			return err
		}
		if err := homeQueue(ctx, tx, &p); err != nil {
			return err
		}
		if p.CanOverview {
			if p.Target, err = overview.TargetOf(ctx, tx, m.Tenant, p.Now); err != nil {
				return err
			}
		}
		if p.CanAnswer {
			waiting, err := conversations.CountWaiting(ctx, tx)
			if err != nil {
				return err
			}
			p.Unanswered = waiting
		}

		if err := homeNews(ctx, tx, m, &p); err != nil {
			return err
		}
		if err := homeMine(ctx, tx, m, &p); err != nil {
			return err
		}

		return settings.FillRules(ctx, tx, m, &p)
	})
	if err != nil {
		return err
	}
	if p.CanConnect {
		if err := s.findWrongSecrets(ctx, m, &p); err != nil {
			return err
		}
	}
	if p.Density == forTeams {
		people, err := s.people.Of(ctx, s.DB, m.Tenant.ID, identity.CountPeople)
		if err != nil {
			return err
		}
		p.Figures.People, p.Figures.WithID, p.Figures.Hidden = people.Total, people.WithID, people.Hidden
	}

	return s.Show(c, fiber.StatusOK, pages.HomePage(p))
}

// findWrongSecrets marks the numbers whose deliveries are refused.
func (s *Pages) findWrongSecrets(ctx context.Context, m access.Member, p *pages.Home) error {
	meters, err := ingest.AppMeters(ctx, s.DB, m.Tenant.ID)
	if err != nil {
		return err
	}
	byName := map[string]ingest.AppMeter{}
	for _, meter := range meters {
		byName[meter.Name] = meter
	}
	for i := range p.Numbers {
		n := &p.Numbers[i]
		n.WrongSecret = n.State != numbers.Disconnected && byName[n.App].WrongSecret(n.LastEvent)
	}

	return nil
}

// densityOf is how much m wants to see at once: their own choice, else the business's.
func densityOf(m access.Member) string {
	if m.Person.Density != "" {
		return m.Person.Density
	}

	return m.Tenant.Density
}

func homeNumbers(ctx context.Context, tx *tenants.Tx, p *pages.Home) (map[uuid.UUID]ingest.Counts, error) {
	list, err := numbers.List(ctx, tx, uuid.Nil, 0)
	if err != nil {
		return nil, err
	}
	counts, err := ingest.NumberCounts(ctx, tx)
	if err != nil {
		return nil, err
	}

	if p.Countries, err = changes.HomeFacts(ctx, tx, list, p.Now); err != nil {
		return nil, err
	}
	for _, n := range list {
		if n.State != numbers.Disconnected {
			p.Numbers = append(p.Numbers, web.NumberView(n, counts[n.ID]))
		}
	}

	return counts, nil
}

func homeQueue(ctx context.Context, tx *tenants.Tx, p *pages.Home) error {
	queue, err := identity.CountCases(ctx, tx)
	if err != nil {
		return err
	}
	p.Open, p.OldestOpen = queue.Due(), web.OrZero(queue.Oldest)

	if p.Density == forTeams && p.CanQueue {
		ages, err := identity.CaseAges(ctx, tx)
		if err != nil {
			return err
		}
		p.Figures.Ages = pages.Ages(ages)
	}

	changes, err := identity.Changes(ctx, tx, homeChanges)
	if err != nil {
		return err
	}
	for _, change := range changes {
		p.Changes = append(p.Changes, pages.Change{
			Kind: change.Kind, Name: change.Name, By: change.By, At: change.At, Href: "/contacts/" + change.Contact.String(),
		})
	}

	return nil
}

// homeForwards adds the addresses that do not take what is passed on to them.
func homeForwards(ctx context.Context, tx *tenants.Tx, p *pages.Home) error {
	list, err := forward.InTrouble(ctx, tx)
	for _, t := range list {
		p.Forwards = append(p.Forwards, pages.Forward{
			Host: t.Host, Href: web.ForwardsPath + "/" + t.ID.String(), Since: web.OrZero(t.FailingSince), Stopped: t.State == forward.Stopped,
		})
	}

	return err
}

// homeMine adds what the member was named for and has not finished.
func homeMine(ctx context.Context, tx *tenants.Tx, m access.Member, p *pages.Home) error {
	if m.Grant != nil || !m.Can("usernames:read") {
		return nil
	}
	tasks, err := usernames.Tasks(ctx, tx, m.Person.ID)
	for _, task := range tasks {
		mine := pages.Mine{
			Place: task.Place, Wanted: task.Wanted, Due: web.OrZero(task.Due), Overdue: usernames.Overdue(task.Due, p.Now, m.Tenant.Location()),
			Href: web.KitPath + "#place-" + task.Place,
		}
		if task.Place == "" {
			mine.Number, mine.Href = web.NumberView(task.Name.Number, ingest.Counts{}).Label(), web.UsernamesPath+"/"+task.Name.Number.ID.String()
		}
		p.Mine = append(p.Mine, mine)
	}

	return err
}

func homeNews(ctx context.Context, tx *tenants.Tx, m access.Member, p *pages.Home) error {
	if m.Grant != nil {
		return nil
	}
	list, err := operator.News(ctx, tx, m)
	for _, a := range list {
		text := a.EN
		if i18n.Lang(ctx) == i18n.Hindi {
			text = a.HI
		}
		p.News = append(p.News, pages.HomeNews{ID: a.ID.String(), Text: text, At: a.At})
	}

	return err
}
