package training

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/facts"
	"github.com/pehchan/pehchan/tenants/training/content"
)

const (
	// MaxAnswer is how long an answer in a practice chat may be, in characters.
	MaxAnswer = 1000

	mostAnswers = 20 // in one try; who goes round in circles has not passed
)

// Try is one go at a practice chat.
type Try struct {
	ID       uuid.UUID      `db:"id"`
	Person   uuid.UUID      `db:"person_id"`
	Drill    string         `db:"drill"`
	Variant  int            `db:"variant"` // 0 or 1
	Step     string         `db:"step"`    // the one to answer, or the last that was
	Started  time.Time      `db:"started_at"`
	Finished bool           `db:"finished"`
	Level    string         `db:"level"` // of the ladder, as chosen; empty for not yet
	Gates    pq.StringArray `db:"gates"`
	Passed   bool           `db:"passed"`
	Turns    []Turn         `db:"-"`
}

// Turn is one answer, and how long it took. What it lacked content.Grade tells again wherever it is shown, in the reader's language.
type Turn struct {
	Step    string `db:"step"`
	Answer  string `db:"answer"` // typed, or the id of a choice
	Passed  bool   `db:"passed"`
	Seconds int    `db:"seconds"`
}

const selectTry = `
	SELECT id, person_id, drill, variant, step, started_at, finished_at IS NOT NULL AS finished, level, gates, passed
	FROM drill_tries WHERE tenant_id = $1 AND id = $2`

// StartDrill begins a practice chat and returns its try: the one under way, if there is one, else a new one with the customer that was
// not met last time.
func StartDrill(ctx context.Context, tx *tenants.Tx, bank *content.Bank, who Learner, drill string) (uuid.UUID, error) {
	d, ok := bank.Drill(drill)
	if !ok || !Learns(who.Role) {
		return uuid.Nil, tenants.ErrNotFound
	}
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('drill ' || $1::text || $2::text, 0))`, tx.Tenant, who.ID); err != nil {
		return uuid.Nil, fmt.Errorf("lock practice: %w", err)
	}
	var before struct {
		Open  uuid.NullUUID `db:"open"`
		Tries int           `db:"tries"`
	}
	err := tx.GetContext(ctx, &before, `
		SELECT (SELECT id FROM drill_tries WHERE tenant_id = $1 AND person_id = $2 AND drill = $3 AND finished_at IS NULL) AS open,
		       (SELECT count(*) FROM drill_tries WHERE tenant_id = $1 AND person_id = $2 AND drill = $3 AND finished_at IS NOT NULL) AS tries`,
		tx.Tenant, who.ID, drill)
	if err != nil {
		return uuid.Nil, fmt.Errorf("look for practice: %w", err)
	}
	if before.Open.Valid {
		return before.Open.UUID, nil
	}
	seq, err := facts.Newest(ctx, tx)
	if err != nil {
		return uuid.Nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.Nil, fmt.Errorf("make try id: %w", err)
	}
	variant := before.Tries % len(d.Variants)
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO drill_tries (tenant_id, id, person_id, drill, variant, seq, step) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		tx.Tenant, id, who.ID, drill, variant, seq, d.Variants[variant].Begin().ID); err != nil {
		return uuid.Nil, fmt.Errorf("keep try: %w", err)
	}

	return id, nil
}

// GetTry is a try with its turns. Whoever may see those of others asks with person Nil; else a try of somebody else is ErrNotFound.
func GetTry(ctx context.Context, tx *tenants.Tx, id, person uuid.UUID) (Try, error) {
	var t Try
	err := tx.GetContext(ctx, &t, selectTry, tx.Tenant, id)
	if errors.Is(err, sql.ErrNoRows) || err == nil && person != uuid.Nil && t.Person != person {
		return Try{}, tenants.ErrNotFound
	}
	if err != nil {
		return Try{}, fmt.Errorf("read try: %w", err)
	}
	if err := tx.SelectContext(ctx, &t.Turns, `
		SELECT step, answer, passed, seconds FROM drill_answers WHERE tenant_id = $1 AND try_id = $2 ORDER BY position LIMIT $3`,
		tx.Tenant, id, mostAnswers); err != nil {
		return Try{}, fmt.Errorf("list answers: %w", err)
	}

	return t, nil
}

// AnswerDrill judges an answer to the step that somebody's try stands at, and goes on. at is how many answers the person has seen given:
// where the try has gone on meanwhile it is Conflict "drill_moved".
func AnswerDrill(ctx context.Context, tx *tenants.Tx, bank *content.Bank, who Learner, id uuid.UUID, at int, answer string) error {
	var t Try
	err := tx.GetContext(ctx, &t, selectTry+` AND person_id = $3 FOR UPDATE`, tx.Tenant, id, who.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return tenants.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("read try: %w", err)
	}
	var given int
	if err := tx.GetContext(ctx, &given, `SELECT count(*) FROM drill_answers WHERE tenant_id = $1 AND try_id = $2`, tx.Tenant, id); err != nil {
		return fmt.Errorf("count answers: %w", err)
	}
	if t.Finished || given != at {
		return &tenants.Conflict{Code: "drill_moved"}
	}
	d, ok := bank.Drill(t.Drill)
	if !ok {
		return tenants.ErrNotFound
	}
	step, err := d.Variants[t.Variant].Step(t.Step)
	if err != nil {
		return &tenants.Conflict{Code: "drill_moved"}
	}
	if answer = strings.TrimSpace(answer); answer == "" {
		return &tenants.Invalid{Field: "answer", Key: "unanswered"}
	}
	if len([]rune(answer)) > MaxAnswer {
		return &tenants.Invalid{Field: "answer", Key: "too_long"}
	}
	if len(step.Choices) > 0 && !slices.ContainsFunc(step.Choices, func(c content.Choice) bool { return c.ID == answer }) {
		return &tenants.Invalid{Field: "answer", Key: "choice"}
	}

	r := content.Grade(step, answer)
	if err := keepTurn(ctx, tx, id, given, step.ID, answer, r); err != nil {
		return err
	}
	for _, gate := range r.Broken {
		if !slices.Contains(t.Gates, gate) {
			t.Gates = append(t.Gates, gate)
		}
	}
	if step.Asks == content.Escalate {
		t.Level = answer
	}
	next, done, err := d.Variants[t.Variant].After(step, r)
	if err != nil {
		return fmt.Errorf("go on in drill %s: %w", t.Drill, err)
	}
	if done || given+1 >= mostAnswers {
		return finishDrill(ctx, tx, d.Variants[t.Variant], who, t)
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE drill_tries SET step = $3, shown_at = now(), level = $4, gates = $5 WHERE tenant_id = $1 AND id = $2`,
		tx.Tenant, id, next.ID, t.Level, pq.Array(append([]string{}, t.Gates...))); err != nil {
		return fmt.Errorf("go on in try: %w", err)
	}

	return nil
}

