package privacy

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// CountClocks writes down, in the tenant's transaction that changed a request, how many wait and since when, for the platform's operators.
// The row is locked before anything is counted: of two changes at once the second counts both.
func CountClocks(ctx context.Context, tx *tenants.Tx) error {
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO privacy_clocks AS c (tenant_id) VALUES ($1) ON CONFLICT (tenant_id) DO UPDATE SET counted_at = now()`, tx.Tenant); err != nil {
		return fmt.Errorf("lock the count of requests: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE privacy_clocks c
		SET access = r.access, correct = r.correct, erase = r.erase, object = r.object, grievance = r.grievance, asked = t.asked,
		    due = coalesce(r.due, '{}') || coalesce(t.due, '{}'), oldest_at = least(r.oldest, t.oldest), answered = r.answered, in_time = r.in_time
		FROM (SELECT count(*) FILTER (WHERE kind = 'access' AND closed_at IS NULL) AS access,
		             count(*) FILTER (WHERE kind = 'correct' AND closed_at IS NULL) AS correct,
		             count(*) FILTER (WHERE kind = 'erase' AND closed_at IS NULL) AS erase,
		             count(*) FILTER (WHERE kind = 'object' AND closed_at IS NULL) AS object,
		             count(*) FILTER (WHERE kind = 'grievance' AND closed_at IS NULL) AS grievance,
		             array_agg(due_at) FILTER (WHERE closed_at IS NULL) AS due, min(opened_at) FILTER (WHERE closed_at IS NULL) AS oldest,
		             count(closed_at) AS answered, count(*) FILTER (WHERE closed_at <= due_at) AS in_time
		      FROM privacy_requests WHERE tenant_id = $1) r,
		     (SELECT count(*) AS asked, min(made_at) AS oldest,
		             array_agg(made_at + make_interval(days => CASE kind WHEN 'grievance' THEN $3::int ELSE $2::int END)) AS due
		      FROM trust_requests WHERE tenant_id = $1 AND done_at IS NULL AND kind = ANY($4)) t
		WHERE c.tenant_id = $1`,
		tx.Tenant, AnswerDays(Access), AnswerDays(Grievance), pq.Array([]string{"access", "correct", "erase", "stop", "grievance"})); err != nil {
		return fmt.Errorf("count requests: %w", err)
	}

	return nil
}

// Clocks are the requests of one business as counts: nothing of who asks, nor of what.
type Clocks struct {
	Tenant    uuid.UUID `db:"tenant_id"`
	Slug      string    `db:"slug"`
	Name      string    `db:"name"`
	Access    int64     `db:"access"`
	Correct   int64     `db:"correct"`
	Erase     int64     `db:"erase"`
	Object    int64     `db:"object"`
	Grievance int64     `db:"grievance"`
	Asked     int64     `db:"asked"`    // on the public page, and not taken over
	Overdue   int64     `db:"overdue"`  // of all that wait
	Age       float64   `db:"age"`      // of the oldest that waits, in seconds; 0 where none does
	Answered  int64     `db:"answered"` // done or refused with a reason, ever
	InTime    int64     `db:"in_time"`  // of these
}

// Open is how many wait.
func (c Clocks) Open() int64 {
	return c.Access + c.Correct + c.Erase + c.Object + c.Grievance + c.Asked
}

// MostClocks is how many businesses are listed.
const MostClocks = 200

// AllClocks lists the businesses that ever had a request, those with overdue ones before all, then by age, at most MostClocks, in a System
// transaction.
func AllClocks(ctx context.Context, tx *tenants.Tx) ([]Clocks, error) {
	list := []Clocks{}
	if err := tx.SelectContext(ctx, &list, `
		SELECT c.tenant_id, t.slug, t.name, c.access, c.correct, c.erase, c.object, c.grievance, c.asked, c.answered, c.in_time,
		       (SELECT count(*) FROM unnest(c.due) due WHERE due < now()) AS overdue,
		       coalesce(extract(epoch FROM now() - c.oldest_at), 0) AS age
		FROM privacy_clocks c JOIN tenants t ON t.id = c.tenant_id AND t.state <> 'erased'
		WHERE cardinality(c.due) + c.answered > 0
		ORDER BY overdue DESC, c.oldest_at NULLS LAST, t.slug LIMIT $1`, MostClocks); err != nil {
		return nil, fmt.Errorf("list the clocks of requests: %w", err)
	}

	return list, nil
}
