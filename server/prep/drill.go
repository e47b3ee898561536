package prep

import (
	"context"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/training"
	"github.com/pehchan/pehchan/tenants/training/content"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	pages "github.com/pehchan/pehchan/views/prep"
)

// DrillIntroPage says what a practice chat is about, and begins it.
func (s *Pages) DrillIntroPage(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	d, ok := s.bank.Drill(c.Params("id"))
	if !ok {
		return tenants.ErrNotFound
	}
	lang := i18n.Lang(ctx)
	p := pages.DrillIntro{ID: d.ID, Title: d.Title.In(lang), Situation: d.Situation.In(lang)}
	err := s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		records, err := training.Records(ctx, tx, []uuid.UUID{m.Person.ID})
		if err != nil {
			return err
		}
		if last, tried := records[m.Person.ID].Drills[d.ID]; tried {
			p.Last, p.Passed = web.DrillPath+"/"+d.ID+"/"+last.Try.String(), last.Passed
		}
		open, err := training.Open(ctx, tx, m.Person.ID)
		for _, name := range open {
			p.Open = p.Open || name == d.ID
		}

		return err
	})
	if err != nil {
		return err
	}
	p.Frame = s.Frame(c, "training.drill")
	p.Frame.Title = p.Title

	return s.Show(c, fiber.StatusOK, pages.DrillIntroPage(p))
}

func (s *Pages) StartDrill(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	var id uuid.UUID
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
		id, err = training.StartDrill(ctx, tx, s.bank, learner(m), c.Params("id"))
		return err
	})
	if err != nil {
		return err
	}

	return c.Redirect(web.DrillPath+"/"+c.Params("id")+"/"+id.String(), fiber.StatusSeeOther)
}

func (s *Pages) DrillPage(c *fiber.Ctx) error {
	return s.showDrill(c, fiber.StatusOK, components.Filled{})
}

// showDrill is a practice chat as far as it has come. What was good or missing is told at its end.
func (s *Pages) showDrill(c *fiber.Ctx, status int, form components.Filled) error {
	ctx, m := c.UserContext(), web.Member(c)
	id, err := uuid.Parse(c.Params("try"))
	d, ok := s.bank.Drill(c.Params("id"))
	if err != nil || !ok {
		return tenants.ErrNotFound
	}
	var (
		t    training.Try
		who  string
		fill func(string) string
	)
	err = s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		if t, err = training.GetTry(ctx, tx, id, whoseWork(m)); err != nil {
			return err
		}
		if t.Drill != d.ID || !t.Finished && t.Person != m.Person.ID {
			return tenants.ErrNotFound
		}
		if t.Person != m.Person.ID {
			if who, err = colleagueName(ctx, tx, t.Person); err != nil {
				return err
			}
		}
		fill, _, err = filler(ctx, tx, time.Now())

		return err
	})
	if err != nil {
		return err
	}
	lang, variant := i18n.Lang(ctx), d.Variants[t.Variant]
	p := pages.Drill{
		Frame: s.Frame(c, "training.drill"), ID: d.ID, Try: id.String(), Title: d.Title.In(lang), Situation: d.Situation.In(lang),
		Customer: variant.Persona.Name.In(lang), Shown: variant.Persona.Shown, About: variant.Persona.About.In(lang),
		Opening: variant.Opening.Filled(lang, fill), Passed: t.Passed, Gates: t.Gates, Mine: t.Person == m.Person.ID, Who: who, Form: form,
	}
	p.Frame.Title, p.Frame.Path = p.Title, web.DrillPath+"/"+d.ID+"/"+p.Try
	for _, turn := range t.Turns {
		step, err := variant.Step(turn.Step)
		if err != nil {
			continue // it has gone from the drill since
		}
		p.Turns = append(p.Turns, turnView(ctx, step, turn, fill))
	}
	if !t.Finished {
		step, err := variant.Step(t.Step)
		if err != nil {
			return tenants.ErrNotFound
		}
		p.Step = &pages.DrillStep{Asks: step.Asks, Customer: step.Customer.Filled(lang, fill)}
		for _, choice := range step.Choices {
			p.Step.Choices = append(p.Step.Choices, pages.QuizOption{ID: choice.ID, Text: choice.Text.In(lang)})
		}
	}

	return s.Show(c, status, pages.DrillPage(p))
}

// turnView judges an answer again, in the reader's language.
func turnView(ctx context.Context, step content.Step, turn training.Turn, fill func(string) string) pages.DrillTurn {
	lang := i18n.Lang(ctx)
	r := content.Grade(step, turn.Answer)
	view := pages.DrillTurn{
		Asks: step.Asks, Customer: step.Customer.Filled(lang, fill), Answer: turn.Answer, Right: turn.Passed,
		Missing: inLang(lang, r.Missing), Said: inLang(lang, r.Said), Tone: inLang(lang, r.Tone), Took: time.Duration(turn.Seconds) * time.Second,
	}
	for _, choice := range step.Choices {
		if choice.ID == turn.Answer {
			view.Answer = choice.Text.In(lang)
		}
		if choice.Right {
			view.Model = choice.Text.In(lang)
		}
	}
	if step.Asks == content.Reply {
		view.Model, view.ModelTo = step.Model.Filled(lang, fill), step.Model.Filled(otherLang(lang), fill)
	}

	return view
}

func otherLang(lang string) string {
	if lang == i18n.Hindi {
		return i18n.English
	}

	return i18n.Hindi
}

func inLang(lang string, texts []content.Text) []string {
	var list []string
	for _, text := range texts {
		list = append(list, text.In(lang))
	}

	return list
}

// AnswerDrill judges one answer and goes on. A form that is behind the chat leads to the chat as it is.
func (s *Pages) AnswerDrill(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	id, err := uuid.Parse(c.Params("try"))
	if err != nil {
		return tenants.ErrNotFound
	}
	at, err := strconv.Atoi(web.Field(c, "at"))
	if err != nil {
		return &tenants.Invalid{Field: "at", Key: "other"}
	}
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		return training.AnswerDrill(ctx, tx, s.bank, learner(m), id, at, web.Field(c, "answer"))
	})
	if tenants.ConflictCode(err) == "drill_moved" {
		err = nil
	}
	if form, ok := web.Refilled(c, err, "answer"); ok {
		return s.showDrill(c, web.Classify(err).Status, form)
	}
	if err != nil {
		return err
	}

	return c.Redirect(web.DrillPath+"/"+c.Params("id")+"/"+id.String(), fiber.StatusSeeOther)
}
