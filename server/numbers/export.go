package numbers

import (
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/views/i18n"
)

// ExportHealth gives out the bars of a number's health, the oldest first: ?by=minute for the last hour, ?by=hour for the last 8 days, in the
// business's time zone; ?by=lag for how long events of the last hour took.
func (s *Pages) ExportHealth(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m, now := c.UserContext(), web.Member(c), time.Now()
	var (
		rate ingest.Rate
		lag  ingest.Lag
	)
	err = s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		if _, err := numbers.Get(ctx, tx, id); err != nil {
			return err
		}
		if lag, err = ingest.NumberLag(ctx, tx, id); err != nil {
			return err
		}
		rate, err = ingest.NumberRate(ctx, tx, id, now)

		return err
	})
	if err != nil {
		return err
	}

	switch c.Query("by", "minute") {
	case "lag":
		seconds := func(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 3, 64) }

		return web.ShowCSV(c, "pehchan-lag.csv", [][]string{
			{i18n.T(ctx, "health.events"), i18n.T(ctx, "adoption.csv_half"), i18n.T(ctx, "health.csv_most")},
			{strconv.Itoa(lag.Of), seconds(lag.P50), seconds(lag.P95)},
		})
	case "minute":
		return web.ShowCSV(c, "pehchan-minutes.csv", barLines(c, rate.Minutes, now, time.Minute))
	case "hour":
		return web.ShowCSV(c, "pehchan-hours.csv", barLines(c, rate.Hours, now, time.Hour))
	}

	return tenants.ErrNotFound
}

// barLines are bars as lines of a file, each with the moment at which it begins.
func barLines(c *fiber.Ctx, bars []int64, now time.Time, unit time.Duration) [][]string {
	ctx := c.UserContext()
	lines := [][]string{{i18n.T(ctx, "adoption.csv_from"), i18n.T(ctx, "health.events")}}
	for i, n := range bars {
		at := now.Truncate(unit).Add(-time.Duration(len(bars)-1-i) * unit)
		lines = append(lines, web.Figures(at.In(i18n.Zone(ctx)).Format("2006-01-02 15:04"), n))
	}

	return lines
}
