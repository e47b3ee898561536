package prep

import (
	"context"
	"slices"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/training"
	"github.com/pehchan/pehchan/tenants/training/content"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	pages "github.com/pehchan/pehchan/views/prep"
)

// ItemsPage tells how the questions do in this business.
func (s *Pages) ItemsPage(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	var counts []training.Answered
	var away map[string]training.ItemAct
	err := s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
		if counts, err = training.Counts(ctx, tx); err == nil {
			away, err = training.Withdrawn(ctx, tx)
		}
		return err
	})
	if err != nil {
		return err
	}

	return s.showItems(c, pages.BankItems{Back: web.PrepPath}, counts, away)
}

// OpItemsPage tells how the questions do in all businesses together, which are taken back, and leads to each. No business and no person
// is told of.
func (s *Pages) OpItemsPage(c *fiber.Ctx) error {
	ctx, lang := c.UserContext(), i18n.Lang(c.UserContext())
	var counts []training.Answered
	var away map[string]training.ItemAct
	err := s.DB.System(ctx, func(tx *tenants.Tx) (err error) {
		if counts, err = training.Counts(ctx, tx); err == nil {
			away, err = training.Withdrawn(ctx, tx)
		}
		return err
	})
	if err != nil {
		return err
	}
	p := pages.BankItems{Back: web.OpFactsPath, Operator: true}
	for _, item := range s.bank.Items {
		link := pages.ItemLink{ID: item.ID, Question: item.Question.In(lang)}
		act, is := away[item.ID]
		switch {
		case is:
			link.Reason, link.By, link.At = act.Reason, act.By, act.At
			p.Away = append(p.Away, link)
		case !slices.ContainsFunc(counts, func(a training.Answered) bool { return a.Item == item.ID }):
			p.Unanswered = append(p.Unanswered, link)
		}
	}

	return s.showItems(c, p, counts, away)
}

// showItems draws how questions do that are not away, with answers as counted.
func (s *Pages) showItems(c *fiber.Ctx, p pages.BankItems, counts []training.Answered, away map[string]training.ItemAct) error {
	p.Frame, p.Few = s.Frame(c, "training.items"), training.FewAnswers
	for _, f := range training.Statistics(s.bank, away, counts) {
		p.Items = append(p.Items, figuresView(c.UserContext(), f))
	}

	return s.Show(c, fiber.StatusOK, pages.BankItemsPage(p))
}

func figuresView(ctx context.Context, f training.Figures) pages.ItemFigures {
	lang := i18n.Lang(ctx)
	view := pages.ItemFigures{
		ID: f.Item.ID, Question: f.Item.Question.In(lang), Domain: f.Item.Domain, N: f.N, Difficulty: f.Difficulty, Discrimination: f.Discrimination,
		Gap: f.Gap, EN: f.ByLang[i18n.English], HI: f.ByLang[i18n.Hindi],
	}
	for _, o := range f.Item.Options {
		if f.Item.Format != content.Order {
			view.Options = append(view.Options, pages.OptionFigures{Text: o.Text.In(lang), Right: o.Right, N: f.Chosen[o.ID]})
		}
	}

	return view
}

// OpItemPage shows one question in both languages, how it does, and what operators did to it.
func (s *Pages) OpItemPage(c *fiber.Ctx) error {
	return s.showItem(c, fiber.StatusOK, components.Filled{})
}

func (s *Pages) showItem(c *fiber.Ctx, status int, form components.Filled) error {
	ctx := c.UserContext()
	item, ok := s.bank.Item(c.Params("id"))
	if !ok {
		return tenants.ErrNotFound
	}
	p := pages.BankItem{ID: item.ID, CanWrite: web.Member(c).Can("op:write"), Form: form}
	err := s.DB.System(ctx, func(tx *tenants.Tx) error {
		counts, err := training.Counts(ctx, tx)
		if err != nil {
			return err
		}
		p.Figures = figuresView(ctx, training.FiguresOf(item, counts))
		acts, err := training.ItemActs(ctx, tx, item.ID)
		for _, act := range acts {
			p.Acts = append(p.Acts, pages.ItemAct{Did: act.Did, Reason: act.Reason, By: act.By, At: act.At})
		}
		if len(acts) > 0 {
			p.Version, p.Away = acts[0].Version, acts[0].Did == training.Withdraw
		}

		return err
	})
	if err != nil {
		return err
	}
	for _, lang := range []string{i18n.English, i18n.Hindi} {
		text := pages.ItemText{Lang: lang, Question: item.Question.In(lang), Explanation: item.Explanation.In(lang)}
		for _, o := range item.Options {
			text.Options = append(text.Options, pages.OptionFigures{Text: o.Text.In(lang), Right: o.Right})
		}
		p.Texts = append(p.Texts, text)
	}
	p.Frame = s.Frame(c, "training.item")
	p.Frame.Path = web.OpItemsPath + "/" + item.ID

	return s.Show(c, status, pages.BankItemPage(p))
}

// ActOnItem takes a question back for all businesses, or brings it back.
func (s *Pages) ActOnItem(c *fiber.Ctx) error {
	ctx, m, did := c.UserContext(), web.Member(c), web.Field(c, "do")
	version, err := strconv.Atoi(web.Field(c, "version"))
	if err != nil {
		version = -1 // refused as out of date
	}
	err = s.DB.System(ctx, func(tx *tenants.Tx) error {
		return training.ActOnItem(ctx, tx, m.Actor, s.bank, c.Params("id"), did, web.Field(c, "reason"), version)
	})
	if form, ok := web.Refilled(c, err, "reason"); ok {
		return s.showItem(c, web.Classify(err).Status, form)
	}
	if err != nil {
		return err
	}

	return s.Done(c, web.OpItemsPath+"/"+c.Params("id"), web.Flash{Key: "training.item_did_" + did})
}
