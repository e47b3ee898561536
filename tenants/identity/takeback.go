package identity

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/adoption"
)

// TakeBack undoes what the actor decided about a case, but for "same", whose link Undo takes back: the two are no longer held
// apart, the person no longer new, the case no longer put off. What the evidence then calls for is open again.
// Errors: ErrNotFound; Conflict "nothing_to_take_back".
func TakeBack(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID) (Case, error) {
	if err := Lock(ctx, tx); err != nil {
		return Case{}, err
	}
	c, err := GetCase(ctx, tx, id)
	if err != nil {
		return Case{}, err
	}

	var revoked []struct {
		A uuid.UUID  `db:"a_id"`
		B *uuid.UUID `db:"b_id"`
	}
	if err := tx.SelectContext(ctx, &revoked, `
		UPDATE decisions SET revoked_at = now()
		WHERE tenant_id = $1 AND case_id = $2 AND actor_id = $3 AND kind IN ('cannot_link', 'is_new') AND revoked_at IS NULL
		RETURNING a_id, b_id`, tx.Tenant, id, actor.ID); err != nil {
		return Case{}, fmt.Errorf("take decisions back: %w", err)
	}
	put := 0
	if err := tx.GetContext(ctx, &put, `
		WITH changed AS (
			UPDATE cases k SET hold_until = NULL, unsure_by = array_remove(unsure_by, $3), version = version + 1,
			       proposed_by = CASE WHEN proposed_by = $3 THEN '' ELSE proposed_by END,
			       state = CASE WHEN kind = 'unidentifiable' THEN 'open' ELSE state END, outcome = CASE WHEN kind = 'unidentifiable' THEN '' ELSE outcome END,
			       closed_at = CASE WHEN kind = 'unidentifiable' THEN NULL ELSE closed_at END
			WHERE tenant_id = $1 AND id = $2 AND (hold_until IS NOT NULL OR $3 = ANY(unsure_by) OR proposed_by = $3 OR kind = 'unidentifiable' AND state = 'done')
			RETURNING `+adoption.CaseState+`
		), `+adoption.CountCases+` SELECT count(*) FROM changed`, tx.Tenant, id, actor.ID); err != nil {
		return Case{}, fmt.Errorf("put case back: %w", err)
	}
	if put == 0 && len(revoked) == 0 {
		return Case{}, &tenants.Conflict{Code: "nothing_to_take_back"}
	}

	var about []uuid.UUID
	for _, r := range revoked {
		about = append(about, r.A)
		if r.B != nil {
			about = append(about, *r.B)
		}
	}
	if err := settleHolders(ctx, tx, about); err != nil {
		return Case{}, err
	}
	if err := tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "case.take_back", ObjectKind: "case", ObjectID: id.String(), Detail: map[string]any{"kind": c.Kind},
	}); err != nil {
		return Case{}, err
	}

	return GetCase(ctx, tx, id)
}

// TakeBackAll takes back all that people decided and linked and that still stands, the newest first, and returns how much that was. What
// WhatsApp has proved since stays.
func TakeBackAll(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, people []string) (taken int, err error) {
	var links []uuid.UUID
	if err := tx.SelectContext(ctx, &links, `
		SELECT id FROM links WHERE tenant_id = $1 AND kind = 'merged' AND actor_id = ANY($2) AND undone_at IS NULL
		ORDER BY at DESC, id DESC`, tx.Tenant, pq.Array(people)); err != nil {
		return 0, fmt.Errorf("read what people linked: %w", err)
	}
	for _, id := range links {
		switch _, err := Undo(ctx, tx, actor, id, true); {
		case err == nil:
			taken++
		case tenants.ConflictCode(err) == "":
			return taken, err
		}
	}

	var decided []struct {
		Case   uuid.UUID `db:"case_id"`
		Person string    `db:"actor_id"`
	}
	if err := tx.SelectContext(ctx, &decided, `
		SELECT case_id, actor_id FROM decisions
		WHERE tenant_id = $1 AND actor_id = ANY($2) AND case_id IS NOT NULL AND kind IN ('cannot_link', 'is_new') AND revoked_at IS NULL
		UNION -- what was put off, or could not be told, is no decision about two people
		SELECT k.id, e.actor_id FROM audit_entries e JOIN cases k ON k.tenant_id = $1 AND k.id::text = e.object_id
		WHERE e.tenant_id = $1 AND e.actor_id = ANY($2) AND e.action = 'case.decide' AND e.object_kind = 'case'
		ORDER BY 1, 2`, tx.Tenant, pq.Array(people)); err != nil {
		return taken, fmt.Errorf("read what people decided: %w", err)
	}
	for _, d := range decided {
		whose := tenants.Actor{Kind: actor.Kind, ID: d.Person, Name: actor.Name}
		switch _, err := TakeBack(ctx, tx, whose, d.Case); {
		case err == nil:
			taken++
		case tenants.ConflictCode(err) == "":
			return taken, err
		}
	}

	return taken, nil
}

