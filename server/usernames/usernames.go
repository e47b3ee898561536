package usernames

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/usernames"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	pages "github.com/pehchan/pehchan/views/usernames"
)

func (s *Pages) Page(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	p := pages.Usernames{
		Frame: s.Frame(c, "usernames.title"), Now: time.Now(), CanClaim: m.Can("usernames:claim"), CanConnect: m.Can("numbers:connect"), CanTrust: m.Can("trust:edit"),
	}
	err := s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		list, err := usernames.List(ctx, tx)
		if err != nil {
			return err
		}
		names, err := access.Names(ctx, tx)
		for _, n := range list {
			p.Items = append(p.Items, usernameView(n, list, names, p.Now))
		}

		return err
	})
	if err != nil {
		return err
	}

	return s.Show(c, fiber.StatusOK, pages.UsernamesPage(p))
}

// usernameView is one of the business's numbers; list are all of them, to name those that are in the way, and names those of its people.
func usernameView(n usernames.Name, list []usernames.Name, names map[string]string, now time.Time) pages.Username {
	v := pages.Username{
		Number: web.NumberView(n.Number, ingest.Counts{}), Wanted: n.Plan.Wanted, Others: n.Plan.Alternatives, Due: web.OrZero(n.Plan.Due),
		Has: pages.UsernameState{
			Name: n.Has.Name, Status: n.Has.Status, Source: n.Has.Source, By: n.Has.By, At: n.Has.At, Revoked: n.Has.Revoked,
		},
		Unsure: n.Unsure(now), Suggested: slices.DeleteFunc(slices.Clone(n.Suggestions), func(name string) bool { return name == n.Has.Name }),
	}
	if n.Plan.Wanted != "" {
		v.Faults, v.Cautions = remarks(usernames.Check(n.Plan.Wanted)), remarks(usernames.Cautions(n.Plan.Wanted))
	}
	if n.Plan.Owner.Valid {
		v.Owner = names[n.Plan.Owner.UUID.String()]
	}
	if n.Last != nil {
		last := actView(*n.Last, now)
		v.Last = &last
	}
	if err := n.MayAsk(); err != nil {
		v.WhyNot = tenants.ConflictCode(err)
	} else {
		v.CanAsk = true
	}
	for _, clash := range n.Clashes {
		other := slices.IndexFunc(list, func(o usernames.Name) bool { return o.Number.ID == clash.Number })
		v.Clashes = append(v.Clashes, pages.UsernameClash{Kind: clash.Kind, Other: web.NumberView(list[other].Number, ingest.Counts{}).Label(), Name: clash.Name})
	}

	return v
}

func actView(a usernames.Act, now time.Time) pages.UsernameAct {
	return pages.UsernameAct{Kind: a.Kind, Name: a.Name, Outcome: a.Outcome(now), Code: a.Code, By: a.By, At: a.AskedAt}
}

func remarks(list []usernames.Remark) []pages.UsernameRemark {
	var views []pages.UsernameRemark
	for _, r := range list {
		views = append(views, pages.UsernameRemark{Code: r.Code, Part: r.Part})
	}

	return views
}

// usernameOf is the number that the address of a request names, with all numbers of the business and what its people are called.
func (s *Pages) usernameOf(c *fiber.Ctx, tx *tenants.Tx) (n usernames.Name, list []usernames.Name, names map[string]string, err error) {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return n, nil, nil, tenants.ErrNotFound
	}
	ctx := c.UserContext()
	if list, err = usernames.List(ctx, tx); err != nil {
		return n, nil, nil, err
	}
	at := slices.IndexFunc(list, func(n usernames.Name) bool { return n.Number.ID == id })
	if at < 0 {
		return n, nil, nil, tenants.ErrNotFound
	}
	names, err = access.Names(ctx, tx)

	return list[at], list, names, err
}

func (s *Pages) UsernamePage(c *fiber.Ctx) error {
	return s.showUsername(c, fiber.StatusOK, pages.UsernameHome{})
}

