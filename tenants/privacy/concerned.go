package privacy

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// Viewer is somebody who looked at contacts in the time of an incident.
type Viewer struct {
	Key    string `db:"viewer"` // kind:id
	Name   string `db:"name"`
	People int    `db:"people"` // whom they saw
}

// Concerned is a contact that was seen in the time of an incident.
type Concerned struct {
	Contact uuid.UUID      `db:"contact_id"`
	By      pq.StringArray `db:"names"`
	How     pq.StringArray `db:"how"`
	First   time.Time      `db:"first"` // a day
	Last    time.Time      `db:"last"`
}

// The log of looks has a row for a contact, person, way and day, which says when the last look of the day was. Whoever may have been seen
// within the time counts: all looks of a row but its last may have been at any time of its day.
const looksWithin = `
	FROM contact_views v JOIN contacts c ON c.tenant_id = $1 AND c.id = v.contact_id
	WHERE v.tenant_id = $1 AND v.day BETWEEN ($2::timestamptz AT TIME ZONE 'UTC')::date AND ($3::timestamptz AT TIME ZONE 'UTC')::date AND v.last_at >= $2`

// Viewers are who looked at contacts in the time of an incident, whom it concerns by each, at most 200; and how many people it concerns by
// the one it names, or by anybody.
func Viewers(ctx context.Context, tx *tenants.Tx, i Incident) (list []Viewer, people int, err error) {
	if err := tx.SelectContext(ctx, &list, `
		SELECT v.viewer, max(v.name) AS name, count(DISTINCT coalesce(c.merged_into, c.id)) AS people`+looksWithin+`
		GROUP BY v.viewer ORDER BY people DESC, v.viewer LIMIT 200`, tx.Tenant, i.From, i.To); err != nil {
		return nil, 0, fmt.Errorf("count who looked: %w", err)
	}
	if err := tx.GetContext(ctx, &people, `SELECT count(DISTINCT coalesce(c.merged_into, c.id))`+looksWithin+` AND ($4 = '' OR v.viewer = $4)`,
		tx.Tenant, i.From, i.To, i.Viewer); err != nil {
		return nil, 0, fmt.Errorf("count who was seen: %w", err)
	}

	return list, people, nil
}

// ConcernedBy lists whom an incident concerns, by their ids, from after on.
func ConcernedBy(ctx context.Context, tx *tenants.Tx, i Incident, after uuid.UUID, limit int) ([]Concerned, error) {
	list := []Concerned{}
	if err := tx.SelectContext(ctx, &list, `
		SELECT coalesce(c.merged_into, c.id) AS contact_id, array_agg(DISTINCT v.name) AS names, array_agg(DISTINCT v.how) AS how,
		       min(v.day)::timestamptz AS first, max(v.last_at) AS last`+looksWithin+` AND ($4 = '' OR v.viewer = $4) AND coalesce(c.merged_into, c.id) > $5
		GROUP BY 1 ORDER BY 1 LIMIT $6`, tx.Tenant, i.From, i.To, i.Viewer, after, limit); err != nil {
		return nil, fmt.Errorf("list who was seen: %w", err)
	}

	return list, nil
}

// ExportIncident writes down that the list of whom an incident concerns was taken out.
func ExportIncident(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID, rows int) error {
	return auditIncident(ctx, tx, actor, "privacy.incident_export", id, map[string]any{"rows": rows})
}

// viewerName is what somebody of the log of looks is called, empty for nobody.
func viewerName(ctx context.Context, tx *tenants.Tx, viewer string) (name string, err error) {
	if viewer == "" {
		return "", nil
	}
	err = tx.GetContext(ctx, &name, `SELECT name FROM contact_views WHERE tenant_id = $1 AND viewer = $2 LIMIT 1`, tx.Tenant, viewer)
	if errors.Is(err, sql.ErrNoRows) {
		return "", &tenants.Invalid{Field: "viewer", Key: "choice"}
	}
	if err != nil {
		return "", fmt.Errorf("read who looked: %w", err)
	}

	return name, nil
}
