package reports_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/reports"
	"github.com/pehchan/pehchan/tenants/testdb"
)

// asking is the number that a customer of a business writes to, the account they write from and where it hangs.
type asking struct{ number, identity, tenure uuid.UUID }

// said stores a message of a customer, or one of the business's that was not written here.
func said(t *testing.T, tx *tenants.Tx, a asking, direction string, at time.Time) uuid.UUID {
	t.Helper()
	id := uuid.New()
	if _, err := tx.Exec(`
		INSERT INTO messages (tenant_id, id, number_id, wamid, tenure_id, direction, type, at, digest, item_id, received_at)
		VALUES ($1, $2, $3, $4, $5, $6, 'text', $7, '', 0, $7)`, tx.Tenant, id, a.number, id.String(), a.tenure, direction, at); err != nil {
		t.Fatal(err)
	}

	return id
}

// wrote has somebody of the team answer the message last.
func wrote(t *testing.T, tx *tenants.Tx, a asking, by, state string, last uuid.UUID, at time.Time) {
	t.Helper()
	if _, err := tx.Exec(`
		INSERT INTO outbox (tenant_id, id, message_id, number_id, identity_id, identifier_id, last_inbound, key, draft, content, state, actor_kind, actor_id, submitted_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', '{}', $9, 'person', $10, $11)`,
		tx.Tenant, uuid.New(), said(t, tx, a, "out", at), a.number, a.identity, uuid.New(), last, uuid.NewString(), state, by, at); err != nil {
		t.Fatal(err)
	}
}

