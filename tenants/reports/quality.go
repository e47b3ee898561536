package reports

import (
	"context"
	"fmt"
	"time"

	"github.com/pehchan/pehchan/tenants"
)

const (
	// QualityWeeks is how many weeks are looked back on, the running one included.
	QualityWeeks = 8

	// FewDecisions is below how many decisions of a person nothing is said about those taken back.
	FewDecisions = 20

	mostAnswers = 100000 // of a team in QualityWeeks
	mostMacros  = 10     // listed
)

// Work is what a team, or one of it, did in some time. Every figure comes from stored rows.
type Work struct {
	Answers int64   `db:"answers"` // replies written here to customers who waited
	Half    float64 `db:"half"`    // seconds within which half of them went out; 0 without answers
	Most    float64 `db:"most"`    // and nine of ten

	Quizzes int64 `db:"quizzes"` // finished, refreshers among them
	Right   int64 `db:"right"`   // questions of them answered rightly
	Asked   int64 `db:"asked"`   // of so many
	Drills  int64 `db:"drills"`  // practice chats finished
	Passed  int64 `db:"passed"`  // and passed

	Decided int64 `db:"decided"` // two contacts said to be one person
	Undone  int64 `db:"undone"`  // of them taken back since
}

// Used is how often a macro was sent.
type Used struct {
	Key string `db:"key"`
	N   int64  `db:"n"`
}

// Week is a week of a team.
type Week struct {
	From      time.Time // its Monday
	Questions int64     // of customers that were noted
	Macros    int64     // sent
	Work
}

// Quality is how well a team answers.
type Quality struct {
	All       Work
	Weeks     []Week          // the oldest first, QualityWeeks of them
	People    map[string]Work // by id; of those who did anything
	Macros    []Used          // most sent first, at most ten
	Helpful   int64           // votes of the team on answers: what each last said
	Unhelpful int64
}

// Empty tells whether nothing was done at all.
func (q Quality) Empty() bool {
	for _, w := range q.Weeks {
		if w.Questions+w.Macros > 0 {
			return false
		}
	}
	all := q.All

	return all.Answers+all.Quizzes+all.Drills+all.Decided+q.Helpful+q.Unhelpful == 0
}

// counted is a line of one of the counts below: for a week, for a person, or with neither for all.
type counted struct {
	Week   *time.Time `db:"week"`
	Person *string    `db:"person"`
	Work
}

// sets is the end of each count: the week is a column of dates, the person one of ids.
const sets = ` GROUP BY GROUPING SETS ((), (week), (person))`

// counts are what Quality adds up. $2 is the first moment, $3 the zone whose weeks count.
var counts = []struct{ what, query string }{
	// Whoever writes twice waits from the first time. What was answered on the phone ends the waiting, and is no answer written here.
	{"how long customers waited", `
		SELECT week, person, count(*) AS answers, coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY waited), 0) AS half,
		       coalesce(percentile_cont(0.9) WITHIN GROUP (ORDER BY waited), 0) AS most
		FROM (
			SELECT date_trunc('week', o.submitted_at AT TIME ZONE $3)::date AS week, o.actor_id AS person,
			       greatest(extract(epoch FROM o.submitted_at - first.at), 0)::float8 AS waited
			FROM (SELECT id, message_id, identity_id, last_inbound, actor_id, submitted_at FROM outbox
			      WHERE tenant_id = $1 AND actor_kind = 'person' AND submitted_at >= $2 AND last_inbound IS NOT NULL
			        AND state NOT IN ('failed', 'returned', 'cancelled')
			      ORDER BY submitted_at DESC LIMIT $4) o
			JOIN messages heard ON heard.tenant_id = $1 AND heard.id = o.last_inbound
			CROSS JOIN LATERAL (
				SELECT greatest(
					(SELECT max(e.submitted_at) FROM outbox e
					 WHERE e.tenant_id = $1 AND e.identity_id = o.identity_id AND e.submitted_at < o.submitted_at
					   AND e.state NOT IN ('failed', 'returned', 'cancelled')),
					(SELECT m.at FROM messages m
					 WHERE m.tenant_id = $1 AND m.tenure_id = heard.tenure_id AND m.direction = 'out' AND m.at < o.submitted_at AND m.id <> o.message_id
					   AND NOT EXISTS (SELECT 1 FROM outbox f WHERE f.tenant_id = $1 AND f.message_id = m.id AND f.state IN ('failed', 'returned', 'cancelled'))
					 ORDER BY m.at DESC LIMIT 1)) AS at
			) before
			CROSS JOIN LATERAL (
				SELECT min(m.at) AS at FROM messages m
				WHERE m.tenant_id = $1 AND m.tenure_id = heard.tenure_id AND m.direction = 'in' AND m.at <= o.submitted_at
				  AND m.at > coalesce(before.at, '-infinity') AND m.target_wamid = '' AND m.group_id = '' AND NOT m.imported
			) first
			WHERE first.at IS NOT NULL
		) answers` + sets},
	{"quizzes", `
		SELECT week, person, count(*) AS quizzes, coalesce(sum(score), 0) AS right, coalesce(sum(asked), 0) AS asked
		FROM (
			SELECT date_trunc('week', finished_at AT TIME ZONE $3)::date AS week, person_id::text AS person, score, cardinality(items) AS asked
			FROM quizzes WHERE tenant_id = $1 AND finished_at >= $2 LIMIT $4
		) done` + sets},
	{"practice chats", `
		SELECT week, person, count(*) AS drills, count(*) FILTER (WHERE passed) AS passed
		FROM (
			SELECT date_trunc('week', finished_at AT TIME ZONE $3)::date AS week, person_id::text AS person, passed
			FROM drill_tries WHERE tenant_id = $1 AND finished_at >= $2 LIMIT $4
		) done` + sets},
	{"decisions", `
		SELECT week, person, count(*) AS decided, count(*) FILTER (WHERE undone) AS undone
		FROM (
			SELECT date_trunc('week', at AT TIME ZONE $3)::date AS week, actor_id AS person, undone_at IS NOT NULL AS undone
			FROM links WHERE tenant_id = $1 AND at >= $2 AND kind = 'merged' AND actor_kind = 'person' LIMIT $4
		) made` + sets},
}

