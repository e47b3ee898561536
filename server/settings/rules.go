package settings

import (
	"context"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/views/components"
	homepages "github.com/pehchan/pehchan/views/home"
	pages "github.com/pehchan/pehchan/views/settings"
)

const (
	linksPageSize = 20
	wouldShown    = 20
)

// RulesPage shows what may link by itself, how it has done, and the links that it made.
func (s *Pages) RulesPage(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	p := pages.Rules{Frame: s.Frame(c, "rules.title"), Now: time.Now(), CanSwitch: m.Can("rules:switch")}
	page := identity.Page{Limit: linksPageSize, Cursor: c.Query("before")}
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		rules, err := identity.Rules(ctx, tx)
		if err != nil {
			return err
		}
		for _, r := range rules {
			view, _, err := ruleView(ctx, tx, r, p.Now)
			if err != nil {
				return err
			}
			p.Items = append(p.Items, view)
		}
		running, err := identity.Relinking(ctx, tx)
		if err != nil {
			return err
		}
		for _, looked := range running {
			p.Running, p.Looked = true, p.Looked+looked
		}

		return fillRuleLinks(ctx, tx, m, page, &p)
	})
	if err != nil {
		return err
	}

	return s.Show(c, fiber.StatusOK, pages.RulesPage(p))
}

// ruleView is a rule as its page shows it, and the cases that it would have closed.
func ruleView(ctx context.Context, tx *tenants.Tx, r identity.Rule, now time.Time) (pages.Rule, []uuid.UUID, error) {
	view := pages.Rule{
		Kind: r.Evidence, Mode: r.Mode, Since: r.Since, By: r.By, Tripped: r.Tripped, ReadyAt: r.ReadyAt(), Ready: r.Ready(now),
		Agreed: r.Agreed, Decided: r.Agreed + r.Differed, Linked: r.Linked, Undone: r.Undone, Standing: r.Standing,
	}
	if r.Mode == identity.RuleOn {
		return view, nil, nil
	}
	would, err := identity.Would(ctx, tx, r.Evidence)
	view.Would, view.ManyMore = len(would), len(would) >= identity.MaxWould

	return view, would, err
}

func fillRuleLinks(ctx context.Context, tx *tenants.Tx, m access.Member, page identity.Page, p *pages.Rules) error {
	links, next, err := identity.ByRule(ctx, tx, page)
	if err != nil {
		return err
	}
	if next != "" {
		p.Next = web.LinksPath + "?before=" + next
	}
	var kept []uuid.UUID
	for _, l := range links {
		if l.Keep != nil {
			kept = append(kept, *l.Keep)
		}
	}
	people, err := identity.Several(ctx, tx, kept)
	if err != nil {
		return err
	}
	joined, err := identity.LinkHandles(ctx, tx, links)
	if err != nil {
		return err
	}

	e := web.Eyes{Clear: m.Can("phones:clear")}
	for _, l := range links {
		view := pages.RuleLink{At: l.At, Undone: l.UndoneAt != nil}
		if sign, ok := l.Sign(); ok {
			view.Why = e.Reason(ctx, sign)
		}
		if l.Keep != nil {
			view.Name, view.Href = e.Label(ctx, people[*l.Keep]), "/contacts/"+l.Keep.String()
		}
		if handles := e.Handles(joined[l.ID].Handles); len(handles) > 0 {
			view.Who = handles[0].Label(ctx)
		}
		if m.Can("merges:read") {
			view.Receipt = "/merges/" + l.ID.String()
		}
		if web.MayUndo(m, l) && !view.Undone {
			view.Undo = "/merges/" + l.ID.String() + "/undo"
		}
		p.Links = append(p.Links, view)
	}

	return nil
}

// RulePage shows whom a kind of evidence would link now, and with ?to= what a switch would do.
func (s *Pages) RulePage(c *fiber.Ctx) error {
	return s.showRule(c, fiber.StatusOK, c.Query("to"), components.Filled{})
}

