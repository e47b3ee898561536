package identity

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/adoption"
)

// How a contact can be reached, by which a list is narrowed.
const (
	ReachBoth  = "both"  // phone and WhatsApp ID are known
	ReachID    = "id"    // a WhatsApp ID only
	ReachPhone = "phone" // a phone only: nothing heard since WhatsApp has IDs

	ReachNeither = "neither" // no handle of theirs is known
)

// ListReach returns the contacts that can be reached in one way, those that came into the book last first, and the cursor of the next page.
func ListReach(ctx context.Context, tx *tenants.Tx, reach string, page Page) ([]Contact, string, error) {
	_, before, err := page.Before()
	if err != nil {
		return nil, "", err
	}

	var ids []uuid.UUID
	err = tx.SelectContext(ctx, &ids, `
		SELECT contact_id FROM contact_reach WHERE tenant_id = $1 AND reach = $2 AND contact_id < $3 ORDER BY contact_id DESC LIMIT $4`,
		tx.Tenant, reach, before, page.limit()+1)
	if err != nil {
		return nil, "", fmt.Errorf("list contacts: %w", err)
	}

	next := ""
	if len(ids) > page.limit() {
		ids = ids[:page.limit()]
		next = CursorAt(time.Time{}, ids[len(ids)-1])
	}
	contacts, err := hydrate(ctx, tx, ids)

	return contacts, next, err
}

// Reaches counts the contacts by how they can be reached: what ListReach lists.
type Reaches struct{ Both, ID, Phone, Neither int64 }

// All is how many there are.
func (r Reaches) All() int64 { return r.Both + r.ID + r.Phone + r.Neither }

// CountReach reads how many of the tenant's contacts can be reached in which way.
func CountReach(ctx context.Context, tx *tenants.Tx) (Reaches, error) {
	var rows []struct {
		Reach string `db:"reach"`
		N     int64  `db:"n"`
	}
	if err := tx.SelectContext(ctx, &rows, `SELECT reach, n FROM reach_sums WHERE tenant_id = $1`, tx.Tenant); err != nil {
		return Reaches{}, fmt.Errorf("count contacts by reach: %w", err)
	}
	n := map[string]int64{}
	for _, r := range rows {
		n[r.Reach] = r.N
	}

	return Reaches{Both: n[ReachBoth], ID: n[ReachID], Phone: n[ReachPhone], Neither: n[ReachNeither]}, nil
}

// reachBy is how somebody found by these words can be reached.
func reachBy(words []string) string {
	var id, phone bool
	for _, w := range words {
		id, phone = id || strings.HasPrefix(w, "b:"), phone || strings.HasPrefix(w, "p:")
	}
	switch {
	case id && phone:
		return ReachBoth
	case id:
		return ReachID
	case phone:
		return ReachPhone
	}

	return ReachNeither
}

// syncReach keeps how contacts can be reached, and the sums of that, where it is other than before. Who was merged into another is not in the
// book.
func syncReach(ctx context.Context, tx *tenants.Tx, reach map[uuid.UUID]string) error {
	if len(reach) == 0 {
		return nil
	}
	contacts := keys(reach)
	by := make([]string, len(contacts))
	for i, id := range contacts {
		by[i] = reach[id]
	}
	if _, err := tx.ExecContext(ctx, `
		WITH changed AS MATERIALIZED (
			SELECT x.id, x.was, x.now FROM unnest($2::uuid[], $3::text[]) AS w (id, reach)
			CROSS JOIN LATERAL (
				SELECT w.id, (SELECT r.reach FROM contact_reach r WHERE r.tenant_id = $1 AND r.contact_id = w.id) AS was,
				       (SELECT w.reach FROM contacts c WHERE c.tenant_id = $1 AND c.id = w.id AND c.merged_into IS NULL) AS now) x
			WHERE x.was IS DISTINCT FROM x.now
		), gone AS (
			DELETE FROM contact_reach r USING changed x WHERE r.tenant_id = $1 AND r.contact_id = x.id AND x.now IS NULL
		), put AS (
			INSERT INTO contact_reach (tenant_id, contact_id, reach) SELECT $1, id, now FROM changed WHERE now IS NOT NULL
			ON CONFLICT (tenant_id, contact_id) DO UPDATE SET reach = excluded.reach
		)`+adoption.CountReach, tx.Tenant, pq.Array(contacts), pq.Array(by)); err != nil {
		return fmt.Errorf("keep how contacts are reached: %w", err)
	}

	return nil
}

// dropReach takes contacts that leave the book out of the sums of reach.
const dropReach = `
	WITH changed AS (
		DELETE FROM contact_reach WHERE tenant_id = $1 AND contact_id = ANY($2) RETURNING reach AS was, NULL::text AS now
	)` + adoption.CountReach
