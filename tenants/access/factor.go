package access

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/secrets"
)

const (
	// FactorGrace is how long somebody whose role needs a second factor may go without, from their first sign-in in such a role.
	FactorGrace = 7 * 24 * time.Hour

	// KindFactor is the job whose end is a mail that tells somebody of a change to their second factor; its args hold person_id and whose: added, removed,
	// reset or recovery (a recovery code was used).
	KindFactor = "factor_changed"

	bucketFactor       = "factor"
	bucketFactorDevice = "factor device"
	bucketFactorDay    = "factor day"
	factorDayLimit     = 40 // wrong codes a day from browsers that are new to the account
)

// NeedsFactor tells whether a role, or an operator's, needs a second factor.
func NeedsFactor(role string) bool {
	return role == Owner || role == Developer || role == OperatorAdmin || role == OperatorSupport
}

// needsFactor is NeedsFactor for where the member stands.
func (m Member) needsFactor() bool {
	return NeedsFactor(m.Role) || m.Person.OperatorRole != ""
}

// Factors are somebody's second factors.
type Factors struct {
	App   time.Time // when an authenticator app was added; zero for none
	Keys  []Passkey
	Codes int  // recovery codes nobody has used
	Mails bool // they are told of sign-ins from browsers that are new to them
}

// Any tells whether there is one that a sign-in asks for.
func (f Factors) Any() bool { return !f.App.IsZero() || len(f.Keys) > 0 }

// FactorsOf are the member's second factors, in a System transaction.
func FactorsOf(ctx context.Context, tx *tenants.Tx, m Member) (Factors, error) {
	var row struct {
		App   *time.Time `db:"app"`
		Codes int        `db:"codes"`
		Mails bool       `db:"sign_in_mails"`
	}
	if err := tx.GetContext(ctx, &row, `
		SELECT (SELECT added_at FROM totps WHERE person_id = p.id) AS app,
		       (SELECT count(*) FROM recovery_codes WHERE person_id = p.id AND used_at IS NULL) AS codes, p.sign_in_mails
		FROM people p WHERE p.id = $1`, m.Person.ID); err != nil {
		return Factors{}, fmt.Errorf("read second factors: %w", err)
	}
	list, err := Passkeys(ctx, tx, m)
	if err != nil {
		return Factors{}, err
	}
	f := Factors{Keys: list, Codes: row.Codes, Mails: row.Mails}
	if row.App != nil {
		f.App = *row.App
	}

	return f, nil
}

const selectHasFactor = `(EXISTS (SELECT 1 FROM totps f WHERE f.person_id = p.id AND f.sealed IS NOT NULL) OR EXISTS (SELECT 1 FROM passkeys f WHERE f.person_id = p.id))`

func hasFactor(ctx context.Context, tx *tenants.Tx, person uuid.UUID) (has bool, err error) {
	if err := tx.GetContext(ctx, &has, `SELECT `+selectHasFactor+` FROM people p WHERE p.id = $1`, person); err != nil {
		return false, fmt.Errorf("look for second factor: %w", err)
	}

	return has, nil
}

// factorAdded does what follows from a new second factor: every other session of the person ends, they are told, and get recovery codes
// where they have none left.
func factorAdded(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, m Member, what string) (codes []string, err error) {
	if _, err := endOtherSessions(ctx, tx, m.Person.ID, m.session); err != nil {
		return nil, err
	}
	left := 0
	if err := tx.GetContext(ctx, &left, `SELECT count(*) FROM recovery_codes WHERE person_id = $1 AND used_at IS NULL`, m.Person.ID); err != nil {
		return nil, fmt.Errorf("count recovery codes: %w", err)
	}
	if left == 0 {
		if codes, err = makeCodes(ctx, tx, keys, m.Person.ID); err != nil {
			return nil, err
		}
	}
	if err := planTelling(ctx, tx, KindFactor, m.Person.ID, "added"); err != nil {
		return nil, err
	}

	return codes, auditFactor(ctx, tx, m, what)
}

func auditFactor(ctx context.Context, tx *tenants.Tx, m Member, what string) error {
	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: m.Person.actor(false), Action: "person.factor_add", ObjectKind: "person", ObjectID: m.Person.ID.String(), Detail: map[string]any{"kind": what},
	})
}

