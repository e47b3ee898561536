package identity

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/adoption"
)

// CardChange is what a list changes on a contact: from what to what. An id that was not there before is "" in Before.
type CardChange struct {
	Contact     uuid.UUID         `json:"-"`
	NameBefore  string            `json:"name_before,omitempty"`
	NameAfter   string            `json:"name_after,omitempty"` // "" leaves the name
	IDsBefore   map[string]string `json:"ids_before,omitempty"`
	IDsAfter    map[string]string `json:"ids_after,omitempty"`
	MadeContact bool              `json:"-"` // the contact came into being with it
}

// Empty tells that nothing changes.
func (c CardChange) Empty() bool { return c.NameAfter == "" && len(c.IDsAfter) == 0 }

// ChangeCards makes the changes. Each contact may stand in them once. Under Lock.
func ChangeCards(ctx context.Context, tx *tenants.Tx, changes []CardChange) error {
	if len(changes) == 0 {
		return nil
	}
	ids, names, external := make([]uuid.UUID, len(changes)), make([]string, len(changes)), make([]string, len(changes))
	for i, c := range changes {
		var err error
		ids[i], names[i] = c.Contact, c.NameAfter
		if external[i], err = encodeExternal(c.IDsAfter); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE contacts c SET display_name = coalesce(nullif(w.name, ''), c.display_name), external_ids = c.external_ids || w.external::jsonb,
		       version = c.version + 1, updated_at = now()
		FROM unnest($2::uuid[], $3::text[], $4::text[]) AS w (id, name, external) WHERE c.tenant_id = $1 AND c.id = w.id`,
		tx.Tenant, pq.Array(ids), pq.Array(names), pq.Array(external)); err != nil {
		return fmt.Errorf("change contacts: %w", err)
	}

	return SyncContacts(ctx, tx, ids)
}

// RevertCards takes changes back wherever nobody has changed the same thing since, also on a contact that was merged away. It
// returns the contacts on which something has stayed because somebody has. What the contacts are found by is not brought along, since
// many of them are about to go: the caller ends with SyncContacts for those that do not. Under Lock.
func RevertCards(ctx context.Context, tx *tenants.Tx, changes []CardChange) (stayed []uuid.UUID, err error) {
	var rows []struct {
		ID          uuid.UUID       `db:"id"`
		DisplayName string          `db:"display_name"`
		ExternalIDs json.RawMessage `db:"external_ids"`
	}
	ids := make([]uuid.UUID, len(changes))
	for i, c := range changes {
		ids[i] = c.Contact
	}
	if err := tx.SelectContext(ctx, &rows, `
		SELECT id, display_name, external_ids FROM contacts WHERE tenant_id = $1 AND id = ANY($2) ORDER BY id FOR UPDATE`, tx.Tenant, pq.Array(ids)); err != nil {
		return nil, fmt.Errorf("read cards to take back: %w", err)
	}

	var moved []uuid.UUID
	var names, external []string
	for _, r := range rows {
		c := changes[slices.Index(ids, r.ID)]
		now := map[string]string{}
		if err := json.Unmarshal(r.ExternalIDs, &now); err != nil {
			return nil, fmt.Errorf("read external ids: %w", err)
		}
		if !c.revert(&r.DisplayName, now) {
			stayed = append(stayed, r.ID)
		}
		encoded, err := encodeExternal(now)
		if err != nil {
			return nil, err
		}
		moved, names, external = append(moved, r.ID), append(names, r.DisplayName), append(external, encoded)
	}
	if len(moved) == 0 {
		return nil, nil
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE contacts c SET display_name = w.name, external_ids = w.external::jsonb, version = c.version + 1, updated_at = now()
		FROM unnest($2::uuid[], $3::text[], $4::text[]) AS w (id, name, external)
		WHERE c.tenant_id = $1 AND c.id = w.id AND (c.display_name <> w.name OR c.external_ids <> w.external::jsonb)`,
		tx.Tenant, pq.Array(moved), pq.Array(names), pq.Array(external)); err != nil {
		return nil, fmt.Errorf("take cards back: %w", err)
	}

	return stayed, nil
}

// revert takes a change back on a card, and tells whether all of it could be.
func (c CardChange) revert(name *string, ids map[string]string) bool {
	whole := true
	switch {
	case c.NameAfter == "":
	case *name == c.NameAfter:
		*name = c.NameBefore
	default:
		whole = false
	}
	for system, value := range c.IDsAfter {
		switch {
		case ids[system] != value:
			whole = false
		case c.IDsBefore[system] == "":
			delete(ids, system)
		default:
			ids[system] = c.IDsBefore[system]
		}
	}

	return whole
}