// settleHolders derives anew whoever holds the identifiers.
func settleHolders(ctx context.Context, tx *tenants.Tx, identifiers []uuid.UUID) error {
	if len(identifiers) == 0 {
		return nil
	}
	var rows []struct {
		Identity uuid.UUID  `db:"id"`
		Contact  *uuid.UUID `db:"contact_id"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		SELECT DISTINCT i.id, i.contact_id FROM tenures t JOIN identities i ON i.tenant_id = $1 AND i.id = t.identity_id
		WHERE t.tenant_id = $1 AND t.identifier_id = ANY($2)`, tx.Tenant, pq.Array(identifiers)); err != nil {
		return fmt.Errorf("read holders: %w", err)
	}
	var identities, contacts []uuid.UUID
	for _, r := range rows {
		identities = append(identities, r.Identity)
		if r.Contact != nil {
			contacts = append(contacts, *r.Contact)
		}
	}
	if err := resettle(ctx, tx, identities); err != nil {
		return err
	}

	return SyncContacts(ctx, tx, contacts)
}

// LastDecision is what an actor decided last, if that can still be taken back with one key.
type LastDecision struct {
	Case     uuid.UUID
	Bulk     uuid.UUID // instead of Case, where it was about many at once
	Count    int       // how many
	Decision string
	At       time.Time
	LinkID   *uuid.UUID // of "same"
}

// lastFor is how long the last decision stands ready to be taken back with one key. The journal offers it for ever.
const lastFor = 30 * time.Minute

// Last is the actor's newest decision; ok is false where they have taken none of late, or have taken it back.
func Last(ctx context.Context, tx *tenants.Tx, actor tenants.Actor) (last LastDecision, ok bool, err error) {
	var rows []struct {
		Action string     `db:"action"`
		Object string     `db:"object_id"`
		Detail string     `db:"detail"`
		At     time.Time  `db:"at"`
		Link   *uuid.UUID `db:"link_id"`
	}
	err = tx.SelectContext(ctx, &rows, `
		SELECT e.action, e.object_id, e.detail, e.at, k.link_id
		FROM (SELECT action, object_id, object_kind, detail, at, seq FROM audit_entries WHERE tenant_id = $1 AND actor_id = $2 ORDER BY seq DESC LIMIT 5) e
		LEFT JOIN cases k ON k.tenant_id = $1 AND k.id = CASE WHEN e.object_kind = 'case' THEN e.object_id::uuid END
		WHERE e.action IN ('case.decide', 'case.take_back', 'link.undo', 'case.decide_many', 'case.take_back_many') ORDER BY e.seq DESC LIMIT 1`, tx.Tenant, actor.ID)
	if err != nil {
		return LastDecision{}, false, fmt.Errorf("read last decision: %w", err)
	}
	many := len(rows) > 0 && rows[0].Action == "case.decide_many"
	if len(rows) == 0 || rows[0].Action != "case.decide" && !many || time.Since(rows[0].At) > lastFor {
		return LastDecision{}, false, nil
	}

	var detail struct {
		Decision string   `json:"decision"`
		Cases    []string `json:"cases"`
	}
	if err := json.Unmarshal([]byte(rows[0].Detail), &detail); err != nil {
		return LastDecision{}, false, fmt.Errorf("read last decision: %w", err)
	}
	id, err := uuid.Parse(rows[0].Object)
	if err != nil {
		return LastDecision{}, false, fmt.Errorf("read last decision: %w", err)
	}

	if many {
		return LastDecision{Bulk: id, Count: len(detail.Cases), Decision: detail.Decision, At: rows[0].At}, true, nil
	}

	return LastDecision{Case: id, Decision: detail.Decision, At: rows[0].At, LinkID: rows[0].Link}, true, nil
}

// Settled counts the cases that ended in the last seven days, and the merges taken back.
type Settled struct {
	ByPeople int `db:"people"`
	ByProof  int `db:"proof"` // WhatsApp settled them by itself
	Undone   int `db:"undone"`
}

// Week counts what became of the queue in the last seven days.
func Week(ctx context.Context, tx *tenants.Tx) (Settled, error) {
	ended, err := adoption.CasesEnded(ctx, tx, time.Now().AddDate(0, 0, -7), time.Time{})
	if err != nil {
		return Settled{}, err
	}
	w := Settled{ByPeople: int(ended.Decided + ended.Ruled), ByProof: int(ended.Proved)}
	if err := tx.GetContext(ctx, &w.Undone, `
		SELECT count(*) FROM links WHERE tenant_id = $1 AND kind = 'merged' AND undone_at > now() - interval '7 days'`, tx.Tenant); err != nil {
		return Settled{}, fmt.Errorf("count the week: %w", err)
	}

	return w, nil
}
