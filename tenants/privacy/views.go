package privacy

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// The ways in which somebody sees a contact.
const (
	SawPage   = "page"
	SawTalk   = "talk"
	SawPhone  = "reveal"
	SawExport = "export"
	HandedOut = "handed"
	ByProgram = "program" // asked by an API key
)

// View is that somebody looked at a contact on a day, in one way.
type View struct {
	Day    time.Time `db:"day"`
	Viewer string    `db:"viewer"`
	Name   string    `db:"name"`
	How    string    `db:"how"`
	Times  int       `db:"times"`
	LastAt time.Time `db:"last_at"`
}

// Saw notes that somebody saw contacts: one row for a contact, person, day and way, however often.
func Saw(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, how string, contacts ...uuid.UUID) error {
	if len(contacts) == 0 {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO contact_views AS v (tenant_id, contact_id, day, viewer, how, name)
		SELECT DISTINCT $1::uuid, c, (now() AT TIME ZONE 'UTC')::date, $3, $4, $5 FROM unnest($2::uuid[]) c ORDER BY c
		ON CONFLICT (tenant_id, contact_id, day, viewer, how) DO UPDATE SET times = v.times + 1, last_at = now(), name = excluded.name`,
		tx.Tenant, pq.Array(contacts), actor.Kind+":"+actor.ID, how, actor.Name); err != nil {
		return fmt.Errorf("note who looked: %w", err)
	}

	return nil
}

// Watches notes that a page which renews itself still shows a contact: a row of its own on a day that has none, and no look more.
func Watches(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, how string, contact uuid.UUID) error {
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO contact_views (tenant_id, contact_id, day, viewer, how, name) VALUES ($1, $2, (now() AT TIME ZONE 'UTC')::date, $3, $4, $5)
		ON CONFLICT (tenant_id, contact_id, day, viewer, how) DO NOTHING`,
		tx.Tenant, contact, actor.Kind+":"+actor.ID, how, actor.Name); err != nil {
		return fmt.Errorf("note who goes on looking: %w", err)
	}

	return nil
}

// Views are who looked at a contact, or at one that was merged into it, the newest days first; at most 100.
func Views(ctx context.Context, tx *tenants.Tx, contact uuid.UUID) ([]View, error) {
	list := []View{}
	if err := tx.SelectContext(ctx, &list, `
		SELECT day, viewer, max(name) AS name, how, sum(times)::integer AS times, max(last_at) AS last_at FROM contact_views
		WHERE tenant_id = $1 AND contact_id IN (SELECT id FROM contacts WHERE tenant_id = $1 AND (id = $2 OR merged_into = $2))
		GROUP BY day, viewer, how ORDER BY day DESC, max(last_at) DESC, how LIMIT 100`, tx.Tenant, contact); err != nil {
		return nil, fmt.Errorf("read who looked: %w", err)
	}

	return list, nil
}