func keepTurn(ctx context.Context, tx *tenants.Tx, id uuid.UUID, at int, step, answer string, r content.Result) error {
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO drill_answers (tenant_id, try_id, position, step, answer, passed, seconds)
		SELECT $1, $2, $3, $4, $5, $6, least(greatest(extract(epoch FROM now() - shown_at), 0), 86400)::integer
		FROM drill_tries WHERE tenant_id = $1 AND id = $2`,
		tx.Tenant, id, at, step, answer, r.Outcome() == content.Right); err != nil {
		return fmt.Errorf("keep answer: %w", err)
	}

	return nil
}

// finishDrill ends a try. It is passed where no gate was broken and everything was answered rightly in the end: a step may be answered
// wrongly once where the customer asks again.
func finishDrill(ctx context.Context, tx *tenants.Tx, variant content.Variant, who Learner, t Try) error {
	done, err := GetTry(ctx, tx, t.ID, who.ID)
	if err != nil {
		return err
	}
	answered := map[string]bool{} // by step, or by the one it is like
	for _, turn := range done.Turns {
		step, err := variant.Step(turn.Step)
		if err != nil {
			return fmt.Errorf("judge drill %s: %w", t.Drill, err)
		}
		answered[cmp.Or(step.Like, step.ID)] = turn.Passed
	}
	passed := len(t.Gates) == 0
	for _, right := range answered {
		passed = passed && right
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE drill_tries SET finished_at = now(), level = $3, gates = $4, passed = $5 WHERE tenant_id = $1 AND id = $2`,
		tx.Tenant, t.ID, t.Level, pq.Array(append([]string{}, t.Gates...)), passed); err != nil {
		return fmt.Errorf("finish try: %w", err)
	}

	return tenants.Audit(ctx, tx, tenants.Act{Actor: who.Actor, Action: "training.drill", ObjectKind: "drill", ObjectID: t.ID.String()})
}
