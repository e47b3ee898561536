package training

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/facts"
	"github.com/pehchan/pehchan/tenants/training/content"
)

// Quiz is one try, with its questions and, once it is finished, the answers in their order. An answer is the id of an option, or of all
// options with a space between, as somebody put them.
type Quiz struct {
	Result
	Seed     int64          `db:"seed"`
	Items    pq.StringArray `db:"items"`
	Answers  pq.StringArray `db:"answers"`
	Correct  pq.BoolArray   `db:"correct"`
	Gates    pq.StringArray `db:"gates"`
	Finished bool           `db:"finished"`
}

// StartQuiz draws the questions of a quiz, or of the refresher that is due, and returns its id. One that was begun today is gone on with.
// Conflict "quiz_wait" where the last try was not passed and is less than RetryAfter ago, "quiz_first" where a refresher needs a quiz
// before it.
func StartQuiz(ctx context.Context, tx *tenants.Tx, bank *content.Bank, who Learner, kind string, now time.Time) (uuid.UUID, error) {
	if kind != KindQuiz && kind != KindRefresher || !Learns(who.Role) {
		return uuid.Nil, tenants.ErrNotFound
	}
	open, err := openQuiz(ctx, tx, bank, who.ID, kind)
	if err != nil || open != uuid.Nil {
		return open, err
	}
	lastNews, err := facts.LastNews(ctx, tx)
	if err != nil {
		return uuid.Nil, err
	}
	records, err := Records(ctx, tx, []uuid.UUID{who.ID})
	if err != nil {
		return uuid.Nil, err
	}
	standing := Judge(bank, who.Role, records[who.ID], lastNews, now)
	if kind == KindRefresher && standing.NeedsQuiz() {
		return uuid.Nil, &tenants.Conflict{Code: "quiz_first"}
	}
	wait, last, err := Wait(ctx, tx, who.ID)
	if err != nil {
		return uuid.Nil, err
	}
	if wait > 0 {
		return uuid.Nil, &tenants.Conflict{Code: "quiz_wait"}
	}
	retired, err := retiredFacts(ctx, tx)
	if err != nil {
		return uuid.Nil, err
	}
	away, err := Withdrawn(ctx, tx)
	if err != nil {
		return uuid.Nil, err
	}
	seq, err := facts.Newest(ctx, tx)
	if err != nil {
		return uuid.Nil, err
	}

	id, err := uuid.NewV7()
	if err != nil {
		return uuid.Nil, fmt.Errorf("make quiz id: %w", err)
	}
	seed, n := rand.Int64(), QuizItems
	if kind == KindRefresher {
		n = RefresherItems
	}
	form := nextForm(last, uint64(seed))
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO quizzes (tenant_id, id, person_id, kind, form, seed, seq, items) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		tx.Tenant, id, who.ID, kind, form, seed, seq, pq.Array(draw(without(bank, away), form, n, uint64(seed), retired, standing.Changed))); err != nil {
		return uuid.Nil, fmt.Errorf("keep quiz: %w", err)
	}

	return id, nil
}

// openQuiz is a quiz that was begun and can still be answered, Nil for none. One that cannot is forgotten.
func openQuiz(ctx context.Context, tx *tenants.Tx, bank *content.Bank, person uuid.UUID, kind string) (uuid.UUID, error) {
	var open struct {
		Quiz
		Over bool `db:"over"`
	}
	// Two presses at once draw one quiz.
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('quiz ' || $1::text || $2::text, 0))`, tx.Tenant, person); err != nil {
		return uuid.Nil, fmt.Errorf("lock quizzes: %w", err)
	}
	err := tx.GetContext(ctx, &open, `
		SELECT id, kind, form, seed, items, started_at < now() - make_interval(secs => $4)
		       OR EXISTS (SELECT 1 FROM facts f WHERE f.news AND f.seq > q.seq) AS over
		FROM quizzes q WHERE tenant_id = $1 AND person_id = $2 AND kind = $3 AND finished_at IS NULL`, tx.Tenant, person, kind, openFor.Seconds())
	if errors.Is(err, sql.ErrNoRows) {
		return uuid.Nil, nil
	}
	if err != nil {
		return uuid.Nil, fmt.Errorf("look for open quiz: %w", err)
	}
	unknown := func(id string) bool {
		_, ok := bank.Item(id)
		return !ok
	}
	_, whole, err := Asked(ctx, tx, bank, open.Quiz)
	if err != nil {
		return uuid.Nil, err
	}
	if whole && !open.Over && !slices.ContainsFunc(open.Items, unknown) {
		return open.ID, nil
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM quizzes WHERE tenant_id = $1 AND id = $2`, tx.Tenant, open.ID); err != nil {
		return uuid.Nil, fmt.Errorf("forget open quiz: %w", err)
	}

	return uuid.Nil, nil
}

