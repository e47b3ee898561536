package training_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/training"
	"github.com/pehchan/pehchan/tenants/training/content"
)

// asked is a quiz of Meera's, with the questions as they are asked now.
func (s *school) asked(id uuid.UUID) (q training.Quiz, items []string, whole bool) {
	s.t.Helper()
	s.in(s.clinic, func(ctx context.Context, tx *tenants.Tx) (err error) {
		if q, err = training.GetQuiz(ctx, tx, id, s.meera.ID); err != nil {
			return err
		}
		items, whole, err = training.Asked(ctx, tx, s.bank, q)
		return err
	})
	return q, items, whole
}

// onlyFor is a question of a quiz that alone tempts at a gate; "" where every gate is tempted at twice.
func (s *school) onlyFor(q training.Quiz) (key, gate string) {
	for _, gate := range content.Gates {
		var on []string
		for _, key := range q.Items {
			if item, _ := s.bank.Item(key); slices.Contains(item.Tempts(), gate) {
				on = append(on, key)
			}
		}
		if len(on) == 1 {
			return on[0], gate
		}
	}

	return "", ""
}

// quizWithAnOnly has Meera begin quizzes, each at a school of its own, until one has a question that alone tempts at a gate: most have.
func quizWithAnOnly(t *testing.T) (s *school, q training.Quiz, key, gate string) {
	t.Helper()
	for range 20 {
		s = newSchool(t)
		id, err := s.start(training.KindQuiz)
		if err != nil {
			t.Fatal(err)
		}
		q, _, _ = s.asked(id)
		if key, gate = s.onlyFor(q); key != "" {
			return s, q, key, gate
		}
	}
	t.Fatal("of 20 quizzes none has a question that alone tempts at a gate")

	return nil, q, "", ""
}

// A quiz whose only question for a gate is taken back is not passed without that gate: another question for it stands in its place.
func TestAGateIsAskedOfThoughItsQuestionIsTakenBack(t *testing.T) {
	t.Parallel()
	s, q, bad, gate := quizWithAnOnly(t)
	id := q.ID
	if err := s.act(bad, training.Withdraw, "Its Hindi says the opposite.", 0); err != nil {
		t.Fatal(err)
	}
	finish := func(answers map[string]string) (q training.Quiz, err error) {
		err = s.try(s.clinic, func(ctx context.Context, tx *tenants.Tx) (err error) {
			q, err = training.FinishQuiz(ctx, tx, s.bank, s.meera, id, answers, "en")
			return err
		})
		return q, err
	}
	answers := map[string]string{}
	for _, key := range q.Items {
		item, _ := s.bank.Item(key)
		answers[key] = answer(item, false, false)
	}

	_, items, whole := s.asked(id)
	at := slices.Index(q.Items, bad)
	instead, _ := s.bank.Item(items[at])
	if !whole || instead.ID == bad || !slices.Contains(instead.Tempts(), gate) {
		t.Fatalf("got %s in place of %s, want a question that tempts at %s", instead.ID, bad, gate)
	}
	if again := slices.Index(q.Items, instead.ID); again >= 0 {
		t.Errorf("%s is asked twice", instead.ID)
	}
	_, err := finish(answers)
	if invalid := (*tenants.Invalid)(nil); !errors.As(err, &invalid) || invalid.Field != instead.ID {
		t.Fatalf("without an answer to it: got %v, want that it lacks", err)
	}
	answers[instead.ID] = answer(instead, false, true) // which breaks the gate
	done, err := finish(answers)
	if err != nil || done.Passed || len(done.Gates) == 0 || done.Items[at] != instead.ID || done.Answers[at] == "" {
		t.Errorf("with an answer that breaks it: got %+v, %v; want it not passed", done, err)
	}
	if _, items, _ := s.asked(id); !slices.Equal(items, done.Items) {
		t.Errorf("a finished quiz reads %v, want what was answered: %v", items, done.Items)
	}
}

// Where nothing is left that tempts at the gate the quiz is no whole one: it cannot be finished, and a new one is drawn.
func TestAQuizWithoutAGateIsDrawnAnew(t *testing.T) {
	t.Parallel()
	s, q, bad, gate := quizWithAnOnly(t)
	id := q.ID
	if err := s.act(bad, training.Withdraw, "Its Hindi says the opposite.", 0); err != nil {
		t.Fatal(err)
	}
	less := *s.bank // a release that has no other
	less.Items = slices.DeleteFunc(slices.Clone(s.bank.Items), func(i content.Item) bool {
		return i.ID != bad && slices.Contains(i.Tempts(), gate)
	})
	s.bank = &less

	if _, _, whole := s.asked(id); whole {
		t.Error("got a whole quiz without the gate")
	}
	err := s.try(s.clinic, func(ctx context.Context, tx *tenants.Tx) error {
		_, err := training.FinishQuiz(ctx, tx, s.bank, s.meera, id, map[string]string{}, "en")
		return err
	})
	if tenants.ConflictCode(err) != "quiz_changed" {
		t.Errorf("finish: got %v, want quiz_changed", err)
	}
	if next, err := s.start(training.KindQuiz); err != nil || next == id {
		t.Errorf("start: got %s, %v; want another quiz", next, err)
	}
}