// Why a contact that a list made stays when the list is taken back.
const (
	StaysWrote  = "wrote"  // they have written since
	StaysWorked = "worked" // somebody has worked on the contact since
)

// Unclaim removes contacts that a list made, as if it had never named them: of those that nobody has written from or worked on
// since. It returns why each of the others stays. Under Lock.
func Unclaim(ctx context.Context, tx *tenants.Tx, contacts []uuid.UUID) (map[uuid.UUID]string, error) {
	stays := map[uuid.UUID]string{}
	if len(contacts) == 0 {
		return stays, nil
	}
	var rows []struct {
		ID     uuid.UUID `db:"id"`
		Wrote  bool      `db:"wrote"`
		Worked bool      `db:"worked"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT c.id,
		       EXISTS (SELECT 1 FROM identities i JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
		               JOIN messages m ON m.tenant_id = $1 AND m.tenure_id = t.id AND m.direction = 'in'
		               WHERE i.tenant_id = $1 AND i.contact_id = c.id) AS wrote,
		       c.display_name <> '' OR c.notes <> '' OR c.external_ids <> '{}' OR c.merged_into IS NOT NULL
		       OR EXISTS (SELECT 1 FROM contacts m WHERE m.tenant_id = $1 AND m.merged_into = c.id)
		       OR EXISTS (SELECT 1 FROM links l WHERE l.tenant_id = $1 AND l.actor_kind <> 'system' AND l.kind <> 'imported' AND (l.keep_contact = c.id OR l.lose_contact = c.id))
		       OR EXISTS (SELECT 1 FROM identities i JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
		                  WHERE i.tenant_id = $1 AND i.contact_id = c.id
		                    AND (EXISTS (SELECT 1 FROM decisions x WHERE x.tenant_id = $1 AND x.a_id = t.identifier_id)
		                         OR EXISTS (SELECT 1 FROM decisions x WHERE x.tenant_id = $1 AND x.b_id = t.identifier_id)))
		       OR EXISTS (SELECT 1 FROM identities i WHERE i.tenant_id = $1 AND i.contact_id = c.id
		                    AND (EXISTS (SELECT 1 FROM outbox x WHERE x.tenant_id = $1 AND x.identity_id = i.id)
		                         OR EXISTS (SELECT 1 FROM notes x WHERE x.tenant_id = $1 AND x.identity_id = i.id)
		                         OR EXISTS (SELECT 1 FROM assignments x WHERE x.tenant_id = $1 AND x.identity_id = i.id))) AS worked
		FROM contacts c WHERE c.tenant_id = $1 AND c.id = ANY($2) ORDER BY c.id`, tx.Tenant, pq.Array(contacts))
	if err != nil {
		return nil, fmt.Errorf("look at contacts to remove: %w", err)
	}

	var gone, written []uuid.UUID
	for _, r := range rows {
		switch {
		case r.Worked:
			stays[r.ID] = StaysWorked
		case r.Wrote:
			stays[r.ID] = StaysWrote
			written = append(written, r.ID)
		default:
			gone = append(gone, r.ID)
		}
	}
	// Whoever has written is the business's contact by that; the claim has nothing left to say.
	if _, err := tx.ExecContext(ctx, `
		UPDATE identifiers d SET claimed_at = NULL FROM identities i, tenures t
		WHERE d.tenant_id = $1 AND i.tenant_id = $1 AND t.tenant_id = $1 AND i.contact_id = ANY($2) AND t.identity_id = i.id
		  AND d.id = t.identifier_id AND d.first_seen <= d.last_seen`, tx.Tenant, pq.Array(written)); err != nil {
		return nil, fmt.Errorf("end claims: %w", err)
	}

	return stays, removeClaimed(ctx, tx, gone)
}

