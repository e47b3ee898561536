package identity

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/adoption"
)

// Link is one row of the journal of who belongs to whom.
type Link struct {
	ID         uuid.UUID       `db:"id"`
	Kind       string          `db:"kind"` // attested, rotated, merged, split, imported, cut
	At         time.Time       `db:"at"`
	ActorKind  string          `db:"actor_kind"`
	ActorID    string          `db:"actor_id"`
	ActorName  string          `db:"actor_name"`
	Keep       *uuid.UUID      `db:"keep_contact"`
	Lose       *uuid.UUID      `db:"lose_contact"`
	IdentityID *uuid.UUID      `db:"identity_id"`
	Reason     string          `db:"reason"`
	Evidence   json.RawMessage `db:"evidence"`
	CaseID     *uuid.UUID      `db:"case_id"`
	UndoneAt   *time.Time      `db:"undone_at"`
	UndoneBy   string          `db:"undone_by"`
	Rule       string          `db:"rule"`       // the kind of evidence that made it by itself, else ""
	TargetID   *uuid.UUID      `db:"target_id"`  // of one made by a rule: the account that IdentityID was linked to
	Identities int             `db:"identities"` // how many it moved
}

const linkColumns = `l.id, l.kind, l.at, l.actor_kind, l.actor_id, l.actor_name, l.keep_contact, l.lose_contact, l.identity_id, l.reason,
	l.evidence, l.case_id, l.undone_at, l.undone_by, l.rule, l.target_id,
	(SELECT count(*) FROM link_moves m WHERE m.tenant_id = l.tenant_id AND m.link_id = l.id) AS identities`

// GetLink reads one link. ErrNotFound where the tenant has none such.
func GetLink(ctx context.Context, tx *tenants.Tx, id uuid.UUID) (Link, error) {
	var l Link
	err := tx.GetContext(ctx, &l, `SELECT `+linkColumns+` FROM links l WHERE l.tenant_id = $1 AND l.id = $2`, tx.Tenant, id)
	if noRows(err) {
		return Link{}, tenants.ErrNotFound
	}
	if err != nil {
		return Link{}, fmt.Errorf("read link: %w", err)
	}

	return l, nil
}

// Links returns the last 200 entries of the journal of a contact and of all that were merged into it, newest first.
func Links(ctx context.Context, tx *tenants.Tx, contact uuid.UUID) ([]Link, error) {
	links, _, err := LinkPage(ctx, tx, contact, Page{Limit: 200})

	return links, err
}

// UndoPreview is what undoing a link would do.
type UndoPreview struct {
	Link         Link
	Blocked      []Reason // attested_since, already_undone, not_undoable
	Back         []Identity
	NewMessages  int // written since on what goes back; they go with it
	EditedFields []string
}

// Allowed tells whether the link can be undone.
func (p UndoPreview) Allowed() bool { return len(p.Blocked) == 0 }

// PreviewUndo says what undoing a link would do. Nothing is changed.
func PreviewUndo(ctx context.Context, tx *tenants.Tx, id uuid.UUID) (UndoPreview, error) {
	p, err := mayUndo(ctx, tx, id)
	if err != nil || p.Link.UndoneAt != nil || p.Link.Kind != "merged" {
		return p, err
	}

	var back []uuid.UUID
	err = tx.SelectContext(ctx, &back, `
		SELECT i.id FROM link_moves m JOIN identities i ON i.tenant_id = $1 AND i.id = m.identity_id AND i.absorbed_into IS NULL
		WHERE m.tenant_id = $1 AND m.link_id = $2 ORDER BY i.id`, tx.Tenant, id)
	if err != nil {
		return UndoPreview{}, fmt.Errorf("read what goes back: %w", err)
	}
	for _, i := range back {
		found, err := identityByID(ctx, tx, i)
		if err != nil {
			return UndoPreview{}, err
		}
		p.Back = append(p.Back, found)
	}
	err = tx.GetContext(ctx, &p.NewMessages, `
		SELECT count(*) FROM tenures t JOIN messages m ON m.tenant_id = $1 AND m.tenure_id = t.id AND m.received_at > $3
		WHERE t.tenant_id = $1 AND t.identity_id = ANY($2)`, tx.Tenant, pq.Array(back), p.Link.At)
	if err != nil {
		return UndoPreview{}, fmt.Errorf("count new messages: %w", err)
	}

	return p, nil
}

