package identity

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/adoption"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// How many cases one step takes: a step holds the tenant's lock, and joining two contacts is much more work than noting that
// somebody is new, which is done to all at once.
const (
	newAtOnce  = 250
	sameAtOnce = 15
)

func (b Bulk) step() int {
	if b.Decision == DecideNew {
		return newAtOnce
	}

	return sameAtOnce
}

// RunBulk takes the next of the chosen cases. Each is judged anew: what has changed since the choice is skipped, with why. more tells
// that there is more to do: whoever started it calls again, or a job does (ContinueBulk).
// Errors: ErrNotFound; ErrForbidden where somebody else chose; Conflict "changed" where it was taken back.
func RunBulk(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID) (more bool, err error) {
	b, err := claimBulk(ctx, tx, id)
	switch {
	case err != nil:
		return false, err
	case b.ActorKind != actor.Kind || b.ActorID != actor.ID:
		return false, tenants.ErrForbidden
	case b.State == BulkDone:
		return false, nil
	case b.State != BulkDraft && b.State != BulkRunning:
		return false, &tenants.Conflict{Code: "changed"}
	}

	items, _, err := BulkItems(ctx, tx, id, BulkChosen, 0, b.step())
	if err != nil {
		return false, err
	}
	if b.State == BulkDraft && len(items) == 0 {
		return false, &tenants.Invalid{Field: "case", Key: "nothing_chosen"}
	}
	if b.State == BulkDraft {
		if err := b.audit(ctx, tx, actor); err != nil {
			return false, err
		}
	}
	if err := b.take(ctx, tx, actor, items); err != nil {
		return false, err
	}
	if more = b.Chosen > len(items); more {
		if err := b.leave(ctx, tx, actor, false, false, b.Total-b.Chosen+len(items)); err != nil {
			return false, err
		}
		return true, b.enter(ctx, tx, BulkRunning)
	}

	return false, b.enter(ctx, tx, BulkDone)
}

// claimBulk reads a Bulk for one step of it, under the tenant's lock.
func claimBulk(ctx context.Context, tx *tenants.Tx, id uuid.UUID) (Bulk, error) {
	if err := Lock(ctx, tx); err != nil {
		return Bulk{}, err
	}

	return GetBulk(ctx, tx, id)
}

func (b Bulk) enter(ctx context.Context, tx *tenants.Tx, state string) error {
	if _, err := tx.ExecContext(ctx, `
		UPDATE bulks SET state = $3, ended_at = CASE WHEN $3 IN ('done', 'undone') THEN clock_timestamp() END WHERE tenant_id = $1 AND id = $2`, tx.Tenant, b.ID, state); err != nil {
		return fmt.Errorf("keep progress of bulk: %w", err)
	}
	if state == BulkDone || state == BulkUndone {
		return b.finish(ctx, tx)
	}

	return nil
}

// audit writes the one entry for all, with the cases that somebody decided.
func (b Bulk) audit(ctx context.Context, tx *tenants.Tx, actor tenants.Actor) error {
	var ids []uuid.UUID
	if err := tx.SelectContext(ctx, &ids, `
		SELECT case_id FROM bulk_items WHERE tenant_id = $1 AND bulk_id = $2 AND state = 'chosen' ORDER BY n`, tx.Tenant, b.ID); err != nil {
		return fmt.Errorf("read cases of bulk: %w", err)
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "case.decide_many", ObjectKind: "bulk", ObjectID: b.ID.String(),
		Detail: map[string]any{"decision": b.Decision, "cases": ids},
	})
}

// outcome is what became of one case.
type outcome struct {
	item  BulkItem
	state string
	why   string
	link  *uuid.UUID
}

func (b Bulk) take(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, items []BulkItem) error {
	var cases []Case
	for _, i := range items {
		if i.Case != nil {
			cases = append(cases, *i.Case)
		}
	}
	why, err := b.judge(ctx, tx, actor, cases)
	if err != nil {
		return err
	}

	var outcomes []outcome
	var fit []BulkItem
	for _, i := range items {
		switch {
		case i.Case == nil:
			outcomes = append(outcomes, outcome{item: i, state: BulkSkipped, why: "decided"})
		case why[i.CaseID] != "":
			outcomes = append(outcomes, outcome{item: i, state: BulkSkipped, why: why[i.CaseID]})
		case b.Decision == DecideSame && (i.Contact == nil || i.Case.Candidates[0].Contact.ID != *i.Contact):
			outcomes = append(outcomes, outcome{item: i, state: BulkSkipped, why: "changed"})
		default:
			fit = append(fit, i)
		}
	}

	done := b.takeSame
	if b.Decision == DecideNew {
		done = b.takeNew
	}
	taken, err := done(ctx, tx, actor, fit)
	if err != nil {
		return err
	}

	return b.write(ctx, tx, append(outcomes, taken...))
}

