package access

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

const (
	// VisitLife is how long a visit to the demo lasts.
	VisitLife = time.Hour

	mostVisitors = 50
	visitAgain   = 5 * time.Minute
	// visitorMail ends the e-mail of every visitor. No mail leads there (RFC 2606), so nobody can prove that it is theirs.
	visitorMail = "@visitor.invalid"
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

// Visitors are the ids of all who have visited the demo, in a System transaction.
func Visitors(ctx context.Context, tx *tenants.Tx) ([]string, error) {
	var ids []string
	if err := tx.SelectContext(ctx, &ids, `SELECT id::text FROM people WHERE email_key LIKE '%`+visitorMail+`'`); err != nil {
		return nil, fmt.Errorf("read visitors: %w", err)
	}

	return ids, nil
}
