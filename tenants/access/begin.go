package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

const (
	// SignupLife is how long the link to a new business is good.
	SignupLife = 24 * time.Hour

	bucketSignup = "signup"
)

// ErrBadSignup says that a link to a new business is not ours, used, or over.
var ErrBadSignup = errors.New("link to a new business is not good any more")

// Signup is a business that somebody wants to set up.
type Signup struct {
	Email    string `db:"email"`
	Business string `db:"business"`
	Lang     string `db:"lang"`
	Known    bool   // the e-mail has an account; there is no link then
}

// AskSignup keeps that somebody wants to set a business up, in a System transaction, and returns the token of the link for the mail that
// goes to them. What it does is the same for every e-mail; Known is for the mail alone. Asked too often it is TooMany.
func AskSignup(ctx context.Context, tx *tenants.Tx, in Signup, from netip.Addr) (Signup, string, error) {
	email, key, err := checkEmail(in.Email)
	if err != nil {
		return Signup{}, "", err
	}
	in.Email = email
	if in.Business, err = checkName(in.Business); err != nil {
		return Signup{}, "", &tenants.Invalid{Field: "business", Key: "name"}
	}
	if in.Lang != "en" && in.Lang != "hi" {
		return Signup{}, "", &tenants.Invalid{Field: "lang", Key: "choice"}
	}
	if _, err := reserve(ctx, tx, bucket(bucketSignup, limitKey(key)), resetsAccount, false); err != nil {
		return Signup{}, "", err
	}
	if _, err := reserve(ctx, tx, bucket(bucketResetIP, addressKey(from)), resetsAddress, false); err != nil {
		return Signup{}, "", err
	}
	if err := tx.GetContext(ctx, &in.Known, `SELECT EXISTS (SELECT 1 FROM people WHERE email_key = $1)`, key); err != nil {
		return Signup{}, "", fmt.Errorf("look for person: %w", err)
	}
	life := SignupLife
	if in.Known {
		life = 0
	}
	if _, err := tx.ExecContext(ctx, `UPDATE signups SET expires_at = now() WHERE email_key = $1 AND used_at IS NULL`, key); err != nil {
		return Signup{}, "", fmt.Errorf("end older signups: %w", err)
	}
	token := randomBytes(resetBytes)
	hash := sha256.Sum256(token)
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO signups (hash, email, email_key, business, lang, expires_at) VALUES ($1, $2, $3, $4, $5, now() + make_interval(secs => $6))`,
		hash[:], email, key, in.Business, in.Lang, life.Seconds()); err != nil {
		return Signup{}, "", fmt.Errorf("keep signup: %w", err)
	}

	return in, base64.RawURLEncoding.EncodeToString(token), nil
}

// SignupBy is the business that a link would set up, in a System transaction; ErrBadSignup where it is good no more.
func SignupBy(ctx context.Context, tx *tenants.Tx, token string) (Signup, error) {
	hash, err := emailLink(token)
	if err != nil {
		return Signup{}, ErrBadSignup
	}
	var found []Signup
	if err := tx.SelectContext(ctx, &found, `
		SELECT email, business, lang FROM signups WHERE hash = $1 AND used_at IS NULL AND expires_at > now() FOR UPDATE`, hash); err != nil {
		return Signup{}, fmt.Errorf("read signup: %w", err)
	}
	if len(found) == 0 {
		return Signup{}, ErrBadSignup
	}

	return found[0], nil
}

// FinishSignup sets the business of a link up, with whoever the link was sent to as its owner, and has it begin as other packages want. A link is good for one of however many
// tries at once; somebody who got an account meanwhile is Conflict "email_taken".
func FinishSignup(
	ctx context.Context, db *tenants.DB, token, name, password string, begin func(context.Context, *tenants.Tx, tenants.Actor) error,
) (Signup, error) {
	var in Signup
	err := db.System(ctx, func(tx *tenants.Tx) (err error) {
		in, err = SignupBy(ctx, tx, token)
		return err
	})
	if err != nil {
		return Signup{}, err
	}
	// Not a command's, so the password is checked.
	owner, err := prepare(ctx, db, Member{}, NewPerson{Email: in.Email, Name: name, Password: password})
	if err != nil {
		return Signup{}, err
	}
	hash, err := emailLink(token)
	if err != nil {
		return Signup{}, ErrBadSignup
	}

	return in, db.System(ctx, func(tx *tenants.Tx) error {
		if in, err = SignupBy(ctx, tx, token); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE signups SET used_at = now() WHERE hash = $1`, hash); err != nil {
			return fmt.Errorf("use signup: %w", err)
		}
		person, created, err := addPerson(ctx, tx, owner)
		if err != nil {
			return err
		}
		if !created {
			return &tenants.Conflict{Code: "email_taken"}
		}
		if _, err := tx.ExecContext(ctx, `UPDATE people SET lang = $2 WHERE id = $1`, person, in.Lang); err != nil {
			return fmt.Errorf("keep language: %w", err)
		}

		return addSignedUp(ctx, tx, in, Person{ID: person, Name: owner.name}, begin)
	})
}

func addSignedUp(ctx context.Context, tx *tenants.Tx, in Signup, owner Person, begin func(context.Context, *tenants.Tx, tenants.Actor) error) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make tenant id: %w", err)
	}
	slug, err := freeSlug(ctx, tx, in.Business)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO tenants (id, slug, name, lang) VALUES ($1, $2, $3, $4)`, id, slug, in.Business, in.Lang); err != nil {
		return fmt.Errorf("add tenant: %w", err)
	}
	actor := owner.actor(true)
	if err := tenants.Audit(ctx, tx, tenants.Act{Actor: actor, Action: "tenant.add", ObjectKind: "tenant", ObjectID: id.String()}); err != nil {
		return err
	}
	if tx, err = tx.Enter(ctx, id); err != nil {
		return err
	}

	if err := addMembership(ctx, tx, Member{Actor: actor}, owner.ID, Owner); err != nil {
		return err
	}

	return begin(ctx, tx, actor)
}

// freeSlug is a short name for a business: its own in small Latin letters where nobody has it, else with something at the end.
func freeSlug(ctx context.Context, tx *tenants.Tx, business string) (string, error) {
	slug := strings.Join(strings.FieldsFunc(strings.ToLower(business), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }), "-")
	slug = strings.Trim(slug[:min(len(slug), 30)], "-")
	if slug == "" {
		slug = "business"
	}
	taken := len(slug) < 2
	if !taken {
		if err := tx.GetContext(ctx, &taken, `SELECT EXISTS (SELECT 1 FROM tenants WHERE slug = $1)`, slug); err != nil {
			return "", fmt.Errorf("look for short name: %w", err)
		}
	}
	if taken {
		slug += "-" + strings.ToLower(rand.Text()[:6])
	}

	return slug, nil
}
