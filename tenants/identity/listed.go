package identity

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// A list that names a WhatsApp ID by itself and gives it the number of a customer in the business's own system says who that is: nobody
// needs to be asked (an import match). It joins nobody. A phone beside the ID is another matter: that claims that two are one, which
// suggests and never answers (matching.md B5).

// listedOf are those among contacts whom a standing list so names. Read from the rows, so that it ends with the list.
func listedOf(ctx context.Context, tx *tenants.Tx, contacts []uuid.UUID) (map[uuid.UUID]bool, error) {
	listed := map[uuid.UUID]bool{}
	if len(contacts) == 0 {
		return listed, nil
	}
	var rows []uuid.UUID
	// OFFSET 0 keeps the planner to the indexes of the ids, also where the list, or the business, is new to it.
	err := tx.SelectContext(ctx, &rows, `
		SELECT c.id FROM (SELECT DISTINCT id FROM unnest($2::uuid[]) AS w (id)) w
		CROSS JOIN LATERAL (SELECT id, external_ids FROM contacts WHERE tenant_id = $1 AND id = w.id OFFSET 0) c
		WHERE c.external_ids <> '{}' AND EXISTS (
			SELECT 1 FROM identities i
			JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
			JOIN identifiers d ON d.tenant_id = $1 AND d.id = t.identifier_id AND d.kind || '' = 'bsuid'
			CROSS JOIN LATERAL (SELECT import_id, phone, external, effect FROM import_rows WHERE tenant_id = $1 AND bsuid = d.value AND bsuid <> '' OFFSET 0) r
			JOIN imports l ON l.tenant_id = $1 AND l.id = r.import_id AND l.state IN ('running', 'stopped', 'done', 'failed')
			WHERE i.tenant_id = $1 AND i.contact_id = c.id AND i.absorbed_into IS NULL AND r.phone = '' AND r.external <> '' AND r.effect <> '')`,
		tx.Tenant, pq.Array(contacts))
	if err != nil {
		return nil, fmt.Errorf("look for contacts in lists: %w", err)
	}
	for _, id := range rows {
		listed[id] = true
	}

	return listed, nil
}

// SettleListed closes the open cases of contacts that a list says who they are, with a line in the journal: for reason, by whoever
// took the list in. A case that names a candidate stays, since that is still to be decided. Under Lock.
func SettleListed(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, reason string, contacts []uuid.UUID) error {
	if len(contacts) == 0 {
		return nil
	}
	if err := SyncContacts(ctx, tx, contacts); err != nil {
		return err
	}

	var closed []uuid.UUID
	if err := tx.SelectContext(ctx, &closed, `
		UPDATE cases SET closed_by = $3
		WHERE tenant_id = $1 AND contact_id = ANY($2) AND state = 'done' AND outcome = '`+OutcomeListed+`' AND closed_at = now()
		RETURNING id`, tx.Tenant, pq.Array(contacts), actor.Name); err != nil {
		return fmt.Errorf("close cases by list: %w", err)
	}
	ids := make([]uuid.UUID, len(closed))
	for i := range ids {
		ids[i] = newID()
	}
	if _, err := tx.ExecContext(ctx, `
		WITH told AS (
			INSERT INTO links (tenant_id, id, kind, actor_kind, actor_id, actor_name, keep_contact, identity_id, evidence, reason, case_id)
			SELECT $1, w.id, 'imported', $4, $5, $6, k.contact_id, k.identity_id, '{}', $7, k.id
			FROM unnest($2::uuid[], $3::uuid[]) AS w (id, case_id) JOIN cases k ON k.tenant_id = $1 AND k.id = w.case_id
			RETURNING id, case_id
		)
		UPDATE cases k SET link_id = told.id FROM told WHERE k.tenant_id = $1 AND k.id = told.case_id`,
		tx.Tenant, pq.Array(ids), pq.Array(closed), actor.Kind, actor.ID, actor.Name, reason); err != nil {
		return fmt.Errorf("journal cases closed by list: %w", err)
	}

	return nil
}

// UnsettleListed opens the cases of contacts again whom no list names any more, and notes in the journal who took the list back.
// Under Lock.
func UnsettleListed(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, contacts []uuid.UUID) error {
	if len(contacts) == 0 {
		return nil
	}
	if err := SyncContacts(ctx, tx, contacts); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE links l SET undone_at = now(), undone_by = $3 FROM cases k
		WHERE l.tenant_id = $1 AND l.kind = 'imported' AND l.undone_at IS NULL AND l.keep_contact = ANY($2)
		  AND k.tenant_id = $1 AND k.id = l.case_id AND k.state = 'open'`, tx.Tenant, pq.Array(contacts), actor.Name); err != nil {
		return fmt.Errorf("note in the journal that a list was taken back: %w", err)
	}

	return nil
}
