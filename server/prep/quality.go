package prep

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/answers"
	"github.com/pehchan/pehchan/tenants/reports"
	"github.com/pehchan/pehchan/tenants/training"
	"github.com/pehchan/pehchan/tenants/training/content"
	answerspages "github.com/pehchan/pehchan/views/answers"
	"github.com/pehchan/pehchan/views/i18n"
	pages "github.com/pehchan/pehchan/views/prep"
)

const (
	mostGaps    = 5 // questions without a card that are shown
	mostDoubted = 5 // cards that did not help
)

// QualityPage tells how well the team answers: of single people to those who lead, and to everybody of themselves.
func (s *Pages) QualityPage(c *fiber.Ctx) error {
	ctx, m, now := c.UserContext(), web.Member(c), time.Now()
	p := pages.Quality{Few: reports.FewDecisions, CanTeam: m.Can("training:team"), CanAsked: m.Can("questions:read")}
	from, err := web.From(c, "from")
	if err != nil {
		return err
	}
	err = s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		q, err := reports.Assess(ctx, tx, now, m.Tenant.Location())
		if err != nil {
			return err
		}
		agreed, err := reports.Agree(ctx, tx, s.gold(), now, m.Tenant.Location())
		if err != nil {
			return err
		}
		p.Agreed = agreementView(agreed.All)
		p.Empty, p.All, p.Helpful, p.Unhelpful = q.Empty(), workView(q.All), q.Helpful, q.Unhelpful
		for _, w := range q.Weeks {
			year, month, day := w.From.Date()
			p.Weeks = append(p.Weeks, pages.WorkWeek{From: time.Date(year, month, day, 0, 0, 0, 0, time.UTC), Questions: w.Questions, Macros: w.Macros, Work: workView(w.Work)})
		}
		if mine, did := q.People[m.Person.ID.String()]; did || training.Learns(m.Role) {
			own, with := workView(mine), agreementView(agreed.People[m.Person.ID.String()])
			p.Mine, p.MyAgreement = &own, with
		}
		if p.CanTeam {
			team, err := access.Team(ctx, tx)
			if err != nil {
				return err
			}
			team = slices.DeleteFunc(team, func(one access.Colleague) bool {
				_, did := q.People[one.ID.String()]
				_, judged := agreed.People[one.ID.String()]

				return !did && !judged
			})
			for _, one := range team[min(from, len(team)):min(from+pupilsShown, len(team))] {
				id := one.ID.String()
				p.People = append(p.People, pages.Worker{
					ID: id, Name: one.Name, Role: one.Role, Work: workView(q.People[id]), Agreement: agreementView(agreed.People[id]),
				})
			}
			if from+pupilsShown < len(team) {
				p.Next = web.PrepPath + "/quality?from=" + strconv.Itoa(from+pupilsShown)
			}
		}

		return fillAnswerQuality(ctx, tx, q, now, &p)
	})
	if err != nil {
		return err
	}
	p.Frame = s.Frame(c, "quality.title")

	return s.Show(c, fiber.StatusOK, pages.QualityPage(p))
}

// ExportQuality gives out the charts of how well a team answers, week by week: the whole team's, and nobody's by name.
func (s *Pages) ExportQuality(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	var q reports.Quality
	err := s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
		q, err = reports.Assess(ctx, tx, time.Now(), m.Tenant.Location())
		return err
	})
	if err != nil {
		return err
	}
	lines := [][]string{{
		i18n.T(ctx, "quality.week"), i18n.T(ctx, "quality.col_answers"), i18n.T(ctx, "adoption.csv_half"), i18n.T(ctx, "adoption.csv_most"),
		i18n.T(ctx, "quality.col_asked"), i18n.T(ctx, "quality.col_macros"), i18n.T(ctx, "quality.col_quizzes"), i18n.T(ctx, "quality.col_quiz"),
		i18n.T(ctx, "quality.csv_of"), i18n.T(ctx, "quality.col_drill"), i18n.T(ctx, "quality.csv_of"),
	}}
	for _, w := range q.Weeks {
		lines = append(lines, web.Figures(w.From.Format(time.DateOnly), w.Answers, int64(w.Half), int64(w.Most), w.Questions, w.Macros,
			w.Quizzes, w.Right, w.Asked, w.Passed, w.Drills))
	}

	return web.ShowCSV(c, "pehchan-quality.csv", lines)
}

// fillAnswerQuality adds which cards and macros are used, and what no card answers.
func fillAnswerQuality(ctx context.Context, tx *tenants.Tx, q reports.Quality, now time.Time, p *pages.Quality) error {
	lang := i18n.Lang(ctx)
	cards, _, err := answers.Library(ctx, tx, now)
	if err != nil {
		return err
	}
	for _, card := range cards {
		if card.Unhelpful > 0 {
			p.Doubted = append(p.Doubted, pages.CardVotes{Key: card.Key, Title: card.Question.In(lang), Helpful: card.Helpful, Unhelpful: card.Unhelpful})
		}
	}
	slices.SortStableFunc(p.Doubted, func(a, b pages.CardVotes) int { return cmp.Compare(b.Unhelpful-b.Helpful, a.Unhelpful-a.Helpful) })
	p.Doubted = p.Doubted[:min(mostDoubted, len(p.Doubted))]
	macros, err := answers.Macros(ctx, tx, now)
	if err != nil {
		return err
	}
	for _, used := range q.Macros {
		if at := slices.IndexFunc(macros, func(m answers.Macro) bool { return m.Key == used.Key }); at >= 0 {
			p.Macros = append(p.Macros, pages.MacroUse{Title: macros[at].Title.In(lang), N: used.N})
		}
	}
	if !p.CanAsked {
		return nil
	}
	groups, err := answers.Groups(ctx, tx, now)
	for _, g := range groups {
		if g.Card != "" {
			continue
		}
		if p.Open++; len(p.Asked) < mostGaps {
			p.Asked = append(p.Asked, answerspages.QuestionGroup{ID: g.ID.String(), Text: g.Latest[0].Text, Count: g.Count, Last: g.Latest[0].At})
		}
	}

	return err
}

// gold are the questions of the bank that show two customers and ask whether they are one: the answer is known.
func (s *Pages) gold() (ids []string) {
	for _, item := range s.bank.Items {
		if item.Format == content.Same {
			ids = append(ids, item.ID)
		}
	}

	return ids
}

func agreementView(a reports.Agreement) pages.Agreement {
	return pages.Agreement{Gold: a.Gold, Right: a.Right, Looked: a.Looked, Alike: a.Alike}
}

func workView(w reports.Work) pages.Work {
	span := func(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }

	return pages.Work{
		Answers: w.Answers, Half: span(w.Half), Most: span(w.Most), Quizzes: w.Quizzes, Right: w.Right, Asked: w.Asked, Drills: w.Drills, Passed: w.Passed,
		Decided: w.Decided, Undone: w.Undone,
	}
}
