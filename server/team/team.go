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
	return s.showTeam(c, fiber.StatusOK, teamShown{})
}

// peopleShown is how many a part of the list holds.
const peopleShown = 25

// teamShown is how the team is looked at: with a form that came back, or a link that is shown once.
type teamShown struct {
	form  components.Filled
	share *pages.ShareLink
}

func (s *Pages) showTeam(c *fiber.Ctx, status int, how teamShown) error {
	ctx, m := c.UserContext(), web.Member(c)
	var (
		team  []access.Colleague
		asked []access.Invitation
		next  string
		sizes map[string]int
		seen  map[uuid.UUID]time.Time
		query = access.TeamQuery{Search: c.Query("q"), Cursor: c.Query("after"), Limit: peopleShown}
	)
	if access.IsRole(c.Query("role")) {
		query.Role = c.Query("role")
	}
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
		if asked, err = access.Invitations(ctx, tx); err != nil {
			return err
		}
		if sizes, err = access.Sizes(ctx, tx); err != nil {
			return err
		}
		team, next, err = access.TeamPage(ctx, tx, query)
		return err
	})
	if err != nil {
		return err
	}
	ids := make([]uuid.UUID, len(team))
	for i, person := range team {
		ids[i] = person.ID
	}
	err = s.DB.System(ctx, func(tx *tenants.Tx) (err error) {
		seen, err = access.LastSeen(ctx, tx, m.Tenant.ID, ids)
		return err
	})
	if err != nil {
		return err
	}

	p := pages.Team{Frame: s.Frame(c, "team.title"), Now: time.Now(), Roles: RolesToGive(m), CanAdd: m.Can("team:manage")}
	p.Form, p.Share = how.form, how.share
	p.Frame.Path, p.Search, p.Role, p.PartSize = "/team", query.Search, query.Role, peopleShown
	for _, role := range access.Roles() {
		if n := sizes[role]; n > 0 {
			p.All += n
			p.Sizes = append(p.Sizes, pages.RoleSize{Role: role, N: n})
		}
	}
	if next != "" {
		p.Next = p.At(p.Role, next)
	}
	for _, in := range asked {
		p.Asked = append(p.Asked, pages.Asked{
			ID: in.ID.String(), Email: in.Email, Role: in.Role, At: in.SentAt, Until: in.ExpiresAt, Shared: in.Shared,
			CanChange: access.MayManage(m, in.Role),
		})
	}
	for _, person := range team {
		p.Items = append(p.Items, pages.Colleague{
			ID: person.ID.String(), Name: person.Name, Email: person.Email, Role: person.Role, Since: person.Since, Seen: seen[person.ID],
			Me: person.ID == m.Person.ID, LastOwner: person.Role == access.Owner && sizes[access.Owner] == 1, CanChange: access.MayManage(m, person.Role),
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
