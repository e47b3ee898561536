package training_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/facts"
	"github.com/pehchan/pehchan/tenants/testdb"
	"github.com/pehchan/pehchan/tenants/training"
	"github.com/pehchan/pehchan/tenants/training/content"
)

// school is a database with two businesses, the ledger and the bank.
type school struct {
	*testdb.Database
	t              *testing.T
	bank           *content.Bank
	clinic, motors tenants.Tenant
	meera          training.Learner // an agent of the clinic
	ravi           training.Learner // the owner of the other business
}

func newSchool(t *testing.T) *school {
	t.Helper()
	bank, err := content.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	s := &school{Database: testdb.New(t), t: t, bank: bank}
	if err := facts.Seed(t.Context(), s.DB); err != nil {
		t.Fatal(err)
	}
	s.clinic, _ = s.business("asha-clinic")
	s.motors, s.ravi = s.business("ravi-motors")
	id, err := access.AddMember(t.Context(), s.DB, s.clinic.ID, access.Command("test"), someone("meera"), access.Agent)
	if err != nil {
		t.Fatal(err)
	}
	s.meera = learner(id, access.Agent, "Meera")

	return s
}

func someone(name string) access.NewPerson {
	return access.NewPerson{Email: name + "@pehchan.example", Name: name, Password: "lotus-river-42-monsoon"}
}

func learner(id uuid.UUID, role, name string) training.Learner {
	return training.Learner{ID: id, Role: role, Actor: tenants.Actor{Kind: "person", ID: id.String(), Name: name}}
}

func (s *school) business(slug string) (tenants.Tenant, training.Learner) {
	s.t.Helper()
	tenant, err := access.AddTenant(s.t.Context(), s.DB, access.Command("test"), access.NewTenant{Slug: slug, Name: slug, Owner: someone(slug)})
	if err != nil {
		s.t.Fatal(err)
	}
	var owner uuid.UUID
	s.in(tenant, func(ctx context.Context, tx *tenants.Tx) error {
		return tx.GetContext(ctx, &owner, `SELECT person_id FROM memberships WHERE tenant_id = $1`, tx.Tenant)
	})

	return tenant, learner(owner, access.Owner, slug)
}

func (s *school) try(tenant tenants.Tenant, fn func(ctx context.Context, tx *tenants.Tx) error) error {
	return s.DB.As(s.t.Context(), tenant.ID, func(tx *tenants.Tx) error { return fn(s.t.Context(), tx) })
}

func (s *school) in(tenant tenants.Tenant, fn func(ctx context.Context, tx *tenants.Tx) error) {
	s.t.Helper()
	if err := s.try(tenant, fn); err != nil {
		s.t.Fatal(err)
	}
}

