package changes

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/adoption"
	"github.com/pehchan/pehchan/tenants/facts"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/whatsapp"
	pages "github.com/pehchan/pehchan/views/changes"
)

const (
	changesPageSize = 15
	freshShown      = 10

	homeCountry   = "IN" // shown to everybody: the country that the product is made for first
	homeCountries = 3
	homeDays      = 28
)

// Page tells what changed in the world, and what of it is new to whoever looks.
func (s *Pages) Page(c *fiber.Ctx) error {
	ctx, m, now := c.UserContext(), web.Member(c), time.Now()
	p := pages.Changes{Country: c.Query("country"), Topic: c.Query("topic"), Topics: facts.Topics, CanBrief: m.Can("briefings:make")}
	if p.Country != "" && !web.CountryCode.MatchString(p.Country) || p.Topic != "" && !slices.Contains(facts.Topics, p.Topic) {
		return tenants.ErrNotFound
	}

	err := s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		read, err := facts.ReadTo(ctx, tx, m.Person.ID)
		if err != nil {
			return err
		}
		if err := fillFresh(ctx, tx, m, read, now, &p); err != nil {
			return err
		}
		if p.Countries, err = facts.Countries(ctx, tx); err != nil {
			return err
		}
		if p.Country != "" && !slices.Contains(p.Countries, p.Country) {
			p.Countries = append(p.Countries, p.Country)
		}
		status, err := facts.Status(ctx, tx, p.Country)
		if err != nil {
			return err
		}
		for _, aspect := range facts.Aspects {
			if f, ok := status[p.Country][aspect]; ok {
				p.Panel = append(p.Panel, web.FactView(ctx, f, now))
			}
		}
		items, next, err := facts.News(ctx, tx, facts.Filter{Country: p.Country, Topic: p.Topic, Cursor: c.Query("before"), Limit: changesPageSize})
		if err != nil {
			return err
		}
		if next != "" {
			p.Next = web.ChangesPath + "?country=" + p.Country + "&topic=" + p.Topic + "&before=" + next
		}
		for _, e := range items {
			p.Items = append(p.Items, web.EntryView(ctx, e, read, now))
		}

		return nil
	})
	if err != nil {
		return err
	}
	p.Frame = s.Frame(c, "changes.title")

	return s.Show(c, fiber.StatusOK, pages.ChangesPage(p))
}

// fillFresh lists what came since the reader marked the page as read, up to what is on it now: a fact that comes while they read is
// still new afterwards.
func fillFresh(ctx context.Context, tx *tenants.Tx, m access.Member, read int64, now time.Time, p *pages.Changes) error {
	var err error
	if p.FreshAll, err = facts.Unread(ctx, tx, m.Person.ID); err != nil || p.FreshAll == 0 {
		return err
	}
	newest, err := facts.Newest(ctx, tx)
	if err != nil {
		return err
	}
	p.ReadTo = strconv.FormatInt(newest, 10)
	fresh, _, err := facts.News(ctx, tx, facts.Filter{After: read, Limit: freshShown})
	for _, e := range fresh {
		if !e.Replaced {
			p.Fresh = append(p.Fresh, web.EntryView(ctx, e, newest, now))
		}
	}

	return err
}

// MarkRead notes that the reader has seen what was on their page.
func (s *Pages) MarkRead(c *fiber.Ctx) error {
	seq, err := strconv.ParseInt(web.Field(c, "seq"), 10, 64)
	if err != nil || seq < 0 {
		return &tenants.Invalid{Field: "seq", Key: "other"}
	}
	ctx, m := c.UserContext(), web.Member(c)
	if err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return facts.MarkRead(ctx, tx, m.Person.ID, seq) }); err != nil {
		return err
	}

	return s.Done(c, web.ChangesPath, web.Flash{Key: "changes.marked"})
}

// HomeFacts says how far usernames are where it matters to the business: in India, where most of its customers of late are from, and
// where its numbers are.
func HomeFacts(ctx context.Context, tx *tenants.Tx, list []numbers.Number, now time.Time) ([]pages.Fact, error) {
	countries := []string{homeCountry}
	add := func(country string) {
		if country != "" && !slices.Contains(countries, country) && len(countries) < homeCountries {
			countries = append(countries, country)
		}
	}
	customers, err := adoption.Countries(ctx, tx, adoption.Where{}, homeDays, homeCountries, now)
	if err != nil {
		return nil, err
	}
	for _, c := range customers {
		add(c.Code)
	}
	for _, n := range list {
		if n.State != numbers.Disconnected {
			add(whatsapp.CountryOf(n.DisplayPhone))
		}
	}
	status, err := facts.Status(ctx, tx, countries...)
	if err != nil {
		return nil, err
	}
	var views []pages.Fact
	for _, country := range countries {
		if f, ok := status[country][facts.Usernames]; ok {
			view := web.FactView(ctx, f, now)
			view.Country = country
			views = append(views, view)
		}
	}

	return views, nil
}
