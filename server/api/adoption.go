package api

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/adoption"
	"github.com/pehchan/pehchan/tenants/numbers"
)

// adopted is what WhatsApp showed of the accounts that were heard from.
type adopted struct {
	Active       int64 `json:"active"`
	WithBSUID    int64 `json:"with_bsuid"`
	WithUsername int64 `json:"with_username"`
	PhoneHidden  int64 `json:"phone_hidden"`
}

func newAdopted(s adoption.Seen) adopted {
	return adopted{Active: s.Active, WithBSUID: s.WithID, WithUsername: s.Named, PhoneHidden: s.Hidden()}
}

type adoptedDay struct {
	Day string `json:"day"` // UTC
	adopted
}

const (
	adoptionDays    = 28  // of the current counts, and of the series where nothing is asked
	maxAdoptionDays = 400 // of the series
)

// Adoption answers GET /adoption: current counts and a daily series.
func (a *API) Adoption(c *fiber.Ctx) error {
	query, err := params(c, "from", "to", "number")
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	to, err := dayOf(query, "to", now)
	if err != nil {
		return err
	}
	from, err := dayOf(query, "from", to.AddDate(0, 0, 1-adoptionDays))
	if err != nil {
		return err
	}
	if from.After(to) || to.Sub(from) > maxAdoptionDays*24*time.Hour {
		return bad("from", "bad_range")
	}
	var where adoption.Where
	if text, given := query["number"]; given {
		if where.Number, err = id(text); err != nil {
			return err
		}
	}

	ctx := c.UserContext()
	var out struct {
		From    string       `json:"from"`
		To      string       `json:"to"`
		Days    int          `json:"current_days"`
		Current adopted      `json:"current"`
		Series  []adoptedDay `json:"series"`
		Whole   bool         `json:"complete"`
	}
	err = a.read(c, func(tx *tenants.Tx) error {
		if _, given := query["number"]; given {
			if _, err := numbers.Get(ctx, tx, where.Number); err != nil {
				return err
			}
		}
		seen, err := adoption.Latest(ctx, tx, where, adoptionDays, now)
		if err != nil {
			return err
		}
		days, err := adoption.Days(ctx, tx, where, from, to)
		if err != nil {
			return err
		}
		filling, err := adoption.Filling(ctx, tx)
		out.Current, out.Whole = newAdopted(seen), !filling
		for _, d := range days {
			out.Series = append(out.Series, adoptedDay{Day: d.At.UTC().Format(time.DateOnly), adopted: newAdopted(d.Seen)})
		}

		return err
	})
	if err != nil {
		return err
	}
	out.From, out.To, out.Days = from.Format(time.DateOnly), to.Format(time.DateOnly), adoptionDays

	return answer(c, out)
}

// dayOf reads a day, or the UTC day of a time.
func dayOf(query map[string]string, name string, otherwise time.Time) (time.Time, error) {
	text, given := query[name]
	if !given {
		return otherwise.Truncate(24 * time.Hour), nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(layout, text); err == nil && at.Year() > 1999 && at.Year() < 3000 {
			return at.UTC().Truncate(24 * time.Hour), nil
		}
	}

	return time.Time{}, bad(name, "bad_time")
}