func TestHowWellATeamAnswers(t *testing.T) {
	t.Parallel()
	d := testdb.New(t)
	clinic, motors := tenant(t, d, "asha-clinic"), tenant(t, d, "ravi-motors")
	fill(t, d, clinic) // links and cases of the summer, out of sight
	zone, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 18, 12, 0, 0, 0, zone) // a Wednesday
	monday := time.Date(2026, 11, 16, 0, 0, 0, 0, zone)
	meera, joseph := uuid.NewString(), uuid.NewString()

	in(t, d, clinic, func(_ context.Context, tx *tenants.Tx) error {
		var number uuid.UUID
		if err := tx.Get(&number, `SELECT id FROM numbers WHERE tenant_id = $1`, tx.Tenant); err != nil {
			return err
		}
		// Half an hour into the week, in India: in UTC it is the week before. The second message waits no less than the first did, and what
		// comes after the answer answers nobody.
		a := asking{number, uuid.New(), uuid.New()}
		said(t, tx, a, "in", monday.Add(30*time.Minute))
		last := said(t, tx, a, "in", monday.Add(35*time.Minute))
		wrote(t, tx, a, meera, "accepted", last, monday.Add(40*time.Minute))
		wrote(t, tx, a, meera, "accepted", last, monday.Add(50*time.Minute))

		// One that did not go out did not answer; one from the phone ended the waiting.
		b := asking{number, uuid.New(), uuid.New()}
		last = said(t, tx, b, "in", monday.Add(-48*time.Hour))
		wrote(t, tx, b, joseph, "failed", last, monday.Add(-47*time.Hour))
		wrote(t, tx, b, joseph, "accepted", last, monday.Add(-46*time.Hour))
		c := asking{number, uuid.New(), uuid.New()}
		last = said(t, tx, c, "in", monday)
		said(t, tx, c, "out", monday.Add(time.Minute))
		wrote(t, tx, c, joseph, "accepted", last, monday.Add(2*time.Minute))

		exec := func(query string, args ...any) {
			t.Helper()
			if _, err := tx.Exec(query, append([]any{tx.Tenant}, args...)...); err != nil {
				t.Fatalf("%s: %v", query, err)
			}
		}
		exec(`INSERT INTO quizzes (tenant_id, id, person_id, kind, form, seed, seq, items, finished_at, lang, answers, correct, score)
			VALUES ($1, $2, $3, 'quiz', 'A', 1, 1, '{a,b,c,d}', $4, 'hi', '{x,x,x,x}', '{t,t,t,f}', 3)`, uuid.New(), meera, monday.Add(time.Hour))
		exec(`INSERT INTO quizzes (tenant_id, id, person_id, kind, form, seed, seq, items) VALUES ($1, $2, $3, 'quiz', 'A', 1, 1, '{a,b}')`, uuid.New(), joseph)
		for _, passed := range []bool{true, false} {
			exec(`INSERT INTO drill_tries (tenant_id, id, person_id, drill, variant, seq, step, finished_at, passed) VALUES ($1, $2, $3, 'd', 1, 1, '', $4, $5)`,
				uuid.New(), meera, monday.Add(time.Hour), passed)
		}
		exec(`INSERT INTO answer_uses (tenant_id, kind, key, day, n) VALUES ($1, 'macro', 'greet', '2026-11-16', 3), ($1, 'macro', 'greet', '2026-11-15', 2),
			($1, 'macro', 'scam', '2026-11-16', 1), ($1, 'card', 'india', '2026-11-16', 9), ($1, 'macro', 'scam', '2026-01-01', 50)`)
		exec(`INSERT INTO answer_votes (tenant_id, card, person_id, helpful, at) VALUES ($1, 'india', $2, true, $4), ($1, 'india', $3, false, $4), ($1, 'compulsory', $2, true, $4)`,
			meera, joseph, monday)
		exec(`INSERT INTO asked_questions (tenant_id, id, text, origin, by_person, by_name, at) VALUES ($1, $2, 'x', 'search', '', '', $3)`, uuid.New(), monday)
		exec(`INSERT INTO links (tenant_id, id, kind, at, actor_kind, actor_id, undone_at) VALUES ($1, $2, 'merged', $4, 'person', $5, now()), ($1, $3, 'merged', $4, 'person', $5, NULL)`,
			uuid.New(), uuid.New(), monday, meera)

		return nil
	})

	in(t, d, clinic, func(ctx context.Context, tx *tenants.Tx) error {
		q, err := reports.Assess(ctx, tx, now, zone)
		if err != nil {
			return err
		}
		if q.Empty() || len(q.Weeks) != reports.QualityWeeks || !q.Weeks[reports.QualityWeeks-1].From.Equal(monday) {
			t.Fatalf("got %+v", q)
		}
		if want := (reports.Work{Answers: 1, Half: 600, Most: 600, Quizzes: 1, Right: 3, Asked: 4, Drills: 2, Passed: 1, Decided: 2, Undone: 1}); q.People[meera] != want {
			t.Errorf("Meera: got %+v, want %+v", q.People[meera], want)
		}
		if want := (reports.Work{Answers: 1, Half: 7200, Most: 7200}); q.People[joseph] != want {
			t.Errorf("Joseph: got %+v, want %+v", q.People[joseph], want)
		}
		if q.All.Answers != 2 || q.All.Half != 3900 || q.All.Quizzes != 1 {
			t.Errorf("all: got %+v", q.All)
		}
		this, before := q.Weeks[reports.QualityWeeks-1], q.Weeks[reports.QualityWeeks-2]
		if this.Answers != 1 || this.Half != 600 || this.Questions != 1 || this.Macros != 4 || before.Answers != 1 || before.Half != 7200 || before.Macros != 2 {
			t.Errorf("this week %+v, the one before %+v", this, before)
		}
		if want := (reports.Used{Key: "greet", N: 5}); len(q.Macros) != 2 || q.Macros[0] != want {
			t.Errorf("macros: got %+v", q.Macros)
		}
		if q.Helpful != 2 || q.Unhelpful != 1 {
			t.Errorf("votes: got %d and %d", q.Helpful, q.Unhelpful)
		}

		return nil
	})
	in(t, d, motors, func(ctx context.Context, tx *tenants.Tx) error {
		q, err := reports.Assess(ctx, tx, now, zone)
		if !q.Empty() || len(q.People) != 0 || len(q.Macros) != 0 {
			t.Errorf("another business sees %+v", q)
		}

		return err
	})
}
