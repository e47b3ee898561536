package answers_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/answers"
)

func (w *world) groups(now time.Time) (list []answers.Group) {
	w.t.Helper()
	w.must(w.as(w.asha, func(ctx context.Context, tx *tenants.Tx) (err error) {
		list, err = answers.Groups(ctx, tx, now)
		return err
	}))

	return list
}

func (w *world) log(text string, names ...string) (q answers.Question) {
	w.t.Helper()
	w.must(w.as(w.asha, func(ctx context.Context, tx *tenants.Tx) (err error) {
		q, err = answers.Log(ctx, tx, meera, answers.FromContact, text, names...)
		return err
	}))

	return q
}

func TestQuestionsThatAskAlike(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.log("Kya mera number dikhta hai?")
	w.log("मेरा नंबर दिखता है क्या")
	w.log("can you still see my NAMBER")
	balloons := w.log("Balloons hai kya, Asha Verma yahan, 98765 43210?", "Asha Verma")
	w.log("balloons??")
	w.log("गुब्बारे हैं?")

	groups := w.groups(time.Now())
	if len(groups) != 3 {
		t.Fatalf("got %d groups %+v, want the number, balloons in Latin letters and in Devanagari", len(groups), groups)
	}
	if g := groups[0]; g.Count != 3 || g.Card != "see_my_number" || g.Chosen {
		t.Errorf("the number: got %+v, want three, probably answered", g)
	}
	found := groups[1]
	if found.Card != "" || found.Latest[0].Text == "" {
		t.Errorf("balloons: got %+v, want no answer", found)
	}
	for _, g := range groups {
		for _, q := range g.Latest {
			if q.ID == balloons.ID && q.Text != "Balloons hai kya, ••• ••• yahan, •••?" {
				t.Errorf("got %q, want no name and no number", q.Text)
			}
		}
	}

	// It becomes a card, which answers the group and what is asked like it later.
	now := time.Now()
	var key string
	w.must(w.as(w.asha, func(ctx context.Context, tx *tenants.Tx) (err error) {
		c := own
		c.Question, c.Asks = answers.Words{EN: "Do you sell balloons?", HI: "क्या आप गुब्बारे बेचते हैं?"}, []string{"balloons"}
		if key, err = answers.Save(ctx, tx, meera, answers.Edit{Content: c}, now); err != nil {
			return err
		}

		return answers.Answer(ctx, tx, meera, balloons.ID, key, now)
	}))
	w.log("sell BALLOONS")
	for _, g := range w.groups(time.Now()) {
		if g.Card == "" {
			t.Errorf("got %+v, want every group answered", g)
		}
	}
	err := w.as(w.asha, func(ctx context.Context, tx *tenants.Tx) error {
		return answers.Answer(ctx, tx, meera, balloons.ID, "no-such-card", now)
	})
	var invalid *tenants.Invalid
	if !errors.As(err, &invalid) {
		t.Errorf("a card that is none: got %v, want it refused", err)
	}

	w.must(w.as(w.asha, func(ctx context.Context, tx *tenants.Tx) error {
		return answers.Forget(ctx, tx, meera, balloons.ID, now)
	}))
	for _, g := range w.groups(time.Now()) {
		if g.Card == key && g.Chosen {
			t.Errorf("forgotten: got %+v still there", g)
		}
	}
}

func TestOnlyWhoLoggedItTakesItBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	q := w.log("is there parking")
	unlog := func(by tenants.Actor, id uuid.UUID) error {
		return w.as(w.asha, func(ctx context.Context, tx *tenants.Tx) error { return answers.Unlog(ctx, tx, by, id) })
	}
	if err := unlog(joseph, q.ID); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("somebody else: got %v, want not found", err)
	}
	w.must(unlog(meera, q.ID))
	if err := unlog(meera, q.ID); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("once more: got %v, want not found", err)
	}
	err := w.as(w.asha, func(ctx context.Context, tx *tenants.Tx) error {
		_, err := answers.Log(ctx, tx, meera, answers.FromSearch, " +91 98765 43210 ")
		return err
	})
	var invalid *tenants.Invalid
	if !errors.As(err, &invalid) {
		t.Errorf("a number alone: got %v, want it refused", err)
	}
}

func TestALessonGoesWithItsQuestion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	propose := func(tenant uuid.UUID, in answers.Proposal) error {
		return w.as(tenant, func(ctx context.Context, tx *tenants.Tx) error {
			_, err := answers.Propose(ctx, tx, meera, in, "Savitri Devi")
			return err
		})
	}
	good := answers.Proposal{Origin: answers.FromEscalation, Question: "Balloons for Savitri?", Lesson: "Savitri got them at 98765 43210: say what they cost first."}
	w.must(propose(w.asha, good))
	var invalid *tenants.Invalid
	for field, in := range map[string]answers.Proposal{
		"question": {Origin: answers.FromSearch, Question: "98765 43210", Lesson: "x"},
		"lesson":   {Origin: answers.FromSearch, Question: "Why?", Lesson: strings.Repeat("x", answers.MaxLesson+1)},
	} {
		if err := propose(w.asha, in); !errors.As(err, &invalid) || invalid.Field != field {
			t.Errorf("%s: got %v", field, err)
		}
	}
	if err := propose(w.asha, answers.Proposal{Origin: "elsewhere", Question: "Why?", Lesson: "x"}); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("from elsewhere: got %v", err)
	}

	w.log("balloons??")
	groups := w.groups(time.Now())
	if len(groups) != 1 || len(groups[0].Learnt) != 1 {
		t.Fatalf("got %+v, want one group with what was learnt", groups)
	}
	if l := groups[0].Learnt[0]; l.By != "Meera" || l.Text != "••• got them at •••: say what they cost first." {
		t.Errorf("got %+v, want neither name nor number", l)
	}
	w.must(w.as(w.ravi, func(ctx context.Context, tx *tenants.Tx) error {
		list, err := answers.Groups(ctx, tx, time.Now())
		if len(list) != 0 {
			t.Errorf("another business sees %+v", list)
		}
		return err
	}))
}
