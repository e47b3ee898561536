package identity

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// MaxBulk is how many cases are decided at once at most.
const MaxBulk = 500

// The states of a Bulk.
const (
	BulkDraft   = "draft" // chosen, nothing done
	BulkRunning = "running"
	BulkDone    = "done"
	BulkUndoing = "undoing"
	BulkUndone  = "undone"
)

// The states of one of its cases.
const (
	BulkChosen     = "chosen"
	BulkItemDone   = "done"
	BulkSkipped    = "skipped" // Why says why
	BulkItemUndone = "undone"
	BulkKept       = "kept" // could not be taken back; Why says why
)

// Bulk is many cases decided at once: what was chosen, what became of each, and whether it was taken back. Each decision is a link or
// a decision of its own.
type Bulk struct {
	ID        uuid.UUID  `db:"id"`
	Decision  string     `db:"decision"` // DecideNew or DecideSame
	Evidence  string     `db:"evidence"` // of "same": the one kind of sign they all rest on
	State     string     `db:"state"`
	CutShort  bool       `db:"cut_short"` // more were meant than fit
	ActorKind string     `db:"actor_kind"`
	ActorID   string     `db:"actor_id"`
	ActorName string     `db:"actor_name"`
	CreatedAt time.Time  `db:"created_at"`
	EndedAt   *time.Time `db:"ended_at"`
	Total     int        `db:"total"`
	Chosen    int        `db:"chosen"` // still to do
	Done      int        `db:"done"`
	Skipped   int        `db:"skipped"`
	Undone    int        `db:"undone"`
	Kept      int        `db:"kept"`
	Stuck     bool       `db:"stuck"` // its job has given up
}

// BulkItem is one case of a Bulk.
type BulkItem struct {
	N       int        `db:"n"`
	CaseID  uuid.UUID  `db:"case_id"`
	Contact *uuid.UUID `db:"contact_id"` // of "same": who they are
	State   string     `db:"state"`
	Why     string     `db:"why"` // an i18n key suffix under "bulk.why_"
	LinkID  *uuid.UUID `db:"link_id"`
	Case    *Case      // nil where it is gone
}

// BulkInput chooses cases: those named, or all that a filter shows.
type BulkInput struct {
	Decision string
	Evidence string
	Cases    []uuid.UUID
	All      *CaseFilter
}

