package access

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

const (
	// EmailLife is how long the link to a new e-mail is good.
	EmailLife = time.Hour
	// UndoLife is how long the old e-mail can take the change back.
	UndoLife = 72 * time.Hour

	emailsPerson = 3 // asked for by one person within the window of sign-ins
	bucketEmail  = "new email"
)

// ErrBadEmailLink says that a link about a change of e-mail is not ours, used, or over.
var ErrBadEmailLink = errors.New("link about an e-mail is not good any more")

// EmailChange is another e-mail for somebody.
type EmailChange struct {
	Person uuid.UUID `db:"person_id"`
	Email  string    `db:"email"`
	Old    string    `db:"old_email"`
}

// AskEmail keeps that a member wants to sign in by another e-mail, in a System transaction, and returns the token of the link for the
// mail that goes there. Whether somebody has it is not told: only who reads it gets any further. Older links are good no more.
func AskEmail(ctx context.Context, tx *tenants.Tx, m Member, email string, from netip.Addr) (EmailChange, string, error) {
	email, key, err := checkEmail(email)
	if err != nil {
		return EmailChange{}, "", err
	}
	if key == emailKey(m.Person.Email) {
		return EmailChange{}, "", &tenants.Invalid{Field: "email", Key: "email_same"}
	}
	if err := lockLiving(ctx, tx, m); err != nil {
		return EmailChange{}, "", err
	}
	if _, err := reserve(ctx, tx, bucket(bucketEmail, m.Person.ID.String()), emailsPerson, false); err != nil {
		return EmailChange{}, "", err
	}
	if _, err := reserve(ctx, tx, bucket(bucketResetIP, addressKey(from)), resetsAddress, false); err != nil {
		return EmailChange{}, "", err
	}
	if err := endEmailChanges(ctx, tx, m.Person.ID); err != nil {
		return EmailChange{}, "", err
	}
	token := randomBytes(resetBytes)
	hash := sha256.Sum256(token)
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO email_changes (hash, person_id, email, email_key, old_email, expires_at) VALUES ($1, $2, $3, $4, $5, now() + make_interval(secs => $6))`,
		hash[:], m.Person.ID, email, key, m.Person.Email, EmailLife.Seconds()); err != nil {
		return EmailChange{}, "", fmt.Errorf("keep change of e-mail: %w", err)
	}

	return EmailChange{Person: m.Person.ID, Email: email, Old: m.Person.Email}, base64.RawURLEncoding.EncodeToString(token), tenants.Audit(ctx, tx, tenants.Act{
		Actor: m.Person.actor(false), Action: "person.ask_email", ObjectKind: "person", ObjectID: m.Person.ID.String(),
	})
}

// endEmailChanges ends the links to new e-mails that have not been used.
func endEmailChanges(ctx context.Context, tx *tenants.Tx, person uuid.UUID) error {
	if _, err := tx.ExecContext(ctx, `UPDATE email_changes SET expires_at = now() WHERE person_id = $1 AND used_at IS NULL`, person); err != nil {
		return fmt.Errorf("end changes of e-mail: %w", err)
	}

	return nil
}

func emailLink(token string) ([]byte, error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) != resetBytes {
		return nil, ErrBadEmailLink
	}
	hash := sha256.Sum256(raw)

	return hash[:], nil
}

// EmailBy is what a link to a new e-mail would change, in a System transaction; ErrBadEmailLink where it is good no more.
func EmailBy(ctx context.Context, tx *tenants.Tx, token string) (EmailChange, error) {
	return emailChange(ctx, tx, token, `
		SELECT person_id, email, old_email FROM email_changes WHERE hash = $1 AND used_at IS NULL AND expires_at > now()`)
}

// UndoableEmail is what a link to the old e-mail would take back, in a System transaction; ErrBadEmailLink where it is good no more.
func UndoableEmail(ctx context.Context, tx *tenants.Tx, token string) (EmailChange, error) {
	return emailChange(ctx, tx, token, `
		SELECT person_id, email, old_email FROM email_changes WHERE undo_hash = $1 AND undone_at IS NULL AND undo_until > now()`)
}

func emailChange(ctx context.Context, tx *tenants.Tx, token, query string) (EmailChange, error) {
	hash, err := emailLink(token)
	if err != nil {
		return EmailChange{}, err
	}
	var found []EmailChange
	if err := tx.SelectContext(ctx, &found, query, hash); err != nil {
		return EmailChange{}, fmt.Errorf("read change of e-mail: %w", err)
	}
	if len(found) == 0 {
		return EmailChange{}, ErrBadEmailLink
	}

	return found[0], nil
}

// FinishEmail gives somebody the e-mail that a link was sent to, in a System transaction, and signs them out everywhere but in by's
// session. It returns the token of the link for the mail that tells the old e-mail. One that somebody else has by now is Conflict
// "email_taken"; a link is good for one of however many tries at once.
func FinishEmail(ctx context.Context, tx *tenants.Tx, by Member, token string) (EmailChange, string, error) {
	in, err := EmailBy(ctx, tx, token)
	if err != nil {
		return EmailChange{}, "", err
	}
	if err := lockPerson(ctx, tx, in.Person); err != nil {
		return EmailChange{}, "", err
	}
	hash, err := emailLink(token)
	if err != nil {
		return EmailChange{}, "", err
	}
	undo := randomBytes(resetBytes)
	undoHash := sha256.Sum256(undo)
	done, err := tx.ExecContext(ctx, `
		UPDATE email_changes SET used_at = now(), undo_hash = $2, undo_until = now() + make_interval(secs => $3)
		WHERE hash = $1 AND used_at IS NULL AND expires_at > now()`, hash, undoHash[:], UndoLife.Seconds())
	if err != nil {
		return EmailChange{}, "", fmt.Errorf("use change of e-mail: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return EmailChange{}, "", errors.Join(err, ErrBadEmailLink)
	}
	keep := []byte(nil)
	if by.Person.ID == in.Person {
		keep = by.session
	}
	if err := setEmail(ctx, tx, in.Person, in.Email, keep); err != nil {
		return EmailChange{}, "", err
	}

	return in, base64.RawURLEncoding.EncodeToString(undo), auditEmail(ctx, tx, in.Person, "person.set_email")
}

func setEmail(ctx context.Context, tx *tenants.Tx, person uuid.UUID, email string, keep []byte) error {
	_, err := tx.ExecContext(ctx, `UPDATE people SET email = $2, email_key = $3 WHERE id = $1`, person, email, emailKey(email))
	if tenants.Violates(err, "people_email_key") {
		return &tenants.Conflict{Code: "email_taken"}
	}
	if err != nil {
		return fmt.Errorf("set e-mail: %w", err)
	}
	if err := endResets(ctx, tx, person); err != nil {
		return err
	}
	_, err = endOtherSessions(ctx, tx, person, keep)

	return err
}

// UndoEmail takes a change of e-mail back by a link to the old one, in a System transaction, and shuts out whoever made it: every session
// ends, the password, which they may know, is good no more, and neither are the second factors that were added from UndoLife before the
// change on, nor any recovery code, as nothing tells when one was made.
func UndoEmail(ctx context.Context, tx *tenants.Tx, token string) (EmailChange, error) {
	in, err := UndoableEmail(ctx, tx, token)
	if err != nil {
		return EmailChange{}, err
	}
	if err := lockPerson(ctx, tx, in.Person); err != nil {
		return EmailChange{}, err
	}
	hash, err := emailLink(token)
	if err != nil {
		return EmailChange{}, err
	}
	// What was changed after it is taken back with it.
	done, err := tx.ExecContext(ctx, `
		UPDATE email_changes c SET undone_at = now() FROM email_changes u
		WHERE u.undo_hash = $1 AND u.undone_at IS NULL AND u.undo_until > now() AND c.person_id = u.person_id AND c.used_at >= u.used_at`, hash)
	if err != nil {
		return EmailChange{}, fmt.Errorf("undo change of e-mail: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return EmailChange{}, errors.Join(err, ErrBadEmailLink)
	}
	if err := setEmail(ctx, tx, in.Person, in.Old, nil); err != nil {
		return EmailChange{}, err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE people SET password_hash = $2 WHERE id = $1`, in.Person, nobodysHash); err != nil {
		return EmailChange{}, fmt.Errorf("end password: %w", err)
	}
	if err := dropNewFactors(ctx, tx, in.Person, hash); err != nil {
		return EmailChange{}, err
	}

	return in, auditEmail(ctx, tx, in.Person, "person.undo_email")
}

