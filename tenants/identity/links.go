package identity

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// LinkPage returns the journal of a contact, or of the one it was merged into, and of all that were merged into it: newest first, a
// page at a time, with the cursor of the next page ("" at the end). ErrNotFound where the tenant has no such contact.
func LinkPage(ctx context.Context, tx *tenants.Tx, contact uuid.UUID, page Page) ([]Link, string, error) {
	c, err := Get(ctx, tx, contact)
	if err != nil {
		return nil, "", err
	}
	at, id, err := page.Before()
	if err != nil {
		return nil, "", err
	}

	var links []Link
	err = tx.SelectContext(ctx, &links, `
		WITH RECURSIVE mine AS (
			SELECT id FROM contacts WHERE tenant_id = $1 AND id = $2
			UNION
			SELECT c.id FROM mine m JOIN contacts c ON c.tenant_id = $1 AND c.merged_into = m.id
		)
		SELECT `+linkColumns+` FROM links l
		WHERE l.tenant_id = $1 AND l.id IN (
			SELECT k.id FROM mine m JOIN links k ON k.tenant_id = $1 AND k.keep_contact = m.id
			UNION
			SELECT k.id FROM mine m JOIN links k ON k.tenant_id = $1 AND k.lose_contact = m.id)
		  AND (l.at, l.id) < ($3, $4)
		ORDER BY l.at DESC, l.id DESC LIMIT $5`, tx.Tenant, c.ID, at, id, page.Size()+1)
	if err != nil {
		return nil, "", fmt.Errorf("read links: %w", err)
	}

	next := ""
	if len(links) > page.Size() {
		links = links[:page.Size()]
		last := links[len(links)-1]
		next = CursorAt(last.At, last.ID)
	}

	return links, next, nil
}

// Gained reads, by link, the identifiers that a link brought as its evidence names them. A link between contacts brings none.
func Gained(ctx context.Context, tx *tenants.Tx, links []Link) (map[uuid.UUID][]Identifier, error) {
	var of, ids []uuid.UUID
	for _, l := range links {
		var proof proofOfLink
		if err := json.Unmarshal(l.Evidence, &proof); err != nil {
			return nil, fmt.Errorf("read link proof: %w", err)
		}
		for _, id := range proof.Gained {
			of, ids = append(of, l.ID), append(ids, id)
		}
	}

	var rows []struct {
		Link      uuid.UUID     `db:"link_id"`
		ID        uuid.UUID     `db:"id"`
		Kind      whatsapp.Kind `db:"kind"`
		Value     string        `db:"value"`
		Raw       string        `db:"raw"`
		Current   bool          `db:"current"`
		FirstSeen time.Time     `db:"first_seen"`
		LastSeen  time.Time     `db:"last_seen"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT w.link_id, d.id, d.kind, d.value, d.raw,
		       coalesce(CASE WHEN d.last_seen < d.first_seen THEN d.claimed_at ELSE held.first_at END, d.first_seen) AS first_seen,
		       coalesce(CASE WHEN d.last_seen < d.first_seen THEN d.claimed_at ELSE held.last_at END, d.last_seen) AS last_seen,
		       coalesce(held.current, false) AS current
		FROM unnest($2::uuid[], $3::uuid[]) WITH ORDINALITY AS w (link_id, id, place)
		JOIN identifiers d ON d.tenant_id = $1 AND d.id = w.id
		CROSS JOIN LATERAL (SELECT min(s.first_at) AS first_at, max(s.last_at) AS last_at, bool_or(t.current) AS current
		                    FROM tenures t CROSS JOIN seen(t) AS s WHERE t.tenant_id = $1 AND t.identifier_id = d.id) AS held
		ORDER BY w.place`, tx.Tenant, pq.Array(of), pq.Array(ids))
	if err != nil {
		return nil, fmt.Errorf("read identifiers of links: %w", err)
	}

	gained := map[uuid.UUID][]Identifier{}
	for _, r := range rows {
		gained[r.Link] = append(gained[r.Link], Identifier{
			ID: r.ID, Kind: r.Kind, Value: r.Value, Raw: r.Raw, Current: r.Current, FirstSeen: r.FirstSeen, LastSeen: r.LastSeen,
		})
	}

	return gained, nil
}
