// Package start keeps how far a new business has come in setting itself up, and what its people answered about their first event.
package start

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// The steps, in order: language and size, a number, the first event, a helper, the first tasks.
const (
	Look    = "look"
	Connect = "connect"
	Event   = "event"
	Invite  = "invite"
	Tasks   = "tasks"
)

// Steps are the steps in order.
var Steps = []string{Look, Connect, Event, Invite, Tasks}

// A step is behind a business when it was done, or skipped.
const (
	Done    = "done"
	Skipped = "skipped"
)

// Step is one step that is behind the business.
type Step struct {
	Name  string    `db:"step"`
	State string    `db:"state"` // Done or Skipped
	By    string    `db:"by_name"`
	At    time.Time `db:"at"`
}

// Progress is how far the business is.
type Progress struct {
	Steps map[string]Step // those that are behind it
}

// Begun tells whether anybody has taken a step.
func (p Progress) Begun() bool { return len(p.Steps) > 0 }

// Finished tells whether all steps are behind the business.
func (p Progress) Finished() bool { return p.Next() == "" }

// Next is the first step that is not behind the business, "" where all are.
func (p Progress) Next() string {
	for _, name := range Steps {
		if _, behind := p.Steps[name]; !behind {
			return name
		}
	}

	return ""
}

// Of reads how far tx's tenant is.
func Of(ctx context.Context, tx *tenants.Tx) (Progress, error) {
	var list []Step
	if err := tx.SelectContext(ctx, &list, `SELECT step, state, by_name, at FROM start_steps WHERE tenant_id = $1`, tx.Tenant); err != nil {
		return Progress{}, fmt.Errorf("read first steps: %w", err)
	}
	p := Progress{Steps: map[string]Step{}}
	for _, s := range list {
		p.Steps[s.Name] = s
	}

	return p, nil
}

// Take puts a step behind tx's tenant, done or skipped. One that was done stays done; one that was skipped may be done later.
func Take(ctx context.Context, tx *tenants.Tx, by tenants.Actor, step, state string) error {
	if !slices.Contains(Steps, step) || state != Done && state != Skipped {
		return &tenants.Invalid{Field: "step", Key: "choice"}
	}
	result, err := tx.ExecContext(ctx, `
		INSERT INTO start_steps (tenant_id, step, state, by_name) VALUES ($1, $2, $3, $4)
		ON CONFLICT (tenant_id, step) DO UPDATE SET state = excluded.state, by_name = excluded.by_name, at = now()
		WHERE start_steps.state = 'skipped' AND excluded.state = 'done'`, tx.Tenant, step, state, by.Name)
	if err != nil {
		return fmt.Errorf("keep first step: %w", err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return err //nolint:wrapcheck // the driver does not fail here
	}

	act := tenants.Act{Actor: by, Action: "start.done", ObjectKind: "start", ObjectID: step, Detail: map[string]any{"step": step}}
	if state == Skipped {
		act = tenants.Act{Actor: by, Action: "start.skipped", ObjectKind: "start", ObjectID: step, Detail: map[string]any{"step": step}}
	}

	return tenants.Audit(ctx, tx, act)
}

// Answers are the right answers to the questions about the first event. Source: domain facts 2.1.
var Answers = map[string]string{
	"hidden": "by_id",     // a customer who hides their phone is answered by their WhatsApp ID
	"other":  "different", // another business knows the same person by another ID
	"change": "new_id",    // who changes their phone number gets a new ID
}

// Questions are the keys of Answers in the order in which they are asked.
var Questions = []string{"hidden", "other", "change"}

// Answer is what a person said last.
type Answer struct {
	Question string    `db:"question"`
	Answer   string    `db:"answer"`
	Correct  bool      `db:"correct"`
	Tries    int       `db:"tries"`
	At       time.Time `db:"at"`
}

// Reply keeps what a person of tx's tenant answered, and how often they tried. Every question needs an answer.
func Reply(ctx context.Context, tx *tenants.Tx, by tenants.Actor, person uuid.UUID, given map[string]string) error {
	right := 0
	for _, question := range Questions {
		answer := given[question]
		if answer == "" || len(answer) > 40 {
			return &tenants.Invalid{Field: question, Key: "choice"}
		}
		correct := Answers[question] == answer
		if correct {
			right++
		}
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO start_answers (tenant_id, person_id, question, answer, correct) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (tenant_id, person_id, question)
			DO UPDATE SET answer = excluded.answer, correct = excluded.correct, tries = start_answers.tries + 1, at = now()`,
			tx.Tenant, person, question, answer, correct); err != nil {
			return fmt.Errorf("keep answer: %w", err)
		}
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: by, Action: "start.answer", ObjectKind: "person", ObjectID: person.String(), Detail: map[string]any{"right": right, "of": len(Questions)},
	})
}

// Said are the answers of a person of tx's tenant, by question.
func Said(ctx context.Context, tx *tenants.Tx, person uuid.UUID) (map[string]Answer, error) {
	var list []Answer
	err := tx.SelectContext(ctx, &list, `
		SELECT question, answer, correct, tries, at FROM start_answers WHERE tenant_id = $1 AND person_id = $2`, tx.Tenant, person)
	if err != nil {
		return nil, fmt.Errorf("read answers: %w", err)
	}
	said := map[string]Answer{}
	for _, a := range list {
		said[a.Question] = a
	}

	return said, nil
}

// FirstEvent is the message by which a business sees what WhatsApp tells of a customer.
type FirstEvent struct {
	Contact  uuid.UUID `db:"contact_id"`
	Identity uuid.UUID `db:"identity_id"`
	Type     string    `db:"type"` // of the message: text, image, …
	At       time.Time `db:"at"`
}

// looked bounds how many messages are read to find the first. A business with more has long been past its first.
const looked = 5000

// First is the first message, old chats aside, that reached tx's tenant from a customer; of a business with very many, one of them. ErrNotFound where none has.
func First(ctx context.Context, tx *tenants.Tx) (FirstEvent, error) {
	var e FirstEvent
	err := tx.GetContext(ctx, &e, `
		SELECT i.contact_id, i.id AS identity_id, m.type, m.at
		FROM (SELECT tenure_id, type, at, received_at FROM messages
		      WHERE tenant_id = $1 AND direction = 'in' AND tenure_id IS NOT NULL AND group_id = '' AND NOT imported LIMIT $2) m
		JOIN tenures t ON t.tenant_id = $1 AND t.id = m.tenure_id
		JOIN identities i ON i.tenant_id = $1 AND i.id = t.identity_id AND i.contact_id IS NOT NULL
		ORDER BY m.received_at, m.at LIMIT 1`, tx.Tenant, looked)
	if errors.Is(err, sql.ErrNoRows) {
		return FirstEvent{}, tenants.ErrNotFound
	}
	if err != nil {
		return FirstEvent{}, fmt.Errorf("read the first event: %w", err)
	}

	return e, nil
}