func (s *Pages) showRule(c *fiber.Ctx, status int, to string, form components.Filled) error {
	ctx, m, kind := c.UserContext(), web.Member(c), c.Params("kind")
	p := pages.RuleChange{Frame: s.Frame(c, "rules.title"), Now: time.Now(), To: to, CanSwitch: m.Can("rules:switch"), Form: form}
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		rules, err := identity.Rules(ctx, tx)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(rules, func(r identity.Rule) bool { return r.Evidence == kind })
		if at == -1 {
			return tenants.ErrNotFound
		}
		view, would, err := ruleView(ctx, tx, rules[at], p.Now)
		if err != nil {
			return err
		}
		p.Rule = view
		cases, err := identity.CasesByID(ctx, tx, would[:min(len(would), wouldShown)])
		if err != nil {
			return err
		}
		e := web.Eyes{Clear: m.Can("phones:clear")}
		for _, k := range cases {
			p.Items = append(p.Items, ruleCase(ctx, e, m, k, kind))
		}

		return nil
	})
	if err != nil {
		return err
	}
	p.Frame.Path = web.LinksPath + "/" + kind
	if !mayBecome(p.Rule, to) || form.Failed != "" {
		p.To = ""
	}

	return s.Show(c, status, pages.RuleChangePage(p))
}

// mayBecome tells whether a rule can be switched: on only after it has watched, and not to what it is.
func mayBecome(r pages.Rule, to string) bool {
	switch to {
	case identity.RuleOn:
		return r.Mode == identity.RuleShadow && r.Ready
	case identity.RuleOff, identity.RuleShadow:
		return r.Mode != to
	}

	return false
}

func ruleCase(ctx context.Context, e web.Eyes, m access.Member, k identity.Case, kind string) pages.RuleCase {
	view := pages.RuleCase{Since: k.Since}
	if m.Can("queue:read") {
		view.Href = "/resolve/" + k.ID.String()
	}
	switch {
	case k.Contact != nil:
		view.Who = e.Label(ctx, *k.Contact)
	case k.Identity != nil:
		view.Who = e.Label(ctx, identity.Contact{ProfileName: k.Identity.ProfileName, Identities: []identity.Identity{*k.Identity}})
	}
	for _, o := range k.Candidates {
		for _, r := range o.Reasons {
			if r.Code == kind && view.Why == "" {
				view.Name, view.Why = e.Label(ctx, o.Contact), e.Reason(ctx, r)
			}
		}
	}

	return view
}

// SwitchRule has a kind of evidence link by itself, watch, or be. That portfolios are linked at Meta only the owner can know.
func (s *Pages) SwitchRule(c *fiber.Ctx) error {
	ctx, m, kind, mode := c.UserContext(), web.Member(c), c.Params("kind"), web.Field(c, "mode")
	if !slices.Contains(identity.RuleKinds, kind) {
		return tenants.ErrNotFound
	}
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		if kind == "same_parent" && mode == identity.RuleOn && web.Field(c, "confirm") != "linked" {
			return &tenants.Invalid{Field: "confirm", Key: "confirm_linked"}
		}

		return identity.SetRule(ctx, tx, m.Actor, kind, mode)
	})
	if form, ok := web.Refilled(c, err); ok {
		return s.showRule(c, web.Classify(err).Status, mode, form)
	}
	if err != nil {
		return err
	}

	return s.Done(c, web.LinksPath, web.Flash{Key: "toast.rule_" + mode})
}

// FillRules puts on the home page what has linked by itself lately, and to those who may switch it what turned itself off.
func FillRules(ctx context.Context, tx *tenants.Tx, m access.Member, p *homepages.Home) error {
	if !m.Can("rules:read") {
		return nil
	}
	var err error
	if p.Linked, err = identity.CountByRule(ctx, tx, 24*time.Hour); err != nil || !m.Can("rules:switch") {
		return err
	}
	tripped, err := identity.Tripped(ctx, tx)
	for _, r := range tripped {
		p.Tripped = append(p.Tripped, pages.Rule{Kind: r.Evidence, Linked: r.Linked, Undone: r.Undone})
	}

	return err
}
