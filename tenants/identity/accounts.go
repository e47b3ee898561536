package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// identitiesOf reads the live identities of contacts, each with its identifiers (current first) and last seen names.
func identitiesOf(ctx context.Context, tx *tenants.Tx, contacts []uuid.UUID) (map[uuid.UUID][]Identity, error) {
	return readIdentities(ctx, tx, `i.contact_id`, contacts)
}

// identityByID reads one identity, whether or not it has a contact.
func identityByID(ctx context.Context, tx *tenants.Tx, id uuid.UUID) (Identity, error) {
	found, err := readIdentities(ctx, tx, `i.id`, []uuid.UUID{id})
	if err != nil {
		return Identity{}, err
	}
	for _, list := range found {
		return list[0], nil
	}

	return Identity{}, tenants.ErrNotFound
}

// readIdentities reads whole accounts, by their own ids or by those of their contacts, under the contact or else under themselves. When
// an identifier was seen is what seen() of the schema says, put together here for all accounts at once.
//
// The planner does not see into ARRAY(SELECT …): it keeps one plan for however many ids.
func readIdentities(ctx context.Context, tx *tenants.Tx, column string, ids []uuid.UUID) (map[uuid.UUID][]Identity, error) {
	var rows []struct {
		Contact     uuid.UUID     `db:"contact_id"`
		ID          uuid.UUID     `db:"id"`
		Scope       string        `db:"scope"`
		Username    string        `db:"username"`
		ProfileName string        `db:"profile_name"`
		Identifier  uuid.UUID     `db:"identifier_id"`
		Kind        whatsapp.Kind `db:"kind"`
		Value       string        `db:"value"`
		Raw         string        `db:"raw"`
		Current     bool          `db:"current"`
		Shared      bool          `db:"shared"`
		FirstSeen   time.Time     `db:"first_seen"`
		LastSeen    time.Time     `db:"last_seen"`
	}
	err := tx.SelectContext(ctx, &rows, `
		WITH mine AS MATERIALIZED (
			SELECT coalesce(i.contact_id, i.id) AS contact_id, i.id, i.scope, i.home_contact IS DISTINCT FROM i.contact_id AS joined,
			       t.id AS tenure_id, t.current, t.first_seen, t.last_seen, t.from_at IS NULL AND t.to_at IS NULL AS whole,
			       d.id AS identifier_id, d.kind, d.value, d.raw, d.first_seen AS lone_first, d.last_seen AS lone_last
			FROM identities i
			JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
			JOIN identifiers d ON d.tenant_id = $1 AND d.id = t.identifier_id
			WHERE i.tenant_id = $1 AND `+column+` = ANY (ARRAY(SELECT unnest($2::uuid[]))) AND i.absorbed_into IS NULL
		), names AS (
			SELECT m.id, (array_agg(f.value ORDER BY f.last_seen DESC, f.first_seen DESC, f.value) FILTER (WHERE f.kind = 'username'))[1] AS username,
			       (array_agg(f.value ORDER BY f.last_seen DESC, f.first_seen DESC, f.value) FILTER (WHERE f.kind = 'profile_name'))[1] AS profile_name
			FROM mine m JOIN profile_facts f ON f.tenant_id = $1 AND f.tenure_id = m.tenure_id GROUP BY m.id
		), paired AS MATERIALIZED (
			SELECT m.id, p.bsuid_id, p.other_id, p.first_at, p.last_at
			FROM mine m JOIN pairings p ON p.tenant_id = $1 AND p.bsuid_id = m.identifier_id WHERE m.kind = 'bsuid'
		), held AS (
			SELECT m.id, m.identifier_id, bool_or(m.current) AS current,
			       min(least(m.first_seen, CASE WHEN m.whole THEN least(m.lone_first, s.first_at, p.first_at) END)) AS first_seen,
			       max(greatest(m.last_seen, CASE WHEN m.whole THEN greatest(m.lone_last, s.last_at, p.last_at) END)) AS last_seen
			FROM mine m
			LEFT JOIN paired p ON p.id = m.id AND (p.bsuid_id = m.identifier_id OR p.other_id = m.identifier_id)
			CROSS JOIN LATERAL (SELECT min(at) AS first_at, max(at) AS last_at FROM sightings WHERE tenant_id = $1 AND identifier_id = m.identifier_id) s
			GROUP BY m.id, m.identifier_id
		)
		SELECT m.contact_id, m.id, m.scope, coalesce(n.username, '') AS username, coalesce(n.profile_name, '') AS profile_name,
		       EXISTS (SELECT 1 FROM shared_phones p WHERE p.tenant_id = $1 AND m.kind = 'phone' AND p.phone = m.value) AS shared,
		       m.identifier_id, m.kind, m.value, m.raw, h.current, h.first_seen, h.last_seen
		FROM (SELECT DISTINCT ON (id, identifier_id) contact_id, id, scope, joined, identifier_id, kind, value, raw FROM mine) m
		JOIN held h ON h.id = m.id AND h.identifier_id = m.identifier_id
		LEFT JOIN names n ON n.id = m.id
		ORDER BY m.contact_id, m.joined, m.id, h.current DESC, m.kind DESC, h.last_seen DESC, m.value`, tx.Tenant, pq.Array(ids))
	if err != nil {
		return nil, fmt.Errorf("read identities: %w", err)
	}

	out := map[uuid.UUID][]Identity{}
	for _, r := range rows {
		list := out[r.Contact]
		if n := len(list); n == 0 || list[n-1].ID != r.ID {
			list = append(list, Identity{ID: r.ID, Scope: r.Scope, Username: r.Username, ProfileName: r.ProfileName})
		}
		i := &list[len(list)-1]
		if whatsapp.IsHiddenPhone(r.Value) {
			i.PhoneFree = true // it is known again by its token, and nobody is shown that
			out[r.Contact] = list
			continue
		}
		i.Identifiers = append(i.Identifiers, Identifier{
			ID: r.Identifier, Kind: r.Kind, Value: r.Value, Raw: r.Raw, Current: r.Current, Shared: r.Shared, FirstSeen: r.FirstSeen, LastSeen: r.LastSeen,
		})
		out[r.Contact] = list
	}
	for _, list := range out {
		for i := range list {
			list[i].PhoneVisible = phoneVisible(list[i].Identifiers)
		}
	}

	return out, nil
}

func phoneVisible(identifiers []Identifier) bool {
	var phone, bsuid time.Time
	for _, d := range identifiers {
		switch {
		case !d.Current:
		case d.Kind == whatsapp.KindPhone:
			phone = d.LastSeen
		case d.Kind == whatsapp.KindBSUID:
			bsuid = d.LastSeen
		}
	}

	return !phone.IsZero() && !phone.Before(bsuid)
}
