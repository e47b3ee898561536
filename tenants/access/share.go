package access

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

const (
	bucketShared = "shared invitation"
	sharedMails  = 3 // of one invitation in a day: however many hold its link, whom it is for is not pestered
)

// Share makes a link to an invitation that waits for by to pass on, and returns its token: shown once, and the one before is good no more.
// The link alone lets nobody in: it has the invitation mailed to the e-mail that it is for. One that was answered meanwhile is ErrNotFound.
func Share(ctx context.Context, tx *tenants.Tx, by Member, id uuid.UUID) (Invitation, string, error) {
	var in Invitation
	err := tx.GetContext(ctx, &in, selectInvitation+`
		WHERE i.tenant_id = $1 AND i.id = $2 AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > now() FOR UPDATE OF i`, tx.Tenant, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Invitation{}, "", tenants.ErrNotFound
	}
	if err != nil {
		return Invitation{}, "", fmt.Errorf("read invitation: %w", err)
	}
	if !MayManage(by, in.Role) {
		return Invitation{}, "", fmt.Errorf("share the invitation of a %s: %w", in.Role, tenants.ErrForbidden)
	}
	token := randomBytes(resetBytes)
	hash := sha256.Sum256(token)
	if _, err := tx.ExecContext(ctx, `
		UPDATE invitations SET share_hash = $3, share_by = $4 WHERE tenant_id = $1 AND id = $2`, tx.Tenant, id, hash[:], by.Person.ID); err != nil {
		return Invitation{}, "", fmt.Errorf("share invitation: %w", err)
	}

	return in, base64.RawURLEncoding.EncodeToString(token), tenants.Audit(ctx, tx, tenants.Act{
		Actor: by.Actor, Action: "member.share", ObjectKind: "invitation", ObjectID: id.String(), Detail: map[string]any{"role": in.Role},
	})
}

// unshare ends the links that somebody made to invitations of others; what they invited to themselves is withdrawn whole.
func unshare(ctx context.Context, tx *tenants.Tx, by uuid.UUID) error {
	if _, err := tx.ExecContext(ctx, `
		UPDATE invitations SET share_hash = NULL, share_by = NULL WHERE tenant_id = $1 AND share_by = $2`, tx.Tenant, by); err != nil {
		return fmt.Errorf("end shared links: %w", err)
	}

	return nil
}

// SharedBy is the invitation that a shared link is about, in a System transaction; ErrBadInvitation where it is good no more. Whether the
// e-mail has an account is not looked up.
func SharedBy(ctx context.Context, tx *tenants.Tx, token string) (Invitation, error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) != resetBytes {
		return Invitation{}, ErrBadInvitation
	}
	hash := sha256.Sum256(raw)
	var in Invitation
	err = tx.GetContext(ctx, &in, selectInvitation+`
		WHERE i.share_hash = $1 AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > now() AND t.state = ANY($2) FOR UPDATE OF i`,
		hash[:], pq.Array(tenants.StatesOf(tenants.Working)))
	if errors.Is(err, sql.ErrNoRows) {
		return Invitation{}, ErrBadInvitation
	}
	if err != nil {
		return Invitation{}, fmt.Errorf("read shared invitation: %w", err)
	}

	return in, nil
}

// AskShared is for another mail of the invitation that a shared link is about, in a System transaction: it returns the token of the link in
// that mail, with the transaction as the business's. It is made of key, so that it is the same in each such mail, and the first mail's stays
// good beside it: whoever holds a shared link cannot spoil a mail that somebody is about to open. Asked too often it is TooMany.
func AskShared(
	ctx context.Context, tx *tenants.Tx, key []byte, token string, from netip.Addr,
) (in Invitation, mailed string, inside *tenants.Tx, err error) {
	if in, err = SharedBy(ctx, tx, token); err != nil {
		return in, "", nil, err
	}
	if _, err := reserve(ctx, tx, bucket(bucketResetIP, addressKey(from)), resetsAddress, false); err != nil {
		return in, "", nil, err
	}
	if _, err := reserveIn(ctx, tx, bucket(bucketShared, in.ID.String()), sharedMails, 24*time.Hour, false); err != nil {
		return in, "", nil, err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write(in.Tenant[:])
	mac.Write(in.ID[:])
	link := mac.Sum(nil)
	hash := sha256.Sum256(link)
	if _, err := tx.ExecContext(ctx, `UPDATE invitations SET again_hash = $3 WHERE tenant_id = $1 AND id = $2`, in.Tenant, in.ID, hash[:]); err != nil {
		return in, "", nil, fmt.Errorf("keep link of another mail: %w", err)
	}
	if inside, err = tx.Enter(ctx, in.Tenant); err != nil {
		return in, "", nil, err
	}

	return in, base64.RawURLEncoding.EncodeToString(link), inside, tenants.Audit(ctx, inside, tenants.Act{
		Actor: tenants.SystemActor, Action: "member.mail_again", ObjectKind: "invitation", ObjectID: in.ID.String(),
		Detail: map[string]any{"role": in.Role},
	})
}
