package access

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

const (
	// VisitLife is how long a visit to the demo lasts.
	VisitLife = time.Hour

	mostVisitors = 50
	visitAgain   = 5 * time.Minute
	// visitorMail ends the e-mail of every visitor. No mail leads there (RFC 2606), so nobody can prove that it is theirs.
	visitorMail = "@visitor.invalid"
	// nobody stands where a visitor had a name.
	nobody = "–"
)

// visits tells whether somebody is a visitor of the demo. What they may do is the policy's subject Visitor, whatever their membership says.
func visits(p Person, t tenants.Tenant) bool {
	return t.Demo && strings.HasSuffix(p.Email, visitorMail)
}

// endVisits ends the visits that are over.
const endVisits = `
	DELETE FROM memberships m USING people p, tenants t
	WHERE p.id = m.person_id AND t.id = m.tenant_id AND t.demo AND p.email_key LIKE '%` + visitorMail + `' AND m.created_at < now() - interval '1 hour'`

// Visit lets somebody into a business of the demo, without a password and for VisitLife, as a visitor of their own with the given name, and
// returns the token of their session. A business that is no demo is not found; with too many visitors at once it is TooMany.
func (s *Sessions) Visit(ctx context.Context, db *tenants.DB, tenant uuid.UUID, name string, from Origin) (token string, err error) {
	by := Member{Actor: tenants.SystemActor}
	p, err := prepare(ctx, db, by, NewPerson{Email: "v" + strings.ToLower(rand.Text()) + visitorMail, Name: name, Password: rand.Text()})
	if err != nil {
		return "", err
	}
	err = db.System(ctx, func(tx *tenants.Tx) error {
		t, err := readTenant(ctx, tx, tenant)
		if err != nil || !t.Demo || !tenants.Allows(t.State, tenants.Working) {
			return tenants.ErrNotFound
		}
		if _, err := tx.ExecContext(ctx, endVisits); err != nil {
			return fmt.Errorf("end visits: %w", err)
		}
		var there int
		if err := tx.GetContext(ctx, &there, `
			SELECT count(*) FROM memberships m JOIN people p ON p.id = m.person_id
			WHERE m.tenant_id = $1 AND p.email_key LIKE '%`+visitorMail+`'`, tenant); err != nil {
			return fmt.Errorf("count visitors: %w", err)
		}
		if there >= mostVisitors {
			return &TooMany{RetryAfter: visitAgain, Code: "demo_full"}
		}
		person, _, err := addPerson(ctx, tx, p)
		if err != nil {
			return err
		}
		var hash []byte
		if token, hash, err = s.start(ctx, tx, person, tenant, from, nil); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `
			UPDATE sessions SET expires_at = now() + $2 * interval '1 second' WHERE id_hash = $1`, hash, VisitLife.Seconds()); err != nil {
			return fmt.Errorf("shorten session: %w", err)
		}
		if tx, err = tx.Enter(ctx, tenant); err != nil {
			return err
		}

		return addMembership(ctx, tx, by, person, Auditor)
	})

	return token, err
}

// Visitors are the ids of all who have visited the demo and are not forgotten, in a System transaction.
func Visitors(ctx context.Context, tx *tenants.Tx) ([]string, error) {
	var ids []string
	if err := tx.SelectContext(ctx, &ids, `SELECT id::text FROM people WHERE email_key LIKE '%`+visitorMail+`'`); err != nil {
		return nil, fmt.Errorf("read visitors: %w", err)
	}

	return ids, nil
}

// ForgetVisitors ends what the visits of a business's demo that are over left of their visitors: of who merely looked all, with their
// addresses; of who did something there a row without a name, as the audit and the journal refer to it. It returns how many of each went.
func ForgetVisitors(ctx context.Context, db *tenants.DB, tenant uuid.UUID) (gone, nameless int64, err error) {
	var over, doers []uuid.UUID
	if err := db.System(ctx, func(tx *tenants.Tx) error {
		if _, err := tx.ExecContext(ctx, endVisits); err != nil {
			return fmt.Errorf("end visits: %w", err)
		}

		return tx.SelectContext(ctx, &over, `
			SELECT p.id FROM people p
			WHERE p.email_key LIKE '%`+visitorMail+`' AND p.name <> $1 AND NOT EXISTS (SELECT 1 FROM memberships m WHERE m.person_id = p.id)
			  AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.person_id = p.id AND s.expires_at > now() AND s.revoked_at IS NULL)
			ORDER BY p.id`, nobody)
	}); err != nil || len(over) == 0 {
		return 0, 0, err
	}
	if err := db.As(ctx, tenant, func(tx *tenants.Tx) error {
		for _, forget := range []string{
			`DELETE FROM fact_reads WHERE tenant_id = $1 AND person_id = ANY($2)`,
			`DELETE FROM announcements_read WHERE tenant_id = $1 AND person_id = ANY($2)`,
		} {
			if _, err := tx.ExecContext(ctx, forget, tx.Tenant, pq.Array(over)); err != nil {
				return fmt.Errorf("forget what visitors read: %w", err)
			}
		}

		return tx.SelectContext(ctx, &doers, `
			SELECT DISTINCT actor_id::uuid FROM audit_entries WHERE tenant_id = $1 AND actor_kind = 'person' AND actor_id = ANY($2::uuid[]::text[])`,
			tx.Tenant, pq.Array(over))
	}); err != nil {
		return 0, 0, err
	}
	err = db.System(ctx, func(tx *tenants.Tx) error {
		if err := forgetWhatRefers(ctx, tx, doers); err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, `
			UPDATE people SET name = $2, password_hash = $3, lang = NULL, theme = 'system', density = NULL, signed_in_at = NULL WHERE id = ANY($1)`,
			pq.Array(doers), nobody, nobodysHash)
		if err != nil {
			return fmt.Errorf("take visitors' names: %w", err)
		}
		if nameless, err = done.RowsAffected(); err != nil {
			return fmt.Errorf("count visitors: %w", err)
		}
		gone, err = ForgetPeople(ctx, tx, slices.DeleteFunc(over, func(id uuid.UUID) bool { return slices.Contains(doers, id) }))

		return err
	})

	return gone, nameless, err
}
