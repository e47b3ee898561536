package prep

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/facts"
	"github.com/pehchan/pehchan/tenants/training"
	"github.com/pehchan/pehchan/tenants/training/content"
	"github.com/pehchan/pehchan/views/i18n"
	pages "github.com/pehchan/pehchan/views/prep"
)

func learner(m access.Member) training.Learner {
	return training.Learner{ID: m.Person.ID, Role: m.Role, Actor: m.Actor}
}

// standingOf is how ready somebody is, and what they have done.
func (s *Pages) standingOf(ctx context.Context, tx *tenants.Tx, who training.Learner, now time.Time) (training.Standing, training.Record, map[string]int64, error) {
	news, err := facts.LastNews(ctx, tx)
	if err != nil {
		return training.Standing{}, training.Record{}, nil, err
	}
	records, err := training.Records(ctx, tx, []uuid.UUID{who.ID})
	if err != nil {
		return training.Standing{}, training.Record{}, nil, err
	}

	return training.Judge(s.bank, who.Role, records[who.ID], news, now), records[who.ID], news, nil
}

// lessonsOf are the lessons of m's role; all of them for who reads without learning.
func (s *Pages) lessonsOf(m access.Member) []content.Lesson {
	if !m.Can("training:learn") {
		return s.bank.Lessons
	}

	return training.Lessons(s.bank, m.Role)
}

// LearnPage tells somebody how ready they are and what comes next.
func (s *Pages) LearnPage(c *fiber.Ctx) error {
	ctx, m, now := c.UserContext(), web.Member(c), time.Now()
	p := pages.Learn{Now: now, CanLearn: m.Can("training:learn"), Practises: training.Practises(m.Role), Needed: min(training.DrillsNeeded, len(s.bank.Drills)), Kind: training.KindQuiz}
	err := s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		standing, record, news, err := s.standingOf(ctx, tx, learner(m), now)
		if err != nil {
			return err
		}
		known, err := s.factTitles(ctx, tx)
		if err != nil {
			return err
		}
		p.Standing, p.Practised = s.standingView(ctx, standing, known), standing.Practised
		if !standing.NeedsQuiz() {
			p.Kind, p.Due = training.KindRefresher, standing.Refresher
		}
		if n := len(record.Quizzes); n > 0 {
			last := record.Quizzes[n-1]
			p.Last, p.LastScore, p.LastOf, p.LastAt = web.QuizPath+"/"+last.ID.String(), last.Score, last.Of, last.At
		}
		if p.Wait, _, err = training.Wait(ctx, tx, m.Person.ID); err != nil {
			return err
		}
		for _, l := range s.lessonsOf(m) {
			p.Lessons = append(p.Lessons, pages.LessonLine{ID: l.ID, Title: l.Title.In(i18n.Lang(ctx)), Minutes: l.Minutes, State: record.Lesson(l, news)})
		}
		open, err := training.Open(ctx, tx, m.Person.ID)
		if err != nil {
			return err
		}
		p.Open = slices.Contains(open, p.Kind)
		for _, d := range s.bank.Drills {
			state := record.Drill(d, news)
			if slices.Contains(open, d.ID) {
				state = "open"
			}
			p.Drills = append(p.Drills, pages.DrillLine{ID: d.ID, Title: d.Title.In(i18n.Lang(ctx)), State: state})
		}

		return nil
	})
	if err != nil {
		return err
	}
	p.Frame = s.Frame(c, "training.learn")

	return s.Show(c, fiber.StatusOK, pages.LearnPage(p))
}

// factTitles are what the facts of the ledger are called, by key.
func (s *Pages) factTitles(ctx context.Context, tx *tenants.Tx) (map[string]string, error) {
	list, err := facts.Current(ctx, tx)
	if err != nil {
		return nil, err
	}
	titles := map[string]string{}
	for _, f := range list {
		if titles[f.Key] = f.Title(i18n.Lang(ctx)); titles[f.Key] == "" {
			titles[f.Key] = f.Text(i18n.Lang(ctx))
		}
	}

	return titles, nil
}

