package privacy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
)

// Changed is the code of the Conflict that the accounts of a contact are not those any more of which a request was proved.
const Changed = "request_changed"

// AccountsOf stands for the accounts of a contact as they are: it is another as soon as they are grouped otherwise or the contact is
// changed. tenants.ErrNotFound where the tenant has no such contact.
func AccountsOf(ctx context.Context, tx *tenants.Tx, contact uuid.UUID) (string, error) {
	w, _, err := identity.WholeOf(ctx, tx, contact)
	if err != nil {
		return "", err //nolint:wrapcheck // it says what it read
	}
	version := 0
	if err := tx.GetContext(ctx, &version, `
		SELECT version FROM contacts WHERE tenant_id = $1 AND id = ANY($2) AND merged_into IS NULL`, tx.Tenant, pq.Array(w.Contacts)); err != nil {
		return "", fmt.Errorf("read version of a contact: %w", err)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s", version, w.Identities))

	return hex.EncodeToString(sum[:]), nil
}

// stillOf refuses a request whose proof was of other accounts than the contact has now.
func stillOf(ctx context.Context, tx *tenants.Tx, r Request) error {
	now, err := AccountsOf(ctx, tx, *r.Contact)
	if err != nil {
		return err
	}
	if now != r.ProvedOf {
		return &tenants.Conflict{Code: Changed}
	}

	return nil
}

// Unprove takes back the proof of an open request where it was of other accounts than the contact has now.
func Unprove(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID) error {
	r, err := mine(ctx, tx, id)
	if err != nil || r.Proof == "" || r.Contact == nil {
		return err
	}
	if err = stillOf(ctx, tx, r); tenants.ConflictCode(err) != Changed {
		return err
	}

	return dropProof(ctx, tx, actor, id)
}

func dropProof(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID) error {
	if _, err := tx.ExecContext(ctx, `
		UPDATE privacy_requests SET proof = '', proved_at = NULL, proved_by = '', proved_of = '', linked_back = false
		WHERE tenant_id = $1 AND id = $2`, tx.Tenant, id); err != nil {
		return fmt.Errorf("take back proof of request %s: %w", id, err)
	}

	return audit(ctx, tx, actor, "privacy.unprove", id, nil)
}
