package reports_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/reports"
	"github.com/pehchan/pehchan/tenants/testdb"
)

// Judgements count by what is known of them: the answers of the quiz, and what colleagues or WhatsApp said of the same two.
func TestHowOftenJudgementsAgree(t *testing.T) {
	t.Parallel()
	d := testdb.New(t)
	clinic, motors := tenant(t, d, "asha-clinic"), tenant(t, d, "ravi-motors")
	now := time.Date(2026, 11, 18, 12, 0, 0, 0, time.UTC)
	meera, joseph, lata := uuid.New(), uuid.New(), uuid.New()
	in(t, d, clinic, func(_ context.Context, tx *tenants.Tx) error {
		exec := func(query string, args ...any) {
			t.Helper()
			if _, err := tx.Exec(query, append([]any{tx.Tenant}, args...)...); err != nil {
				t.Fatalf("%s: %v", query, err)
			}
		}
		quiz := func(who uuid.UUID, at time.Time, answers, correct string) {
			t.Helper()
			exec(`INSERT INTO quizzes (tenant_id, id, person_id, kind, form, seed, seq, items, finished_at, lang, answers, correct, score)
				VALUES ($1, $2, $3, 'quiz', 'A', 1, 1, '{s1,s2,s3,other}', $4, 'hi', $5, $6, 3)`, uuid.New(), who, at, answers, correct)
		}
		quiz(meera, now.AddDate(0, 0, -100), "{no,no,no,x}", "{f,f,f,f}") // long ago
		quiz(meera, now.AddDate(0, 0, -2), "{no,no,no,x}", "{f,f,f,t}")   // answered again since
		quiz(meera, now.AddDate(0, 0, -1), "{yes,no,yes,x}", "{t,t,t,t}")
		quiz(joseph, now.AddDate(0, 0, -1), `{yes,yes,"",x}`, "{t,f,t,t}") // the third was taken back

		identifier := func(kind, value string) uuid.UUID {
			t.Helper()
			id := uuid.New()
			exec(`INSERT INTO identifiers (tenant_id, id, scope, kind, value, raw, first_seen, last_seen) VALUES ($1, $2, 'waba:1', $3, $4, '', now(), now())`, id, kind, value)
			return id
		}
		n := 0
		pair := func() (a, b uuid.UUID) {
			n++
			return identifier("bsuid", fmt.Sprintf("IN.7%05d", n)), identifier("phone", fmt.Sprintf("9198000%05d", n))
		}
		decided := func(who uuid.UUID, kind string, a, b uuid.UUID, link, about *uuid.UUID) {
			t.Helper()
			exec(`INSERT INTO decisions (tenant_id, id, kind, a_id, b_id, known_until, decided_at, actor_kind, actor_id, link_id, case_id)
				VALUES ($1, $2, $3, $4, $5, now(), $6, 'person', $7, $8, $9)`, uuid.New(), kind, a, b, now.AddDate(0, 0, -3), who.String(), link, about)
		}
		joined := func(who uuid.UUID, name, undoneBy string, about *uuid.UUID) {
			t.Helper()
			a, b := pair()
			link := uuid.New()
			exec(`INSERT INTO links (tenant_id, id, kind, at, actor_kind, actor_id, actor_name, undone_at, undone_by)
				VALUES ($1, $2, 'merged', $3, 'person', $4, $5, CASE WHEN $6 <> '' THEN now() END, $6)`, link, now.AddDate(0, 0, -3), who.String(), name, undoneBy)
			decided(who, "must_link", a, b, &link, about)
		}
		a, b := pair()
		decided(meera, "must_link", a, b, nil, nil) // and Lata says the same of them, the other way round
		decided(lata, "must_link", b, a, nil, nil)
		a, b = pair()
		decided(meera, "cannot_link", a, b, nil, nil) // which WhatsApp disproves
		exec(`INSERT INTO pairings (tenant_id, id, bsuid_id, other_id, first_at, last_at, source, first_item, last_item) VALUES ($1, $2, $3, $4, $5, $5, 'message', 0, 0)`,
			uuid.New(), a, b, now.AddDate(0, 0, -1))
		joined(meera, "Meera", "Lata", nil)  // undone by somebody else
		joined(meera, "Meera", "Meera", nil) // and by herself: nobody else judged it
		joined(meera, "Meera", "", nil)
		about := uuid.New() // proposed by Joseph, confirmed by Lata
		exec(`INSERT INTO cases (tenant_id, id, kind, key, waiting_since, proposed_by) VALUES ($1, $2, 'unresolved', 'k', now(), $3)`, about, joseph.String())
		joined(lata, "Lata", "", &about)

		return nil
	})

	gold := []string{"s1", "s2", "s3"}
	in(t, d, clinic, func(ctx context.Context, tx *tenants.Tx) error {
		got, err := reports.Agree(ctx, tx, gold, now, time.UTC)
		for who, want := range map[uuid.UUID]reports.Agreement{
			meera:  {Gold: 3, Right: 3, Looked: 2 + 3, Alike: 1 + 1},
			joseph: {Gold: 2, Right: 1, Looked: 2 + 1, Alike: 1 + 1},
			lata:   {Looked: 2, Alike: 2},
		} {
			if got.People[who.String()] != want {
				t.Errorf("got %+v, want %+v", got.People[who.String()], want)
			}
		}
		if want := (reports.Agreement{Gold: 5, Right: 4, Looked: 10, Alike: 6}); got.All != want {
			t.Errorf("all: got %+v, want %+v", got.All, want)
		}

		return err
	})
	in(t, d, motors, func(ctx context.Context, tx *tenants.Tx) error {
		got, err := reports.Agree(ctx, tx, gold, now, time.UTC)
		if got.All != (reports.Agreement{}) || len(got.People) != 0 {
			t.Errorf("another business sees %+v", got)
		}

		return err
	})
}
