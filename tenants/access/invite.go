package access

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

const (
	// InvitationLife is how long an invitation is good.
	InvitationLife = 7 * 24 * time.Hour

	maxInvitations = 200 // listed
)

// ErrBadInvitation says that a link to join a team is not ours, used, withdrawn, or over.
var ErrBadInvitation = errors.New("invitation is not good any more")

// Invitation asks somebody to join a team.
type Invitation struct {
	ID        uuid.UUID `db:"id"`
	Tenant    uuid.UUID `db:"tenant_id"`
	Business  string    `db:"business"`
	Lang      string    `db:"lang"` // of the business
	Email     string    `db:"email"`
	Role      string    `db:"role"`
	By        string    `db:"by_name"`
	SentAt    time.Time `db:"sent_at"`
	ExpiresAt time.Time `db:"expires_at"`
	Shared    bool      `db:"shared"` // a link to it was made to pass on
	Known     bool      `db:"known"`  // the e-mail has an account
}

const selectInvitation = `
	SELECT i.id, i.tenant_id, t.name AS business, t.lang, i.email, i.role, i.by_name, i.sent_at, i.expires_at, i.share_hash IS NOT NULL AS shared
	FROM invitations i JOIN tenants t ON t.id = i.tenant_id`

// Invite asks somebody to join tx's team, and returns the token of the link for the mail that tells them. Whether the e-mail has an
// account is not told. Asked before, they get another link, and the old one is good no more. Somebody of the team is Conflict
// "already_member"; a team as large as its limit "too_many_people"; past the quota of a day it is Conflict "too_many_invitations".
func Invite(ctx context.Context, tx *tenants.Tx, by Member, email, role string) (Invitation, string, error) {
	if !IsRole(role) {
		return Invitation{}, "", &tenants.Invalid{Field: "role", Key: "role"}
	}
	if !MayManage(by, role) {
		return Invitation{}, "", fmt.Errorf("invite a %s: %w", role, tenants.ErrForbidden)
	}
	email, key, err := checkEmail(email)
	if err != nil {
		return Invitation{}, "", err
	}
	var seen struct {
		Member bool `db:"member"`
		Full   bool `db:"full"`
	}
	if err := tx.GetContext(ctx, &seen, `
		SELECT EXISTS (SELECT 1 FROM memberships m JOIN people p ON p.id = m.person_id WHERE m.tenant_id = $1 AND p.email_key = $2) AS member,
		       (SELECT count(*) FROM memberships WHERE tenant_id = $1) >= (SELECT most_people FROM tenants WHERE id = $1) AS full`, tx.Tenant, key); err != nil {
		return Invitation{}, "", fmt.Errorf("look at team: %w", err)
	}
	switch {
	case seen.Member:
		return Invitation{}, "", &tenants.Conflict{Code: "already_member"}
	case seen.Full:
		return Invitation{}, "", &tenants.Conflict{Code: "too_many_people"}
	}
	if err := tenants.Within(ctx, tx, tenants.QuotaInvitations); err != nil {
		return Invitation{}, "", err
	}

	id, err := uuid.NewV7()
	if err != nil {
		return Invitation{}, "", fmt.Errorf("make invitation id: %w", err)
	}
	token := randomBytes(resetBytes)
	hash := sha256.Sum256(token)
	if _, err := tx.ExecContext(ctx, `
		UPDATE invitations SET revoked_at = now() WHERE tenant_id = $1 AND email_key = $2 AND accepted_at IS NULL AND revoked_at IS NULL`, tx.Tenant, key); err != nil {
		return Invitation{}, "", fmt.Errorf("end older invitation: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO invitations (tenant_id, id, email, email_key, role, hash, by_person, by_name, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now() + make_interval(secs => $9))`,
		tx.Tenant, id, email, key, role, hash[:], by.Person.ID, by.Person.Name, InvitationLife.Seconds()); err != nil {
		return Invitation{}, "", fmt.Errorf("keep invitation: %w", err)
	}
	var in Invitation
	if err := tx.GetContext(ctx, &in, selectInvitation+` WHERE i.tenant_id = $1 AND i.id = $2`, tx.Tenant, id); err != nil {
		return Invitation{}, "", fmt.Errorf("read invitation: %w", err)
	}

	return in, base64.RawURLEncoding.EncodeToString(token), tenants.Audit(ctx, tx, tenants.Act{
		Actor: by.Actor, Action: "member.invite", ObjectKind: "invitation", ObjectID: id.String(), Detail: map[string]any{"role": role},
	})
}

// Invitations lists who was asked to join tx's team and has not answered yet, the last asked first.
func Invitations(ctx context.Context, tx *tenants.Tx) ([]Invitation, error) {
	list := []Invitation{}
	if err := tx.SelectContext(ctx, &list, selectInvitation+`
		WHERE i.tenant_id = $1 AND i.accepted_at IS NULL AND i.revoked_at IS NULL ORDER BY i.sent_at DESC, i.id LIMIT $2`, tx.Tenant, maxInvitations); err != nil {
		return nil, fmt.Errorf("list invitations: %w", err)
	}

	return list, nil
}

// withdrawAll ends the invitations of somebody who may not invite as they could any more: else they could come back by one.
func withdrawAll(ctx context.Context, tx *tenants.Tx, by uuid.UUID) error {
	if _, err := tx.ExecContext(ctx, `
		UPDATE invitations SET revoked_at = now()
		WHERE tenant_id = $1 AND by_person = $2 AND accepted_at IS NULL AND revoked_at IS NULL`, tx.Tenant, by); err != nil {
		return fmt.Errorf("withdraw invitations: %w", err)
	}

	return unshare(ctx, tx, by)
}

// Withdraw ends an invitation, and returns it. One that was answered meanwhile is ErrNotFound.
func Withdraw(ctx context.Context, tx *tenants.Tx, by Member, id uuid.UUID) (Invitation, error) {
	var in Invitation
	err := tx.GetContext(ctx, &in, selectInvitation+`
		WHERE i.tenant_id = $1 AND i.id = $2 AND i.accepted_at IS NULL AND i.revoked_at IS NULL FOR UPDATE OF i`, tx.Tenant, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Invitation{}, tenants.ErrNotFound
	}
	if err != nil {
		return Invitation{}, fmt.Errorf("read invitation: %w", err)
	}
	if !MayManage(by, in.Role) {
		return Invitation{}, fmt.Errorf("withdraw the invitation of a %s: %w", in.Role, tenants.ErrForbidden)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE invitations SET revoked_at = now() WHERE tenant_id = $1 AND id = $2`, tx.Tenant, id); err != nil {
		return Invitation{}, fmt.Errorf("withdraw invitation: %w", err)
	}

	return in, tenants.Audit(ctx, tx, tenants.Act{
		Actor: by.Actor, Action: "member.withdraw", ObjectKind: "invitation", ObjectID: id.String(), Detail: map[string]any{"role": in.Role},
	})
}

// InvitationBy is what a link asks, in a System transaction; ErrBadInvitation where it is good no more.
func InvitationBy(ctx context.Context, tx *tenants.Tx, token string) (Invitation, error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) != resetBytes {
		return Invitation{}, ErrBadInvitation
	}
	hash := sha256.Sum256(raw)
	var in Invitation
	err = tx.GetContext(ctx, &in, selectInvitation+`
		WHERE (i.hash = $1 OR i.again_hash = $1) AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > now() AND t.state = ANY($2)
		FOR UPDATE OF i`, hash[:], pq.Array(tenants.StatesOf(tenants.Working)))
	if errors.Is(err, sql.ErrNoRows) {
		return Invitation{}, ErrBadInvitation
	}
	if err != nil {
		return Invitation{}, fmt.Errorf("read invitation: %w", err)
	}
	if err := tx.GetContext(ctx, &in.Known, `SELECT EXISTS (SELECT 1 FROM people WHERE email_key = $1)`, emailKey(in.Email)); err != nil {
		return Invitation{}, fmt.Errorf("look for person: %w", err)
	}

	return in, nil
}

// Accept joins the team that a link asks somebody to. Whoever has no account yet gets one, with a name and a password; whoever has must
// be signed in as who was asked: else it is Conflict "other_person". A link is good for one of however many tries at once.
func Accept(ctx context.Context, db *tenants.DB, token string, m Member, name, password string) (Invitation, error) {
	var in Invitation
	err := db.System(ctx, func(tx *tenants.Tx) (err error) {
		in, err = InvitationBy(ctx, tx, token)
		return err
	})
	if err != nil {
		return Invitation{}, err
	}
	var p prepared
	switch {
	case in.Known && !SameMailbox(m.Person.Email, in.Email):
		return Invitation{}, &tenants.Conflict{Code: "other_person"}
	case !in.Known:
		// Not a command's, so the password is checked.
		if p, err = prepare(ctx, db, Member{}, NewPerson{Email: in.Email, Name: name, Password: password}); err != nil {
			return Invitation{}, err
		}
	}

	return in, db.System(ctx, func(tx *tenants.Tx) error {
		again, err := InvitationBy(ctx, tx, token)
		if err != nil {
			return err
		}
		if again.Known != in.Known {
			return &tenants.Conflict{Code: "other_person"}
		}
		who := m.Person
		if !in.Known {
			if who.ID, _, err = addPerson(ctx, tx, p); err != nil {
				return err
			}
			who.Name = p.name
		}
		if _, err := tx.ExecContext(ctx, `UPDATE invitations SET accepted_at = now() WHERE tenant_id = $1 AND id = $2`, in.Tenant, in.ID); err != nil {
			return fmt.Errorf("accept invitation: %w", err)
		}
		if tx, err = tx.Enter(ctx, in.Tenant); err != nil {
			return err
		}

		return addMembership(ctx, tx, Member{Actor: who.actor(true)}, who.ID, in.Role)
	})
}
