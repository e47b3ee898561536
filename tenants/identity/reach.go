package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// How a contact can be reached, by which a list is narrowed.
const (
	ReachBoth  = "both"  // phone and WhatsApp ID are known
	ReachID    = "id"    // a WhatsApp ID only
	ReachPhone = "phone" // a phone only: nothing heard since WhatsApp has IDs

	ReachNeither = "neither" // no handle of theirs is known
)

// ListReach returns the contacts that can be reached in one way, those heard of last first, and the cursor of the next page.
func ListReach(ctx context.Context, tx *tenants.Tx, reach string, page Page) ([]Contact, string, error) {
	at, id, err := page.Before()
	if err != nil {
		return nil, "", err
	}

	var rows []struct {
		ID uuid.UUID `db:"contact_id"`
		At time.Time `db:"last_at"`
	}
	err = tx.SelectContext(ctx, &rows, `
		SELECT a.contact_id, a.last_at FROM contact_activity a
		JOIN contacts c ON c.tenant_id = $1 AND c.id = a.contact_id AND c.merged_into IS NULL
		WHERE a.tenant_id = $1 AND (a.last_at, a.contact_id) < ($2, $3)
		  AND ($5 IN ('both', 'phone')) = EXISTS (SELECT 1 FROM contact_words w WHERE w.tenant_id = $1 AND w.contact_id = a.contact_id AND w.word >= 'p:' AND w.word < 'p;')
		  AND ($5 IN ('both', 'id')) = EXISTS (SELECT 1 FROM contact_words w WHERE w.tenant_id = $1 AND w.contact_id = a.contact_id AND w.word >= 'b:' AND w.word < 'b;')
		ORDER BY a.last_at DESC, a.contact_id DESC LIMIT $4`, tx.Tenant, at, id, page.limit()+1, reach)
	if err != nil {
		return nil, "", fmt.Errorf("list contacts: %w", err)
	}

	next := ""
	if len(rows) > page.limit() {
		rows = rows[:page.limit()]
		last := rows[len(rows)-1]
		next = CursorAt(last.At, last.ID)
	}
	ids := make([]uuid.UUID, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	contacts, err := hydrate(ctx, tx, ids)

	return contacts, next, err
}

// Reaches counts the contacts by how they can be reached: what ListReach lists.
type Reaches struct {
	Both    int64 `db:"both"`
	ID      int64 `db:"id"`
	Phone   int64 `db:"phone"`
	Neither int64 `db:"neither"`
}

// All is how many there are.
func (r Reaches) All() int64 { return r.Both + r.ID + r.Phone + r.Neither }

// CountReach counts the tenant's contacts. It reads a line or two of each, so its callers keep the answer for a while.
func CountReach(ctx context.Context, tx *tenants.Tx) (Reaches, error) {
	var r Reaches
	err := tx.GetContext(ctx, &r, `
		WITH people AS (
			SELECT a.contact_id FROM contact_activity a
			JOIN contacts c ON c.tenant_id = $1 AND c.id = a.contact_id AND c.merged_into IS NULL WHERE a.tenant_id = $1
		), handles AS (
			SELECT contact_id, bool_or(word < 'c') AS bsuid, bool_or(word > 'c') AS phone FROM contact_words
			WHERE tenant_id = $1 AND (word >= 'b:' AND word < 'b;' OR word >= 'p:' AND word < 'p;') GROUP BY contact_id
		)
		SELECT count(*) FILTER (WHERE h.bsuid AND h.phone) AS both, count(*) FILTER (WHERE h.bsuid AND NOT h.phone) AS id,
		       count(*) FILTER (WHERE h.phone AND NOT h.bsuid) AS phone, count(*) FILTER (WHERE h.contact_id IS NULL) AS neither
		FROM people LEFT JOIN handles h USING (contact_id)`, tx.Tenant)
	if err != nil {
		return Reaches{}, fmt.Errorf("count contacts by reach: %w", err)
	}

	return r, nil
}