// RemoveApp takes the authenticator app away, in a System transaction. Where it is the only second factor of somebody whose role needs
// one it stays: Conflict "factor_needed".
func (s *Sessions) RemoveApp(ctx context.Context, tx *tenants.Tx, m Member) error {
	if err := lockLiving(ctx, tx, m); err != nil {
		return err
	}
	done, err := tx.ExecContext(ctx, `DELETE FROM totps WHERE person_id = $1 AND sealed IS NOT NULL`, m.Person.ID)
	if err != nil {
		return fmt.Errorf("remove app: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return tenants.ErrNotFound
	}

	return s.factorRemoved(ctx, tx, m, "app")
}

// factorRemoved does what follows from a second factor taken away, or refuses that.
func (s *Sessions) factorRemoved(ctx context.Context, tx *tenants.Tx, m Member, what string) error {
	left, err := hasFactor(ctx, tx, m.Person.ID)
	if err != nil {
		return err
	}
	if !left {
		if needs, err := needsAnywhere(ctx, tx, m.Person.ID); err != nil || needs && !s.FactorOptional {
			return orConflict(err, "factor_needed")
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM recovery_codes WHERE person_id = $1`, m.Person.ID); err != nil {
			return fmt.Errorf("end recovery codes: %w", err)
		}
	}
	if _, err := endOtherSessions(ctx, tx, m.Person.ID, m.session); err != nil {
		return err
	}
	if err := planTelling(ctx, tx, KindFactor, m.Person.ID, "removed"); err != nil {
		return err
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: m.Person.actor(false), Action: "person.factor_remove", ObjectKind: "person", ObjectID: m.Person.ID.String(), Detail: map[string]any{"kind": what},
	})
}

func orConflict(err error, code string) error {
	if err != nil {
		return err
	}

	return &tenants.Conflict{Code: code}
}

// needsAnywhere tells whether a person's role somewhere needs a second factor.
func needsAnywhere(ctx context.Context, tx *tenants.Tx, person uuid.UUID) (needs bool, err error) {
	if err := tx.GetContext(ctx, &needs, `
		SELECT p.operator_role IS NOT NULL OR EXISTS (SELECT 1 FROM memberships m WHERE m.person_id = p.id AND m.role IN ('owner', 'developer'))
		FROM people p WHERE p.id = $1`, person); err != nil {
		return false, fmt.Errorf("read roles: %w", err)
	}

	return needs, nil
}

// ResetFactor takes the second factors of somebody of the team away, who has lost their device, and signs them out everywhere; they are
// told. Whoever also works elsewhere, or for the platform, keeps theirs, Conflict "factor_elsewhere": one business must not open
// another's door. Nobody resets their own: ErrForbidden.
func ResetFactor(ctx context.Context, db *tenants.DB, by Member, person uuid.UUID) (who Colleague, err error) {
	err = db.System(ctx, func(tx *tenants.Tx) error {
		elsewhere := false
		if err := tx.GetContext(ctx, &elsewhere, `
			SELECT EXISTS (SELECT 1 FROM memberships WHERE person_id = $1 AND tenant_id <> $2)
			    OR EXISTS (SELECT 1 FROM people WHERE id = $1 AND operator_role IS NOT NULL)`, person, by.Tenant.ID); err != nil {
			return fmt.Errorf("look where they work: %w", err)
		}
		if err := dropFactors(ctx, tx, person); err != nil {
			return err
		}
		if tx, err = tx.Enter(ctx, by.Tenant.ID); err != nil {
			return err
		}
		var locked []Colleague
		if err := tx.SelectContext(ctx, &locked, `
			SELECT p.id, p.email, p.name, m.role, m.created_at AS since
			FROM memberships m JOIN people p ON p.id = m.person_id WHERE m.tenant_id = $1 AND m.person_id = $2 FOR UPDATE OF m`, tx.Tenant, person); err != nil {
			return fmt.Errorf("lock membership: %w", err)
		}
		switch {
		case len(locked) == 0:
			return tenants.ErrNotFound
		case !MayManage(by, locked[0].Role) || person == by.Person.ID:
			return fmt.Errorf("reset the second factor of a %s: %w", locked[0].Role, tenants.ErrForbidden)
		case elsewhere:
			return &tenants.Conflict{Code: "factor_elsewhere"}
		}
		who = locked[0]

		return tenants.Audit(ctx, tx, tenants.Act{Actor: by.Actor, Action: "member.reset_factor", ObjectKind: "person", ObjectID: person.String()})
	})

	return who, err
}

// ResetFactorOf takes the second factors of whoever has an e-mail away, for the command line; ErrNotFound where nobody has it.
func ResetFactorOf(ctx context.Context, db *tenants.DB, by Member, email string) (uuid.UUID, error) {
	var person uuid.UUID
	err := db.System(ctx, func(tx *tenants.Tx) error {
		var found []uuid.UUID
		if err := tx.SelectContext(ctx, &found, `SELECT id FROM people WHERE email_key = $1`, emailKey(email)); err != nil {
			return fmt.Errorf("find person: %w", err)
		}
		if len(found) == 0 {
			return tenants.ErrNotFound
		}
		person = found[0]
		if err := dropFactors(ctx, tx, person); err != nil {
			return err
		}

		return tenants.Audit(ctx, tx, tenants.Act{Actor: by.Actor, Action: "member.reset_factor", ObjectKind: "person", ObjectID: person.String()})
	})

	return person, err
}

// dropFactors takes every second factor away and ends every session. There is no new grace: whose role needs one adds it at their next
// sign-in.
func dropFactors(ctx context.Context, tx *tenants.Tx, person uuid.UUID) error {
	if err := lockPerson(ctx, tx, person); err != nil {
		return err
	}
	for _, query := range []string{
		`DELETE FROM totps WHERE person_id = $1`,
		`DELETE FROM passkeys WHERE person_id = $1`,
		`DELETE FROM recovery_codes WHERE person_id = $1`,
		`UPDATE people SET factor_from = now() - interval '7 days' WHERE id = $1 AND factor_from IS NOT NULL`,
	} {
		if _, err := tx.ExecContext(ctx, query, person); err != nil {
			return fmt.Errorf("drop second factors: %w", err)
		}
	}
	if _, err := endOtherSessions(ctx, tx, person, nil); err != nil {
		return err
	}

	return planTelling(ctx, tx, KindFactor, person, "reset")
}

// endOtherSessions ends every session of a person but keep, which is nil for none, and returns how many; every sign-in half done ends with
// them, and every link to another e-mail.
func endOtherSessions(ctx context.Context, tx *tenants.Tx, person uuid.UUID, keep []byte) (int64, error) {
	if err := lockPerson(ctx, tx, person); err != nil {
		return 0, err
	}
	ended, err := tx.ExecContext(ctx, `
		UPDATE sessions SET revoked_at = now()
		WHERE person_id = $1 AND revoked_at IS NULL AND expires_at > now() AND id_hash IS DISTINCT FROM $2`, person, keep)
	if err != nil {
		return 0, fmt.Errorf("end sessions: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM sign_in_steps WHERE person_id = $1`, person); err != nil {
		return 0, fmt.Errorf("end sign-ins: %w", err)
	}
	if err := endEmailChanges(ctx, tx, person); err != nil {
		return 0, err
	}

	return ended.RowsAffected()
}

// planTelling has somebody told by mail, in a System transaction, of what a job's kind says; whose is what it is about.
func planTelling(ctx context.Context, tx *tenants.Tx, kind string, person uuid.UUID, whose string) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make job id: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO jobs (id, tenant_id, kind, args) VALUES ($1, NULL, $2, jsonb_build_object('person_id', $3::uuid, 'whose', $4::text))`, id, kind, person, whose); err != nil {
		return fmt.Errorf("plan word to a person: %w", err)
	}

	return nil
}

func keyedHash(keys *secrets.Keyring, purpose string, of []byte) []byte {
	mac := hmac.New(sha256.New, keys.Derive(purpose))
	mac.Write(of)

	return mac.Sum(nil)
}