// showUsername shows a number with its username. p holds the forms that came back.
func (s *Pages) showUsername(c *fiber.Ctx, status int, p pages.UsernameHome) error {
	ctx, m := c.UserContext(), web.Member(c)
	p.Now, p.CanClaim, p.CanMend = time.Now(), m.Can("usernames:claim"), m.Can("numbers:read")
	err := s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		n, list, names, err := s.usernameOf(c, tx)
		if err != nil {
			return err
		}
		acts, err := usernames.Acts(ctx, tx, n.Number.ID)
		if err != nil {
			return err
		}
		for _, a := range acts {
			p.Acts = append(p.Acts, actView(a, p.Now))
		}
		p.Item = usernameView(n, list, names, p.Now)
		offered, all, err := web.Colleagues(ctx, tx, "usernames:claim", n.Plan.Owner.UUID, uuid.Nil)
		if err != nil {
			return err
		}
		p.Team, p.AllTeam = append([]components.Option{{Value: "", Label: "–"}}, offered...), all
		if p.Plan.Values == nil {
			p.Plan.Values = planForm(n.Plan)
		}

		return nil
	})
	if err != nil {
		return err
	}
	p.Frame = s.Frame(c, "usernames.title")
	p.Frame.Title, p.Frame.Path = p.Item.Number.Label(), web.UsernamesPath+"/"+p.Item.Number.ID

	return s.Show(c, status, pages.UsernameHomePage(p))
}

// planForm is a plan as its form shows it.
func planForm(p usernames.Plan) map[string]string {
	form := map[string]string{"wanted": p.Wanted, "alternatives": strings.Join(p.Alternatives, "\n")}
	if p.Owner.Valid {
		form["owner"] = p.Owner.UUID.String()
	}
	if p.Due != nil {
		form["due"] = p.Due.Format(time.DateOnly)
	}

	return form
}

func typedPlan(c *fiber.Ctx) (p usernames.Plan, err error) {
	p.Wanted, p.Alternatives = web.Field(c, "wanted"), strings.FieldsFunc(web.Field(c, "alternatives"), func(r rune) bool { return r == '\n' || r == '\r' || r == ',' })
	p.Due, err = typedDay(c)

	return p, err
}

// inUsername does something with the number of a request, and leads back to its page.
func (s *Pages) inUsername(c *fiber.Ctx, do func(ctx context.Context, tx *tenants.Tx, id uuid.UUID) error) (to string, err error) {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return "", tenants.ErrNotFound
	}
	ctx := c.UserContext()
	err = s.DB.As(ctx, web.Member(c).Tenant.ID, func(tx *tenants.Tx) error { return do(ctx, tx, id) })

	return web.UsernamesPath + "/" + id.String(), err
}

func (s *Pages) PlanUsername(c *fiber.Ctx) error {
	plan, err := typedPlan(c)
	to := ""
	if err == nil {
		to, err = s.inUsername(c, func(ctx context.Context, tx *tenants.Tx, id uuid.UUID) error {
			plan.Owner.UUID, err = web.Colleague(ctx, tx, c, "owner")
			if plan.Owner.Valid = plan.Owner.UUID != uuid.Nil; err != nil {
				return err
			}

			return s.plan(ctx, tx, web.Member(c), id, plan)
		})
	}
	if form, ok := web.Refilled(c, err, "wanted", "alternatives", "owner", "owner_typed", "due"); ok {
		return s.showUsername(c, web.Classify(err).Status, pages.UsernameHome{Plan: form})
	}
	if err != nil {
		return err
	}

	return s.Done(c, to, web.Flash{Key: "usernames.toast_plan"})
}

// plan keeps a plan and tells whoever it names anew.
func (s *Pages) plan(ctx context.Context, tx *tenants.Tx, m access.Member, id uuid.UUID, plan usernames.Plan) error {
	n, err := usernames.Get(ctx, tx, id)
	if err != nil {
		return err
	}
	if err := usernames.SetPlan(ctx, tx, m.Actor, id, plan); err != nil || n.Plan.Owner == plan.Owner || n.Has.Holds() {
		return err
	}
	number := web.NumberView(n.Number, ingest.Counts{}).Label()

	return s.tellOwner(ctx, tx, m, plan.Owner, id.String(), plan.Due, web.UsernamesPath+"/"+id.String(), func(ctx context.Context) string {
		return i18n.T(ctx, "usernames.task", "number", number)
	})
}

