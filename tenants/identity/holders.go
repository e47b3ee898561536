package identity

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// ContactOf is the contact of whoever WhatsApp names so to a number: by the BSUID, else the phone, else the parent ID; of each its holder now,
// else the last. ok is false where that is nobody's, or has no contact.
func ContactOf(ctx context.Context, tx *tenants.Tx, number uuid.UUID, p whatsapp.Party) (contact uuid.UUID, ok bool, err error) {
	for _, by := range []struct {
		kind  whatsapp.Kind
		value string
	}{{whatsapp.KindBSUID, p.BSUID}, {whatsapp.KindPhone, p.Phone}, {whatsapp.KindParentBSUID, p.Parent}} {
		if by.value == "" {
			continue
		}
		var found []uuid.NullUUID
		if err := tx.SelectContext(ctx, &found, `
			SELECT i.contact_id FROM numbers n
			JOIN identifiers d ON d.tenant_id = $1 AND d.scope = n.scope AND d.kind = $3 AND d.value = $4
			JOIN tenures t ON t.tenant_id = $1 AND t.identifier_id = d.id
			JOIN identities i ON i.tenant_id = $1 AND i.id = t.identity_id
			WHERE n.tenant_id = $1 AND n.id = $2
			ORDER BY t.current DESC, t.last_seen DESC, t.id LIMIT 1`, tx.Tenant, number, string(by.kind), by.value); err != nil {
			return uuid.Nil, false, fmt.Errorf("look for the contact of an identifier: %w", err)
		}
		if len(found) > 0 {
			return found[0].UUID, found[0].Valid, nil
		}
	}

	return uuid.Nil, false, nil
}
