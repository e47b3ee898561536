package privacy

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// Viewer is a person, an API key or an operator who saw or changed contacts in the time of an incident.
type Viewer struct {
	Key    string `db:"viewer"` // kind:id
	Name   string `db:"name"`
	People int    `db:"people"` // whom they saw or changed
}

// ByChange is how somebody touched a contact whom they changed or decided about, beside the ways of seeing one.
const ByChange = "changed"

// Concerned is a contact that was seen or changed in the time of an incident.
type Concerned struct {
	Contact uuid.UUID      `db:"contact_id"`
	By      pq.StringArray `db:"names"`
	How     pq.StringArray `db:"how"`
	First   time.Time      `db:"first"` // a day, where somebody looked
	Last    time.Time      `db:"last"`
}

// touched is who saw or changed a contact within the time. The log of looks has a row for a contact, person, way and day, which says when the
// last look of the day was. Whoever may have been seen within the time counts: all looks of a row but its last may have been at any time of its
// day. The audit knows the moment. It names a contact, a case of one, or a link of two; of a merge also whom it ended.
const touched = `
	WITH touched AS (
		SELECT contact_id, viewer, name, how, day::timestamptz AS first, last_at AS last FROM contact_views
		WHERE tenant_id = $1 AND day BETWEEN ($2::timestamptz AT TIME ZONE 'UTC')::date AND ($3::timestamptz AT TIME ZONE 'UTC')::date AND last_at >= $2
		UNION ALL
		SELECT o.contact_id, a.actor_kind || ':' || a.actor_id, a.actor_name, '` + ByChange + `', a.at, a.at
		FROM audit_entries a CROSS JOIN LATERAL (
			SELECT a.object_id::uuid AS contact_id WHERE a.object_kind = 'contact'
			UNION ALL SELECT (a.detail::jsonb->>'lose')::uuid WHERE a.action = 'contact.merge'
			UNION ALL SELECT k.contact_id FROM cases k WHERE a.object_kind = 'case' AND k.tenant_id = $1 AND k.id = a.object_id::uuid
			UNION ALL SELECT unnest(ARRAY[l.keep_contact, l.lose_contact]) FROM links l
				WHERE a.object_kind = 'link' AND l.tenant_id = $1 AND l.id = a.object_id::uuid
		) o
		WHERE a.tenant_id = $1 AND a.at BETWEEN $2 AND $3
		  AND a.actor_kind IN ('person', 'api_key', 'operator') AND a.object_kind IN ('contact', 'case', 'link')
	)`

const ofContacts = ` FROM touched v JOIN contacts c ON c.tenant_id = $1 AND c.id = v.contact_id`

// Viewers are who saw or changed contacts in the time of an incident, whom it concerns by each, at most 200; and how many people it concerns by
// the one it names, or by anybody.
func Viewers(ctx context.Context, tx *tenants.Tx, i Incident) (list []Viewer, people int, err error) {
	if err := tx.SelectContext(ctx, &list, touched+`
		SELECT v.viewer, max(v.name) AS name, count(DISTINCT coalesce(c.merged_into, c.id)) AS people`+ofContacts+`
		GROUP BY v.viewer ORDER BY people DESC, v.viewer LIMIT 200`, tx.Tenant, i.From, i.To); err != nil {
		return nil, 0, fmt.Errorf("count who looked: %w", err)
	}
	if err := tx.GetContext(ctx, &people, touched+`
		SELECT count(DISTINCT coalesce(c.merged_into, c.id))`+ofContacts+` WHERE $4 = '' OR v.viewer = $4`,
		tx.Tenant, i.From, i.To, i.Viewer); err != nil {
		return nil, 0, fmt.Errorf("count who was seen: %w", err)
	}

	return list, people, nil
}

// Accounts are the API keys that were good in the time of an incident, and the people of the team, by name, at most 400: each may have been
// misused, whether it saw anybody or not.
func Accounts(ctx context.Context, tx *tenants.Tx, i Incident) ([]Viewer, error) {
	var list []Viewer
	if err := tx.SelectContext(ctx, &list, `
		SELECT 'person:' || p.id AS viewer, p.name FROM memberships m JOIN people p ON p.id = m.person_id WHERE m.tenant_id = $1
		UNION ALL
		SELECT 'api_key:' || id, name FROM api_keys WHERE tenant_id = $1 AND created_at <= $3 AND (revoked_at IS NULL OR revoked_at >= $2)
		ORDER BY 2, 1 LIMIT 400`, tx.Tenant, i.From, i.To); err != nil {
		return nil, fmt.Errorf("list accounts: %w", err)
	}

	return list, nil
}

// ConcernedBy lists whom an incident concerns, by their ids, from after on.
func ConcernedBy(ctx context.Context, tx *tenants.Tx, i Incident, after uuid.UUID, limit int) ([]Concerned, error) {
	list := []Concerned{}
	if err := tx.SelectContext(ctx, &list, touched+`
		SELECT coalesce(c.merged_into, c.id) AS contact_id, array_agg(DISTINCT v.name) AS names, array_agg(DISTINCT v.how) AS how,
		       min(v.first) AS first, max(v.last) AS last`+ofContacts+`
		WHERE ($4 = '' OR v.viewer = $4) AND coalesce(c.merged_into, c.id) > $5
		GROUP BY 1 ORDER BY 1 LIMIT $6`, tx.Tenant, i.From, i.To, i.Viewer, after, limit); err != nil {
		return nil, fmt.Errorf("list who was seen: %w", err)
	}

	return list, nil
}

// ExportIncident writes down that the list of whom an incident concerns was taken out.
func ExportIncident(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID, rows int) error {
	return auditIncident(ctx, tx, actor, "privacy.incident_export", id, map[string]any{"rows": rows})
}

// viewerName is what a person, API key or operator is called that the log, the audit or the tenant knows; empty for nobody.
func viewerName(ctx context.Context, tx *tenants.Tx, viewer string) (name string, err error) {
	if viewer == "" {
		return "", nil
	}
	kind, id, _ := strings.Cut(viewer, ":")
	err = tx.GetContext(ctx, &name, `
		(SELECT name FROM contact_views WHERE tenant_id = $1 AND viewer = $2 LIMIT 1)
		UNION ALL (SELECT actor_name FROM audit_entries WHERE tenant_id = $1 AND actor_kind = $3 AND actor_id = $4 ORDER BY seq DESC LIMIT 1)
		UNION ALL SELECT name FROM api_keys WHERE tenant_id = $1 AND $3 = 'api_key' AND id::text = $4
		UNION ALL SELECT p.name FROM memberships m JOIN people p ON p.id = m.person_id WHERE m.tenant_id = $1 AND $3 = 'person' AND p.id::text = $4
		LIMIT 1`, tx.Tenant, viewer, kind, id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", &tenants.Invalid{Field: "viewer", Key: "choice"}
	}
	if err != nil {
		return "", fmt.Errorf("read who looked: %w", err)
	}

	return name, nil
}
