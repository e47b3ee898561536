package prep

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/facts"
	"github.com/pehchan/pehchan/tenants/training"
	"github.com/pehchan/pehchan/tenants/training/content"
	changespages "github.com/pehchan/pehchan/views/changes"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	pages "github.com/pehchan/pehchan/views/prep"
	queuepages "github.com/pehchan/pehchan/views/queue"
)

// StartQuiz draws a quiz or a refresher, or goes on with the one begun.
func (s *Pages) StartQuiz(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	var id uuid.UUID
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
		id, err = training.StartQuiz(ctx, tx, s.bank, learner(m), web.Field(c, "kind"), time.Now())
		return err
	})
	if tenants.ConflictCode(err) != "" {
		return c.Redirect(web.LearnPath, fiber.StatusSeeOther) // which says why
	}
	if err != nil {
		return err
	}

	return c.Redirect(web.QuizPath+"/"+id.String(), fiber.StatusSeeOther)
}

func (s *Pages) QuizPage(c *fiber.Ctx) error {
	return s.showQuiz(c, fiber.StatusOK, components.Filled{})
}

// whoseWork is whose quizzes and chats a member may see: their own, or everybody's.
func whoseWork(m access.Member) uuid.UUID {
	if m.Can("training:team") {
		return uuid.Nil
	}

	return m.Person.ID
}

// showQuiz asks the questions, or tells what came of them. One that is under way is nobody's but who answers it.
func (s *Pages) showQuiz(c *fiber.Ctx, status int, form components.Filled) error {
	ctx, m, now := c.UserContext(), web.Member(c), time.Now()
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	p := pages.Quiz{ID: id.String(), Form: form}
	err = s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		q, err := training.GetQuiz(ctx, tx, id, whoseWork(m))
		if err != nil {
			return err
		}
		p.Mine = q.Person == m.Person.ID
		if !q.Finished && !p.Mine {
			return tenants.ErrNotFound
		}
		if !p.Mine {
			if p.Who, err = colleagueName(ctx, tx, q.Person); err != nil {
				return err
			}
		}
		p.Kind, p.Done, p.Score, p.Passed, p.Gates, p.Took = q.Kind, q.Finished, q.Score, q.Passed, q.Gates, q.At.Sub(q.Started)
		p.NeedRight = training.NeedRight(q.Kind)
		fill, _, err := filler(ctx, tx, now)
		if err != nil {
			return err
		}
		away, err := training.Withdrawn(ctx, tx)
		if err != nil {
			return err
		}
		asked, whole, err := training.Asked(ctx, tx, s.bank, q)
		if err != nil {
			return err
		}
		if !whole {
			return &tenants.Conflict{Code: "quiz_changed"}
		}
		for i, key := range asked {
			item, ok := s.bank.Item(key)
			if !ok {
				if q.Finished {
					continue // it has gone from the bank since
				}

				return tenants.ErrNotFound
			}
			view := questionView(ctx, item, q.Seed, fill)
			switch _, is := away[key]; {
			case !q.Finished:
				view.Away, view.Instead = is, key != q.Items[i]
			case q.Answers[i] == "":
				view.Away, view.Right = true, true
			default:
				judge(ctx, &view, item, q.Answers[i], fill)
			}
			p.Items = append(p.Items, view)
		}
		if q.Finished || q.Kind != training.KindRefresher {
			return nil
		}
		p.Changed, err = s.changedFacts(ctx, tx, m, now)

		return err
	})
	if tenants.ConflictCode(err) == "quiz_changed" {
		return s.Done(c, web.LearnPath, web.Flash{Key: "training.quiz_gone"})
	}
	if err != nil {
		return err
	}
	p.Frame = s.Frame(c, "training.quiz_title_"+p.Kind)

	return s.Show(c, status, pages.QuizPage(p))
}

// colleagueName is what somebody of the team is called; "" for who has left it.
func colleagueName(ctx context.Context, tx *tenants.Tx, person uuid.UUID) (string, error) {
	who, err := access.ColleagueBy(ctx, tx, person)
	if errors.Is(err, tenants.ErrNotFound) {
		return "", nil
	}

	return who.Name, err
}

// changedFacts are what changed since somebody last passed.
func (s *Pages) changedFacts(ctx context.Context, tx *tenants.Tx, m access.Member, now time.Time) ([]changespages.Fact, error) {
	standing, _, _, err := s.standingOf(ctx, tx, learner(m), now)
	if err != nil {
		return nil, err
	}
	var views []changespages.Fact
	for _, key := range standing.Changed {
		f, err := facts.Get(ctx, tx, key)
		if err != nil {
			return nil, err
		}
		views = append(views, web.FactView(ctx, f, now))
	}

	return views, nil
}

