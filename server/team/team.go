package team

import (
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/components"
	pages "github.com/pehchan/pehchan/views/team"
)

func (s *Pages) Page(c *fiber.Ctx) error {
	return s.showTeam(c, fiber.StatusOK, components.Filled{})
}

func (s *Pages) showTeam(c *fiber.Ctx, status int, form components.Filled) error {
	ctx, m := c.UserContext(), web.Member(c)
	var (
		team  []access.Colleague
		asked []access.Invitation
		seen  map[uuid.UUID]time.Time
	)
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
		if asked, err = access.Invitations(ctx, tx); err != nil {
			return err
		}
		team, err = access.Team(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	err = s.DB.System(ctx, func(tx *tenants.Tx) (err error) {
		seen, err = access.LastSeen(ctx, tx, m.Tenant.ID)
		return err
	})
	if err != nil {
		return err
	}

	owners := 0
	for _, p := range team {
		if p.Role == access.Owner {
			owners++
		}
	}
	p := pages.Team{Frame: s.Frame(c, "team.title"), Now: time.Now(), Roles: RolesToGive(m), CanAdd: m.Can("team:manage"), Form: form}
	p.Frame.Path = "/team"
	for _, in := range asked {
		p.Asked = append(p.Asked, pages.Asked{
			ID: in.ID.String(), Email: in.Email, Role: in.Role, At: in.SentAt, Until: in.ExpiresAt, CanChange: access.MayManage(m, in.Role),
		})
	}
	for _, person := range team {
		p.Items = append(p.Items, pages.Colleague{
			ID: person.ID.String(), Name: person.Name, Email: person.Email, Role: person.Role, Since: person.Since, Seen: seen[person.ID],
			Me: person.ID == m.Person.ID, LastOwner: person.Role == access.Owner && owners == 1, CanChange: access.MayManage(m, person.Role),
		})
	}

	return s.Show(c, status, pages.TeamPage(p))
}

// RolesToGive are the roles that m may give, the usual one first.
func RolesToGive(m access.Member) []string {
	roles := []string{access.Agent}
	for _, role := range access.Roles() {
		if role != access.Agent && access.MayManage(m, role) {
			roles = append(roles, role)
		}
	}

	return roles
}
