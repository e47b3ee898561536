package training_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/training"
	"github.com/pehchan/pehchan/tenants/training/content"
)

var omar = tenants.Actor{Kind: "operator", ID: uuid.NewString(), Name: "Omar"}

func (s *school) act(item, did, reason string, version int) error {
	return s.DB.System(s.t.Context(), func(tx *tenants.Tx) error {
		return training.ActOnItem(s.t.Context(), tx, omar, s.bank, item, did, reason, version)
	})
}

// A question that is taken back while somebody has it harms them not: it stands as right whatever they say, breaks no gate and counts for
// nobody; and it is drawn no more until it is brought back.
func TestAQuestionIsTakenBack(t *testing.T) {
	t.Parallel()
	s := newSchool(t)
	id, err := s.start(training.KindQuiz)
	if err != nil {
		t.Fatal(err)
	}
	finish := func(answers map[string]string) (q training.Quiz, err error) {
		err = s.try(s.clinic, func(ctx context.Context, tx *tenants.Tx) (err error) {
			q, err = training.FinishQuiz(ctx, tx, s.bank, s.meera, id, answers, "en")
			return err
		})
		return q, err
	}
	var q training.Quiz
	s.in(s.clinic, func(ctx context.Context, tx *tenants.Tx) (err error) {
		q, err = training.GetQuiz(ctx, tx, id, s.meera.ID)
		return err
	})
	at := slices.IndexFunc(q.Items, func(id string) bool {
		item, _ := s.bank.Item(id)
		return len(item.Tempts()) == 0 && item.Format != content.Order
	})
	bad := q.Items[at]
	if err := s.act(bad, training.Withdraw, "Its Hindi says the opposite.", 0); err != nil {
		t.Fatal(err)
	}

	answers := map[string]string{}
	for _, key := range q.Items {
		item, _ := s.bank.Item(key)
		answers[key] = answer(item, key == bad, false)
	}
	done, err := finish(answers)
	if err != nil || !done.Passed || done.Score != len(q.Items) || len(done.Gates) != 0 || done.Answers[at] != "" {
		t.Errorf("got %+v, %v; want it passed with all right and no gate", done, err)
	}
	s.in(s.clinic, func(ctx context.Context, tx *tenants.Tx) error {
		counts, err := training.Counts(ctx, tx)
		if err != nil || slices.ContainsFunc(counts, func(a training.Answered) bool { return a.Item == bad }) || len(counts) != len(q.Items)-1 {
			t.Errorf("got %d counts (%v), want those of the other questions", len(counts), err)
		}
		away, err := training.Withdrawn(ctx, tx)
		if err != nil || len(away) != 1 || away[bad].Reason != "Its Hindi says the opposite." || away[bad].By != "Omar" {
			t.Errorf("taken back: got %+v, %v", away, err)
		}
		if list := training.Statistics(s.bank, away, []training.Answered{{Item: bad, Lang: "en", Answer: "a", N: 30}}); len(list) != 0 {
			t.Errorf("figures of what is taken back: got %+v", list)
		}
		return nil
	})
	if err := s.try(s.clinic, func(ctx context.Context, tx *tenants.Tx) error {
		return training.ActOnItem(ctx, tx, omar, s.bank, s.bank.Items[0].ID, training.Withdraw, "From within a business.", 0)
	}); err == nil || !strings.Contains(err.Error(), "row-level security") {
		t.Errorf("from within a business: got %v, want the wall", err)
	}

	drawn := func() (n int) {
		for range 150 { // by chance of every form: the last try's row goes too
			s.in(s.clinic, func(ctx context.Context, tx *tenants.Tx) error {
				_, err := tx.ExecContext(ctx, `DELETE FROM quizzes WHERE tenant_id = $1`, tx.Tenant)
				return err
			})
			id, err := s.start(training.KindQuiz)
			if err != nil {
				t.Fatal(err)
			}
			s.in(s.clinic, func(ctx context.Context, tx *tenants.Tx) error {
				q, err := training.GetQuiz(ctx, tx, id, s.meera.ID)
				if slices.Contains(q.Items, bad) {
					n++
				}
				return err
			})
		}
		return n
	}
	if n := drawn(); n != 0 {
		t.Errorf("drawn %d times though taken back", n)
	}

	for _, c := range []struct {
		item, did, reason string
		version           int
		want              string
	}{
		{bad, training.Withdraw, "Again.", 1, "item_changed"},
		{bad, training.Return, "Too late.", 0, "item_changed"},
		{bad, training.Return, "  ", 1, "invalid reason"},
		{bad, training.Return, strings.Repeat("x", 501), 1, "invalid reason"},
		{bad, "burn", "Why not.", 1, "not found"},
		{"no_such_item", training.Withdraw, "Why not.", 0, "not found"},
	} {
		if err := s.act(c.item, c.did, c.reason, c.version); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v", c, err)
		}
	}
	if err := s.act(bad, training.Return, "Mended in this release.", 1); err != nil {
		t.Fatal(err)
	}
	if n := drawn(); n == 0 {
		t.Error("never drawn though it was brought back")
	}
	err = s.DB.System(t.Context(), func(tx *tenants.Tx) error {
		acts, err := training.ItemActs(t.Context(), tx, bad)
		if len(acts) != 2 || acts[0].Did != training.Return || acts[1].Did != training.Withdraw {
			t.Errorf("got %+v, want both acts, the newest first", acts)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// As many may be taken back as leave a whole quiz possible: what is drawn from the rest tempts at every gate.
func TestWhatAQuizNeedsStays(t *testing.T) {
	t.Parallel()
	s := newSchool(t)
	kept := map[string]bool{}
	for _, item := range s.bank.Items {
		err := s.act(item.ID, training.Withdraw, "One after the other.", 0)
		if conflict := (*tenants.Conflict)(nil); errors.As(err, &conflict) && conflict.Code == "item_needed" {
			kept[item.ID] = true
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if len(kept) < training.QuizItems || len(kept) > training.QuizItems+6 {
		t.Errorf("%d questions are left, want hardly more than a quiz has", len(kept))
	}
	id, err := s.start(training.KindQuiz)
	if err != nil {
		t.Fatal(err)
	}
	tempts := map[string]bool{}
	s.in(s.clinic, func(ctx context.Context, tx *tenants.Tx) error {
		q, err := training.GetQuiz(ctx, tx, id, s.meera.ID)
		for _, key := range q.Items {
			item, _ := s.bank.Item(key)
			for _, o := range item.Options {
				tempts[o.Gate] = true
			}
			if !kept[key] {
				t.Errorf("%s is drawn though taken back", key)
			}
		}
		if len(q.Items) != training.QuizItems {
			t.Errorf("got %d questions, want %d", len(q.Items), training.QuizItems)
		}
		return err
	})
	for _, gate := range content.Gates {
		if !tempts[gate] {
			t.Errorf("nothing drawn breaks %s", gate)
		}
	}
}
