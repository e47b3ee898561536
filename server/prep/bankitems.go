package prep

import (
	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/training"
	"github.com/pehchan/pehchan/tenants/training/content"
	"github.com/pehchan/pehchan/views/i18n"
	pages "github.com/pehchan/pehchan/views/prep"
)

// ItemsPage tells how the questions do in this business.
func (s *Pages) ItemsPage(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	var counts []training.Answered
	err := s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
		counts, err = training.Counts(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}

	return s.showItems(c, web.PrepPath, counts)
}

// OpItemsPage tells how the questions do in all businesses together. No business and no person is told of.
func (s *Pages) OpItemsPage(c *fiber.Ctx) error {
	ctx := c.UserContext()
	var counts []training.Answered
	err := s.DB.System(ctx, func(tx *tenants.Tx) (err error) {
		counts, err = training.Counts(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}

	return s.showItems(c, web.OpFactsPath, counts)
}

// showItems draws how questions do, with answers as counted.
func (s *Pages) showItems(c *fiber.Ctx, back string, counts []training.Answered) error {
	lang := i18n.Lang(c.UserContext())
	p := pages.BankItems{Frame: s.Frame(c, "training.items"), Back: back, Few: training.FewAnswers}
	for _, f := range training.Statistics(s.bank, counts) {
		view := pages.ItemFigures{
			ID: f.Item.ID, Question: f.Item.Question.In(lang), Domain: f.Item.Domain, N: f.N, Difficulty: f.Difficulty, Discrimination: f.Discrimination,
			Gap: f.Gap, EN: f.ByLang[i18n.English], HI: f.ByLang[i18n.Hindi],
		}
		for _, o := range f.Item.Options {
			if f.Item.Format != content.Order {
				view.Options = append(view.Options, pages.OptionFigures{Text: o.Text.In(lang), Right: o.Right, N: f.Chosen[o.ID]})
			}
		}
		p.Items = append(p.Items, view)
	}

	return s.Show(c, fiber.StatusOK, pages.BankItemsPage(p))
}