// RecordUsername notes what somebody saw at Meta about a number that we cannot ask about.
func (s *Pages) RecordUsername(c *fiber.Ctx) error {
	status := web.Field(c, "status")
	if status == "none" {
		status = ""
	}
	to, err := s.inUsername(c, func(ctx context.Context, tx *tenants.Tx, id uuid.UUID) error {
		return usernames.Record(ctx, tx, web.Member(c).Actor, id, web.Field(c, "name"), status)
	})
	if form, ok := web.Refilled(c, err, "name", "status"); ok {
		return s.showUsername(c, web.Classify(err).Status, pages.UsernameHome{Record: form, Form: components.Filled{Failed: form.Failed}})
	}
	if err != nil {
		return err
	}

	return s.Done(c, to, web.Flash{Key: "usernames.toast_recorded"})
}

// LookAtUsername asks Meta for the present name of a number and for suggestions.
func (s *Pages) LookAtUsername(c *fiber.Ctx) error {
	to, err := s.askUsername(c, usernames.Look, "")
	if form, ok := web.Refilled(c, err); ok {
		return s.showUsername(c, web.Classify(err).Status, pages.UsernameHome{Form: form})
	}
	if err != nil {
		return err
	}
	if next := web.LocalPath(web.Field(c, "next")); strings.HasPrefix(next, web.UsernamesPath+"/") {
		to = next
	}

	return s.Done(c, to, web.Flash{Key: "usernames.toast_asked"})
}

// usernameActs are what a confirmation may be about.
var usernameActs = []string{usernames.Claim, usernames.Transfer, usernames.Delete}

func (s *Pages) ConfirmUsername(c *fiber.Ctx) error {
	return s.showUsernameConfirm(c, fiber.StatusOK, c.Query("do"), c.Query("name"), components.Filled{})
}

func (s *Pages) showUsernameConfirm(c *fiber.Ctx, status int, do, name string, form components.Filled) error {
	name = usernames.Fold(name)
	if !slices.Contains(usernameActs, do) || len(usernames.Check(name)) > 0 {
		return tenants.ErrNotFound
	}
	ctx := c.UserContext()
	p := pages.UsernameConfirm{Do: do, Name: name, Form: form}
	err := s.DB.AsSnapshot(ctx, web.Member(c).Tenant.ID, func(tx *tenants.Tx) error {
		n, list, names, err := s.usernameOf(c, tx)
		if err == nil {
			p.Item = usernameView(n, list, names, time.Now())
		}

		return err
	})
	if err != nil {
		return err
	}
	p.Frame = s.Frame(c, "usernames.title")
	p.Frame.Path = web.UsernamesPath + "/" + p.Item.Number.ID

	return s.Show(c, status, pages.UsernameConfirmPage(p))
}

func (s *Pages) ClaimUsername(c *fiber.Ctx) error { return s.doUsername(c, usernames.Claim) }

func (s *Pages) TransferUsername(c *fiber.Ctx) error { return s.doUsername(c, usernames.Transfer) }

func (s *Pages) DeleteUsername(c *fiber.Ctx) error { return s.doUsername(c, usernames.Delete) }

// doUsername asks Meta for what was confirmed. What it answers, a refusal too, stands on the number's page.
func (s *Pages) doUsername(c *fiber.Ctx, kind string) error {
	name := web.Field(c, "name")
	var err error
	to := ""
	if kind != usernames.Claim && usernames.Fold(web.Field(c, "confirm")) != usernames.Fold(name) {
		err = &tenants.Invalid{Field: "confirm", Key: "confirm"}
	} else {
		to, err = s.askUsername(c, kind, name)
	}
	if form, ok := web.Refilled(c, err); ok {
		return s.showUsernameConfirm(c, web.Classify(err).Status, kind, name, form)
	}
	if err != nil {
		return err
	}

	return s.Done(c, to, web.Flash{Key: "usernames.toast_asked"})
}

func (s *Pages) askUsername(c *fiber.Ctx, kind, name string) (to string, err error) {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return "", tenants.ErrNotFound
	}
	ctx, cancel := web.AskingMeta(c)
	defer cancel()
	m := web.Member(c)
	_, err = usernames.Ask(ctx, s.DB, s.Keys, s.Graph, m.Actor, m.Tenant.ID, id, kind, name)

	return web.UsernamesPath + "/" + id.String(), err
}
