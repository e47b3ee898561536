package usernames

import (
	"context"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/teller"
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/usernames"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	pages "github.com/pehchan/pehchan/views/usernames"
)

// fillPlaces adds where the business's name is printed, and how far that is.
func fillPlaces(ctx context.Context, tx *tenants.Tx, m access.Member, now time.Time, p *pages.Kit) error {
	places, err := usernames.PrintPlaces(ctx, tx)
	if err != nil {
		return err
	}
	names, err := access.Names(ctx, tx)
	if err != nil {
		return err
	}
	offered, all, err := web.Colleagues(ctx, tx, "usernames:claim", uuid.Nil, uuid.Nil)
	if err != nil {
		return err
	}
	offered = append([]components.Option{{Value: "", Label: "–"}}, offered...)
	for _, place := range places {
		view := pages.KitPlace{
			Key: place.Place, State: place.State, Due: web.OrZero(place.Due), By: place.By, At: web.OrZero(place.At), Team: offered, AllTeam: all,
			Overdue: place.State == usernames.PlaceToDo && usernames.Overdue(place.Due, now, m.Tenant.Location()),
		}
		view.Form.Values = map[string]string{"state": place.State}
		if place.Owner.Valid {
			now := components.Option{Value: place.Owner.UUID.String(), Label: names[place.Owner.UUID.String()]}
			if view.Owner = now.Label; view.Owner != "" && !slices.Contains(offered, now) {
				view.Team = append(slices.Clone(offered), now)
			}
			view.Form.Values["owner"] = now.Value
		}
		if place.Due != nil {
			view.Form.Values["due"] = place.Due.Format(time.DateOnly)
		}
		p.Places = append(p.Places, view)
	}

	return nil
}

// SetPlace keeps who sees to a place that the business's name is printed in, by when, and whether it is done.
func (s *Pages) SetPlace(c *fiber.Ctx) error {
	ctx, m, place := c.UserContext(), web.Member(c), c.Params("place")
	if !slices.Contains(usernames.Places, place) {
		return tenants.ErrNotFound
	}
	in := usernames.Place{Place: place, State: web.Field(c, "state")}
	var err error
	if in.Due, err = typedDay(c); err == nil {
		err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
			owner, err := web.Colleague(ctx, tx, c, "owner")
			if err != nil {
				return err
			}
			in.Owner = uuid.NullUUID{UUID: owner, Valid: owner != uuid.Nil}
			before, err := usernames.PrintPlaces(ctx, tx)
			if err != nil {
				return err
			}
			if err := usernames.SetPlace(ctx, tx, m.Actor, in); err != nil {
				return err
			}
			was := before[slices.Index(usernames.Places, place)]
			if in.State != usernames.PlaceToDo || was.Owner == in.Owner && was.State == in.State {
				return nil
			}

			return s.tellOwner(ctx, tx, m, in.Owner, place, in.Due, web.KitPath+"#place-"+place, func(ctx context.Context) string {
				return i18n.T(ctx, "kit.place_"+place)
			})
		})
	}
	if form, refused := web.Refilled(c, err, "state", "owner", "owner_typed", "due"); refused {
		return s.showKit(c, web.Classify(err).Status, place, form)
	}
	if err != nil {
		return err
	}

	return s.Done(c, web.KitPath+"#place-"+place, web.Flash{Key: "kit.toast_place"})
}

// typedDay is by when something is to be done, as a form has it; nil for no day.
func typedDay(c *fiber.Ctx) (*time.Time, error) {
	typed := web.Field(c, "due")
	if typed == "" {
		return nil, nil //nolint:nilnil // no day is an answer
	}
	day, err := time.Parse(time.DateOnly, typed)
	if err != nil {
		return nil, &tenants.Invalid{Field: "due", Key: "day"}
	}

	return &day, nil
}

// tellOwner tells somebody by mail, in their language, that a colleague has named them for something: what says what in words. Who names
// themselves, or nobody, tells nobody; and who was told of the same today is not told again.
func (s *Pages) tellOwner(
	ctx context.Context, tx *tenants.Tx, m access.Member, owner uuid.NullUUID, about string, due *time.Time, path string, what func(context.Context) string,
) error {
	if !owner.Valid || owner.UUID == m.Person.ID {
		return nil
	}
	to, err := access.ReaderIn(ctx, tx, owner.UUID)
	if err != nil {
		return err
	}
	ctx = teller.InLanguage(ctx, to, m.Tenant.Lang, m.Tenant.Location())
	letter := pages.TaskMail(ctx, m.Actor.Name, m.Tenant.Name, what(ctx), web.OrZero(due), s.Origin.Load().String()+path)
	key := "username task " + about + " " + owner.UUID.String() + " " + time.Now().In(m.Tenant.Location()).Format(time.DateOnly)

	return teller.QueueCalm(ctx, tx, s.Keys, m.Tenant, to, key, letter)
}
