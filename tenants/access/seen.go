package access

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// KindSignIn is the job whose end is a mail that tells somebody of a sign-in from a browser that is new to them; its args hold person_id
// and whose, the session's handle.
const KindSignIn = "sign_in_new"

// noteSignIn notes when somebody signed in, and from when on a second factor is asked of them, where their role needs one. Unless the
// browser is known, they are told; not of their first sign-in, which needs no alarm.
func noteSignIn(ctx context.Context, tx *tenants.Tx, person uuid.UUID, session []byte, known bool) error {
	needs, err := needsAnywhere(ctx, tx, person)
	if err != nil {
		return err
	}
	tell := false
	if err := tx.GetContext(ctx, &tell, `
		UPDATE people p SET signed_in_at = now(), factor_from = coalesce(p.factor_from, CASE WHEN $2 THEN now() END)
		FROM (SELECT id, signed_in_at IS NOT NULL AND sign_in_mails AS tell FROM people WHERE id = $1 FOR NO KEY UPDATE) was
		WHERE p.id = was.id RETURNING was.tell`, person, needs); err != nil {
		return fmt.Errorf("note sign-in: %w", err)
	}
	if !tell || known {
		return nil
	}

	return planTelling(ctx, tx, KindSignIn, person, hex.EncodeToString(session[:handleBytes]))
}

// SignInOf is where and when a person signed in, by the session's handle, in a System transaction; ErrNotFound where it is swept.
func SignInOf(ctx context.Context, tx *tenants.Tx, person uuid.UUID, handle string) (Device, error) {
	head, err := hex.DecodeString(handle)
	if err != nil {
		return Device{}, fmt.Errorf("decode session handle: %w", err)
	}
	var found []Device
	if err := tx.SelectContext(ctx, &found, `
		SELECT s.id_hash, s.user_agent, s.ip, coalesce(t.name, '') AS place, s.created_at, s.seen_at
		FROM sessions s LEFT JOIN tenants t ON t.id = s.tenant_id
		WHERE s.person_id = $1 AND substring(s.id_hash FROM 1 FOR $3) = $2`, person, head, handleBytes); err != nil {
		return Device{}, fmt.Errorf("read session: %w", err)
	}
	if len(found) == 0 {
		return Device{}, tenants.ErrNotFound
	}

	return found[0], nil
}

// SetSignInMails keeps whether a member wants to be told of sign-ins from browsers new to them, in a System transaction.
func SetSignInMails(ctx context.Context, tx *tenants.Tx, m Member, want bool) error {
	if _, err := tx.ExecContext(ctx, `UPDATE people SET sign_in_mails = $2 WHERE id = $1`, m.Person.ID, want); err != nil {
		return fmt.Errorf("keep wish for mails: %w", err)
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: m.Person.actor(false), Action: "person.mails", ObjectKind: "person", ObjectID: m.Person.ID.String(), Detail: map[string]any{"sign_in": want},
	})
}