// Assess counts how well tx's team answers: the week of now in zone and those before it. Only answers written by people of the team count,
// and of them those that customers waited for.
func Assess(ctx context.Context, tx *tenants.Tx, now time.Time, zone *time.Location) (Quality, error) {
	q := Quality{People: map[string]Work{}}
	from := firstMonday(now, zone)
	at := map[string]int{}
	for i := range QualityWeeks {
		q.Weeks = append(q.Weeks, Week{From: from.AddDate(0, 0, 7*i)})
		at[q.Weeks[i].From.Format(time.DateOnly)] = i
	}

	for _, c := range counts {
		var lines []counted
		if err := tx.SelectContext(ctx, &lines, c.query, tx.Tenant, from, zone.String(), mostAnswers); err != nil {
			return Quality{}, fmt.Errorf("count %s: %w", c.what, err)
		}
		for _, line := range lines {
			switch {
			case line.Week != nil:
				if i, known := at[line.Week.Format(time.DateOnly)]; known {
					q.Weeks[i].add(line.Work)
				}
			case line.Person != nil:
				one := q.People[*line.Person]
				one.add(line.Work)
				q.People[*line.Person] = one
			default:
				q.All.add(line.Work)
			}
		}
	}

	return q, q.addAnswers(ctx, tx, from, zone, at)
}

// firstMonday is the begin of the weeks that are looked back on.
func firstMonday(now time.Time, zone *time.Location) time.Time {
	day := now.In(zone)

	return time.Date(day.Year(), day.Month(), day.Day()-(int(day.Weekday())+6)%7-7*(QualityWeeks-1), 0, 0, 0, 0, zone)
}

// add puts the figures of another count to those that are there: each of them comes from one count alone.
func (w *Work) add(o Work) {
	w.Answers, w.Half, w.Most = w.Answers+o.Answers, w.Half+o.Half, w.Most+o.Most
	w.Quizzes, w.Right, w.Asked = w.Quizzes+o.Quizzes, w.Right+o.Right, w.Asked+o.Asked
	w.Drills, w.Passed = w.Drills+o.Drills, w.Passed+o.Passed
	w.Decided, w.Undone = w.Decided+o.Decided, w.Undone+o.Undone
}

// addAnswers adds what is kept without persons: questions, macros and votes.
func (q *Quality) addAnswers(ctx context.Context, tx *tenants.Tx, from time.Time, zone *time.Location, at map[string]int) error {
	var weeks []struct {
		Week      time.Time `db:"week"`
		Questions int64     `db:"questions"`
		Macros    int64     `db:"macros"`
	}
	if err := tx.SelectContext(ctx, &weeks, `
		SELECT week, sum(questions)::bigint AS questions, sum(macros)::bigint AS macros FROM (
			SELECT date_trunc('week', at AT TIME ZONE $3)::date AS week, 1 AS questions, 0 AS macros FROM asked_questions WHERE tenant_id = $1 AND at >= $2
			UNION ALL
			SELECT date_trunc('week', day)::date, 0, n FROM answer_uses WHERE tenant_id = $1 AND kind = 'macro' AND day >= ($2 AT TIME ZONE $3)::date
		) used GROUP BY week`, tx.Tenant, from, zone.String()); err != nil {
		return fmt.Errorf("count questions and macros: %w", err)
	}
	for _, w := range weeks {
		if i, known := at[w.Week.Format(time.DateOnly)]; known {
			q.Weeks[i].Questions, q.Weeks[i].Macros = w.Questions, w.Macros
		}
	}
	if err := tx.SelectContext(ctx, &q.Macros, `
		SELECT key, sum(n)::bigint AS n FROM answer_uses WHERE tenant_id = $1 AND kind = 'macro' AND day >= ($2 AT TIME ZONE $3)::date
		GROUP BY key ORDER BY n DESC, key LIMIT $4`, tx.Tenant, from, zone.String(), mostMacros); err != nil {
		return fmt.Errorf("list macros used: %w", err)
	}
	if err := tx.QueryRowxContext(ctx, `
		SELECT count(*) FILTER (WHERE helpful), count(*) FILTER (WHERE NOT helpful) FROM answer_votes WHERE tenant_id = $1 AND at >= $2`,
		tx.Tenant, from).Scan(&q.Helpful, &q.Unhelpful); err != nil {
		return fmt.Errorf("count votes: %w", err)
	}

	return nil
}
