package team

import (
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/handover"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	pages "github.com/pehchan/pehchan/views/team"
)

// mays are permissions by the names that views know them by; one without words is left out, and a test finds it.
func mays(list []string) []string {
	out := make([]string, 0, len(list))
	for _, p := range list {
		if name := strings.ReplaceAll(p, ":", "_"); i18n.Known("may." + name) {
			out = append(out, name)
		}
	}

	return out
}

// RolesPage says what each role may do, as the policy has it.
func (s *Pages) RolesPage(c *fiber.Ctx) error {
	p := pages.Roles{Frame: s.Frame(c, "may.title"), Mine: web.Member(c).Role, CanTeam: web.Member(c).Can("team:read")}
	for _, role := range access.Roles() {
		p.Items = append(p.Items, pages.RoleRights{Role: role, May: mays(access.Permissions(role)), NeedsFactor: access.NeedsFactor(role)})
	}

	return s.Show(c, fiber.StatusOK, pages.RolesPage(p))
}

// ColleaguePage says what one person of the team may do, and when they were here.
func (s *Pages) ColleaguePage(c *fiber.Ctx) error {
	return s.showColleague(c, fiber.StatusOK, components.Filled{})
}

func (s *Pages) showColleague(c *fiber.Ctx, status int, form components.Filled) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	var (
		who  access.Colleague
		work []pages.InHand
	)
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		if who, err = access.ColleagueBy(ctx, tx, id); err != nil {
			return err
		}
		has, err := handover.Leaving(ctx, tx, id, "")
		if err != nil {
			return err
		}
		work, err = workShown(ctx, tx, has, id)

		return err
	})
	if err != nil {
		return err
	}
	p := pages.OneColleague{Frame: s.Frame(c, "may.person"), Now: time.Now(), Form: form, Me: id == m.Person.ID}
	p.Frame.Title, p.Frame.Path = who.Name, "/team/"+id.String()
	err = s.DB.System(ctx, func(tx *tenants.Tx) error {
		if p.HasFactor, err = access.HasFactor(ctx, tx, id); err != nil {
			return err
		}
		seen, err := access.LastSeen(ctx, tx, m.Tenant.ID, []uuid.UUID{id})
		p.Seen = seen[id]
		return err
	})
	if err != nil {
		return err
	}
	p.ID, p.Name, p.Email, p.Role, p.Since = id.String(), who.Name, who.Email, who.Role, who.Since
	p.Work, p.CanRemove = work, !p.Me && access.MayManage(m, who.Role)
	p.CanReset = p.HasFactor && !p.Me && access.MayManage(m, who.Role)
	p.NeedsFactor = access.NeedsFactor(who.Role)
	p.May = mays(access.Permissions(who.Role))
	p.MayNot = mays(slices.DeleteFunc(access.AllPermissions(), func(permission string) bool {
		// Who sees phones in clear has none to reveal.
		return access.Can(who.Role, permission) || permission == "phones:reveal" && access.Can(who.Role, "phones:clear")
	}))

	return s.Show(c, status, pages.OneColleaguePage(p))
}

// ResetFactor takes the second factor away of somebody of the team who has lost their device.
func (s *Pages) ResetFactor(c *fiber.Ctx) error {
	person, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	who, err := access.ResetFactor(c.UserContext(), s.DB, web.Member(c), person)
	if form, ok := web.Refilled(c, err); ok {
		return s.showColleague(c, web.Classify(err).Status, form)
	}
	if err != nil {
		return err
	}

	return s.Done(c, "/team", web.Flash{Key: "toast.factor_reset", Args: []any{"name", who.Name}})
}
