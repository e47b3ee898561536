package e2e_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/training"
	"github.com/pehchan/pehchan/tenants/training/content"
)

// train has Asha answer a quiz, begin another, and lead two practice chats, one to its end: dangerously. It gives out a briefing, and
// something was passed on.
func (w *world) train(t *testing.T, tx *tenants.Tx) error {
	t.Helper()

	bank, err := content.Shipped()
	if err != nil {
		return err
	}
	var asha uuid.UUID
	if err := tx.GetContext(t.Context(), &asha, `SELECT person_id FROM memberships WHERE tenant_id = $1 AND role = 'owner'`, tx.Tenant); err != nil {
		return err
	}
	who := training.Learner{ID: asha, Role: "owner", Actor: tenants.Actor{Kind: "person", ID: asha.String(), Name: filled}}
	sit := func() (uuid.UUID, error) {
		return training.StartQuiz(t.Context(), tx, bank, who, training.KindQuiz, time.Now())
	}
	done, err := sit()
	if err != nil {
		return err
	}
	q, err := training.GetQuiz(t.Context(), tx, done, asha)
	if err != nil {
		return err
	}
	answers := map[string]string{}
	for i, key := range q.Items {
		item, _ := bank.Item(key)
		answers[key] = strings.Join(item.Order, " ")
		for _, o := range item.Options {
			if o.Right || i == 0 && o.Gate != "" {
				answers[key] = o.ID
			}
		}
	}
	if _, err := training.FinishQuiz(t.Context(), tx, bank, who, done, answers, "hi"); err != nil {
		return err
	}
	if _, err := tx.ExecContext(t.Context(), `UPDATE quizzes SET finished_at = now() - interval '1 hour' WHERE tenant_id = $1`, tx.Tenant); err != nil {
		return err
	}
	open, err := sit()
	if err != nil {
		return err
	}
	w.quizzes = []string{"/prep/quiz/" + done.String(), "/prep/quiz/" + open.String()}
	w.lesson = "/prep/learn/" + training.Lessons(bank, "owner")[0].ID

	passed := []training.NewEscalation{{Kind: "wrong_link", Level: "L2", Reason: "Two customers see one order."}, {Kind: "angry", Level: "L1", Reason: "Wants a call."}}
	for i, in := range passed {
		id, err := training.Escalate(t.Context(), tx, bank, who.Actor, in, time.Now().Add(-time.Hour), time.UTC)
		if err == nil && i == 0 {
			err = training.Take(t.Context(), tx, who.Actor, id)
		}
		if err != nil {
			return err
		}
	}
	token, err := training.MakeBriefing(t.Context(), tx, who.Actor, "support", "hi", training.Snapshot{At: time.Now(), Active: 7, Team: 1, Countries: []string{"IN"}})
	if err != nil {
		return err
	}
	w.briefing = "/briefing/" + token
	d := bank.Drills[0]
	w.drill = "/prep/drill/" + d.ID
	for range 2 {
		try, err := training.StartDrill(t.Context(), tx, bank, who, d.ID)
		if err != nil {
			return err
		}
		if w.chats = append(w.chats, w.drill+"/"+try.String()); len(w.chats) == 2 {
			break
		}
		if err := lead(t, tx, bank, who, d, try); err != nil {
			return err
		}
	}

	return nil
}

// lead gives the first dangerous or right answer at each step of a practice chat.
func lead(t *testing.T, tx *tenants.Tx, bank *content.Bank, who training.Learner, d content.Drill, id uuid.UUID) error {
	t.Helper()

	for at := 0; ; at++ {
		try, err := training.GetTry(t.Context(), tx, id, who.ID)
		if err != nil || try.Finished {
			return err
		}
		step, err := d.Variants[try.Variant].Step(try.Step)
		if err != nil {
			return err
		}
		said := step.Model.EN
		if len(step.Dangerous) > 0 {
			said = step.Dangerous[0].Answer.EN
		}
		if right := slices.IndexFunc(step.Choices, func(c content.Choice) bool { return c.Right }); right >= 0 {
			said = step.Choices[right].ID
		}
		if err := training.AnswerDrill(t.Context(), tx, bank, who, id, at, said); err != nil {
			return err
		}
	}
}

// An agent learns on a phone in Hindi: reads, is quizzed, and passes a practice chat.
func TestAnAgentGetsReady(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	bank, err := content.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	b := st.tab(t, phone)
	b.signIn("Meera")
	b.speak("hi")
	b.open("/prep/learn")
	b.click("lesson-" + training.Lessons(bank, "agent")[0].ID)
	b.see("lesson")
	b.fits()
	b.submit("mark-read")

	b.open("/prep/learn")
	b.submit("start-quiz")
	b.see("quiz-form")
	b.fits()
	for _, id := range eval[[]string](b, `[...document.querySelectorAll("[data-item]")].map(q => q.dataset.item)`) {
		item, ok := bank.Item(id)
		if !ok {
			t.Fatalf("no question %s", id)
		}
		for n, option := range item.Order {
			place := "a_" + id + "_" + string(rune('1'+n))
			eval[bool](b, `(document.getElementById("`+place+`").value = "`+option+`") !== ""`)
		}
		for _, o := range item.Options {
			if o.Right {
				eval[bool](b, `(document.querySelector("[data-testid='a_`+id+"-"+o.ID+`']").checked = true)`)
			}
		}
	}
	b.click("finish-quiz")
	b.see("result")
	b.says("result", "पास")
	b.fits()

	d := bank.Drills[0]
	b.open("/prep/drill/" + d.ID)
	b.submit("start-drill")
	for step := d.Variants[0].Begin(); ; {
		said := step.Model.HI
		if right := slices.IndexFunc(step.Choices, func(c content.Choice) bool { return c.Right }); right >= 0 {
			said = step.Choices[right].ID
			b.click("choice-answer-" + said)
		} else {
			b.fill("field-answer", said)
		}
		b.submit("send-answer")
		next, done, err := d.Variants[0].After(step, content.Grade(step, said))
		if err != nil {
			t.Fatal(err)
		}
		if done {
			break
		}
		step = next
	}
	b.says("drill-result", "पास")
	b.fits()
}
