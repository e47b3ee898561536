package usernames

import (
	"net/url"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/usernames"
	"github.com/pehchan/pehchan/views/components"
	pages "github.com/pehchan/pehchan/views/usernames"
)

const (
	lookAgainAfter = 30 * 24 * time.Hour
)

// IdeasPage makes names of what was typed; with nothing typed, of the business's own name.
func (s *Pages) IdeasPage(c *fiber.Ctx) error {
	return s.showIdeas(c, fiber.StatusOK, c.Query("shop"), c.Query("city"), components.Filled{})
}

func (s *Pages) showIdeas(c *fiber.Ctx, status int, shop, city string, form components.Filled) error {
	ctx, m := c.UserContext(), web.Member(c)
	p := pages.UsernameIdeas{
		Shop: shop, City: city, Tried: shop != "", Check: usernames.Fold(c.Query("check")), CanClaim: m.Can("usernames:claim"), Now: time.Now(), Form: form,
	}
	var held, had []string
	err := s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		list, err := usernames.List(ctx, tx)
		for _, n := range list {
			p.Numbers = append(p.Numbers, components.Option{Value: n.Number.ID.String(), Label: web.NumberView(n.Number, ingest.Counts{}).Label()})
			held, had = append(held, n.Suggestions...), append(had, usernames.Fold(n.Has.Name))
			if p.LookAt == "" && n.MayAsk() == nil {
				p.LookAt = n.Number.ID.String()
			}
			if n.SuggestedAt != nil && n.SuggestedAt.After(p.LookedAt) {
				p.LookedAt = *n.SuggestedAt
			}
		}

		return err
	})
	if err != nil {
		return err
	}
	if p.Shop == "" {
		p.Shop = m.Tenant.Name
	}
	slices.Sort(held)
	for _, i := range usernames.Ideas(p.Shop, p.City, slices.Compact(held)) {
		if !slices.Contains(had, i.Name) {
			p.Items = append(p.Items, pages.UsernameIdea{Name: i.Name, Why: i.Why, Held: i.Held, Cautions: remarks(i.Cautions)})
		}
	}
	if p.Check != "" {
		p.Faults, p.Cautions = remarks(usernames.Check(p.Check)), remarks(usernames.Cautions(p.Check))
	}
	p.Frame = s.Frame(c, "usernames.ideas_title")
	p.Frame.Path = web.IdeasPath + "?" + url.Values{"shop": {p.Shop}, "city": {p.City}}.Encode()

	return s.Show(c, status, pages.UsernameIdeasPage(p))
}

// KeepIdea keeps a name for a number.
func (s *Pages) KeepIdea(c *fiber.Ctx) error {
	id, err := uuid.Parse(web.Field(c, "number"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m, name := c.UserContext(), web.Member(c), usernames.Fold(web.Field(c, "name"))
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return usernames.AddIdea(ctx, tx, m.Actor, id, name) })
	if form, ok := web.Refilled(c, err); ok {
		for _, key := range form.Wrong {
			form.Failed = key
		}
		return s.showIdeas(c, web.Classify(err).Status, web.Field(c, "shop"), web.Field(c, "city"), form)
	}
	if err != nil {
		return err
	}

	return s.Done(c, web.UsernamesPath+"/"+id.String(), web.Flash{Key: "usernames.toast_idea", Args: []any{"name", name}})
}

// WatchPage lists what looks like one of the business's names, and what was found when somebody looked.
func (s *Pages) WatchPage(c *fiber.Ctx) error {
	return s.showWatch(c, fiber.StatusOK, c.Query("of"), components.Filled{Values: map[string]string{"name": usernames.Fold(c.Query("name"))}})
}

func (s *Pages) showWatch(c *fiber.Ctx, status int, base string, form components.Filled) error {
	ctx, m := c.UserContext(), web.Member(c)
	p := pages.UsernameWatch{Now: time.Now(), CanClaim: m.Can("usernames:claim"), States: usernames.WatchStates, Form: form}
	var watched []usernames.Watched
	err := s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		list, err := usernames.List(ctx, tx)
		if err != nil {
			return err
		}
		for _, n := range list {
			name := usernames.Fold(n.Has.Name)
			if !n.Has.Holds() {
				name = n.Plan.Wanted
			}
			if name != "" && !slices.Contains(p.Bases, name) {
				p.Bases = append(p.Bases, name)
			}
		}
		watched, err = usernames.Watch(ctx, tx)

		return err
	})
	if err != nil {
		return err
	}
	if base = usernames.Fold(base); slices.Contains(p.Bases, base) {
		p.Base = base
	} else if len(p.Bases) > 0 {
		p.Base = p.Bases[0]
	}
	found := map[string]pages.UsernameLookalike{}
	for _, w := range watched {
		found[w.Name] = pages.UsernameLookalike{
			Name: w.Name, State: w.State, Note: w.Note, By: w.By, At: w.SeenAt, Reported: web.OrZero(w.ReportedAt), Again: p.Now.Sub(w.SeenAt) > lookAgainAfter,
		}
	}
	listed := map[string]bool{}
	for _, l := range usernames.Lookalikes(p.Base) {
		view := found[l.Name]
		view.Name, view.How = l.Name, l.How
		if view.State != "" && !view.Again {
			p.Done++
		}
		listed[l.Name] = true
		p.Items = append(p.Items, view)
	}
	for _, w := range watched {
		if !listed[w.Name] {
			p.More = append(p.More, found[w.Name])
		}
	}
	p.Frame = s.Frame(c, "usernames.watch_title")
	p.Frame.Path = web.WatchPath + "?" + url.Values{"of": {p.Base}}.Encode()

	return s.Show(c, status, pages.UsernameWatchPage(p))
}

// NoteLookalike keeps what somebody found under a name.
func (s *Pages) NoteLookalike(c *fiber.Ctx) error {
	ctx, m, name, base := c.UserContext(), web.Member(c), web.Field(c, "name"), web.Field(c, "of")
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		return usernames.Note(ctx, tx, m.Actor, name, web.Field(c, "state"), web.Field(c, "note"))
	})
	if form, ok := web.Refilled(c, err, "name", "state", "note"); ok {
		return s.showWatch(c, web.Classify(err).Status, base, form)
	}
	if err != nil {
		return err
	}

	return s.Done(c, web.WatchPath+"?"+url.Values{"of": {usernames.Fold(base)}}.Encode(), web.Flash{Key: "usernames.toast_noted", Args: []any{"name", usernames.Fold(name)}})
}