// dropNewFactors takes away the second factors that were added since UndoLife before the change that undo, a hash, takes back, whatever
// was begun, and every recovery code. Where a factor went, the person is told.
func dropNewFactors(ctx context.Context, tx *tenants.Tx, person uuid.UUID, undo []byte) error {
	var dropped int64
	for _, query := range []string{
		`DELETE FROM totps f USING email_changes c
		 WHERE f.person_id = $1 AND c.undo_hash = $2 AND f.added_at > c.used_at - make_interval(secs => $3)`,
		`DELETE FROM passkeys f USING email_changes c
		 WHERE f.person_id = $1 AND c.undo_hash = $2 AND f.added_at > c.used_at - make_interval(secs => $3)`,
	} {
		done, err := tx.ExecContext(ctx, query, person, undo, UndoLife.Seconds())
		if err != nil {
			return fmt.Errorf("drop new second factors: %w", err)
		}
		n, err := done.RowsAffected()
		if err != nil {
			return fmt.Errorf("count second factors dropped: %w", err)
		}
		dropped += n
	}
	for _, query := range []string{
		`DELETE FROM totps WHERE person_id = $1 AND sealed IS NULL`,
		`UPDATE totps SET pending = NULL WHERE person_id = $1`,
		`DELETE FROM recovery_codes WHERE person_id = $1`,
	} {
		if _, err := tx.ExecContext(ctx, query, person); err != nil {
			return fmt.Errorf("drop what was begun: %w", err)
		}
	}
	if dropped == 0 {
		return nil
	}
	if err := planTelling(ctx, tx, KindFactor, person, "removed"); err != nil {
		return err
	}

	return auditEmail(ctx, tx, person, "person.factor_remove")
}

// auditEmail writes what was done by a link: who pressed it is not known, only whose it was.
func auditEmail(ctx context.Context, tx *tenants.Tx, person uuid.UUID, action string) error {
	var who Person
	if err := tx.GetContext(ctx, &who, `SELECT id, name, coalesce(operator_role, '') AS operator_role FROM people WHERE id = $1`, person); err != nil {
		return fmt.Errorf("read person: %w", err)
	}

	return tenants.Audit(ctx, tx, tenants.Act{Actor: who.actor(false), Action: action, ObjectKind: "person", ObjectID: person.String()})
}
