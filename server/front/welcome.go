package front

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/signin"
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/facts"
	"github.com/pehchan/pehchan/views/changes"
	pages "github.com/pehchan/pehchan/views/front"
	"github.com/pehchan/pehchan/views/i18n"
)

const (
	// homeCountry stands first: the country that the product is made for first.
	homeCountry = "IN"
	factsFor    = 15 * time.Second
)

// Start is where everybody begins: somebody who is signed in goes on to their own first page, anybody else reads what this is.
func (s *Pages) Start(c *fiber.Ctx) error {
	if m, known := access.From(c.UserContext()); known {
		return c.Redirect(signin.StartOf(m), fiber.StatusSeeOther)
	}
	if err := s.visitors.take(s.ClientIP(c), time.Now()); err != nil {
		return err
	}

	p := pages.Welcome{Around: s.around(c, "front.head", "/")}
	ctx := c.UserContext()
	known := s.countries[i18n.Lang(ctx)].of(ctx, factsFor, s.whereUsernamesAre)
	p.Home, p.Countries, p.NoFacts = known.home, known.others, known.missing

	return s.Show(c, fiber.StatusOK, pages.WelcomePage(p))
}

// whereUsernamesAre reads from the ledger how far usernames are in each country that it speaks of. A page without it is better than none.
func (s *Pages) whereUsernamesAre(ctx context.Context) (found welcomeFacts) {
	now := time.Now()
	err := s.DB.System(ctx, func(tx *tenants.Tx) error {
		countries, err := facts.Countries(ctx, tx)
		if err != nil {
			return err
		}
		status, err := facts.Status(ctx, tx, append(countries, "")...)
		if err != nil {
			return err
		}
		for country, of := range status {
			f, ok := of[facts.Usernames]
			if !ok || f.Country != country { // what it has of its own, not what holds for all
				continue
			}
			view := web.FactView(ctx, f, now)
			if country == homeCountry {
				found.home = &view
				continue
			}
			found.others = append(found.others, view)
		}

		return nil
	})
	if err != nil {
		s.Log.Warn("facts of the first page not read", "error", err)
		return welcomeFacts{missing: true}
	}
	slices.SortFunc(found.others, func(a, b changes.Fact) int {
		if a.Country == "" || b.Country == "" {
			return len(b.Country) - len(a.Country) // the rest of the world comes last
		}

		return strings.Compare(i18n.Country(ctx, a.Country), i18n.Country(ctx, b.Country))
	})

	return found
}
