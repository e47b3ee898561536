package privacy

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/imports"
)

// Count is how much of one sort there is of a person.
type Count struct {
	What string `db:"what" json:"what"` // one of Counted
	N    int64  `db:"n" json:"n"`
}

// Counted are the sorts in the order they are shown.
var Counted = []string{"contacts", "accounts", "identifiers", "names", "messages", "statuses", "sent", "notes", "cases", "links", "evidence", "saved", "rows", "weeks"}

// Preview counts what erasing a contact will remove. What came as raw bytes is looked through only while erasing. tenants.ErrNotFound
// where the tenant has no such contact.
func Preview(ctx context.Context, tx *tenants.Tx, contact uuid.UUID) ([]Count, error) {
	w, own, err := identity.WholeOf(ctx, tx, contact)
	if err != nil {
		return nil, err
	}

	return count(ctx, tx, w, own)
}

func count(ctx context.Context, tx *tenants.Tx, w identity.Whole, own []identity.Alias) ([]Count, error) {
	var rows []Count
	if err := tx.SelectContext(ctx, &rows, `
		SELECT 'contacts' AS what, cardinality($2::uuid[])::bigint AS n
		UNION ALL SELECT 'accounts', cardinality($3::uuid[])
		UNION ALL SELECT 'identifiers', cardinality($5::uuid[])
		UNION ALL SELECT 'names', count(*) FROM profile_facts WHERE tenant_id = $1 AND tenure_id = ANY($4)
		UNION ALL SELECT 'messages', count(*) FROM messages WHERE tenant_id = $1 AND tenure_id = ANY($4)
		UNION ALL SELECT 'statuses', count(*) FROM statuses WHERE tenant_id = $1 AND tenure_id = ANY($4)
		UNION ALL SELECT 'sent', count(*) FROM outbox WHERE tenant_id = $1 AND identity_id = ANY($3)
		UNION ALL SELECT 'notes', count(*) FROM notes WHERE tenant_id = $1 AND identity_id = ANY($3)
		UNION ALL SELECT 'cases', count(*) FROM cases WHERE tenant_id = $1 AND (contact_id = ANY($2) OR identity_id = ANY($3))
		UNION ALL SELECT 'links', count(*) FROM links WHERE tenant_id = $1 AND (keep_contact = ANY($2) OR lose_contact = ANY($2) OR identity_id = ANY($3))
		UNION ALL SELECT 'evidence', (SELECT count(*) FROM pairings WHERE tenant_id = $1 AND (bsuid_id = ANY($5) OR other_id = ANY($5)))
			+ (SELECT count(*) FROM sightings WHERE tenant_id = $1 AND identifier_id = ANY($5))
			+ (SELECT count(*) FROM hints WHERE tenant_id = $1 AND (subject_id = ANY($5) OR claim_value = ANY($6)))
			+ (SELECT count(*) FROM account_signals WHERE tenant_id = $1 AND identifier_id = ANY($5))
		UNION ALL SELECT 'saved', count(*) FROM saved_contacts WHERE tenant_id = $1 AND (phone = ANY($6) OR bsuid = ANY($6))
		UNION ALL SELECT 'rows', count(*) FROM import_rows WHERE tenant_id = $1 AND (contact_id = ANY($2) OR phone <> '' AND phone = ANY($6) OR bsuid <> '' AND bsuid = ANY($6))
		UNION ALL SELECT 'weeks', count(*) FROM heard_weeks WHERE tenant_id = $1 AND identity_id = ANY($3)`,
		tx.Tenant, pq.Array(w.Contacts), pq.Array(w.Identities), pq.Array(w.Tenures), pq.Array(w.Own), pq.Array(valuesOf(own))); err != nil {
		return nil, fmt.Errorf("count what there is of a person: %w", err)
	}
	untaken, err := imports.UntakenOf(ctx, tx, valuesOf(own))
	if err != nil {
		return nil, err //nolint:wrapcheck // it says what it read
	}
	for i, r := range rows {
		if r.What == "rows" {
			rows[i].N += int64(len(untaken))
		}
	}

	return rows, nil
}

func valuesOf(own []identity.Alias) []string {
	values := make([]string, len(own))
	for i, a := range own {
		values[i] = a.Value
	}

	return values
}
