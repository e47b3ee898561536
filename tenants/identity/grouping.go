package identity

import (
	"bytes"
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

func older(a, b uuid.UUID) bool { return bytes.Compare(a[:], b[:]) < 0 }

// rootOf follows tombstones from a contact to the one that stands for it now. nil stays nil.
func rootOf(ctx context.Context, tx *tenants.Tx, contact *uuid.UUID) (*uuid.UUID, error) {
	if contact == nil {
		return nil, nil
	}

	var root uuid.UUID
	err := tx.GetContext(ctx, &root, `
		WITH RECURSIVE up AS (
			SELECT id, merged_into FROM contacts WHERE tenant_id = $1 AND id = $2
			UNION ALL
			SELECT c.id, c.merged_into FROM up JOIN contacts c ON c.tenant_id = $1 AND c.id = up.merged_into
		)
		SELECT id FROM up WHERE merged_into IS NULL`, tx.Tenant, *contact)
	if err != nil {
		return nil, fmt.Errorf("follow contact: %w", err)
	}

	return &root, nil
}

// moveContact makes l.Lose a tombstone of l.Keep: its identities are re-pointed, and the journal remembers which. No message
// moves, however many there are.
func moveContact(ctx context.Context, tx *tenants.Tx, l link) error {
	if err := writeLink(ctx, tx, l); err != nil {
		return err
	}
	for _, step := range []struct{ what, statement string }{
		{"journal moves", `
			INSERT INTO link_moves (tenant_id, link_id, identity_id, from_contact)
			SELECT tenant_id, $4, id, contact_id FROM identities WHERE tenant_id = $1 AND contact_id = $3 AND absorbed_into IS NULL AND $2::uuid IS NOT NULL`},
		{"move identities", `
			UPDATE identities SET contact_id = $2 WHERE tenant_id = $1 AND contact_id = $3 AND absorbed_into IS NULL AND $4::uuid IS NOT NULL`},
		{"leave tombstone", `
			UPDATE contacts SET merged_into = $2, version = version + 1, updated_at = now() WHERE tenant_id = $1 AND id = $3 AND $4::uuid IS NOT NULL`},
		{"move on survivor", `
			UPDATE contacts SET version = version + 1, updated_at = now() WHERE tenant_id = $1 AND id = $2 AND $3::uuid IS NOT NULL AND $4::uuid IS NOT NULL`},
	} {
		if _, err := tx.ExecContext(ctx, step.statement, tx.Tenant, *l.Keep, *l.Lose, l.ID); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}

	return nil
}

// moveContactBack undoes moveContact: the loser stands again, with exactly the identities that this link took from it.
// What the survivor gained since stays there.
func moveContactBack(ctx context.Context, tx *tenants.Tx, linkID, lose uuid.UUID) error {
	if _, err := tx.ExecContext(ctx, `
		UPDATE contacts k SET version = k.version + 1, updated_at = now()
		FROM contacts l WHERE l.tenant_id = $1 AND l.id = $2 AND k.tenant_id = $1 AND k.id = l.merged_into`, tx.Tenant, lose); err != nil {
		return fmt.Errorf("move on survivor: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE contacts SET merged_into = NULL, version = version + 1, updated_at = now() WHERE tenant_id = $1 AND id = $2`, tx.Tenant, lose); err != nil {
		return fmt.Errorf("revive contact: %w", err)
	}
	// An identity absorbed since by another that moved with it follows that one.
	if _, err := tx.ExecContext(ctx, `
		UPDATE identities i SET contact_id = m.from_contact
		FROM link_moves m
		WHERE m.tenant_id = $1 AND m.link_id = $2 AND i.tenant_id = $1 AND i.id = m.identity_id AND i.absorbed_into IS NULL`, tx.Tenant, linkID); err != nil {
		return fmt.Errorf("move identities back: %w", err)
	}

	return nil
}