// questionView is a question as it is asked, without its answer.
func questionView(ctx context.Context, item content.Item, seed int64, fill func(string) string) pages.QuizItem {
	lang := i18n.Lang(ctx)
	view := pages.QuizItem{ID: item.ID, Format: item.Format, Question: item.Question.Filled(lang, fill)}
	for _, o := range training.Shuffled(item, seed) {
		view.Options = append(view.Options, pages.QuizOption{ID: o.ID, Text: o.Text.Filled(lang, fill)})
	}
	for _, line := range item.Chat {
		view.Chat = append(view.Chat, pages.QuizLine{Who: line.Who, Text: line.Text.Filled(lang, fill)})
	}
	if item.Card != nil {
		view.Card = cardView(ctx, *item.Card)
	}

	return view
}

// cardView is a made-up case as the page for deciding would show it.
func cardView(ctx context.Context, card content.Card) *pages.QuizCard {
	lang := i18n.Lang(ctx)
	view := &pages.QuizCard{Who: card.Who.Name.In(lang), Might: card.Might.Name.In(lang)}
	for _, sign := range card.Signs {
		view.Reasons = append(view.Reasons, queuepages.Because{Tier: sign.Tier, Text: sign.Text.In(lang)})
	}
	for _, against := range card.Against {
		view.Against = append(view.Against, against.In(lang))
	}
	handle := func(p content.Person) string {
		if p.Username == "" {
			return ""
		}

		return "@" + p.Username
	}
	for _, row := range []struct{ label, mine, theirs string }{
		{"name", card.Who.Name.In(lang), card.Might.Name.In(lang)},
		{"username", handle(card.Who), handle(card.Might)},
		{"phone", card.Who.Phone, card.Might.Phone},
		{"whatsapp_id", card.Who.WhatsAppID, card.Might.WhatsAppID},
		{"wrote", card.Who.Said.In(lang), card.Might.Said.In(lang)},
	} {
		if row.mine == "" && row.theirs == "" {
			continue
		}
		known := row.mine != "" && row.theirs != "" && row.label != "wrote"
		same := known && strings.EqualFold(row.mine, row.theirs)
		view.Compared = append(view.Compared, queuepages.Compared{Label: row.label, Mine: row.mine, Theirs: row.theirs, Same: same, Differ: known && !same})
	}

	return view
}

// judge adds to a question what was answered, and what would have been right.
func judge(ctx context.Context, view *pages.QuizItem, item content.Item, answer string, fill func(string) string) {
	lang := i18n.Lang(ctx)
	view.Answer = answer
	view.Right, view.Gate = item.Answered(strings.Fields(answer)...)
	view.Explanation = item.Explanation.Filled(lang, fill)
	texts := map[string]string{}
	for i, shown := range view.Options {
		for _, o := range item.Options {
			if o.ID == shown.ID {
				view.Options[i].Right, view.Options[i].Why = o.Right, o.Why.Filled(lang, fill)
				texts[o.ID] = shown.Text
			}
		}
	}
	for _, id := range item.Order {
		view.Order = append(view.Order, texts[id])
	}
}

// FinishQuiz judges the answers. What is missing comes back with all that was answered.
func (s *Pages) FinishQuiz(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	var names []string
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		q, err := training.GetQuiz(ctx, tx, id, m.Person.ID)
		if err != nil {
			return err
		}
		asked, _, err := training.Asked(ctx, tx, s.bank, q)
		if err != nil {
			return err
		}
		answers := map[string]string{}
		for _, key := range asked {
			item, _ := s.bank.Item(key)
			name := "a_" + key
			if item.Format != content.Order {
				names, answers[key] = append(names, name), web.Field(c, name)
				continue
			}
			var order []string
			for n := range item.Options {
				place := name + "_" + strconv.Itoa(n+1)
				names, order = append(names, place), append(order, web.Field(c, place))
			}
			answers[key] = strings.Join(order, " ")
		}
		_, err = training.FinishQuiz(ctx, tx, s.bank, learner(m), id, answers, i18n.Lang(ctx))

		return err
	})
	var invalid *tenants.Invalid
	if errors.As(err, &invalid) {
		form, _ := web.Refilled(c, err, names...)
		if form.Failed = "unanswered_some"; invalid.Key == "step_twice" {
			form.Failed = invalid.Key
		}
		if c.Get("HX-Request") != "" {
			c.Set("HX-Retarget", queuepages.CaseTarget)
			c.Set("HX-Push-Url", "false")
		}

		return s.showQuiz(c, web.Classify(err).Status, form)
	}
	if tenants.ConflictCode(err) == "quiz_changed" {
		return s.Done(c, web.LearnPath, web.Flash{Key: "training.quiz_gone"})
	}
	if err != nil && tenants.ConflictCode(err) != "quiz_finished" {
		return err
	}

	return c.Redirect(web.QuizPath+"/"+id.String(), fiber.StatusSeeOther)
}