// removeClaimed removes contacts on which nothing hangs but a claim. Accounts that WhatsApp knows of stay, without a contact.
func removeClaimed(ctx context.Context, tx *tenants.Tx, contacts []uuid.UUID) error {
	if len(contacts) == 0 {
		return nil
	}
	var accounts []struct {
		ID   uuid.UUID `db:"id"`
		Seen bool      `db:"seen"`
	}
	err := tx.SelectContext(ctx, &accounts, `
		SELECT i.id, EXISTS (SELECT 1 FROM tenures t JOIN identifiers d ON d.tenant_id = $1 AND d.id = t.identifier_id
		                     WHERE t.tenant_id = $1 AND t.identity_id = i.id AND (d.claimed_at IS NULL OR d.first_seen <= d.last_seen)) AS seen
		FROM identities i WHERE i.tenant_id = $1 AND (i.contact_id = ANY($2) OR i.home_contact = ANY($2))`, tx.Tenant, pq.Array(contacts))
	if err != nil {
		return fmt.Errorf("read accounts of contacts to remove: %w", err)
	}
	var all, claimed []uuid.UUID
	for _, a := range accounts {
		all = append(all, a.ID)
		if !a.Seen {
			claimed = append(claimed, a.ID)
		}
	}

	var handles []uuid.UUID
	if err := tx.SelectContext(ctx, &handles, `SELECT identifier_id FROM tenures WHERE tenant_id = $1 AND identity_id = ANY($2)`, tx.Tenant, pq.Array(all)); err != nil {
		return fmt.Errorf("read handles of claims: %w", err)
	}
	waiting, err := suggestedBy(ctx, tx, claimed)
	if err != nil {
		return err
	}
	var numbers []string
	if err := tx.SelectContext(ctx, &numbers, `
		SELECT word FROM contact_words WHERE tenant_id = $1 AND contact_id = ANY($2) AND word >= 'x:' AND word < 'x;' ORDER BY word`, tx.Tenant, pq.Array(contacts)); err != nil {
		return fmt.Errorf("read numbers of contacts to remove: %w", err)
	}
	gave, err := givenBy(ctx, tx, numbers)
	if err != nil {
		return err
	}
	for _, id := range gave {
		if !slices.Contains(waiting, id) && !slices.Contains(contacts, id) {
			waiting = append(waiting, id)
		}
	}
	for _, step := range []struct {
		what, statement string
		ids             []uuid.UUID
	}{
		{"drop words", `DELETE FROM contact_words WHERE tenant_id = $1 AND contact_id = ANY($2)`, contacts},
		{"drop reach", dropReach, contacts},
		{"drop activity", `DELETE FROM contact_activity WHERE tenant_id = $1 AND contact_id = ANY($2)`, contacts},
		{"drop import from journal", `
			WITH changed AS (DELETE FROM links l WHERE l.tenant_id = $1 AND (l.keep_contact = ANY($2) OR l.lose_contact = ANY($2)) RETURNING ` + adoption.LinkGone + `
			), ` + adoption.CountLinks + ` SELECT count(*) FROM changed`, contacts},
		{"drop cases of contacts", adoption.DropCases(`k.contact_id = ANY($2)`), contacts},
		{"drop cases of accounts", adoption.DropCases(`k.identity_id = ANY($2)`), claimed},
		{"drop claimed threads", `
			DELETE FROM thread_tips p USING tenures t WHERE p.tenant_id = $1 AND t.tenant_id = $1 AND t.identity_id = ANY($2) AND p.tenure_id = t.id`, claimed},
		{"drop claimed tenures", `DELETE FROM tenures WHERE tenant_id = $1 AND identity_id = ANY($2)`, claimed},
		{"drop claimed accounts", `DELETE FROM identities WHERE tenant_id = $1 AND id = ANY($2)`, claimed},
		{"free accounts", `UPDATE identities SET contact_id = NULL, home_contact = NULL WHERE tenant_id = $1 AND (contact_id = ANY($2) OR home_contact = ANY($2))`, contacts},
		{"drop contacts", `DELETE FROM contacts WHERE tenant_id = $1 AND id = ANY($2)`, contacts},
		{"end claims", `UPDATE identifiers SET claimed_at = NULL WHERE tenant_id = $1 AND id = ANY($2)`, handles},
		{"drop claimed handles", `DELETE FROM identifiers d WHERE d.tenant_id = $1 AND d.id = ANY($2) AND d.last_seen < d.first_seen
			AND NOT EXISTS (SELECT 1 FROM hints h WHERE h.tenant_id = $1 AND h.subject_id = d.id)`, handles},
	} {
		if _, err := tx.ExecContext(ctx, step.statement, tx.Tenant, pq.Array(step.ids)); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}

	return SyncContacts(ctx, tx, waiting)
}

// suggestedBy are the contacts with an open case that speaks of a handle of these accounts.
func suggestedBy(ctx context.Context, tx *tenants.Tx, accounts []uuid.UUID) ([]uuid.UUID, error) {
	var list []Handle
	rows, err := tx.QueryxContext(ctx, `
		SELECT d.kind, d.value FROM tenures t JOIN identifiers d ON d.tenant_id = $1 AND d.id = t.identifier_id
		WHERE t.tenant_id = $1 AND t.identity_id = ANY($2)`, tx.Tenant, pq.Array(accounts))
	if err != nil {
		return nil, fmt.Errorf("read handles of accounts: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var h Handle
		if err := rows.Scan(&h.Kind, &h.Value); err != nil {
			return nil, fmt.Errorf("read handles of accounts: %w", err)
		}
		list = append(list, h)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read handles of accounts: %w", err)
	}

	return speakingOf(ctx, tx, list)
}
