package adoption

import (
	"context"
	"fmt"
	"time"

	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// What is counted of links and cases, in work_sums: open cases by kind (with this before it), those that ended by how, links that stand
// and links taken back, and contacts that a link made one with another.
const (
	openCase     = "open:"
	caseDecided  = "decided" // by a person
	caseRuled    = "ruled"   // the same, by nobody
	caseProved   = "proved"
	linkAuto     = "auto"
	linkManual   = "manual"
	linkJoined   = "joined"
	undoneSuffix = "_undone"
)

// quarter is how finely moments are counted: every zone's days begin and end on one.
const quarter = 15 * time.Minute

// quarterOf is the quarter of an hour that a moment is in.
func quarterOf(t time.Time) time.Time { return t.UTC().Truncate(quarter) }

// CaseState and LinkState are what a statement that changes cases k or links l returns of each, for CountCases and CountLinks.
// caseGone and LinkGone are that of one which deletes them.
const (
	CaseState = `k.id, k.kind, k.state, k.part_of, k.waiting_since, k.outcome, k.closed_by, k.closed_at`
	caseGone  = `k.id, k.kind, '' AS state, k.part_of, k.waiting_since, k.outcome, k.closed_by, k.closed_at`
	LinkState = `l.id, l.kind, l.at, l.actor_kind, l.lose_contact, l.undone_at`
	LinkGone  = `l.id, '' AS kind, l.at, l.actor_kind, NULL::uuid AS lose_contact, l.undone_at`
)

// CountCases and CountLinks bring the sums up to date within the statement that changes cases or links, $1 being the tenant:
//
//	WITH changed AS (UPDATE cases k … RETURNING ` + CaseState + `), ` + CountCases + ` SELECT count(*) FROM changed
//
// What rows were before it they read from the table, which to all parts of a statement is as it was when that began. So this is for whoever
// holds the tenant's identity lock, and no row may be changed twice in one statement.
const (
	CountCases = `worked AS (
		SELECT a.what, a.moment, x.times
		FROM (SELECT k.*, 1 AS times FROM changed k UNION ALL
		      SELECT ` + CaseState + `, -1 FROM changed c JOIN cases k ON k.tenant_id = $1 AND k.id = c.id) x
		CROSS JOIN ` + ofCase + `
	), ` + addWorked
	// Of the links that took the same contact, the last that stands counts as joining: each change may make that another one.
	CountLinks = `took AS (
		SELECT l.id, l.lose_contact FROM changed c JOIN links l ON l.tenant_id = $1 AND l.id = c.id WHERE l.lose_contact IS NOT NULL
		UNION ALL
		SELECT id, lose_contact FROM changed WHERE lose_contact IS NOT NULL
	), beside AS (
		SELECT ` + LinkState + ` FROM links l WHERE l.tenant_id = $1 AND l.lose_contact IN (SELECT lose_contact FROM took) AND l.id NOT IN (SELECT id FROM changed)
	), worked AS (
		SELECT a.what, a.moment, x.times
		FROM (SELECT *, ` + lastToJoin + ` AS joins, 1 AS times FROM (SELECT * FROM changed UNION ALL SELECT * FROM beside) l
		      UNION ALL
		      SELECT *, ` + lastToJoin + `, -1 FROM (
		          SELECT ` + LinkState + ` FROM changed c JOIN links l ON l.tenant_id = $1 AND l.id = c.id UNION ALL SELECT * FROM beside) l) x
		CROSS JOIN ` + ofLink + `
	), ` + addWorked
)

// DropCases is a statement that deletes the cases k for which a condition holds, $1 being the tenant, and keeps the sums. Cases that were
// part of one of them stand on their own then: left to the foreign key, that would pass the sums by.
func DropCases(condition string) string {
	return `
		WITH gone AS (
			DELETE FROM cases k WHERE k.tenant_id = $1 AND (` + condition + `) RETURNING ` + caseGone + `
		), freed AS (
			UPDATE cases k SET part_of = NULL
			WHERE k.tenant_id = $1 AND k.part_of IN (SELECT k.id FROM cases k WHERE k.tenant_id = $1 AND (` + condition + `)) AND (` + condition + `) IS NOT TRUE
			RETURNING ` + CaseState + `
		), changed AS (
			SELECT * FROM gone UNION ALL SELECT * FROM freed
		), ` + CountCases + ` SELECT count(*) FROM changed`
}

const (
	// ofCase is what a case x counts as, and at what moment; ofLink is that of a link.
	ofCase = `LATERAL (SELECT CASE
		WHEN x.state = 'open' AND x.part_of IS NULL THEN '` + openCase + `' || x.kind
		WHEN x.state = 'done' AND x.outcome IN ('same', 'not_same', 'new') THEN CASE x.closed_by WHEN 'system' THEN '` + caseRuled + `' ELSE '` + caseDecided + `' END
		WHEN x.state = 'done' AND x.outcome = 'proved' THEN '` + caseProved + `' END AS what,
		CASE x.state WHEN 'open' THEN x.waiting_since ELSE x.closed_at END AS moment) a`
	ofLink = `LATERAL (VALUES
		(CASE WHEN x.kind IN ('attested', 'rotated', 'merged') THEN CASE x.actor_kind WHEN 'system' THEN '` + linkAuto + `' ELSE '` + linkManual + `' END ||
		 CASE WHEN x.undone_at IS NULL THEN '' ELSE '` + undoneSuffix + `' END END, x.at),
		(CASE WHEN x.kind IN ('attested', 'rotated', 'merged') AND x.joins THEN '` + linkJoined + `' END, x.at)) a (what, moment)`
	lastToJoin = `l.lose_contact IS NOT NULL AND l.undone_at IS NULL
		AND row_number() OVER (PARTITION BY l.lose_contact, l.undone_at IS NULL ORDER BY l.at DESC, l.id DESC) = 1`

	// sumWorked adds up what was worked: by quarters of an hour, by days of UTC and, of open cases, all there are.
	sumWorked = `SELECT w.what, s.span, s.at, sum(w.times) AS n FROM worked w
		CROSS JOIN LATERAL (VALUES ('all', timestamptz 'epoch'), ('day', date_trunc('day', w.moment, 'UTC')),
		                           ('quarter', date_bin('15 minutes', w.moment, timestamptz 'epoch'))) s (span, at)
		WHERE w.what IS NOT NULL AND w.moment IS NOT NULL AND (s.span <> 'all' OR w.what LIKE '` + openCase + `%')
		GROUP BY w.what, s.span, s.at HAVING sum(w.times) <> 0`
	addWorked = `counted AS (
		INSERT INTO work_sums AS t (tenant_id, what, span, at, n)
		SELECT $1, d.what, d.span, d.at, d.n FROM (` + sumWorked + `) d ORDER BY d.what, d.span, d.at
		ON CONFLICT (tenant_id, what, span, at) DO UPDATE SET n = t.n + excluded.n
	)`
)

// compareWork looks for sums of links and cases that are not what these come to.
func compareWork(ctx context.Context, tx *tenants.Tx, right bool) (sums, wrong int, err error) {
	const amiss = `
		WITH worked AS (
			SELECT a.what, a.moment, 1 AS times FROM (SELECT ` + CaseState + ` FROM cases k WHERE k.tenant_id = $1) x CROSS JOIN ` + ofCase + `
			UNION ALL
			SELECT a.what, a.moment, 1 FROM (SELECT ` + LinkState + `, ` + lastToJoin + ` AS joins FROM links l WHERE l.tenant_id = $1) x CROSS JOIN ` + ofLink + `
		), amiss AS (
			SELECT what, span, at, coalesce(r.n, 0) AS n, coalesce(r.n, 0) - coalesce(t.n, 0) AS off
			FROM (` + sumWorked + `) r FULL JOIN (SELECT what, span, at, n FROM work_sums WHERE tenant_id = $1) t USING (what, span, at)
		)`
	var found struct {
		Sums  int `db:"sums"`
		Wrong int `db:"wrong"`
	}
	if err := tx.GetContext(ctx, &found, amiss+`
		SELECT count(*) FILTER (WHERE n <> 0) AS sums, count(*) FILTER (WHERE off <> 0) AS wrong FROM amiss`, tx.Tenant); err != nil {
		return 0, 0, fmt.Errorf("count links and cases anew: %w", err)
	}
	if !right {
		return found.Sums, found.Wrong, nil
	}
	if found.Wrong > 0 {
		if _, err := tx.ExecContext(ctx, amiss+`
			INSERT INTO work_sums AS t (tenant_id, what, span, at, n) SELECT $1, what, span, at, n FROM amiss WHERE off <> 0 ORDER BY what, span, at
			ON CONFLICT (tenant_id, what, span, at) DO UPDATE SET n = excluded.n`, tx.Tenant); err != nil {
			return 0, 0, fmt.Errorf("put sums of links and cases right: %w", err)
		}
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM work_sums WHERE tenant_id = $1 AND n = 0`, tx.Tenant); err != nil {
		return 0, 0, fmt.Errorf("drop empty sums of links and cases: %w", err)
	}

	return found.Sums, found.Wrong, nil
}

// between is a time from a moment to another, to be counted; without the other, to the end.
type between struct{ from, to time.Time }

// endless is after every moment that is counted.
var endless = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// countWork sums up each of these sorts in each of some times, to the quarter of an hour. Of a time that is long it reads
// a sum a day, and those of quarters at its ends.
func countWork(ctx context.Context, tx *tenants.Tx, whats []string, of ...between) ([]map[string]int64, error) {
	var (
		nth      []int64
		names    []string
		from, to []time.Time
	)
	read := func(i int, name string, first, end time.Time) {
		if first.Before(end) {
			nth, names, from, to = append(nth, int64(i)), append(names, name), append(from, first), append(to, end)
		}
	}
	for i, s := range of {
		first, end := quarterOf(s.from), quarterOf(s.to)
		if s.to.IsZero() {
			end = endless
		}
		firstDay, lastDay := first.Truncate(oneDay), end.Truncate(oneDay)
		if firstDay.Before(first) {
			firstDay = firstDay.Add(oneDay)
		}
		if !firstDay.Before(lastDay) {
			read(i, "quarter", first, end)
			continue
		}
		read(i, "quarter", first, firstDay)
		read(i, "day", firstDay, lastDay)
		read(i, "quarter", lastDay, end)
	}
	var rows []struct {
		Nth  int    `db:"nth"`
		What string `db:"what"`
		N    int64  `db:"n"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		SELECT r.nth, w.what, x.n
		FROM unnest($2::text[]) AS w (what) CROSS JOIN unnest($3::bigint[], $4::text[], $5::timestamptz[], $6::timestamptz[]) AS r (nth, span, first, past)
		CROSS JOIN LATERAL (SELECT sum(s.n)::bigint AS n FROM work_sums s
		                    WHERE s.tenant_id = $1 AND s.what = w.what AND s.span = r.span AND s.at >= r.first AND s.at < r.past) x
		WHERE x.n IS NOT NULL`, tx.Tenant, pq.Array(whats), pq.Array(nth), pq.Array(names), pq.Array(from), pq.Array(to)); err != nil {
		return nil, fmt.Errorf("read sums of links and cases: %w", err)
	}
	sums := make([]map[string]int64, len(of))
	for i := range sums {
		sums[i] = map[string]int64{}
	}
	for _, r := range rows {
		sums[r.Nth][r.What] += r.N
	}

	return sums, nil
}
