package identity

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/adoption"
)

// The tabs of the queue.
const (
	TabNew       = "new"       // unresolved
	TabSuggested = "suggested" // with a strong sign
	TabConflicts = "conflicts"
	TabWaiting   = "waiting"   // on hold until a date
	TabApprovals = "approvals" // somebody was unsure, or has said "same" against a warning: a second person looks
	TabDone      = "done"
	TabOpen      = "open" // all that nobody has put off, whatever else was said of them
)

// CaseFilter narrows the queue. Zero values do not narrow.
type CaseFilter struct {
	Tab    string
	State  string // open or done
	Kind   string
	Number uuid.UUID // the business number the person wrote to
	Age    string    // of an open one: an age of adoption.Waiting

	Evidence string // the kind of evidence for the first candidate
	Urgent   bool   // open ones: whoever waits for an answer first, then money, then by age; otherwise by age alone
	Page
}

// due: nobody has put it off, and no second person is asked for.
const (
	held   = `coalesce(k.hold_until > now(), false)`
	second = `(k.unsure_by <> '{}' OR k.proposed_by <> '')`
	due    = `NOT ` + second + ` AND NOT ` + held
)

// inQueue picks the open cases of a CaseFilter: $2 the kind, $3 the tab, $4 the number, $5 the evidence.
const inQueue = `k.tenant_id = $1 AND k.state = 'open' AND k.part_of IS NULL AND ($2 = '' OR k.kind = $2)
	AND CASE $3 WHEN 'new' THEN k.kind IN ('unresolved', 'unidentifiable') AND ` + due + `
	            WHEN 'suggested' THEN k.kind = 'suggested' AND ` + due + `
	            WHEN 'conflicts' THEN k.kind = 'conflict' AND ` + due + `
	            WHEN 'waiting' THEN ` + held + `
	            WHEN 'approvals' THEN ` + second + ` AND NOT ` + held + `
	            WHEN 'open' THEN NOT ` + held + `
	            ELSE true END
	AND ($4::uuid IS NULL OR EXISTS (SELECT 1 FROM tenures t JOIN messages m ON m.tenant_id = $1 AND m.tenure_id = t.id AND m.number_id = $4
	                                 WHERE t.tenant_id = $1 AND t.identity_id = k.identity_id))
	AND ($5 = '' OR k.candidates #>> '{0,reasons,0,code}' = $5)`

// Cases lists the queue: open ones by how long they have waited or, if the filter says so, the urgent first; done ones by when they
// were closed, newest first.
func Cases(ctx context.Context, tx *tenants.Tx, f CaseFilter) ([]Case, string, error) {
	after, err := f.parse()
	if err != nil {
		return nil, "", err
	}
	if f.Kind != "" && !KnownKind(f.Kind) {
		return nil, "", &tenants.Invalid{Field: "kind", Key: "unknown_kind"}
	}

	var rows []caseRow
	switch {
	case f.Tab == TabDone || f.Tab == "" && f.State == "done":
		rows, err = closedCases(ctx, tx, f, after)
	case f.Urgent:
		rows, err = urgentCases(ctx, tx, f, after)
	default:
		rows, err = openBy(ctx, tx, f, `true`, `k.waiting_since`, after, f.limit()+1)
	}
	if err != nil {
		return nil, "", err
	}

	next := ""
	if len(rows) > f.limit() {
		rows = rows[:f.limit()]
		last := rows[len(rows)-1]
		next = cursor{At: last.Order, ID: last.ID, Part: last.urgency}.String()
	}
	cases, err := fillCases(ctx, tx, rows)

	return cases, next, err
}