// mayUndo reads a link and what speaks against undoing it, at a cost that does not grow with what was said since.
func mayUndo(ctx context.Context, tx *tenants.Tx, id uuid.UUID) (UndoPreview, error) {
	l, err := GetLink(ctx, tx, id)
	if err != nil {
		return UndoPreview{}, err
	}
	p := UndoPreview{Link: l}
	switch {
	case l.UndoneAt != nil:
		p.Blocked = []Reason{{Code: "already_undone"}}
		return p, nil
	case l.Kind == "attested" || l.Kind == "rotated":
		return p, nil
	case l.Kind != "merged":
		p.Blocked = []Reason{{Code: "not_undoable"}}
		return p, nil
	}

	since, err := attestedSince(ctx, tx, l)
	if err != nil {
		return UndoPreview{}, err
	}
	if since {
		p.Blocked = []Reason{{Code: "attested_since"}}
	}

	return p, nil
}

// attestedSince tells whether WhatsApp has, since the merge, shown that the two sides are one account: the identifiers it was
// decided by belong to one identity now.
func attestedSince(ctx context.Context, tx *tenants.Tx, l Link) (bool, error) {
	var since bool
	err := tx.GetContext(ctx, &since, `
		SELECT EXISTS (
			SELECT 1 FROM decisions d
			WHERE d.tenant_id = $1 AND d.link_id = $2 AND d.kind = 'must_link'
			  AND holder($1, d.a_id, coalesce(d.a_at, d.known_until)) = holder($1, d.b_id, coalesce(d.b_at, d.known_until)))`, tx.Tenant, l.ID)
	if err != nil {
		return false, fmt.Errorf("look for later proof: %w", err)
	}

	return since, nil
}

// Undo takes one link back, also out of a chain and after new messages: exactly what it moved returns, and what happened since
// stays with the identity it happened to. A merge is undone by re-pointing the same rows; what WhatsApp attested is undone by
// a cut, a decision that holds against the evidence known now; what a rule linked, by a decision too, since the rule would link it
// again. mayAny: the actor may undo others' links too; a rule's anybody may.
// Errors: Conflict attested_since, already_undone, not_undoable; ErrForbidden.
func Undo(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID, mayAny bool) (Link, error) {
	if err := Lock(ctx, tx); err != nil {
		return Link{}, err
	}
	if err := takeBackLink(ctx, tx, actor, id, mayAny); err != nil {
		return Link{}, err
	}
	l, err := GetLink(ctx, tx, id)
	if err != nil {
		return Link{}, err
	}
	if err := tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "link.undo", ObjectKind: "link", ObjectID: id.String(), Detail: map[string]any{"kind": l.Kind},
	}); err != nil {
		return Link{}, err
	}

	return l, nil
}

// takeBackLink is Undo with the lock already held and without its entry in the audit. Where it refuses, nothing was changed.
func takeBackLink(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID, mayAny bool) error {
	p, err := mayUndo(ctx, tx, id)
	switch {
	case err != nil:
		return err
	case !p.Allowed():
		return &tenants.Conflict{Code: p.Blocked[0].Code}
	case !mayAny && p.Link.Rule == "" && (p.Link.ActorKind != actor.Kind || p.Link.ActorID != actor.ID):
		return tenants.ErrForbidden
	}

	l := p.Link
	switch {
	case l.Rule != "":
		err = undoRuled(ctx, tx, actor, l)
	case l.Kind == "merged":
		err = undoMerge(ctx, tx, actor, l)
	default:
		err = cut(ctx, tx, actor, l)
	}
	if err != nil {
		return err
	}

	var apart []uuid.UUID
	if err := tx.SelectContext(ctx, &apart, `
		SELECT unnest(array_remove(ARRAY[keep_contact, lose_contact], NULL)) AS id FROM links WHERE tenant_id = $1 AND id = $2
		UNION
		SELECT i.contact_id FROM link_moves m JOIN identities i ON i.tenant_id = $1 AND i.id = m.identity_id AND i.contact_id IS NOT NULL
		WHERE m.tenant_id = $1 AND m.link_id = $2
		ORDER BY id`, tx.Tenant, l.ID); err != nil {
		return fmt.Errorf("read whom a link had joined: %w", err)
	}

	return retellActivity(ctx, tx, apart)
}

