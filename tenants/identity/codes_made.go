package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// The kinds of link-back code.
const (
	CodeOnce    = "once"    // counts for one message within CodeLives
	CodePrinted = "printed" // on a card or a bill that lies about: may be sent by many, and is a strong sign at most
)

// CodeLives is how long a code that counts once is good for.
const CodeLives = 24 * time.Hour

// Code is a code that was made for who has a phone. What it says is known when it is made, and to nobody later.
type Code struct {
	ID        uuid.UUID  `db:"id"`
	Kind      string     `db:"kind"`
	Phone     string     `db:"phone"`
	MadeBy    string     `db:"made_by"`
	MadeAt    time.Time  `db:"made_at"`
	ExpiresAt *time.Time `db:"expires_at"`
	UsedAt    *time.Time `db:"used_at"` // when it first came back
	UsedBy    *uuid.UUID `db:"contact_id"`
	RevokedAt *time.Time `db:"revoked_at"`
	Live      bool       `db:"live"` // it would count if it came now

	Text string // in three groups; only of one just made
}

// MakeCode makes a code for a contact by one of the phones they have now. A new one that counts once takes the place of the one
// before. ErrNotFound where the contact has no such phone.
func MakeCode(ctx context.Context, tx *tenants.Tx, key CodeKey, actor tenants.Actor, contact uuid.UUID, phone, kind string) (Code, error) {
	if kind != CodeOnce && kind != CodePrinted {
		return Code{}, &tenants.Invalid{Field: "kind", Key: "unknown_kind"}
	}
	if err := Lock(ctx, tx); err != nil {
		return Code{}, err
	}
	c, err := Get(ctx, tx, contact)
	if err != nil {
		return Code{}, err
	}
	if !slices.Contains(c.phones(), phone) {
		return Code{}, tenants.ErrNotFound
	}
	text, err := newCode()
	if err != nil {
		return Code{}, err
	}
	if kind == CodeOnce {
		if _, err := tx.ExecContext(ctx, `
			UPDATE link_codes SET revoked_at = now()
			WHERE tenant_id = $1 AND phone = $2 AND kind = 'once' AND used_at IS NULL AND revoked_at IS NULL AND expires_at > now()`, tx.Tenant, phone); err != nil {
			return Code{}, fmt.Errorf("replace code: %w", err)
		}
	}
	made := Code{Text: grouped(text), Live: true}
	err = tx.GetContext(ctx, &made, `
		INSERT INTO link_codes (tenant_id, id, hash, kind, phone, made_by, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, CASE WHEN $4 = 'once' THEN now() + $7 * interval '1 second' END)
		RETURNING id, kind, phone, made_by, made_at, expires_at`,
		tx.Tenant, newID(), key.hash(text), kind, phone, actor.Name, CodeLives.Seconds())
	if err != nil {
		return Code{}, fmt.Errorf("keep code: %w", err)
	}

	return made, tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "code.make", ObjectKind: "contact", ObjectID: c.ID.String(), Detail: map[string]any{"code": made.ID, "kind": kind},
	})
}

// phones are those that a contact has now and that are kept.
func (c Contact) phones() []string {
	var phones []string
	for _, i := range c.Identities {
		for _, d := range i.Identifiers {
			if d.Kind == whatsapp.KindPhone && d.Current && !whatsapp.IsHiddenPhone(d.Value) {
				phones = append(phones, d.Value)
			}
		}
	}

	return phones
}

// CodesOf lists the codes made for the phones that a contact has now, newest first and at most twenty.
func CodesOf(ctx context.Context, tx *tenants.Tx, c Contact) ([]Code, error) {
	list := []Code{}
	err := tx.SelectContext(ctx, &list, `
		SELECT c.id, c.kind, c.phone, c.made_by, c.made_at, c.expires_at, c.used_at, c.revoked_at,
		       (SELECT i.contact_id FROM tenures t JOIN identities i ON i.tenant_id = $1 AND i.id = t.identity_id
		        WHERE t.tenant_id = $1 AND t.identifier_id = c.used_by ORDER BY t.current DESC LIMIT 1) AS contact_id,
		       c.revoked_at IS NULL AND (c.kind = 'printed' OR c.used_at IS NULL AND c.expires_at > now()) AS live
		FROM link_codes c WHERE c.tenant_id = $1 AND c.phone = ANY($2)
		ORDER BY c.made_at DESC, c.id LIMIT 20`, tx.Tenant, pq.Array(c.phones()))
	if err != nil {
		return nil, fmt.Errorf("read codes: %w", err)
	}

	return list, nil
}

// RevokeCode takes back a code of a contact: it counts no more. ErrNotFound where they have none such.
func RevokeCode(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, contact, id uuid.UUID) error {
	if err := Lock(ctx, tx); err != nil {
		return err
	}
	c, err := Get(ctx, tx, contact)
	if err != nil {
		return err
	}
	var revoked bool
	err = tx.GetContext(ctx, &revoked, `
		SELECT revoked_at IS NOT NULL FROM link_codes WHERE tenant_id = $1 AND id = $2 AND phone = ANY($3)`, tx.Tenant, id, pq.Array(c.phones()))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return tenants.ErrNotFound
	case err != nil:
		return fmt.Errorf("read code: %w", err)
	case revoked:
		return nil
	}
	if _, err := tx.ExecContext(ctx, `UPDATE link_codes SET revoked_at = now() WHERE tenant_id = $1 AND id = $2`, tx.Tenant, id); err != nil {
		return fmt.Errorf("take code back: %w", err)
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "code.revoke", ObjectKind: "contact", ObjectID: c.ID.String(), Detail: map[string]any{"code": id},
	})
}
