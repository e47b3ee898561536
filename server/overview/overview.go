package overview

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/adoption"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	pages "github.com/pehchan/pehchan/views/overview"
)

const (
	overviewWeeks     = 13
	overviewCountries = 12
	exportWeeks       = 53
	peoplePageSize    = 25 // each a person of their own, whom the database reads from the disk
)

// adopted reads which customers a page about adoption is to count: ?days=, ?at= a number or a portfolio, ?country=.
func adopted(c *fiber.Ctx) (pages.Adopted, adoption.Where) {
	a := pages.Adopted{Days: 28, At: c.Query("at"), Country: strings.ToUpper(c.Query("country"))}
	if days := c.QueryInt("days"); days == 7 || days == 90 {
		a.Days = days
	}
	if !web.CountryCode.MatchString(a.Country) {
		a.Country = ""
	}
	where := adoption.Where{Country: a.Country}
	if id, err := uuid.Parse(a.At); err == nil {
		where.Number = id
	} else {
		where.Scope = a.At
	}

	return a, where
}

// fillAdopted fills in what can be asked for. A number or portfolio that is none of the tenant's is not found.
func fillAdopted(ctx context.Context, tx *tenants.Tx, a *pages.Adopted, where adoption.Where, now time.Time) error {
	list, err := numbers.List(ctx, tx, uuid.Nil, 0)
	if err != nil {
		return err
	}
	a.Places = []components.Option{{Label: i18n.T(ctx, "adoption.everywhere")}}
	counts := map[string]int{}
	for _, n := range list {
		counts[n.Scope]++
	}
	known := a.At == ""
	for _, n := range list {
		known = known || n.Scope == a.At || n.ID == where.Number
		if counts[n.Scope] > 1 && !slices.ContainsFunc(a.Places, func(o components.Option) bool { return o.Value == n.Scope }) {
			kind, name, _ := strings.Cut(n.Scope, ":")
			label := i18n.T(ctx, "adoption.portfolio", "name", name)
			if kind == "waba" {
				label = i18n.T(ctx, "adoption.waba", "name", name)
			}
			a.Places = append(a.Places, components.Option{Value: n.Scope, Label: label})
		}
	}
	if !known {
		return tenants.ErrNotFound
	}
	for _, n := range list {
		label := n.Name
		if label == "" {
			label = components.ClearPhone(n.DisplayPhone)
		}
		a.Places = append(a.Places, components.Option{Value: n.ID.String(), Label: label})
	}

	where.Country = ""
	countries, err := adoption.Countries(ctx, tx, where, a.Days, overviewCountries, now)
	if err != nil {
		return err
	}
	a.Countries = []components.Option{{Label: i18n.T(ctx, "adoption.every_country")}}
	listed := a.Country == ""
	for _, k := range countries {
		if k.Code == "" {
			continue
		}
		listed = listed || k.Code == a.Country
		label := i18n.T(ctx, "adoption.country_of", "country", i18n.Country(ctx, k.Code), "n", k.Active)
		a.Countries = append(a.Countries, components.Option{Value: k.Code, Label: label})
	}
	if !listed {
		a.Countries = append(a.Countries, components.Option{Value: a.Country, Label: i18n.Country(ctx, a.Country)})
	}

	return nil
}

// Page shows how far IDs, usernames and hidden phones have come among the customers, and how the work goes.
func (s *Pages) Page(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	p := pages.Overview{
		Frame: s.Frame(c, "adoption.title"), Now: time.Now(), Plain: c.Get("Save-Data") == "on",
		CanQueue: m.Can("queue:read"), CanForecast: m.Can("forecast:read"), CanReach: m.Can("reach:read"),
		CanSet: m.Can("settings:edit"),
	}
	c.Vary("Save-Data")
	var where adoption.Where
	p.Asked, where = adopted(c)

	err := s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		if err := fillAdopted(ctx, tx, &p.Asked, where, p.Now); err != nil {
			return err
		}
		seen, err := adoption.Latest(ctx, tx, where, p.Asked.Days, p.Now)
		if err != nil {
			return err
		}
		p.Seen = seenCounts(seen)
		weeks, err := adoption.Weeks(ctx, tx, where, overviewWeeks, p.Now)
		if err != nil {
			return err
		}
		for _, w := range weeks {
			p.Weeks = append(p.Weeks, pages.SeenWeek{At: w.At, SeenCounts: seenCounts(w.Seen)})
		}
		if p.Filling, err = adoption.Filling(ctx, tx); err != nil {
			return err
		}

		if p.Target, err = TargetOf(ctx, tx, m.Tenant, p.Now); err != nil {
			return err
		}

		return fillWork(ctx, tx, m, &p)
	})
	if err != nil {
		return err
	}

	return s.Show(c, fiber.StatusOK, pages.OverviewPage(p))
}