// later has everything of the clinic have happened so much earlier.
func (s *school) later(by time.Duration) {
	s.t.Helper()
	s.in(s.clinic, func(ctx context.Context, tx *tenants.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE quizzes SET started_at = started_at - make_interval(secs => $2), finished_at = finished_at - make_interval(secs => $2)
			WHERE tenant_id = $1`, tx.Tenant, by.Seconds())
		return err
	})
}

func (s *school) standing(who training.Learner) (st training.Standing) {
	s.t.Helper()
	s.in(s.clinic, func(ctx context.Context, tx *tenants.Tx) error {
		news, err := facts.LastNews(ctx, tx)
		if err != nil {
			return err
		}
		records, err := training.Records(ctx, tx, []uuid.UUID{who.ID})
		st = training.Judge(s.bank, who.Role, records[who.ID], news, time.Now())

		return err
	})

	return st
}

func codes(st training.Standing) string {
	var list []string
	for _, r := range st.Reasons {
		list = append(list, r.Code)
	}

	return strings.Join(list, " ")
}

func (s *school) wants(state, reasons string) {
	s.t.Helper()
	if st := s.standing(s.meera); st.State != state || codes(st) != reasons {
		s.t.Errorf("got %s (%s), want %s (%s)", st.State, codes(st), state, reasons)
	}
}

// learn has Meera read all lessons.
func (s *school) learn() {
	s.t.Helper()
	s.in(s.clinic, func(ctx context.Context, tx *tenants.Tx) error {
		for _, l := range training.Lessons(s.bank, s.meera.Role) {
			if err := training.MarkRead(ctx, tx, s.bank, s.meera, l.ID, 1<<40); err != nil {
				return err
			}
		}

		return nil
	})
}

func (s *school) start(kind string) (id uuid.UUID, err error) {
	err = s.try(s.clinic, func(ctx context.Context, tx *tenants.Tx) (err error) {
		id, err = training.StartQuiz(ctx, tx, s.bank, s.meera, kind, time.Now())
		return err
	})

	return id, err
}

// sit has Meera begin a quiz and answer it, so many questions wrongly; gate picks an answer that breaks one, where a question has one.
func (s *school) sit(kind string, wrong int, gate bool) training.Quiz {
	s.t.Helper()
	id, err := s.start(kind)
	if err != nil {
		s.t.Fatalf("start %s: %v", kind, err)
	}
	var q training.Quiz
	s.in(s.clinic, func(ctx context.Context, tx *tenants.Tx) (err error) {
		if q, err = training.GetQuiz(ctx, tx, id, s.meera.ID); err != nil {
			return err
		}
		answers := map[string]string{}
		for _, key := range q.Items {
			item, _ := s.bank.Item(key)
			answers[key] = answer(item, wrong > 0, gate)
			if right, broken := item.Answered(strings.Fields(answers[key])...); !right {
				wrong--
				gate = gate && broken == ""
			}
		}
		q, err = training.FinishQuiz(ctx, tx, s.bank, s.meera, id, answers, "hi")

		return err
	})

	return q
}

// answer is a right one, a wrong one that breaks no gate, or one that does.
func answer(item content.Item, wrong, gate bool) string {
	for _, o := range item.Options {
		if gate && o.Gate != "" || !gate && wrong && !o.Right && o.Gate == "" && item.Format != content.Order {
			return o.ID
		}
	}
	if item.Format == content.Order {
		return strings.Join(item.Order, " ")
	}
	for _, o := range item.Options {
		if o.Right {
			return o.ID
		}
	}

	return ""
}

// drill has Meera pass a practice chat, or break it with a dangerous answer.
func (s *school) drill(d content.Drill, dangerous bool) {
	s.t.Helper()
	s.in(s.clinic, func(ctx context.Context, tx *tenants.Tx) error {
		id, err := training.StartDrill(ctx, tx, s.bank, s.meera, d.ID)
		if err != nil {
			return err
		}
		for at := 0; ; at++ {
			try, err := training.GetTry(ctx, tx, id, s.meera.ID)
			if err != nil || try.Finished {
				return err
			}
			step, err := d.Variants[try.Variant].Step(try.Step)
			if err != nil {
				return err
			}
			said := step.Model.HI
			if dangerous && len(step.Dangerous) > 0 {
				said = step.Dangerous[0].Answer.HI
			}
			for _, c := range step.Choices {
				if c.Right {
					said = c.ID
				}
			}
			if err := training.AnswerDrill(ctx, tx, s.bank, s.meera, id, at, said); err != nil {
				return err
			}
		}
	})
}

func (s *school) practise() {
	s.t.Helper()
	for _, d := range s.bank.Drills[:min(training.DrillsNeeded, len(s.bank.Drills))] {
		s.drill(d, false)
	}
}

func (s *school) edit(key string) {
	s.t.Helper()
	omar := tenants.Actor{Kind: "operator", ID: "7a0b5f0e-0000-4000-8000-000000000001", Name: "Omar"}
	err := s.DB.System(s.t.Context(), func(tx *tenants.Tx) error {
		f, err := facts.Get(s.t.Context(), tx, key)
		if err != nil {
			return err
		}
		change := f.Content
		change.TextEN += " It has changed."
		_, err = facts.Edit(s.t.Context(), tx, omar, facts.Change{Key: key, Version: f.Version, Content: change}, time.Now())

		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func TestFromNothingToReadyAndBack(t *testing.T) {
	t.Parallel()
	s := newSchool(t)
	s.wants(training.NotReady, "quiz_none lessons drills")
	s.learn()
	s.wants(training.NotReady, "quiz_none drills")

	if q := s.sit(training.KindQuiz, 2, false); q.Passed || q.Score != training.QuizItems-2 {
		t.Errorf("two wrong of ten: got %d, passed %v; want 8, not passed", q.Score, q.Passed)
	}
	s.wants(training.NotReady, "quiz_failed drills")
	if _, err := s.start(training.KindQuiz); tenants.ConflictCode(err) != "quiz_wait" {
		t.Errorf("again at once: got %v, want a wait", err)
	}
	if _, err := s.start(training.KindRefresher); tenants.ConflictCode(err) != "quiz_first" {
		t.Errorf("a refresher of nothing: got %v", err)
	}
	s.later(training.RetryAfter)
	first := s.sit(training.KindQuiz, 1, false)
	if !first.Passed || first.Score != training.QuizItems-1 {
		t.Errorf("one wrong of ten: got %d, passed %v; want 9, passed", first.Score, first.Passed)
	}
	s.wants(training.NotReady, "drills")
	s.practise()
	s.wants(training.Ready, "")

	// Three days on a refresher is due, and it moves the next on.
	s.later(72 * time.Hour)
	s.wants(training.Due, "refresher")
	if q := s.sit(training.KindRefresher, 2, false); q.Passed || q.Form == first.Form || len(q.Items) != training.RefresherItems {
		t.Errorf("got %+v, want five questions of another form, not passed", q.Result)
	}
	s.wants(training.Due, "refresher_failed")
	s.later(training.RetryAfter)
	if q := s.sit(training.KindRefresher, 1, false); !q.Passed {
		t.Errorf("four of five: not passed")
	}
	s.wants(training.Ready, "")
	s.later(8 * 24 * time.Hour)
	s.wants(training.Due, "refresher")
}

// Whoever breaks a gate is not ready whatever the score, until a whole quiz is passed.
func TestAGateOutweighsTheScore(t *testing.T) {
	t.Parallel()
	s := newSchool(t)
	s.learn()
	s.practise()
	if q := s.sit(training.KindQuiz, 0, true); q.Passed || q.Score != training.QuizItems-1 || q.Gate == "" && len(q.Gates) == 0 {
		t.Errorf("got %d right, gates %v, passed %v; want nine right and not passed", q.Score, q.Gates, q.Passed)
	}
	s.wants(training.NotReady, "gate")
	s.later(training.RetryAfter)
	s.sit(training.KindQuiz, 0, false)
	s.wants(training.Ready, "")

	s.drill(s.bank.Drills[0], true)
	if st := s.standing(s.meera); st.State != training.NotReady || !strings.HasPrefix(codes(st), training.WhyPracticeGate) {
		t.Errorf("a gate broken in practice: got %s (%s)", st.State, codes(st))
	}
	s.drill(s.bank.Drills[0], false)
	s.wants(training.Ready, "")
}

// A pass belongs to the facts as they were: a change re-opens it, and retires the questions that rest on the old wording.
func TestAChangedFactReopens(t *testing.T) {
	t.Parallel()
	s := newSchool(t)
	s.learn()
	s.practise()
	s.sit(training.KindQuiz, 0, false)
	s.wants(training.Ready, "")
	s.edit("documents.pricing") // nobody is asked about it
	s.wants(training.Ready, "")

	key := asked(s.bank)
	s.edit(key)
	st := s.standing(s.meera)
	if st.State == training.Ready || !slices.Equal(st.Changed, []string{key}) {
		t.Fatalf("got %s, changed %v; want %s to re-open it", st.State, st.Changed, key)
	}
	q := s.sit(training.KindRefresher, 0, false)
	for _, id := range q.Items {
		if item, _ := s.bank.Item(id); slices.Contains(item.Facts, key) {
			t.Errorf("%s was asked, though %s has changed since it was written", id, key)
		}
	}
	s.learn()
	s.practise()
	s.wants(training.Ready, "")
}

// asked is a fact that questions rest on, and not all.
func asked(bank *content.Bank) string {
	for _, item := range bank.Items {
		for _, key := range item.Facts {
			rest := 0
			for _, other := range bank.Items {
				if !slices.Contains(other.Facts, key) {
					rest++
				}
			}
			if rest > training.RefresherItems {
				return key
			}
		}
	}

	return ""
}

func TestFormsAndWeights(t *testing.T) {
	t.Parallel()
	s := newSchool(t)
	forms := map[string]bool{}
	for range 3 {
		q := s.sit(training.KindQuiz, 0, false)
		forms[q.Form] = true
		byDomain := map[string]int{}
		for i, id := range q.Items {
			item, _ := s.bank.Item(id)
			byDomain[item.Domain]++
			if slices.Contains(q.Items[:i], id) {
				t.Errorf("%s is asked twice", id)
			}
		}
		if byDomain["C"] < 2 || len(byDomain) != len(content.Domains) {
			t.Errorf("got %v, want every domain, and C at least twice", byDomain)
		}
	}
	if len(forms) != 3 {
		t.Errorf("three tries: got forms %v, want all three", forms)
	}
}

func TestAnswersMustBeAnswers(t *testing.T) {
	t.Parallel()
	s := newSchool(t)
	id, err := s.start(training.KindQuiz)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.start(training.KindQuiz); err != nil || again != id {
		t.Errorf("begun twice: got %s %v, want %s", again, err, id)
	}
	finish := func(answers map[string]string, who training.Learner, tenant tenants.Tenant) error {
		return s.try(tenant, func(ctx context.Context, tx *tenants.Tx) error {
			_, err := training.FinishQuiz(ctx, tx, s.bank, who, id, answers, "en")
			return err
		})
	}
	var invalid *tenants.Invalid
	if err := finish(nil, s.meera, s.clinic); !errors.As(err, &invalid) || invalid.Key != "unanswered" {
		t.Errorf("no answers: got %v", err)
	}
	var q training.Quiz
	s.in(s.clinic, func(ctx context.Context, tx *tenants.Tx) (err error) {
		q, err = training.GetQuiz(ctx, tx, id, s.meera.ID)
		return err
	})
	if err := finish(map[string]string{q.Items[0]: "nonsense"}, s.meera, s.clinic); !errors.As(err, &invalid) || invalid.Field != q.Items[0] {
		t.Errorf("an answer that is none: got %v", err)
	}

	// Nobody else's, and of no other business.
	if err := finish(nil, s.ravi, s.motors); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("finished from another business: got %v", err)
	}
	for _, look := range []func(ctx context.Context, tx *tenants.Tx) error{
		func(ctx context.Context, tx *tenants.Tx) error {
			_, err := training.GetQuiz(ctx, tx, id, uuid.Nil)
			return err
		},
		func(ctx context.Context, tx *tenants.Tx) error {
			_, err := training.GetTry(ctx, tx, id, uuid.Nil)
			return err
		},
		func(ctx context.Context, tx *tenants.Tx) error {
			return training.AnswerDrill(ctx, tx, s.bank, s.ravi, id, 0, "x")
		},
	} {
		if err := s.try(s.motors, look); !errors.Is(err, tenants.ErrNotFound) {
			t.Errorf("from another business: got %v, want not found", err)
		}
	}
	if err := s.try(s.clinic, func(ctx context.Context, tx *tenants.Tx) error {
		_, err := training.GetQuiz(ctx, tx, id, s.ravi.ID)
		return err
	}); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("somebody else's: got %v", err)
	}
	s.sit(training.KindQuiz, 0, false)
	if err := finish(nil, s.meera, s.clinic); tenants.ConflictCode(err) != "quiz_finished" {
		t.Errorf("finished twice: got %v", err)
	}
}

// How a question does, worked out by hand: of 40 who answered, 30 were right; those had 0.9 of the rest right, the others 0.5.
func TestStatistics(t *testing.T) {
	t.Parallel()
	bank, err := content.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(bank.Items, func(i content.Item) bool { return i.Format == content.Best })
	item := bank.Items[i]
	right, wrong := answer(item, false, false), answer(item, true, false)
	if wrong == right || wrong == "" {
		t.Fatalf("%s has no wrong answer without a gate", item.ID)
	}
	given := func(lang, answer string, correct bool, n, score int64) training.Answered {
		return training.Answered{Item: item.ID, Lang: lang, Answer: answer, Correct: correct, N: n, Score: n * score, Squared: n * score * score}
	}
	list := training.Statistics(bank, []training.Answered{
		given("en", right, true, 20, 900), given("hi", right, true, 10, 900), given("hi", wrong, false, 10, 500), {Item: "gone", N: 9},
	})
	if len(list) != 1 {
		t.Fatalf("got %d questions, want one", len(list))
	}
	f := list[0]
	if f.N != 40 || f.Difficulty != 0.75 || f.Discrimination < 0.999 || f.Discrimination > 1.001 || !f.Gap || f.ByLang["hi"] != 0.5 || f.Chosen[wrong] != 10 {
		t.Errorf("got %+v, want 0.75 right, telling apart fully, and Hindi flagged", f)
	}
	few := training.Statistics(bank, []training.Answered{given("en", right, true, training.FewAnswers-1, 900)})[0]
	if few.Difficulty == few.Difficulty || few.Gap {
		t.Errorf("got %+v of few answers, want nothing said", few)
	}
}
