package training_test

import (
	"context"
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