// StartBulk keeps a choice of cases, with what would become of each. Nothing is decided until RunBulk.
// Errors: Invalid where nothing is chosen, too much, or no one kind of sign; ErrNotFound where one of those named is none.
func StartBulk(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, in BulkInput) (uuid.UUID, error) {
	switch {
	case in.Decision != DecideNew && in.Decision != DecideSame:
		return uuid.Nil, &tenants.Invalid{Field: "decision", Key: "unknown_decision"}
	case in.Decision == DecideSame && in.Evidence == "":
		return uuid.Nil, &tenants.Invalid{Field: "evidence", Key: "evidence_needed"}
	case len(in.Cases) > MaxBulk:
		return uuid.Nil, &tenants.Invalid{Field: "case", Key: "too_many"}
	}
	cut := false
	if in.All != nil {
		var err error
		if in.Cases, cut, err = allOf(ctx, tx, *in.All); err != nil {
			return uuid.Nil, err
		}
	}
	cases, err := CasesByID(ctx, tx, in.Cases)
	if err != nil {
		return uuid.Nil, err
	}
	switch {
	case in.All == nil && slices.ContainsFunc(in.Cases, func(id uuid.UUID) bool {
		return !slices.ContainsFunc(cases, func(c Case) bool { return c.ID == id })
	}):
		return uuid.Nil, tenants.ErrNotFound
	case len(cases) == 0:
		return uuid.Nil, &tenants.Invalid{Field: "case", Key: "nothing_chosen"}
	}

	b := Bulk{ID: newID(), Decision: in.Decision, Evidence: in.Evidence}
	if _, err := tx.ExecContext(ctx, `
		DELETE FROM bulks WHERE tenant_id = $1 AND actor_id = $2 AND state = 'draft' AND created_at < now() - interval '1 day'`, tx.Tenant, actor.ID); err != nil {
		return uuid.Nil, fmt.Errorf("drop old choices: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO bulks (tenant_id, id, decision, evidence, cut_short, actor_kind, actor_id, actor_name) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		tx.Tenant, b.ID, in.Decision, in.Evidence, cut, actor.Kind, actor.ID, actor.Name); err != nil {
		return uuid.Nil, fmt.Errorf("keep choice: %w", err)
	}

	why, err := b.judge(ctx, tx, actor, cases)
	if err != nil {
		return uuid.Nil, err
	}
	var (
		ids      []uuid.UUID
		contacts []*uuid.UUID
		states   []string
		reasons  []string
	)
	for _, c := range cases {
		state, contact := BulkChosen, (*uuid.UUID)(nil)
		if why[c.ID] != "" {
			state = BulkSkipped
		}
		if b.Decision == DecideSame && len(c.Candidates) > 0 {
			contact = &c.Candidates[0].Contact.ID
		}
		ids, contacts, states, reasons = append(ids, c.ID), append(contacts, contact), append(states, state), append(reasons, why[c.ID])
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO bulk_items (tenant_id, bulk_id, n, case_id, contact_id, state, why)
		SELECT $1, $2, w.n, w.case_id, w.contact_id, w.state, w.why
		FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[]) WITH ORDINALITY AS w (case_id, contact_id, state, why, n)`,
		tx.Tenant, b.ID, pq.Array(ids), pq.Array(contacts), pq.Array(states), pq.Array(reasons)); err != nil {
		return uuid.Nil, fmt.Errorf("keep choice: %w", err)
	}

	return b.ID, nil
}

// allOf is what a filter shows, up to MaxBulk; cut tells that it shows more.
func allOf(ctx context.Context, tx *tenants.Tx, f CaseFilter) (ids []uuid.UUID, cut bool, err error) {
	rows, err := openBy(ctx, tx, f, `true`, `k.waiting_since`, nil, MaxBulk+1)
	if err != nil {
		return nil, false, err
	}
	for _, r := range rows[:min(len(rows), MaxBulk)] {
		ids = append(ids, r.ID)
	}

	return ids, len(rows) > MaxBulk, nil
}

// judge says of each case why it cannot be decided with many others, if it cannot. What needs a look of its own is never decided in
// bulk: anything of tier C, anything that something speaks against, contradictions, and what a second person shall look at.
func (b Bulk) judge(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, cases []Case) (map[uuid.UUID]string, error) {
	why := map[uuid.UUID]string{}
	named := map[uuid.UUID]int{}
	var accounts []uuid.UUID
	for _, c := range cases {
		if len(c.Candidates) == 1 {
			named[c.Candidates[0].Contact.ID]++
		}
		if c.IdentityID != nil {
			accounts = append(accounts, *c.IdentityID)
		}
	}
	ruled := map[[2]uuid.UUID]time.Time{}
	if b.Decision == DecideSame {
		var err error
		if ruled, err = ruledApart(ctx, tx, accounts); err != nil {
			return nil, err
		}
	}

	for _, c := range cases {
		why[c.ID] = b.against(actor, c)
		if why[c.ID] != "" || b.Decision == DecideNew {
			continue
		}
		who := c.Candidates[0].Contact
		if named[who.ID] > 1 {
			why[c.ID] = "named_twice"
		}
		for _, i := range who.Identities {
			if _, apart := ruled[[2]uuid.UUID{*c.IdentityID, i.ID}]; apart {
				why[c.ID] = "warning"
			}
		}
	}

	return why, nil
}

// against is why one case by itself cannot be decided in bulk, "" where it can.
func (b Bulk) against(actor tenants.Actor, c Case) string {
	switch {
	case c.State != "open" || c.PartOf != nil:
		return "decided"
	case c.LeaseBy != "" && c.LeaseBy != actor.ID:
		return "leased"
	case len(c.UnsureBy) > 0 || c.Proposal != nil:
		return "second_look"
	case c.Kind == CaseConflict:
		return "contradiction"
	case c.ContactID == nil || c.Identity == nil:
		return "names_nobody"
	case b.Decision == DecideNew && (c.Kind != CaseUnresolved || len(c.Candidates) > 0):
		return "suggested"
	case b.Decision == DecideNew:
		return ""
	case c.Kind != CaseSuggested || len(c.Candidates) == 0:
		return "no_sign"
	case len(c.Candidates) > 1:
		return "several"
	case c.Candidates[0].Tier != "A" && c.Candidates[0].Tier != "B":
		return "hint_only"
	case slices.ContainsFunc(c.Candidates[0].Reasons, func(r Reason) bool { return r.Code != b.Evidence }):
		return "other_sign"
	case len(c.Candidates[0].Against) > 0:
		return "warning"
	}

	return ""
}

const bulkColumns = `b.id, b.decision, b.evidence, b.state, b.cut_short, b.actor_kind, b.actor_id, b.actor_name, b.created_at, b.ended_at,
	i.total, i.chosen, i.done, i.skipped, i.undone, i.kept,
	EXISTS (SELECT 1 FROM jobs j WHERE j.tenant_id = $1 AND j.id = b.id AND j.state = 'dead') AS stuck`

// GetBulk reads one. ErrNotFound where the tenant has none such.
func GetBulk(ctx context.Context, tx *tenants.Tx, id uuid.UUID) (Bulk, error) {
	var b Bulk
	err := tx.GetContext(ctx, &b, `
		SELECT `+bulkColumns+` FROM bulks b
		CROSS JOIN LATERAL (
			SELECT count(*) AS total, count(*) FILTER (WHERE state = 'chosen') AS chosen, count(*) FILTER (WHERE state = 'done') AS done,
			       count(*) FILTER (WHERE state = 'skipped') AS skipped, count(*) FILTER (WHERE state = 'undone') AS undone,
			       count(*) FILTER (WHERE state = 'kept') AS kept
			FROM bulk_items WHERE tenant_id = $1 AND bulk_id = b.id) i
		WHERE b.tenant_id = $1 AND b.id = $2`, tx.Tenant, id)
	if noRows(err) {
		return Bulk{}, tenants.ErrNotFound
	}
	if err != nil {
		return Bulk{}, fmt.Errorf("read bulk: %w", err)
	}

	return b, nil
}

// BulkItems lists the cases of a Bulk after the n-th, and the n to go on after, 0 at the end. state narrows them, "" does not.
func BulkItems(ctx context.Context, tx *tenants.Tx, id uuid.UUID, state string, after, limit int) (items []BulkItem, next int, err error) {
	if err := tx.SelectContext(ctx, &items, `
		SELECT n, case_id, contact_id, state, why, link_id FROM bulk_items
		WHERE tenant_id = $1 AND bulk_id = $2 AND n > $3 AND ($4 = '' OR state = $4) ORDER BY n LIMIT $5`, tx.Tenant, id, after, state, limit+1); err != nil {
		return nil, 0, fmt.Errorf("list cases of bulk: %w", err)
	}
	if len(items) > limit {
		items = items[:limit]
		next = items[limit-1].N
	}
	ids := make([]uuid.UUID, len(items))
	for i := range items {
		ids[i] = items[i].CaseID
	}
	cases, err := CasesByID(ctx, tx, ids)
	if err != nil {
		return nil, 0, err
	}
	for i := range items {
		if k := slices.IndexFunc(cases, func(c Case) bool { return c.ID == items[i].CaseID }); k >= 0 {
			items[i].Case = &cases[k]
		}
	}

	return items, next, nil
}

// BulkWhy counts the cases of a Bulk that were skipped or kept, by why.
func BulkWhy(ctx context.Context, tx *tenants.Tx, id uuid.UUID, state string) (map[string]int, error) {
	var rows []struct {
		Why   string `db:"why"`
		Count int    `db:"count"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		SELECT why, count(*) AS count FROM bulk_items WHERE tenant_id = $1 AND bulk_id = $2 AND state = $3 GROUP BY why`, tx.Tenant, id, state); err != nil {
		return nil, fmt.Errorf("count why: %w", err)
	}
	counts := make(map[string]int, len(rows))
	for _, r := range rows {
		counts[r.Why] = r.Count
	}

	return counts, nil
}

// Signs counts the cases that a filter shows by the kind of sign for their first candidate.
func Signs(ctx context.Context, tx *tenants.Tx, f CaseFilter) (map[string]int, error) {
	var number *uuid.UUID
	if f.Number != uuid.Nil {
		number = &f.Number
	}
	var rows []struct {
		Code  string `db:"code"`
		Count int    `db:"count"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		SELECT k.candidates #>> '{0,reasons,0,code}' AS code, count(*) AS count FROM cases k
		WHERE `+inQueue+` AND k.candidates <> '[]' GROUP BY 1`, tx.Tenant, f.Kind, f.Tab, number, ""); err != nil {
		return nil, fmt.Errorf("count signs: %w", err)
	}
	counts := make(map[string]int, len(rows))
	for _, r := range rows {
		counts[r.Code] = r.Count
	}

	return counts, nil
}