// openBy lists open cases of a filter that meet a condition, in the order of a column.
func openBy(ctx context.Context, tx *tenants.Tx, f CaseFilter, condition, place string, after *cursor, limit int) ([]caseRow, error) {
	var number *uuid.UUID
	if f.Number != uuid.Nil {
		number = &f.Number
	}
	var at *time.Time
	var id uuid.UUID
	if after != nil {
		at, id = &after.At, after.ID
	}
	args := []any{tx.Tenant, f.Kind, f.Tab, number, f.Evidence, at, id, limit}
	if since, before, aged := adoption.Waited(f.Age, time.Now()); aged {
		condition += ` AND k.waiting_since >= $9 AND k.waiting_since < $10`
		args = append(args, since, before)
	}
	var rows []caseRow
	err := tx.SelectContext(ctx, &rows, `
		SELECT `+caseColumns+`, `+place+` AS place FROM cases k
		WHERE `+inQueue+` AND `+condition+` AND ($6::timestamptz IS NULL OR (`+place+`, k.id) > ($6, $7))
		ORDER BY `+place+`, k.id LIMIT $8`, args...)
	if err != nil {
		return nil, fmt.Errorf("list cases: %w", err)
	}

	return rows, nil
}

func closedCases(ctx context.Context, tx *tenants.Tx, f CaseFilter, after *cursor) ([]caseRow, error) {
	var at *time.Time
	var id uuid.UUID
	if after != nil {
		at, id = &after.At, after.ID
	}
	var rows []caseRow
	err := tx.SelectContext(ctx, &rows, `
		SELECT `+caseColumns+`, k.closed_at AS place FROM cases k
		WHERE k.tenant_id = $1 AND k.state = 'done' AND ($2 = '' OR k.kind = $2) AND ($3::timestamptz IS NULL OR (k.closed_at, k.id) < ($3, $4))
		ORDER BY k.closed_at DESC, k.id DESC LIMIT $5`, tx.Tenant, f.Kind, at, id, f.limit()+1)
	if err != nil {
		return nil, fmt.Errorf("list closed cases: %w", err)
	}

	return rows, nil
}

const waits = `(k.asked_at > now() - interval '24 hours' AND (k.answered_at IS NULL OR k.answered_at < k.asked_at))`

// urgencies are the parts of the queue in their order, each walked along an index of its own. What part a case is in changes with
// time alone, when the window closes, so it is not stored.
var urgencies = []struct{ condition, place string }{
	{waits, `k.asked_at`}, // whose window closes first
	{`k.money AND ` + waits + ` IS NOT TRUE`, `k.waiting_since`},
	{`NOT k.money AND ` + waits + ` IS NOT TRUE`, `k.waiting_since`},
}

func urgentCases(ctx context.Context, tx *tenants.Tx, f CaseFilter, after *cursor) ([]caseRow, error) {
	var rows []caseRow
	first := 0
	if after != nil {
		first = after.Part
	}
	for part := max(first, 0); part < len(urgencies) && len(rows) <= f.limit(); part++ {
		more, err := openBy(ctx, tx, f, urgencies[part].condition, urgencies[part].place, after, f.limit()+1-len(rows))
		if err != nil {
			return nil, err
		}
		for i := range more {
			more[i].urgency = part
		}
		rows, after = append(rows, more...), nil
	}

	return rows, nil
}

// KnownKind tells whether a case can be of a kind.
func KnownKind(kind string) bool {
	return kind == CaseUnresolved || kind == CaseSuggested || kind == CaseConflict || kind == CaseUnidentifiable
}

// QueueCounts is how many cases each tab holds.
type QueueCounts struct {
	New       int        `db:"new"`
	Suggested int        `db:"suggested"`
	Conflicts int        `db:"conflicts"`
	Waiting   int        `db:"waiting"`
	Approvals int        `db:"approvals"`
	Oldest    *time.Time `db:"oldest"` // since when the oldest that nobody put off waits
}

// Due is how many cases somebody can decide now.
func (q QueueCounts) Due() int { return q.New + q.Suggested + q.Conflicts + q.Approvals }

