package web

import (
	"context"
	"errors"
	"slices"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/components"
)

// mostOffered is how many colleagues a list to choose from holds. In a larger team another may be typed.
const mostOffered = 50

// Colleagues are those to choose from whose role has a permission, by name, and how many there are in all but for the one who is left out.
// Whoever is chosen now is among them, whatever their role.
func Colleagues(ctx context.Context, tx *tenants.Tx, permission string, now, without uuid.UUID) (list []components.Option, all int, err error) {
	able, all, err := access.Able(ctx, tx, permission, mostOffered)
	if err != nil {
		return nil, 0, err
	}
	for _, c := range able {
		if c.ID != without {
			list = append(list, components.Option{Value: c.ID.String(), Label: c.Name})
		}
	}
	out, err := colleagueBy(ctx, tx, without)
	if err != nil {
		return nil, 0, err
	}
	if access.Can(out.Role, permission) {
		all--
	}
	chosen, err := colleagueBy(ctx, tx, now)
	if err != nil {
		return nil, 0, err
	}
	option := components.Option{Value: chosen.ID.String(), Label: chosen.Name}
	if chosen.Role != "" && !slices.Contains(list, option) {
		list = append(list, option)
	}

	return list, max(all, len(list)), nil
}

// colleagueBy is nobody, where nobody is meant or they have left.
func colleagueBy(ctx context.Context, tx *tenants.Tx, id uuid.UUID) (access.Colleague, error) {
	if id == uuid.Nil {
		return access.Colleague{}, nil
	}
	who, err := access.ColleagueBy(ctx, tx, id)
	if errors.Is(err, tenants.ErrNotFound) {
		return access.Colleague{}, nil
	}

	return who, err
}

// Colleague is who a field made by components.Pick names: typed, else chosen; uuid.Nil for nobody. Whether they are of the team is for
// whoever gives them something.
func Colleague(ctx context.Context, tx *tenants.Tx, c *fiber.Ctx, field string) (uuid.UUID, error) {
	if typed := Field(c, field+"_typed"); typed != "" {
		who, err := access.Called(ctx, tx, field, typed)
		return who.ID, err
	}
	chosen := Field(c, field)
	if chosen == "" {
		return uuid.Nil, nil
	}
	id, err := uuid.Parse(chosen)
	if err != nil {
		return uuid.Nil, tenants.ErrNotFound
	}

	return id, nil
}