func undoMerge(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, l Link) error {
	if err := emptyFilled(ctx, tx, l); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `
		WITH changed AS (
			UPDATE links l SET undone_at = clock_timestamp(), undone_by = $3 WHERE l.tenant_id = $1 AND l.id = $2 RETURNING `+adoption.LinkState+`
		), `+adoption.CountLinks+` SELECT count(*) FROM changed`, tx.Tenant, l.ID, actor.Name); err != nil {
		return fmt.Errorf("mark link undone: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE decisions SET revoked_at = now() WHERE tenant_id = $1 AND link_id = $2 AND revoked_at IS NULL`, tx.Tenant, l.ID); err != nil {
		return fmt.Errorf("take decision back: %w", err)
	}

	var involved []uuid.UUID
	if err := tx.SelectContext(ctx, &involved, `
		SELECT DISTINCT t.identity_id FROM decisions d
		JOIN tenures t ON t.tenant_id = $1 AND t.identifier_id IN (d.a_id, d.b_id)
		WHERE d.tenant_id = $1 AND d.link_id = $2`, tx.Tenant, l.ID); err != nil {
		return fmt.Errorf("read whom the merge joined: %w", err)
	}
	changed, err := regroup(ctx, tx, involved)
	if err != nil {
		return err
	}
	if err := SyncContacts(ctx, tx, changed); err != nil {
		return err
	}
	var accounts []uuid.UUID
	if err := tx.SelectContext(ctx, &accounts, `
		SELECT id FROM identities WHERE tenant_id = $1 AND (id = ANY($2) OR contact_id = ANY($3)) ORDER BY id`, tx.Tenant, pq.Array(involved), pq.Array(changed)); err != nil {
		return fmt.Errorf("read accounts of whom the merge joined: %w", err)
	}

	return resettle(ctx, tx, accounts)
}

// emptyFilled takes back what the survivor had copied from the other, and what later survivors had from it, unless somebody has changed
// it since.
func emptyFilled(ctx context.Context, tx *tenants.Tx, l Link) error {
	var proof proofOfLink
	if err := json.Unmarshal(l.Evidence, &proof); err != nil {
		return fmt.Errorf("read link proof: %w", err)
	}
	name, ok := proof.Filled["display_name"]
	for keep := l.Keep; ok && keep != nil; {
		done, err := tx.ExecContext(ctx, `UPDATE contacts SET display_name = '' WHERE tenant_id = $1 AND id = $2 AND display_name = $3`, tx.Tenant, *keep, name)
		if err != nil {
			return fmt.Errorf("take name back: %w", err)
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return err
		}
		err = tx.GetContext(ctx, &keep, `
			SELECT keep_contact FROM links
			WHERE tenant_id = $1 AND lose_contact = $2 AND kind = 'merged' AND undone_at IS NULL AND evidence->'filled'->>'display_name' = $3
			ORDER BY at DESC LIMIT 1`, tx.Tenant, *keep, name)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("look who has the name from whom: %w", err)
		}
	}

	return nil
}

// cut holds apart what WhatsApp had joined, and derives the accounts again.
func cut(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, l Link) error {
	var proof proofOfLink
	if err := json.Unmarshal(l.Evidence, &proof); err != nil {
		return fmt.Errorf("read link proof: %w", err)
	}
	if len(proof.Cut) != 2 || proof.Cut[0] == proof.Cut[1] {
		return &tenants.Conflict{Code: "not_undoable"}
	}

	id := newID()
	if err := writeLink(ctx, tx, link{ID: id, Kind: "cut", Actor: actor, Keep: l.Keep, Identity: l.IdentityID, Proof: proofOfLink{Cut: proof.Cut}}); err != nil {
		return err
	}
	if err := decide(ctx, tx, actor, decision{kind: "cannot_link", a: heldAt{id: proof.Cut[0]}, b: heldAt{id: proof.Cut[1]}, link: &id}); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `
		WITH changed AS (
			UPDATE links l SET undone_at = clock_timestamp(), undone_by = $3 WHERE l.tenant_id = $1 AND l.id = $2 AND l.lose_contact IS NULL
			RETURNING `+adoption.LinkState+`
		), `+adoption.CountLinks+` SELECT count(*) FROM changed`, tx.Tenant, l.ID, actor.Name); err != nil {
		return fmt.Errorf("mark link undone: %w", err)
	}

	b := &Batch{tx: tx, identities: map[uuid.UUID]bool{}, divided: map[uuid.UUID]bool{}, anew: map[uuid.UUID]bool{}, contacts: map[uuid.UUID]bool{}}
	if err := b.rederive(ctx, proof.Cut); err != nil {
		return err
	}
	if err := b.Settle(ctx); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `
		WITH changed AS (
			UPDATE links l SET undone_at = coalesce(l.undone_at, clock_timestamp()), undone_by = $3 WHERE l.tenant_id = $1 AND l.id = $2
			RETURNING `+adoption.LinkState+`
		), `+adoption.CountLinks+` SELECT count(*) FROM changed`, tx.Tenant, l.ID, actor.Name); err != nil {
		return fmt.Errorf("mark link undone: %w", err)
	}

	return nil
}
