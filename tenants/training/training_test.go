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
	"github.com/pehchan/pehchan/tenants/training"
	"github.com/pehchan/pehchan/tenants/training/content"
)

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
	list := training.Statistics(bank, nil, []training.Answered{
		given("en", right, true, 20, 900), given("hi", right, true, 10, 900), given("hi", wrong, false, 10, 500), {Item: "gone", N: 9},
	})
	if len(list) != 1 {
		t.Fatalf("got %d questions, want one", len(list))
	}
	f := list[0]
	if f.N != 40 || f.Difficulty != 0.75 || f.Discrimination < 0.999 || f.Discrimination > 1.001 || !f.Gap || f.ByLang["hi"] != 0.5 || f.Chosen[wrong] != 10 {
		t.Errorf("got %+v, want 0.75 right, telling apart fully, and Hindi flagged", f)
	}
	few := training.Statistics(bank, nil, []training.Answered{given("en", right, true, training.FewAnswers-1, 900)})[0]
	if few.Difficulty == few.Difficulty || few.Gap {
		t.Errorf("got %+v of few answers, want nothing said", few)
	}
}
