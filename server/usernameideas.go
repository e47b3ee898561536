package server

import (
	"net/url"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/usernames"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/pages"
)

const (
	ideasPath = usernamesPath + "/ideas"
	watchPath = usernamesPath + "/watch"

	lookAgainAfter = 30 * 24 * time.Hour
)

// ideasPage makes names of what was typed; with nothing typed, of the business's own name.
func (s *Server) ideasPage(c *fiber.Ctx) error {
	return s.showIdeas(c, fiber.StatusOK, c.Query("shop"), c.Query("city"), pages.Filled{})
}

func (s *Server) showIdeas(c *fiber.Ctx, status int, shop, city string, form pages.Filled) error {
	ctx, m := c.UserContext(), member(c)
	p := pages.UsernameIdeas{
		Shop: shop, City: city, Tried: shop != "", Check: usernames.Fold(c.Query("check")), CanClaim: m.Can("usernames:claim"), Now: time.Now(), Form: form,
	}
	var held, had []string
	err := s.db.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		list, err := usernames.List(ctx, tx)
		for _, n := range list {
			p.Numbers = append(p.Numbers, components.Option{Value: n.Number.ID.String(), Label: numberView(n.Number, ingest.Counts{}).Label()})
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
	p.Frame = s.frame(c, "usernames.ideas_title")
	p.Frame.Path = ideasPath + "?" + url.Values{"shop": {p.Shop}, "city": {p.City}}.Encode()

	return s.show(c, status, pages.UsernameIdeasPage(p))
}

// keepIdea keeps a name for a number.
func (s *Server) keepIdea(c *fiber.Ctx) error {
	id, err := uuid.Parse(field(c, "number"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m, name := c.UserContext(), member(c), usernames.Fold(field(c, "name"))
	err = s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return usernames.AddIdea(ctx, tx, m.Actor, id, name) })
	if form, ok := refilled(c, err); ok {
		for _, key := range form.Wrong {
			form.Failed = key
		}
		return s.showIdeas(c, classify(err).status, field(c, "shop"), field(c, "city"), form)
	}
	if err != nil {
		return err
	}

	return s.done(c, usernamesPath+"/"+id.String(), flash{Key: "usernames.toast_idea", Args: []any{"name", name}})
}

// watchPage lists what looks like one of the business's names, and what was found when somebody looked.
func (s *Server) watchPage(c *fiber.Ctx) error {
	return s.showWatch(c, fiber.StatusOK, c.Query("of"), pages.Filled{Values: map[string]string{"name": usernames.Fold(c.Query("name"))}})
}

func (s *Server) showWatch(c *fiber.Ctx, status int, base string, form pages.Filled) error {
	ctx, m := c.UserContext(), member(c)
	p := pages.UsernameWatch{Now: time.Now(), CanClaim: m.Can("usernames:claim"), States: usernames.WatchStates, Form: form}
	var watched []usernames.Watched
	err := s.db.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
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
			Name: w.Name, State: w.State, Note: w.Note, By: w.By, At: w.SeenAt, Reported: orZero(w.ReportedAt), Again: p.Now.Sub(w.SeenAt) > lookAgainAfter,
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
	p.Frame = s.frame(c, "usernames.watch_title")
	p.Frame.Path = watchPath + "?" + url.Values{"of": {p.Base}}.Encode()

	return s.show(c, status, pages.UsernameWatchPage(p))
}

// noteLookalike keeps what somebody found under a name.
func (s *Server) noteLookalike(c *fiber.Ctx) error {
	ctx, m, name, base := c.UserContext(), member(c), field(c, "name"), field(c, "of")
	err := s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		return usernames.Note(ctx, tx, m.Actor, name, field(c, "state"), field(c, "note"))
	})
	if form, ok := refilled(c, err, "name", "state", "note"); ok {
		return s.showWatch(c, classify(err).status, base, form)
	}
	if err != nil {
		return err
	}

	return s.done(c, watchPath+"?"+url.Values{"of": {usernames.Fold(base)}}.Encode(), flash{Key: "usernames.toast_noted", Args: []any{"name", usernames.Fold(name)}})
}
