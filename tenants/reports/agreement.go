package reports

import (
	"context"
	"fmt"
	"time"

	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// Agreement is how judgements of whether two customers are one person came out, where that is known.
type Agreement struct {
	Gold   int64 `db:"gold"`   // judgements of cases whose right answer is known
	Right  int64 `db:"right"`  // of them, those that were right
	Looked int64 `db:"looked"` // judgements that somebody or something else has judged too
	Alike  int64 `db:"alike"`  // of them, those that came out the same
}

// Agreements are those of a team and, by id, of each person who judged anything.
type Agreements struct {
	All    Agreement
	People map[string]Agreement
}

// agreed are the counts that Agreements adds up. $2 is the first moment, $3 how much is read, and of those about known
// cases $4 the questions whose right answer is known.
var agreed = []struct {
	what  string
	known bool
	query string
}{
	// Of a question that somebody was asked more than once their last answer counts; of one that was taken back none.
	{"answers to known cases", true, `
		SELECT person, count(*) AS gold, count(*) FILTER (WHERE correct) AS right, count(*) FILTER (WHERE others > 0) AS looked,
		       count(*) FILTER (WHERE others > 0 AND 2 * alike >= others) AS alike
		FROM (
			SELECT person, correct, count(*) OVER (PARTITION BY item) - 1 AS others, count(*) OVER (PARTITION BY item, answer) - 1 AS alike
			FROM (
				SELECT DISTINCT ON (q.person_id, a.item) q.person_id::text AS person, a.item, a.answer, a.correct
				FROM quizzes q CROSS JOIN LATERAL unnest(q.items, q.answers, q.correct) AS a (item, answer, correct)
				WHERE q.tenant_id = $1 AND q.finished_at >= $2 AND a.item = ANY($4) AND a.answer <> ''
				ORDER BY q.person_id, a.item, q.finished_at DESC, q.id LIMIT $3
			) last
		) answers GROUP BY GROUPING SETS ((), (person))`},
	// The strongest second judgement counts: WhatsApp's proof, then what a colleague said of the same two, then that somebody else undid the
	// join, then that it took a second person, who confirmed it.
	{"decisions looked at twice", false, `
		WITH judged AS (
			SELECT actor_id AS person, kind = 'must_link' AS same, a_id AS a, b_id AS b, decided_at AS at, link_id, case_id, coalesce(case_id, link_id, id) AS about
			FROM decisions
			WHERE tenant_id = $1 AND actor_kind = 'person' AND kind IN ('must_link', 'cannot_link') AND b_id IS NOT NULL AND decided_at >= $2
			ORDER BY decided_at DESC LIMIT $3
		), seconds AS (
			SELECT j.person, j.about, CASE
				WHEN EXISTS (SELECT 1 FROM pairings x WHERE x.tenant_id = $1 AND x.bsuid_id IN (j.a, j.b) AND x.other_id IN (j.a, j.b) AND x.last_at > j.at) THEN j.same
				WHEN o.same IS NOT NULL THEN o.same = j.same
				WHEN EXISTS (SELECT 1 FROM links l WHERE l.tenant_id = $1 AND l.id = j.link_id AND l.undone_at IS NOT NULL AND l.undone_by <> l.actor_name) THEN false
				WHEN EXISTS (SELECT 1 FROM cases k WHERE k.tenant_id = $1 AND k.id = j.case_id AND k.proposed_by NOT IN ('', j.person) AND j.same) THEN true
			END AS alike
			FROM judged j LEFT JOIN LATERAL (
				SELECT d.kind = 'must_link' AS same FROM decisions d
				WHERE d.tenant_id = $1 AND d.a_id IN (j.a, j.b) AND d.b_id IN (j.a, j.b) AND d.actor_kind = 'person' AND d.actor_id <> j.person
				  AND d.kind IN ('must_link', 'cannot_link')
				ORDER BY d.decided_at DESC, d.id LIMIT 1
			) o ON true
			UNION ALL
			SELECT k.proposed_by, k.id, true FROM judged j JOIN cases k ON k.tenant_id = $1 AND k.id = j.case_id
			WHERE j.same AND k.proposed_by NOT IN ('', j.person)
		)
		SELECT person, count(*) AS looked, count(*) FILTER (WHERE alike) AS alike
		FROM (SELECT person, about, bool_and(alike) AS alike FROM seconds WHERE alike IS NOT NULL GROUP BY person, about) judgements
		GROUP BY GROUPING SETS ((), (person))`},
}

// Agree counts how the judgements of tx's tenant came out in the weeks that Assess looks back on. gold are the questions of quizzes that ask
// whether two customers are one person, and so have a known answer.
func Agree(ctx context.Context, tx *tenants.Tx, gold []string, now time.Time, zone *time.Location) (Agreements, error) {
	a := Agreements{People: map[string]Agreement{}}
	from := firstMonday(now, zone)
	for _, c := range agreed {
		var lines []struct {
			Person *string `db:"person"`
			Agreement
		}
		args := []any{tx.Tenant, from, mostAnswers}
		if c.known {
			args = append(args, pq.Array(append([]string{}, gold...)))
		}
		if err := tx.SelectContext(ctx, &lines, c.query, args...); err != nil {
			return Agreements{}, fmt.Errorf("count %s: %w", c.what, err)
		}
		for _, line := range lines {
			if line.Person == nil {
				a.All = a.All.plus(line.Agreement)
				continue
			}
			a.People[*line.Person] = a.People[*line.Person].plus(line.Agreement)
		}
	}

	return a, nil
}

func (a Agreement) plus(o Agreement) Agreement {
	return Agreement{Gold: a.Gold + o.Gold, Right: a.Right + o.Right, Looked: a.Looked + o.Looked, Alike: a.Alike + o.Alike}
}
