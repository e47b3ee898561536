package answers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// MaxLesson is how long what was learnt may be, in letters.
const MaxLesson = 600

// Lesson is what somebody of the team learnt about a question.
type Lesson struct {
	Text string
	By   string
	At   time.Time
}

// Proposal is what a card may come of: a question, and what was learnt.
type Proposal struct {
	Origin   string // FromContact, FromSearch or FromEscalation
	Question string
	Lesson   string
}

// Propose logs a question with what somebody learnt about it. Of both only what tells nobody's name or number is kept; names are those of whom
// it is about. Invalid where either is empty then, or the lesson too long.
func Propose(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, in Proposal, names ...string) (Question, error) {
	in.Lesson = strings.TrimSpace(in.Lesson)
	switch {
	case utf8.RuneCountInString(in.Lesson) > MaxLesson:
		return Question{}, &tenants.Invalid{Field: "lesson", Key: "too_long"}
	case !slices.Contains([]string{FromContact, FromSearch, FromEscalation}, in.Origin):
		return Question{}, fmt.Errorf("propose a card from %q: %w", in.Origin, tenants.ErrNotFound)
	}
	q := Question{Text: Mask(in.Question, names...), Lesson: mask(in.Lesson, names)}
	for field, text := range map[string]string{"question": q.Text, "lesson": q.Lesson} {
		if !strings.ContainsFunc(text, unicode.IsLetter) {
			return Question{}, &tenants.Invalid{Field: field, Key: "required"}
		}
	}
	if err := keep(ctx, tx, actor, in.Origin, &q); err != nil {
		return Question{}, err
	}

	return q, tenants.Audit(ctx, tx, tenants.Act{Actor: actor, Action: "question.propose", ObjectKind: "question", ObjectID: q.ID.String()})
}

// keep stores a question that is masked already. Past the quota of those without an answer it is Conflict "too_many_questions".
func keep(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, origin string, q *Question) error {
	err := tenants.Within(ctx, tx, tenants.QuotaQuestions)
	if err != nil {
		return err
	}
	if q.ID, err = uuid.NewV7(); err != nil {
		return fmt.Errorf("make the id of a question: %w", err)
	}
	if err := tx.GetContext(ctx, &q.At, `
		INSERT INTO asked_questions (tenant_id, id, text, lesson, origin, by_person, by_name) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING at`,
		tx.Tenant, q.ID, q.Text, q.Lesson, origin, actor.ID, actor.Name); err != nil {
		return fmt.Errorf("log a question: %w", err)
	}

	return nil
}