const factsNamed = 3 // in a reason

func (s *Pages) standingView(ctx context.Context, standing training.Standing, titles map[string]string) pages.Standing {
	view := pages.Standing{State: standing.State}
	for _, r := range standing.Reasons {
		why := pages.Why{Code: r.Code, Gate: r.Gate, N: r.N, Of: r.Of, At: r.At}
		for _, key := range r.Facts[:min(len(r.Facts), factsNamed)] {
			why.Facts = append(why.Facts, titles[key])
		}
		if d, ok := s.bank.Drill(r.Drill); ok {
			why.Drill = d.Title.In(i18n.Lang(ctx))
		}
		view.Why = append(view.Why, why)
	}

	return view
}

// filler fills the placeholders of a text with what the ledger says; what needs checking is marked as such.
func filler(ctx context.Context, tx *tenants.Tx, now time.Time) (fill func(key string) string, stale func(keys []string) bool, err error) {
	list, err := facts.Current(ctx, tx)
	if err != nil {
		return nil, nil, err
	}
	known := map[string]facts.Fact{}
	for _, f := range list {
		known[f.Key] = f
	}
	fill = func(key string) string {
		f := known[key]
		if f.Stale(now) {
			return i18n.T(ctx, "training.fact_stale", "fact", f.Text(i18n.Lang(ctx)))
		}

		return f.Text(i18n.Lang(ctx))
	}
	stale = func(keys []string) bool {
		return slices.ContainsFunc(keys, func(key string) bool { return known[key].Stale(now) })
	}

	return fill, stale, nil
}

// LessonPage is one lesson of the reader's role, or any for who reads without learning.
func (s *Pages) LessonPage(c *fiber.Ctx) error {
	ctx, m, now := c.UserContext(), web.Member(c), time.Now()
	l, ok := s.bank.Lesson(c.Params("lesson"))
	if !ok || m.Can("training:learn") && !slices.Contains(l.Roles, m.Role) {
		return tenants.ErrNotFound
	}
	p := pages.Lesson{CanLearn: m.Can("training:learn"), ID: l.ID, Title: l.Title.In(i18n.Lang(ctx)), Minutes: l.Minutes}
	err := s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		seq, err := facts.Newest(ctx, tx)
		if err != nil {
			return err
		}
		p.Seq = strconv.FormatInt(seq, 10)
		_, record, news, err := s.standingOf(ctx, tx, learner(m), now)
		if err != nil {
			return err
		}
		p.State = record.Lesson(l, news)
		fill, stale, err := filler(ctx, tx, now)
		if err != nil {
			return err
		}
		p.Stale = stale(l.Facts)
		for _, paragraph := range l.Body {
			p.Body = append(p.Body, paragraph.Filled(i18n.Lang(ctx), fill))
		}

		return nil
	})
	if err != nil {
		return err
	}
	p.Frame = s.Frame(c, "training.learn")
	p.Frame.Title = p.Title

	return s.Show(c, fiber.StatusOK, pages.LessonPage(p))
}

// MarkLessonRead notes a lesson as read, and leads on to the next.
func (s *Pages) MarkLessonRead(c *fiber.Ctx) error {
	seq, err := strconv.ParseInt(web.Field(c, "seq"), 10, 64)
	if err != nil || seq < 0 {
		return &tenants.Invalid{Field: "seq", Key: "other"}
	}
	ctx, m := c.UserContext(), web.Member(c)
	next := web.LearnPath
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		if err := training.MarkRead(ctx, tx, s.bank, learner(m), c.Params("lesson"), seq); err != nil {
			return err
		}
		_, record, news, err := s.standingOf(ctx, tx, learner(m), time.Now())
		for _, l := range training.Lessons(s.bank, m.Role) {
			if record.Lesson(l, news) != "read" {
				next = web.LearnPath + "/" + l.ID
				break
			}
		}

		return err
	})
	if err != nil {
		return err
	}

	return s.Done(c, next, web.Flash{Key: "training.noted"})
}