// Wait is how long somebody has to wait for the next try, and the form of their last; 0 and "" where they need not and have none.
func Wait(ctx context.Context, tx *tenants.Tx, person uuid.UUID) (time.Duration, string, error) {
	var last struct {
		Form    string  `db:"form"`
		Passed  bool    `db:"passed"`
		Seconds float64 `db:"seconds"`
	}
	err := tx.GetContext(ctx, &last, `
		SELECT form, passed, extract(epoch FROM now() - finished_at) AS seconds
		FROM quizzes WHERE tenant_id = $1 AND person_id = $2 AND finished_at IS NOT NULL ORDER BY finished_at DESC, id DESC LIMIT 1`, tx.Tenant, person)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, "", nil
	}
	if err != nil {
		return 0, "", fmt.Errorf("read last try: %w", err)
	}
	wait := RetryAfter - time.Duration(last.Seconds*float64(time.Second))
	if last.Passed || wait < 0 {
		wait = 0
	}

	return wait, last.Form, nil
}

// retiredFacts are those that say something else than when the questions on them were written.
func retiredFacts(ctx context.Context, tx *tenants.Tx) (map[string]bool, error) {
	list, err := facts.Shipped()
	if err != nil {
		return nil, err
	}
	shipped := map[string]facts.Fact{}
	for _, f := range list {
		shipped[f.Key] = f
	}
	current, err := facts.Current(ctx, tx)
	if err != nil {
		return nil, err
	}
	retired := map[string]bool{}
	for _, f := range current {
		retired[f.Key] = facts.Edited(f, shipped)
	}

	return retired, nil
}

const selectQuiz = `
	SELECT q.id, q.person_id, q.kind, q.form, coalesce(q.score, 0) AS score, cardinality(q.items) AS asked, coalesce(q.gates[1], '') AS gate, q.passed, q.seq,
	       q.started_at, coalesce(q.finished_at, q.started_at) AS finished_at, q.seed, q.items, coalesce(q.answers, '{}') AS answers,
	       coalesce(q.correct, '{}') AS correct, q.gates, q.finished_at IS NOT NULL AS finished
	FROM quizzes q WHERE q.tenant_id = $1 AND q.id = $2`

// GetQuiz is a quiz of tx's tenant. Whoever may see those of others asks with person Nil; else a quiz of somebody else is ErrNotFound.
func GetQuiz(ctx context.Context, tx *tenants.Tx, id, person uuid.UUID) (Quiz, error) {
	var q Quiz
	err := tx.GetContext(ctx, &q, selectQuiz, tx.Tenant, id)
	if errors.Is(err, sql.ErrNoRows) || err == nil && person != uuid.Nil && q.Person != person {
		return Quiz{}, tenants.ErrNotFound
	}
	if err != nil {
		return Quiz{}, fmt.Errorf("read quiz: %w", err)
	}

	return q, nil
}

