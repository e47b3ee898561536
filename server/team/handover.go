package team

import (
	"context"
	"net/url"
	"slices"

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

// workKinds are the fields that say who carries on.
var (
	workKinds  = []string{handover.Conversations, handover.Escalations, handover.Usernames}
	typedHeirs = append(slices.Clone(workKinds), handover.Conversations+"_typed", handover.Escalations+"_typed", handover.Usernames+"_typed")
)

// LeavingPage says what somebody has in hand and asks who carries on, before they are removed or, with ?role=, get another role.
func (s *Pages) LeavingPage(c *fiber.Ctx) error {
	return s.showLeaving(c, fiber.StatusOK, c.Query("role"), components.Filled{})
}

func (s *Pages) showLeaving(c *fiber.Ctx, status int, role string, form components.Filled) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil || role != "" && !access.IsRole(role) {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	p := pages.Leaving{ID: id.String(), Role: role, Form: form}
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		who, err := access.ColleagueBy(ctx, tx, id)
		if err != nil {
			return err
		}
		if !access.MayManage(m, who.Role) || role != "" && !access.MayManage(m, role) {
			return tenants.ErrForbidden
		}
		p.Name = who.Name
		work, err := handover.Leaving(ctx, tx, id, role)
		if err != nil {
			return err
		}
		p.Work, err = workShown(ctx, tx, work, id)

		return err
	})
	if err != nil {
		return err
	}
	p.Frame = s.Frame(c, "team.title")
	p.Frame.Title, p.Frame.Path = p.Name, leavingPath(id, role)

	return s.Show(c, status, pages.LeavingPage(p))
}

func leavingPath(person uuid.UUID, role string) string {
	path := "/team/" + person.String() + "/leave"
	if role != "" {
		path += "?" + url.Values{"role": {role}}.Encode()
	}

	return path
}

// workShown is what a person has in hand, with the colleagues who may carry on.
func workShown(ctx context.Context, tx *tenants.Tx, work []handover.Work, person uuid.UUID) (list []pages.InHand, err error) {
	list = make([]pages.InHand, len(work))
	for i, w := range work {
		list[i] = pages.InHand{Kind: w.Kind, Count: w.Count}
		if list[i].Heirs, list[i].All, err = web.Colleagues(ctx, tx, w.Needs, uuid.Nil, person); err != nil {
			return nil, err
		}
	}

	return list, nil
}

// ChangeRole gives somebody of the team another role.
func (s *Pages) ChangeRole(c *fiber.Ctx) error {
	role := web.Field(c, "role")
	if role == "" {
		role = "none" // not the one that stands for leaving
	}

	return s.changeMember(c, role)
}

// RemoveMember takes somebody out of the team.
func (s *Pages) RemoveMember(c *fiber.Ctx) error {
	return s.changeMember(c, "")
}

// changeMember gives somebody a role, or with "" takes them out of the team. Where that leaves work behind, and the form did not say who
// carries on, that is asked first; and so is whether somebody is to be an owner.
func (s *Pages) changeMember(c *fiber.Ctx, role string) error {
	person, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	var (
		who    access.Colleague
		before string // the role they had
		passed int
		ask    bool
		said   = web.Field(c, "work") != ""
	)
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		to, err := heirs(ctx, tx, c)
		if err != nil {
			return err
		}
		if !said && (role == "" || access.IsRole(role)) {
			work, err := handover.Leaving(ctx, tx, person, role)
			if ask = len(work) > 0 || role == access.Owner; err != nil || ask {
				return err
			}
		}
		if had, err := access.ColleagueBy(ctx, tx, person); err == nil {
			before = had.Role
		}
		if role == "" {
			who, passed, err = handover.Remove(ctx, tx, m, person, to)
		} else {
			who, passed, err = handover.ChangeRole(ctx, tx, m, person, role, to)
		}

		return err
	})
	if err == nil && ask {
		return c.Redirect(leavingPath(person, role), fiber.StatusSeeOther)
	}
	if form, ok := web.Refilled(c, err, typedHeirs...); ok {
		if said && form.Failed == "" && form.Wrong["role"] == "" {
			return s.showLeaving(c, web.Classify(err).Status, role, form)
		}

		return s.showTeam(c, web.Classify(err).Status, teamShown{form: form})
	}
	if err != nil {
		return err
	}

	told := web.Flash{Key: "toast.member_removed", Args: []any{"name", who.Name}}
	switch {
	case role != "":
		told = web.Flash{Key: "toast.role_changed", Args: []any{"name", who.Name, "role", i18n.T(ctx, "roles."+who.Role)}}
		if before != role && person != m.Person.ID { // whoever changed their own may have given this right away
			told.Undo, told.Fields = "/team/"+person.String()+"/role", map[string]string{"role": before}
			if before == access.Owner {
				told.Fields["work"] = "1" // they were one a moment ago
			}
		}
	case passed > 0:
		told.Key = "toast.member_removed_work"
	}

	return s.Done(c, "/team", told)
}

// heirs are who carries on, as a form says.
func heirs(ctx context.Context, tx *tenants.Tx, c *fiber.Ctx) (handover.To, error) {
	to := handover.To{}
	for _, kind := range workKinds {
		heir, err := web.Colleague(ctx, tx, c, kind)
		if err != nil {
			return nil, err
		}
		if heir != uuid.Nil {
			to[kind] = heir
		}
	}

	return to, nil
}
