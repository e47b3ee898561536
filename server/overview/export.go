package overview

import (
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/adoption"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/reports"
	"github.com/pehchan/pehchan/views/i18n"
	pages "github.com/pehchan/pehchan/views/overview"
)

// ExportForecast gives out how many phones may stop coming, by when.
func (s *Pages) ExportForecast(c *fiber.Ctx) error {
	ctx, m, now := c.UserContext(), web.Member(c), time.Now()
	asked, where := adopted(c)
	where.Country = ""
	var figures []adoption.Vanishing
	err := s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		if err := fillAdopted(ctx, tx, &asked, where, now); err != nil {
			return err
		}
		list, err := numbers.List(ctx, tx, uuid.Nil, 0)
		if err != nil {
			return err
		}
		at, err := ForecastAt(ctx, tx, list, where, &pages.Forecast{})
		if err != nil {
			return err
		}
		figures, err = adoption.Forecast(ctx, tx, at, now)

		return err
	})
	if err != nil {
		return err
	}
	lines := [][]string{{i18n.T(ctx, "forecast.title"), i18n.T(ctx, "forecast.unknown"), i18n.T(ctx, "forecast.known"), i18n.T(ctx, "adoption.all")}}
	for _, v := range figures {
		lines = append(lines, web.Figures(i18n.N(ctx, "forecast.in_days", v.Days), v.Unknown, v.Known, v.All()))
	}

	return web.ShowCSV(c, "pehchan-forecast.csv", lines)
}

// ExportReach gives out how many customers can be reached in which way.
func (s *Pages) ExportReach(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	var reaches identity.Reaches
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
		reaches, err = identity.CountReach(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	offers, err := s.offers.Of(ctx, s.DB, m.Tenant.ID, identity.CountOffers)
	if err != nil {
		return err
	}
	lines := [][]string{{
		i18n.T(ctx, "reach.known"), i18n.T(ctx, "adoption.active"), i18n.T(ctx, "reach.offers_yes"), i18n.T(ctx, "reach.offers_no"), i18n.T(ctx, "reach.offers_unknown"),
	}}
	for _, b := range buckets(reaches, offers) {
		lines = append(lines, web.Figures(i18n.T(ctx, "reach.bucket_"+b.Reach), b.Count, b.Yes, b.No, b.Unknown()))
	}

	return web.ShowCSV(c, "pehchan-reach.csv", lines)
}

// ExportMonth gives out the figures of a month.
func (s *Pages) ExportMonth(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	from, _, _, err := monthAsked(c, time.Now())
	if err != nil {
		return err
	}
	var sum reports.Month
	err = s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		sum, err = reports.Sum(ctx, tx, from, from.AddDate(0, 1, 0))
		return err
	})
	if err != nil {
		return err
	}
	name := from.Format(monthForm)

	return web.ShowCSV(c, "pehchan-"+name+".csv", [][]string{
		{i18n.T(ctx, "monthly.csv_figure"), name},
		web.Figures(i18n.T(ctx, "adoption.people_"), sum.Heard),
		web.Figures(i18n.T(ctx, "monthly.rows_reached"), sum.Reached),
		web.Figures(i18n.T(ctx, "monthly.rows_joined"), sum.Joined),
		web.Figures(i18n.T(ctx, "monthly.rows_auto"), sum.Auto),
		web.Figures(i18n.T(ctx, "monthly.rows_decided"), sum.Decided),
		web.Figures(i18n.T(ctx, "monthly.rows_undone"), sum.Undone),
		web.Figures(i18n.T(ctx, "monthly.csv_saved"), int64(sum.Saved()/time.Minute)),
	})
}
