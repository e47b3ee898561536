package training

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/facts"
	"github.com/pehchan/pehchan/tenants/training/content"
)

// mostRows bounds what is read of a team at once: some five hundred people with what they have done.
const mostRows = 50000

// Records are what people of tx's tenant have done, by person. Each of them has one.
func Records(ctx context.Context, tx *tenants.Tx, people []uuid.UUID) (map[uuid.UUID]Record, error) {
	all := make(map[uuid.UUID]Record, len(people))
	for _, person := range people {
		all[person] = Record{Reads: map[string]int64{}, Drills: map[string]Practice{}}
	}

	var reads []struct {
		Person uuid.UUID `db:"person_id"`
		Lesson string    `db:"lesson"`
		Seq    int64     `db:"seq"`
	}
	if err := tx.SelectContext(ctx, &reads, `
		SELECT person_id, lesson, seq FROM lesson_reads WHERE tenant_id = $1 AND person_id = ANY($2) LIMIT $3`,
		tx.Tenant, pq.Array(people), mostRows); err != nil {
		return nil, fmt.Errorf("list lessons read: %w", err)
	}
	for _, r := range reads {
		all[r.Person].Reads[r.Lesson] = r.Seq
	}

	var results []Result
	if err := tx.SelectContext(ctx, &results, `
		SELECT `+resultColumns+`
		FROM quizzes q
		WHERE q.tenant_id = $1 AND q.person_id = ANY($2) AND q.finished_at >= (
			SELECT max(l.finished_at) FROM quizzes l WHERE l.tenant_id = $1 AND l.person_id = q.person_id AND l.kind = 'quiz' AND l.finished_at IS NOT NULL)
		ORDER BY q.person_id, q.finished_at, q.kind, q.id LIMIT $3`, tx.Tenant, pq.Array(people), mostRows); err != nil {
		return nil, fmt.Errorf("list results: %w", err)
	}
	for _, q := range results {
		r := all[q.Person]
		r.Quizzes = append(r.Quizzes, q)
		all[q.Person] = r
	}

	var drills []Practice
	if err := tx.SelectContext(ctx, &drills, `
		SELECT DISTINCT ON (person_id, drill) person_id, id, drill, coalesce(gates[1], '') AS gate, passed, seq, finished_at
		FROM drill_tries WHERE tenant_id = $1 AND person_id = ANY($2) AND finished_at IS NOT NULL
		ORDER BY person_id, drill, finished_at DESC, id LIMIT $3`, tx.Tenant, pq.Array(people), mostRows); err != nil {
		return nil, fmt.Errorf("list practice: %w", err)
	}
	for _, d := range drills {
		all[d.Person].Drills[d.Drill] = d
	}

	return all, nil
}

const resultColumns = `q.id, q.person_id, q.kind, q.form, q.score, cardinality(q.items) AS asked, coalesce(q.gates[1], '') AS gate, q.passed, q.seq,
	q.started_at, q.finished_at`

// MarkRead notes that a person has read a lesson of their role, with the fact ledger as it stood up to seq.
func MarkRead(ctx context.Context, tx *tenants.Tx, bank *content.Bank, who Learner, lesson string, seq int64) error {
	if l, ok := bank.Lesson(lesson); !ok || !slices.Contains(l.Roles, who.Role) {
		return tenants.ErrNotFound
	}
	newest, err := facts.Newest(ctx, tx)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO lesson_reads (tenant_id, person_id, lesson, seq) VALUES ($1, $2, $3, $4)
		ON CONFLICT (tenant_id, person_id, lesson) DO UPDATE SET seq = greatest(lesson_reads.seq, excluded.seq), at = now()`,
		tx.Tenant, who.ID, lesson, min(seq, newest)); err != nil {
		return fmt.Errorf("note a lesson read: %w", err)
	}

	return tenants.Audit(ctx, tx, tenants.Act{Actor: who.Actor, Action: "training.read", ObjectKind: "lesson", ObjectID: lesson})
}

// Lesson says whether somebody has read a lesson: "read", "changed" where what it rests on has changed since, or "".
func (r Record) Lesson(l content.Lesson, lastNews map[string]int64) string {
	seq, read := r.Reads[l.ID]
	switch {
	case !read:
		return ""
	case len(changedSince(l.Facts, lastNews, seq)) > 0:
		return "changed"
	}

	return "read"
}

// Drill says what came of a practice chat: "passed", "changed" where what it rests on has changed since, "gate", "failed", or "" where it
// was never finished.
func (r Record) Drill(d content.Drill, lastNews map[string]int64) string {
	last, tried := r.Drills[d.ID]
	switch {
	case !tried:
		return ""
	case last.Gate != "":
		return "gate"
	case !last.Passed:
		return "failed"
	case len(changedSince(d.Facts, lastNews, last.Seq)) > 0:
		return "changed"
	}

	return "passed"
}

// Open names what somebody has begun and not finished: kinds of quiz, and practice chats by their id.
func Open(ctx context.Context, tx *tenants.Tx, person uuid.UUID) ([]string, error) {
	var open []string
	if err := tx.SelectContext(ctx, &open, `
		SELECT kind FROM quizzes WHERE tenant_id = $1 AND person_id = $2 AND finished_at IS NULL AND started_at > now() - make_interval(secs => $3)
		UNION ALL SELECT drill FROM drill_tries WHERE tenant_id = $1 AND person_id = $2 AND finished_at IS NULL LIMIT 100`,
		tx.Tenant, person, openFor.Seconds()); err != nil {
		return nil, fmt.Errorf("list what was begun: %w", err)
	}

	return open, nil
}