// FinishQuiz judges the answers to somebody's quiz, given by item, in the language they read it in. All have to be there: which are not
// is Invalid "unanswered" with the first one's id, or "step_twice" where an order has a step twice; but of a question that was taken back
// meanwhile no answer is looked at or kept: it stands as right, breaks no gate and is not counted, unless it was the only one for a gate: then
// what Asked has in its place is to be answered. A quiz that is finished already is Conflict "quiz_finished", one that has to be drawn anew
// "quiz_changed".
func FinishQuiz(ctx context.Context, tx *tenants.Tx, bank *content.Bank, who Learner, id uuid.UUID, answers map[string]string, lang string) (Quiz, error) {
	var q Quiz
	err := tx.GetContext(ctx, &q, selectQuiz+` AND q.person_id = $3 FOR UPDATE`, tx.Tenant, id, who.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return Quiz{}, tenants.ErrNotFound
	}
	if err != nil {
		return Quiz{}, fmt.Errorf("read quiz: %w", err)
	}
	if q.Finished {
		return q, &tenants.Conflict{Code: "quiz_finished"}
	}
	away, err := Withdrawn(ctx, tx)
	if err != nil {
		return Quiz{}, err
	}
	items, ok, err := Asked(ctx, tx, bank, q)
	if err != nil {
		return Quiz{}, err
	}
	if !ok {
		return Quiz{}, &tenants.Conflict{Code: "quiz_changed"}
	}
	q.Items = items

	for _, key := range q.Items {
		if _, is := away[key]; is {
			q.Answers, q.Correct, q.Score = append(q.Answers, ""), append(q.Correct, true), q.Score+1
			continue
		}
		item, ok := bank.Item(key)
		if !ok {
			return Quiz{}, &tenants.Conflict{Code: "quiz_changed"}
		}
		answer, ok := accepted(item, answers[key])
		if !ok {
			return Quiz{}, &tenants.Invalid{Field: key, Key: notAccepted(item, answers[key])}
		}
		right, gate := item.Answered(strings.Fields(answer)...)
		q.Answers, q.Correct = append(q.Answers, answer), append(q.Correct, right)
		if right {
			q.Score++
		}
		if gate != "" && !slices.Contains(q.Gates, gate) {
			q.Gates = append(q.Gates, gate)
		}
	}
	q.Passed = len(q.Gates) == 0 && passed(q.Kind, q.Score, len(q.Items))
	if _, err := tx.ExecContext(ctx, `
		UPDATE quizzes SET finished_at = now(), lang = $3, answers = $4, correct = $5, score = $6, gates = $7, passed = $8, items = $9
		WHERE tenant_id = $1 AND id = $2`,
		tx.Tenant, id, lang, q.Answers, q.Correct, q.Score, pq.Array(append([]string{}, q.Gates...)), q.Passed, q.Items); err != nil {
		return Quiz{}, fmt.Errorf("keep answers: %w", err)
	}
	if err := count(ctx, tx, q, lang); err != nil {
		return Quiz{}, err
	}

	// How it went is nobody's but theirs and their lead's, so the audit does not tell.
	return q, tenants.Audit(ctx, tx, tenants.Act{
		Actor: who.Actor, Action: "training.quiz", ObjectKind: "quiz", ObjectID: id.String(), Detail: map[string]any{"kind": q.Kind},
	})
}

func passed(kind string, score, of int) bool {
	if kind == KindRefresher {
		return score >= RefresherRight
	}

	return score*100 >= of*PassPercent
}

// notAccepted is why an answer is none: an order that names as many steps as there are has one of them twice.
func notAccepted(item content.Item, answer string) string {
	if item.Format == content.Order && len(strings.Fields(answer)) == len(item.Options) {
		return "step_twice"
	}

	return "unanswered"
}

// accepted is an answer as it is kept, if it is one to the question.
func accepted(item content.Item, answer string) (string, bool) {
	ids := strings.Fields(answer)
	for _, id := range ids {
		if !slices.ContainsFunc(item.Options, func(o content.Option) bool { return o.ID == id }) {
			return "", false
		}
	}
	if item.Format != content.Order {
		return answer, len(ids) == 1
	}
	different := slices.Compact(slices.Sorted(slices.Values(ids)))

	return strings.Join(ids, " "), len(ids) == len(item.Options) && len(different) == len(ids)
}

// NeedRight is how many answers of a kind of quiz have to be right.
func NeedRight(kind string) int {
	if kind == KindRefresher {
		return RefresherRight
	}

	return (QuizItems*PassPercent + 99) / 100
}