// takeNew says of all of them at once that they are somebody new.
func (b Bulk) takeNew(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, items []BulkItem) ([]outcome, error) {
	if len(items) == 0 {
		return nil, nil
	}
	var (
		outcomes         []outcome
		taken            []decision
		cases, contactOf []uuid.UUID
	)
	for _, i := range items {
		taken = append(taken, decision{kind: "is_new", a: leadingOf(*i.Case.Identity), caseID: &i.CaseID, bulk: &b.ID})
		cases, contactOf = append(cases, i.CaseID), append(contactOf, *i.Case.ContactID)
		outcomes = append(outcomes, outcome{item: i, state: BulkItemDone})
	}
	if err := decide(ctx, tx, actor, taken...); err != nil {
		return nil, err
	}
	// That somebody is new joins and parts nothing: only the queue hangs on it.
	if err := SyncContacts(ctx, tx, contactOf); err != nil {
		return nil, err
	}
	if _, err := tx.ExecContext(ctx, `
		WITH changed AS (
			UPDATE cases k SET state = 'done', outcome = $3, closed_at = clock_timestamp(), closed_by = $4, link_id = NULL, lease_by = '',
			       lease_until = NULL, part_of = NULL, version = version + 1
			WHERE k.tenant_id = $1 AND k.id = ANY($2) RETURNING `+adoption.CaseState+`
		), `+adoption.CountCases+` SELECT count(*) FROM changed`, tx.Tenant, pq.Array(cases), OutcomeNew, actor.Name); err != nil {
		return nil, fmt.Errorf("close cases: %w", err)
	}

	return outcomes, freeParts(ctx, tx, cases)
}

// takeSame joins each with its candidate: a link each, with its own proof and its own way back.
func (b Bulk) takeSame(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, items []BulkItem) ([]outcome, error) {
	var outcomes []outcome
	for _, i := range items {
		link, _, err := join(ctx, tx, actor, MergeInput{Keep: *i.Contact, Lose: *i.Case.ContactID, CaseID: &i.CaseID})
		why := tenants.ConflictCode(err)
		switch {
		case errors.Is(err, tenants.ErrForbidden):
			why = "warning"
		case errors.Is(err, tenants.ErrNotFound), why != "":
			why = "changed"
		case err != nil:
			return nil, err
		}
		if why != "" {
			outcomes = append(outcomes, outcome{item: i, state: BulkSkipped, why: why})
			continue
		}
		if err := closeCase(ctx, tx, actor, i.CaseID, OutcomeSame, &link); err != nil {
			return nil, err
		}
		outcomes = append(outcomes, outcome{item: i, state: BulkItemDone, link: &link})
	}

	return outcomes, nil
}

