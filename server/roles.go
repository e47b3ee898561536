package server

import (
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/handover"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/pages"
)

const rolesPath = "/team/roles"

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

// rolesPage says what each role may do, as the policy has it.
func (s *Server) rolesPage(c *fiber.Ctx) error {
	p := pages.Roles{Frame: s.frame(c, "may.title"), Mine: member(c).Role, CanTeam: member(c).Can("team:read")}
	for _, role := range access.Roles() {
		p.Items = append(p.Items, pages.RoleRights{Role: role, May: mays(access.Permissions(role)), NeedsFactor: access.NeedsFactor(role)})
	}

	return s.show(c, fiber.StatusOK, pages.RolesPage(p))
}

// colleaguePage says what one person of the team may do, and when they were here.
func (s *Server) colleaguePage(c *fiber.Ctx) error {
	return s.showColleague(c, fiber.StatusOK, pages.Filled{})
}

func (s *Server) showColleague(c *fiber.Ctx, status int, form pages.Filled) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), member(c)
	var (
		who  access.Colleague
		work []handover.Work
	)
	err = s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		if who, err = access.ColleagueBy(ctx, tx, id); err != nil {
			return err
		}
		work, err = handover.Leaving(ctx, tx, id, "")

		return err
	})
	if err != nil {
		return err
	}
	p := pages.OneColleague{Frame: s.frame(c, "may.person"), Now: time.Now(), Form: form, Me: id == m.Person.ID}
	p.Frame.Title, p.Frame.Path = who.Name, "/team/"+id.String()
	err = s.db.System(ctx, func(tx *tenants.Tx) error {
		if p.HasFactor, err = access.HasFactor(ctx, tx, id); err != nil {
			return err
		}
		seen, err := access.LastSeen(ctx, tx, m.Tenant.ID)
		p.Seen = seen[id]
		return err
	})
	if err != nil {
		return err
	}
	p.ID, p.Name, p.Email, p.Role, p.Since = id.String(), who.Name, who.Email, who.Role, who.Since
	p.Work, p.CanRemove = workShown(work), !p.Me && access.MayManage(m, who.Role)
	p.CanReset = p.HasFactor && !p.Me && access.MayManage(m, who.Role)
	p.NeedsFactor = access.NeedsFactor(who.Role)
	p.May = mays(access.Permissions(who.Role))
	p.MayNot = mays(slices.DeleteFunc(access.AllPermissions(), func(permission string) bool { return access.Can(who.Role, permission) }))

	return s.show(c, status, pages.OneColleaguePage(p))
}