func seenCounts(s adoption.Seen) pages.SeenCounts {
	return pages.SeenCounts{Active: s.Active, WithID: s.WithID, Named: s.Named, Hidden: s.Hidden()}
}

// AdoptionPeople lists the customers behind a figure.
func (s *Pages) AdoptionPeople(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	p := pages.AdoptionPeople{Frame: s.Frame(c, "adoption.people_"), Now: time.Now(), Show: c.Query("show"), CanSave: m.Can("reach:save")}
	if !adoption.KnownFigure(p.Show) {
		p.Show = ""
	}
	if day, err := time.Parse(time.DateOnly, c.Query("week")); err == nil {
		p.Week = day
	}
	p.Frame.Title = i18n.T(ctx, "adoption.people_"+p.Show)
	var where adoption.Where
	p.Asked, where = adopted(c)
	ask := adoption.Ask{Where: where, Figure: p.Show, Days: p.Asked.Days, Week: p.Week, Cursor: c.Query("cursor"), Limit: peoplePageSize}

	next := ""
	err := s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		if err := fillAdopted(ctx, tx, &p.Asked, where, p.Now); err != nil {
			return err
		}
		people, cursor, err := adoption.People(ctx, tx, ask, p.Now)
		if err != nil {
			return err
		}
		next = cursor
		var seen adoption.Seen
		if p.Week.IsZero() {
			seen, err = adoption.Latest(ctx, tx, where, p.Asked.Days, p.Now)
		} else {
			seen, err = adoption.Week(ctx, tx, where, p.Week)
		}
		if err != nil {
			return err
		}
		p.Count = seen.Of(p.Show)

		p.Items, err = adopters(ctx, tx, web.Eyes{Clear: m.Can("phones:clear")}, people)

		return err
	})
	if err != nil {
		return err
	}
	if next != "" {
		p.Next = p.Asked.More(web.AdoptionPath+"/people", "show", p.Show, "week", c.Query("week"), "cursor", next)
	}

	return s.Show(c, fiber.StatusOK, pages.AdoptionPeoplePage(p))
}

// adopters are the contacts of accounts, as these eyes may see them.
func adopters(ctx context.Context, tx *tenants.Tx, e web.Eyes, people []adoption.Person) ([]pages.AdoptionPerson, error) {
	var ids []uuid.UUID
	for _, p := range people {
		if p.Contact != nil {
			ids = append(ids, *p.Contact)
		}
	}
	contacts, err := identity.Several(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	var out []pages.AdoptionPerson
	for _, p := range people {
		if p.Contact == nil {
			continue
		}
		out = append(out, pages.AdoptionPerson{
			Someone: e.Someone(contacts[*p.Contact]), Day: p.Day,
			WithID: p.Shown&adoption.ShownID != 0, Named: p.Shown&adoption.ShownName != 0, Hidden: p.Shown&adoption.ShownPhone == 0,
		})
	}

	return out, nil
}

// ExportAdoption gives out the chart's figures, by week for a year or by day for 90 days.
func (s *Pages) ExportAdoption(c *fiber.Ctx) error {
	ctx, m, now := c.UserContext(), web.Member(c), time.Now()
	a, where := adopted(c)
	byDay := c.Query("by") == "day"
	var points []adoption.Point
	err := s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		if err := fillAdopted(ctx, tx, &a, where, now); err != nil {
			return err
		}
		var err error
		if byDay {
			points, err = adoption.Days(ctx, tx, where, now.AddDate(0, 0, -89), now)
		} else {
			points, err = adoption.Weeks(ctx, tx, where, exportWeeks, now)
		}
		return err
	})
	if err != nil {
		return err
	}

	lines := [][]string{{
		i18n.T(ctx, "adoption.csv_from"), i18n.T(ctx, "adoption.active"), i18n.T(ctx, "adoption.with_id"), i18n.T(ctx, "adoption.named"),
		i18n.T(ctx, "adoption.hidden"), i18n.T(ctx, "adoption.csv_over"),
	}}
	for i, p := range points {
		over := i18n.T(ctx, "adoption.yes")
		if i == len(points)-1 {
			over = i18n.T(ctx, "adoption.no")
		}
		lines = append(lines, append(web.Figures(p.At.UTC().Format(time.DateOnly), p.Active, p.WithID, p.Named, p.Hidden()), over))
	}

	return web.ShowCSV(c, "pehchan-adoption.csv", lines)
}
