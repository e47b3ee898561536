package privacy

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/erased"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/secrets"
)

// Correctable are what can be corrected about a contact.
var Correctable = []string{"name", "note"}

// Change is one thing that was corrected for a customer.
type Change struct {
	Field string    `json:"field"` // one of Correctable
	From  string    `json:"from"`
	To    string    `json:"to"`
	At    time.Time `json:"at"`
}

// Amend corrects something about whom a request is about, once who asks is proved. From and to are kept with the request, sealed, until
// the person is erased; the audit has them as keyed hashes alone. A Conflict of the code Changed is as Start's.
func Amend(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, actor tenants.Actor, id uuid.UUID, field, to string) error {
	r, err := mine(ctx, tx, id)
	if err != nil {
		return err
	}
	switch {
	case r.Kind != Correct:
		return &tenants.Conflict{Code: "request_kind"}
	case r.Contact == nil:
		return &tenants.Conflict{Code: "request_contact"}
	case r.Proof == "":
		return &tenants.Conflict{Code: "request_proof"}
	case !contains(Correctable, field):
		return &tenants.Invalid{Field: "field", Key: "choice"}
	}
	if err := stillOf(ctx, tx, r); err != nil {
		return err
	}
	if err := r.open(tx.Tenant, keys); err != nil {
		return err
	}
	c, err := identity.Get(ctx, tx, *r.Contact)
	if err != nil {
		return err //nolint:wrapcheck // it says what it read
	}
	change, edit := Change{Field: field, From: c.DisplayName, To: to, At: time.Now().UTC()}, identity.Edit{Contact: c.ID, Version: c.Version}
	if field == "name" {
		edit.DisplayName = &to
	} else {
		change.From, edit.Notes = c.Notes, &to
	}
	if change.From == to {
		return &tenants.Invalid{Field: "to", Key: "same_as_was"}
	}
	if _, err := edit.Apply(ctx, tx, actor); err != nil {
		return err //nolint:wrapcheck // it says what it edited
	}

	plain, err := json.Marshal(append(r.Changes, change))
	if err != nil {
		return fmt.Errorf("encode changes: %w", err)
	}
	sealed, err := seal(keys, tx.Tenant, sealChanges, string(plain))
	if err != nil {
		return err
	}
	// The edit was ours: the proof holds for the contact as it is now.
	now, err := AccountsOf(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE privacy_requests SET changes = $3, proved_of = $4, outcome = outcome || jsonb_build_object('corrected', $5::jsonb) WHERE tenant_id = $1 AND id = $2`,
		tx.Tenant, id, sealed, now, corrected(append(r.Changes, change))); err != nil {
		return fmt.Errorf("keep what was corrected: %w", err)
	}
	h := erased.For(keys, tx.Tenant)

	return audit(ctx, tx, actor, "privacy.correct", id, map[string]any{
		"field": field, "from": hex.EncodeToString(h.Hash("corrected", change.From)[:16]), "to": hex.EncodeToString(h.Hash("corrected", to)[:16]),
	})
}

// corrected are the fields that were corrected, as JSON.
func corrected(changes []Change) string {
	var fields []string
	for _, c := range changes {
		if !contains(fields, c.Field) {
			fields = append(fields, c.Field)
		}
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		panic(err) // words of our own
	}

	return string(raw)
}