// CountCases counts the open queue: by the sums of its kinds, less those that somebody has said something about.
func CountCases(ctx context.Context, tx *tenants.Tx) (QueueCounts, error) {
	open, err := adoption.AllOpen(ctx, tx)
	if err != nil {
		return QueueCounts{}, err
	}
	var spoken []struct {
		Kind string `db:"kind"`
		Held bool   `db:"held"`
		N    int64  `db:"n"`
	}
	if err := tx.SelectContext(ctx, &spoken, `
		SELECT k.kind, `+held+` AS held, count(*) AS n FROM cases k
		WHERE k.tenant_id = $1 AND k.state = 'open' AND k.part_of IS NULL AND (k.hold_until IS NOT NULL OR k.unsure_by <> '{}' OR k.proposed_by <> '')
		  AND (`+held+` OR `+second+`) GROUP BY 1, 2`, tx.Tenant); err != nil {
		return QueueCounts{}, fmt.Errorf("count cases that are put off or a second person's: %w", err)
	}
	var q QueueCounts
	for _, s := range spoken {
		open[s.Kind] -= s.N
		if s.Held {
			q.Waiting += int(s.N)
		} else {
			q.Approvals += int(s.N)
		}
	}
	q.New, q.Suggested, q.Conflicts = int(open[CaseUnresolved]+open[CaseUnidentifiable]), int(open[CaseSuggested]), int(open[CaseConflict])
	if q.Due() == 0 {
		return q, nil
	}
	if err := tx.GetContext(ctx, &q.Oldest, `
		SELECT min(waiting_since) FROM (
			SELECT k.waiting_since FROM cases k WHERE k.tenant_id = $1 AND k.state = 'open' AND k.part_of IS NULL AND NOT `+held+`
			ORDER BY k.waiting_since, k.id LIMIT 1) oldest`, tx.Tenant); err != nil {
		return QueueCounts{}, fmt.Errorf("look for the oldest case: %w", err)
	}

	return q, nil
}

// MostDue is as far as CountDue counts: the figure stands for itself or more.
const MostDue = 100

// CountDue is how many cases somebody can decide now, at most MostDue.
func CountDue(ctx context.Context, tx *tenants.Tx) (int, error) {
	open, err := adoption.AllOpen(ctx, tx)
	if err != nil {
		return 0, err
	}
	var all, off int64
	for _, n := range open {
		all += n
	}
	if err := tx.GetContext(ctx, &off, `
		SELECT count(*) FROM cases k WHERE k.tenant_id = $1 AND k.state = 'open' AND k.part_of IS NULL AND k.hold_until > now()`, tx.Tenant); err != nil {
		return 0, fmt.Errorf("count cases put off: %w", err)
	}

	return int(min(all-off, MostDue)), nil
}

// NextCase is the case to decide after another: of the same filter, not leased by somebody else. ErrNotFound where none is left.
func NextCase(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, f CaseFilter, after uuid.UUID) (uuid.UUID, error) {
	for f.Page = (Page{Limit: 10}); ; {
		cases, next, err := Cases(ctx, tx, f)
		if err != nil {
			return uuid.Nil, err
		}
		for _, c := range cases {
			mine := c.Proposal != nil && c.Proposal.By == actor.ID // a second person's to say
			if c.ID != after && !mine && (c.LeaseBy == "" || c.LeaseBy == actor.ID) && (f.Tab == TabWaiting || c.HoldUntil == nil || c.HoldUntil.Before(time.Now())) {
				return c.ID, nil
			}
		}
		if next == "" {
			return uuid.Nil, tenants.ErrNotFound
		}
		f.Cursor = next
	}
}

// Taken is the first case of a filter that somebody else than the actor has open. ErrNotFound where there is none.
func Taken(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, f CaseFilter) (Case, error) {
	for f.Page = (Page{Limit: 10}); ; {
		cases, next, err := Cases(ctx, tx, f)
		if err != nil {
			return Case{}, err
		}
		if i := slices.IndexFunc(cases, func(c Case) bool { return c.LeaseBy != "" && c.LeaseBy != actor.ID }); i >= 0 {
			return cases[i], nil
		}
		if next == "" {
			return Case{}, tenants.ErrNotFound
		}
		f.Cursor = next
	}
}
