package identity

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// SetShared says that several people use a phone, a family's or a shop's, or that they do not. What leads to a shared phone never
// links by itself and counts one tier less; what WhatsApp attests stays attested.
// Errors: ErrNotFound where the contact has no such phone.
func SetShared(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, contact uuid.UUID, phone string, shared bool) error {
	if err := Lock(ctx, tx); err != nil {
		return err
	}
	c, err := Get(ctx, tx, contact)
	if err != nil {
		return err
	}
	if !c.holds(whatsapp.KindPhone, phone) {
		return tenants.ErrNotFound
	}

	statement := `DELETE FROM shared_phones WHERE tenant_id = $1 AND phone = $2 AND $3::text IS NOT NULL`
	if shared {
		statement = `INSERT INTO shared_phones (tenant_id, phone, by_name) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`
	}
	if _, err := tx.ExecContext(ctx, statement, tx.Tenant, phone, actor.Name); err != nil {
		return fmt.Errorf("flag shared phone: %w", err)
	}

	// Whoever holds it, and whoever is said to.
	var contacts []uuid.UUID
	err = tx.SelectContext(ctx, &contacts, `
		SELECT i.contact_id FROM identifiers d
		JOIN tenures t ON t.tenant_id = $1 AND t.identifier_id = d.id
		JOIN identities i ON i.tenant_id = $1 AND i.id = t.identity_id AND i.contact_id IS NOT NULL
		WHERE d.tenant_id = $1 AND d.kind = 'phone' AND d.value = $2
		UNION
		SELECT i.contact_id FROM hints h
		JOIN tenures t ON t.tenant_id = $1 AND t.identifier_id = h.subject_id
		JOIN identities i ON i.tenant_id = $1 AND i.id = t.identity_id AND i.contact_id IS NOT NULL
		WHERE h.tenant_id = $1 AND h.claim_kind = 'phone' AND h.claim_value = $2
		UNION
		SELECT i.contact_id FROM links l JOIN identities i ON i.tenant_id = $1 AND i.id = l.identity_id AND i.contact_id IS NOT NULL
		WHERE l.tenant_id = $1 AND l.rule <> '' AND l.undone_at IS NULL AND l.target_id IN (
			SELECT t.identity_id FROM identifiers d JOIN tenures t ON t.tenant_id = $1 AND t.identifier_id = d.id
			WHERE d.tenant_id = $1 AND d.kind = 'phone' AND d.value = $2)`, tx.Tenant, phone)
	if err != nil {
		return fmt.Errorf("find whom a phone leads to: %w", err)
	}
	if err := SyncContacts(ctx, tx, contacts); err != nil {
		return err
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "phone.shared", ObjectKind: "contact", ObjectID: contact.String(), Detail: map[string]any{"shared": shared},
	})
}

func (c Contact) holds(kind whatsapp.Kind, value string) bool {
	for _, i := range c.Identities {
		for _, d := range i.Identifiers {
			if d.Kind == kind && d.Value == value {
				return true
			}
		}
	}

	return false
}
