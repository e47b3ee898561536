package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/adoption"
)

// People counts the contacts who have written.
type People struct {
	Total  int64 `db:"total"`
	WithID int64 `db:"with_id"` // of them, those whose BSUID is known
	Hidden int64 `db:"hidden"`  // of them, those of whom no phone is: ListReach's "id"
}

// CountPeople counts the tenant's contacts. It reads a line or two of each, so its callers keep the answer for a while.
func CountPeople(ctx context.Context, tx *tenants.Tx) (People, error) {
	var p People
	err := tx.GetContext(ctx, &p, `
		WITH people AS (
			SELECT a.contact_id FROM contact_activity a
			JOIN contacts c ON c.tenant_id = $1 AND c.id = a.contact_id AND c.merged_into IS NULL
			WHERE a.tenant_id = $1 AND a.last_at > $2
		), handles AS (
			SELECT contact_id, bool_or(word < 'c') AS bsuid, bool_or(word > 'c') AS phone FROM contact_words
			WHERE tenant_id = $1 AND (word >= 'b:' AND word < 'b;' OR word >= 'p:' AND word < 'p;')
			GROUP BY contact_id
		)
		SELECT count(*) AS total, count(*) FILTER (WHERE h.bsuid) AS with_id, count(*) FILTER (WHERE h.bsuid AND NOT h.phone) AS hidden
		FROM people LEFT JOIN handles h USING (contact_id)`, tx.Tenant, neverLast)
	if err != nil {
		return People{}, fmt.Errorf("count people: %w", err)
	}

	return p, nil
}

// Ages are the cases that somebody can decide now, by how long they have waited.
type Ages struct {
	Hour  int `db:"hour"` // less than an hour
	Day   int `db:"day"`  // less than a day, and so on
	Week  int `db:"week"`
	Older int `db:"older"`
}

// CaseAges counts the open queue by age, to the quarter of an hour; cases on hold are left out.
func CaseAges(ctx context.Context, tx *tenants.Tx) (Ages, error) {
	_, younger, all, err := adoption.Open(ctx, tx, time.Now(), time.Hour, 24*time.Hour, 7*24*time.Hour)
	if err != nil {
		return Ages{}, err
	}
	var a Ages
	for i, n := range younger {
		a.Hour, a.Day, a.Week, a.Older = a.Hour+int(n[0]), a.Day+int(n[1]-n[0]), a.Week+int(n[2]-n[1]), a.Older+int(all[i]-n[2])
	}

	return a, nil
}

// The kinds of Change.
const (
	ChangeLinked  = "linked"  // WhatsApp showed more of an account
	ChangeRotated = "rotated" // WhatsApp said that an account's identifiers changed
	ChangeMerged  = "merged"  // a person put two contacts together
	ChangeUndone  = "undone"  // and took it back
	ChangeOpened  = "opened"  // a case was opened
)

// Change is one thing that happened to who is who.
type Change struct {
	Kind    string
	Contact uuid.UUID // whom it is about now
	Name    string    // "" where only handles are known
	By      string    // the person who did it, "" for nobody in particular
	At      time.Time
}

const (
	recentLinks = 200 // how far back the journal is read for Changes
	recentCases = 2   // so that a long queue leaves room for the rest
)

// Changes lists what last happened to who is who, newest first: at most limit links, links undone and cases opened, two of the last.
func Changes(ctx context.Context, tx *tenants.Tx, limit int) ([]Change, error) {
	var rows []struct {
		Kind    string    `db:"kind"`
		Contact uuid.UUID `db:"contact_id"`
		By      string    `db:"by"`
		At      time.Time `db:"at"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT kind, contact_id, by, at FROM (
			SELECT CASE WHEN l.undone_at IS NOT NULL THEN 'undone' WHEN l.kind = 'attested' THEN 'linked' ELSE l.kind END AS kind,
			       l.keep_contact AS contact_id, CASE WHEN l.undone_at IS NULL AND l.actor_kind = 'person' THEN l.actor_name ELSE '' END AS by,
			       coalesce(l.undone_at, l.at) AS at
			FROM (SELECT kind, keep_contact, actor_kind, actor_name, at, undone_at FROM links
			      WHERE tenant_id = $1 AND keep_contact IS NOT NULL ORDER BY id DESC LIMIT $3) l
			WHERE l.kind IN ('attested', 'rotated', 'merged')
			UNION ALL
			SELECT 'opened', k.contact_id, '', k.opened_at
			FROM (SELECT contact_id, opened_at FROM cases
			      WHERE tenant_id = $1 AND state = 'open' AND part_of IS NULL AND contact_id IS NOT NULL ORDER BY waiting_since DESC, id DESC LIMIT $4) k
		) changes
		ORDER BY at DESC LIMIT $2`, tx.Tenant, min(max(limit, 1), 50), recentLinks, recentCases)
	if err != nil {
		return nil, fmt.Errorf("list changes: %w", err)
	}

	ids := make([]uuid.UUID, len(rows))
	for i, r := range rows {
		root, err := rootOf(ctx, tx, &r.Contact)
		if err != nil {
			return nil, fmt.Errorf("follow contact %s: %w", r.Contact, err)
		}
		ids[i] = *root
	}
	people, err := hydrate(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	names := make(map[uuid.UUID]string, len(people))
	for _, p := range people {
		names[p.ID] = p.Name()
	}

	changes := make([]Change, len(rows))
	for i, r := range rows {
		changes[i] = Change{Kind: r.Kind, Contact: ids[i], Name: names[ids[i]], By: r.By, At: r.At}
	}

	return changes, nil
}
