package access

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// The mails that somebody may want or not.
const (
	MailAlerts = "alerts" // something is wrong
	MailDigest = "digest" // what changed, once a week
	MailTasks  = "tasks"  // the day of something they look after has passed
)

// MailWishes are the mails that somebody wants from one business. Alerts and Digest come to owners alone.
type MailWishes struct {
	Alerts bool `db:"alerts"`
	Digest bool `db:"digest"`
	Tasks  bool `db:"tasks"`
}

// Wishes are the mails that somebody of tx's tenant wants; ErrNotFound where they are not of its team.
func Wishes(ctx context.Context, tx *tenants.Tx, person uuid.UUID) (MailWishes, error) {
	var list []MailWishes
	if err := tx.SelectContext(ctx, &list, `
		SELECT alerts, digest, tasks FROM memberships WHERE tenant_id = $1 AND person_id = $2`, tx.Tenant, person); err != nil {
		return MailWishes{}, fmt.Errorf("read mail wishes: %w", err)
	}
	if len(list) == 0 {
		return MailWishes{}, tenants.ErrNotFound
	}

	return list[0], nil
}

// SetWishes keeps which mails somebody of tx's tenant wants; ErrNotFound where they are not of its team.
func SetWishes(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, person uuid.UUID, want MailWishes) error {
	done, err := tx.ExecContext(ctx, `
		UPDATE memberships SET alerts = $3, digest = $4, tasks = $5 WHERE tenant_id = $1 AND person_id = $2`,
		tx.Tenant, person, want.Alerts, want.Digest, want.Tasks)
	if err != nil {
		return fmt.Errorf("keep mail wishes: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return tenants.ErrNotFound
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "person.mails", ObjectKind: "person", ObjectID: person.String(),
		Detail: map[string]any{"alerts": want.Alerts, "digest": want.Digest, "tasks": want.Tasks},
	})
}

// LeaveMails ends the mails of a kind for somebody of tx's tenant, who asked for it by a link in one; with again they come again.
func LeaveMails(ctx context.Context, tx *tenants.Tx, person uuid.UUID, kind string, again bool) error {
	want, err := Wishes(ctx, tx, person)
	if err != nil {
		return err
	}
	actor := tenants.Actor{Kind: "person", ID: person.String()}
	if err := tx.GetContext(ctx, &actor.Name, `SELECT name FROM people WHERE id = $1`, person); err != nil {
		return fmt.Errorf("read name: %w", err)
	}
	switch kind {
	case MailAlerts:
		want.Alerts = again
	case MailDigest:
		want.Digest = again
	default:
		want.Tasks = again
	}

	return SetWishes(ctx, tx, actor, person, want)
}

// Reader is somebody who gets a mail, the language they read, "" where they have not said, and their own quiet hours in the business that
// it comes from.
type Reader struct {
	ID    uuid.UUID `db:"id"`
	Email string    `db:"email"`
	Lang  string    `db:"lang"`

	tenants.Quiet
}

// Readers are the owners of tx's tenant who want a mail of a kind, MailAlerts or MailDigest.
func Readers(ctx context.Context, tx *tenants.Tx, kind string) ([]Reader, error) {
	var list []Reader
	if err := tx.SelectContext(ctx, &list, `
		SELECT p.id, p.email, coalesce(p.lang, '') AS lang, m.quiet_from, m.quiet_until
		FROM memberships m JOIN people p ON p.id = m.person_id AND p.disabled_at IS NULL
		JOIN tenants t ON t.id = m.tenant_id AND t.state = ANY($3)
		WHERE m.tenant_id = $1 AND m.role = 'owner' AND CASE $2 WHEN 'alerts' THEN m.alerts WHEN 'digest' THEN m.digest END
		ORDER BY p.id`, tx.Tenant, kind, pq.Array(tenants.StatesOf(tenants.Mailing))); err != nil {
		return nil, fmt.Errorf("list readers of mails: %w", err)
	}

	return list, nil
}

// TaskReaders are those of tx's tenant who want MailTasks, whatever their role.
func TaskReaders(ctx context.Context, tx *tenants.Tx) ([]Reader, error) {
	var list []Reader
	if err := tx.SelectContext(ctx, &list, `
		SELECT p.id, p.email, coalesce(p.lang, '') AS lang, m.quiet_from, m.quiet_until
		FROM memberships m JOIN people p ON p.id = m.person_id AND p.disabled_at IS NULL
		JOIN tenants t ON t.id = m.tenant_id AND t.state = ANY($2)
		WHERE m.tenant_id = $1 AND m.tasks ORDER BY p.id`, tx.Tenant, pq.Array(tenants.StatesOf(tenants.Mailing))); err != nil {
		return nil, fmt.Errorf("list readers of mails: %w", err)
	}

	return list, nil
}

// ReaderIn is somebody of tx's tenant who is to get a mail; ErrNotFound where they are not of its team.
func ReaderIn(ctx context.Context, tx *tenants.Tx, person uuid.UUID) (Reader, error) {
	var list []Reader
	if err := tx.SelectContext(ctx, &list, `
		SELECT p.id, p.email, coalesce(p.lang, '') AS lang, m.quiet_from, m.quiet_until
		FROM memberships m JOIN people p ON p.id = m.person_id WHERE m.tenant_id = $1 AND m.person_id = $2`, tx.Tenant, person); err != nil {
		return Reader{}, fmt.Errorf("read reader of a mail: %w", err)
	}
	if len(list) == 0 {
		return Reader{}, tenants.ErrNotFound
	}

	return list[0], nil
}
