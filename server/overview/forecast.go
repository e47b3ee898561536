package overview

import (
	"context"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/adoption"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/whatsapp"
	"github.com/pehchan/pehchan/views/components"
	pages "github.com/pehchan/pehchan/views/overview"
)

// ForecastPage shows whose phones may stop coming, and when.
func (s *Pages) ForecastPage(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	p := pages.Forecast{Frame: s.Frame(c, "forecast.title"), Now: time.Now(), Within: 7, Known: c.Query("known") == "1", CanSay: m.Can("settings:edit")}
	if within := c.QueryInt("within"); within == 14 || within == 30 {
		p.Within = within
	}
	asked, where := adopted(c)
	p.Asked = pages.Adopted{Days: 28, At: asked.At}
	where.Country = ""

	next := ""
	err := s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		if err := fillAdopted(ctx, tx, &p.Asked, where, p.Now); err != nil {
			return err
		}
		p.Asked.Countries = nil
		list, err := numbers.List(ctx, tx, uuid.Nil, 0)
		if err != nil {
			return err
		}
		at, err := ForecastAt(ctx, tx, list, where, &p)
		if err != nil {
			return err
		}
		figures, err := adoption.Forecast(ctx, tx, at, p.Now)
		if err != nil {
			return err
		}
		for _, v := range figures {
			p.Figures = append(p.Figures, pages.Vanishing(v))
		}
		if p.Filling, err = adoption.Filling(ctx, tx); err != nil {
			return err
		}
		wanted := adoption.Wanted{Numbers: at, Days: p.Within, Known: p.Known, Cursor: c.Query("cursor"), Limit: peoplePageSize}
		fading, cursor, err := adoption.Fades(ctx, tx, wanted, p.Now)
		if err != nil {
			return err
		}
		next = cursor
		p.Items, err = fadingOf(ctx, tx, web.Eyes{Clear: m.Can("phones:clear")}, fading, list)

		return err
	})
	if err != nil {
		return err
	}
	if next != "" {
		p.Next = p.Asked.More(web.ForecastPath, "within", c.Query("within"), "known", c.Query("known"), "cursor", next)
	}

	return s.Show(c, fiber.StatusOK, pages.ForecastPage(p))
}

// ForecastAt are the numbers at which a phone may vanish: connected ones that keep phones, of portfolios whose contact book is not said to
// be on. It fills in what was said of the books.
func ForecastAt(ctx context.Context, tx *tenants.Tx, list []numbers.Number, where adoption.Where, p *pages.Forecast) ([]uuid.UUID, error) {
	said, err := adoption.Books(ctx, tx)
	if err != nil {
		return nil, err
	}
	at, books := []uuid.UUID{}, map[string]int{}
	for _, n := range list {
		if n.State == numbers.Disconnected || n.PhoneFree || where.Number != uuid.Nil && n.ID != where.Number || where.Scope != "" && n.Scope != where.Scope {
			continue
		}
		if said[n.Scope] != adoption.BookOn {
			at = append(at, n.ID)
		}
		i, known := books[n.Scope]
		if !known {
			_, name, _ := strings.Cut(n.Scope, ":")
			i = len(p.Books)
			books[n.Scope] = i
			p.Books = append(p.Books, pages.Book{Scope: n.Scope, Name: name, State: said[n.Scope]})
		}
		p.Books[i].Numbers++
	}

	return at, nil
}

func fadingOf(ctx context.Context, tx *tenants.Tx, e web.Eyes, fading []adoption.Fading, list []numbers.Number) ([]pages.Fading, error) {
	names := map[uuid.UUID]string{}
	for _, n := range list {
		if names[n.ID] = n.Name; n.Name == "" {
			names[n.ID] = components.ClearPhone(n.DisplayPhone)
		}
	}
	var ids []uuid.UUID
	for _, f := range fading {
		if f.Contact != nil {
			ids = append(ids, *f.Contact)
		}
	}
	contacts, err := identity.Several(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	var out []pages.Fading
	for _, f := range fading {
		row := pages.Fading{Number: names[f.Number], LastAt: f.LastAt, Until: f.Until()}
		if f.Contact != nil {
			row.Someone = e.Someone(contacts[*f.Contact])
		}
		row.Handle = e.Handle(whatsapp.KindPhone, f.Value)
		out = append(out, row)
	}

	return out, nil
}

// SayBook notes whether a portfolio's contact book is on.
func (s *Pages) SayBook(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		return adoption.SayBook(ctx, tx, m.Actor, web.Field(c, "scope"), web.Field(c, "state"))
	})
	if err != nil {
		return err
	}

	return s.Done(c, web.ForecastPath, web.Flash{Key: "toast.saved"})
}