func (b Bulk) write(ctx context.Context, tx *tenants.Tx, outcomes []outcome) error {
	var (
		n           []int64
		states, why []string
		links       []*uuid.UUID
	)
	for _, o := range outcomes {
		n, states, why, links = append(n, int64(o.item.N)), append(states, o.state), append(why, o.why), append(links, o.link)
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE bulk_items i SET state = w.state, why = w.why, link_id = coalesce(w.link_id, i.link_id)
		FROM unnest($3::integer[], $4::text[], $5::text[], $6::uuid[]) AS w (n, state, why, link_id)
		WHERE i.tenant_id = $1 AND i.bulk_id = $2 AND i.n = w.n`, tx.Tenant, b.ID, pq.Array(n), pq.Array(states), pq.Array(why), pq.Array(links)); err != nil {
		return fmt.Errorf("keep what became of cases: %w", err)
	}

	return nil
}

// UndoBulk takes back the next of what a Bulk has done, newest first: exactly that, and nothing anybody decided since. What cannot be
// taken back is kept, with why. more is as with RunBulk. mayAny: the actor may undo others' too.
// Errors: ErrNotFound; ErrForbidden; Conflict "nothing_to_take_back" where nothing was done, "already_undone".
func UndoBulk(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID, mayAny bool) (more bool, err error) {
	b, err := claimBulk(ctx, tx, id)
	switch {
	case err != nil:
		return false, err
	case !mayAny && (b.ActorKind != actor.Kind || b.ActorID != actor.ID):
		return false, tenants.ErrForbidden
	case b.State == BulkDraft || b.State == BulkUndone && b.Undone+b.Kept == 0:
		return false, &tenants.Conflict{Code: "nothing_to_take_back"}
	case b.State == BulkUndone:
		return false, &tenants.Conflict{Code: "already_undone"}
	}
	if b.State != BulkUndoing {
		if err := tenants.Audit(ctx, tx, tenants.Act{
			Actor: actor, Action: "case.take_back_many", ObjectKind: "bulk", ObjectID: b.ID.String(), Detail: map[string]any{"decision": b.Decision, "count": b.Done},
		}); err != nil {
			return false, err
		}
		// What was not reached yet never will be.
		if _, err := tx.ExecContext(ctx, `
			UPDATE bulk_items SET state = 'skipped', why = 'stopped' WHERE tenant_id = $1 AND bulk_id = $2 AND state = 'chosen'`, tx.Tenant, id); err != nil {
			return false, fmt.Errorf("stop bulk: %w", err)
		}
	}

	var items []BulkItem
	if err := tx.SelectContext(ctx, &items, `
		SELECT n, case_id, contact_id, state, why, link_id FROM bulk_items
		WHERE tenant_id = $1 AND bulk_id = $2 AND state = 'done' ORDER BY n DESC LIMIT $3`, tx.Tenant, id, b.step()); err != nil {
		return false, fmt.Errorf("list cases of bulk: %w", err)
	}
	back := b.backSame
	if b.Decision == DecideNew {
		back = b.backNew
	}
	outcomes, err := back(ctx, tx, actor, items)
	if err != nil {
		return false, err
	}
	if err := b.write(ctx, tx, outcomes); err != nil {
		return false, err
	}
	if more = b.Done > len(items); more {
		if err := b.leave(ctx, tx, actor, true, mayAny, b.Undone+b.Kept+len(items)); err != nil {
			return false, err
		}
		return true, b.enter(ctx, tx, BulkUndoing)
	}

	return false, b.enter(ctx, tx, BulkUndone)
}

// backNew takes back that they are new, all at once.
func (b Bulk) backNew(ctx context.Context, tx *tenants.Tx, _ tenants.Actor, items []BulkItem) ([]outcome, error) {
	if len(items) == 0 {
		return nil, nil
	}
	ids := make([]uuid.UUID, len(items))
	for i := range items {
		ids[i] = items[i].CaseID
	}
	var revoked []struct {
		Case uuid.UUID `db:"case_id"`
		A    uuid.UUID `db:"a_id"`
	}
	if err := tx.SelectContext(ctx, &revoked, `
		UPDATE decisions SET revoked_at = now() WHERE tenant_id = $1 AND bulk_id = $2 AND case_id = ANY($3) AND revoked_at IS NULL
		RETURNING case_id, a_id`, tx.Tenant, b.ID, pq.Array(ids)); err != nil {
		return nil, fmt.Errorf("take decisions back: %w", err)
	}
	var about []uuid.UUID
	for _, r := range revoked {
		about = append(about, r.A)
	}
	if err := settleHolders(ctx, tx, about); err != nil {
		return nil, err
	}
	cases, err := CasesByID(ctx, tx, ids)
	if err != nil {
		return nil, err
	}

	var outcomes []outcome
	for _, i := range items {
		o := outcome{item: i, state: BulkItemUndone}
		k := slices.IndexFunc(cases, func(c Case) bool { return c.ID == i.CaseID })
		if k >= 0 && cases[k].State != "open" {
			o.state, o.why = BulkKept, "decided_since"
			if cases[k].showsPhone() {
				o.why = "proved_since"
			}
		}
		stood := false
		for _, r := range revoked {
			stood = stood || r.Case == i.CaseID
		}
		if !stood {
			o.state, o.why = BulkKept, "undone_before"
		}
		outcomes = append(outcomes, o)
	}

	return outcomes, nil
}

// showsPhone tells whether WhatsApp has shown a phone of the account that the case is about.
func (c Case) showsPhone() bool {
	return c.Identity != nil && slices.ContainsFunc(c.Identity.Identifiers, func(d Identifier) bool { return d.Kind == whatsapp.KindPhone })
}

// backSame takes each link back by itself.
func (b Bulk) backSame(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, items []BulkItem) ([]outcome, error) {
	var outcomes []outcome
	for _, i := range items {
		o := outcome{item: i, state: BulkItemUndone}
		if i.LinkID == nil {
			return nil, fmt.Errorf("undo bulk %s: case %s has no link", b.ID, i.CaseID)
		}
		err := takeBackLink(ctx, tx, actor, *i.LinkID, true)
		switch tenants.ConflictCode(err) {
		case "":
			if err != nil {
				return nil, err
			}
		case "already_undone":
			o.state, o.why = BulkKept, "undone_before"
		case "attested_since":
			o.state, o.why = BulkKept, "proved_since"
		default:
			o.state, o.why = BulkKept, "decided_since"
		}
		outcomes = append(outcomes, o)
	}

	return outcomes, nil
}
