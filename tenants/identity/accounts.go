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
	return readIdentities(ctx, tx, contacts, nil)
}

// identityByID reads one identity, whether or not it has a contact.
func identityByID(ctx context.Context, tx *tenants.Tx, id uuid.UUID) (Identity, error) {
	found, err := readIdentities(ctx, tx, nil, []uuid.UUID{id})
	if err != nil {
		return Identity{}, err
	}
	for _, list := range found {
		return list[0], nil
	}

	return Identity{}, tenants.ErrNotFound
}

func readIdentities(ctx context.Context, tx *tenants.Tx, contacts, ids []uuid.UUID) (map[uuid.UUID][]Identity, error) {
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
		SELECT coalesce(i.contact_id, i.id) AS contact_id, i.id, i.scope,
		       coalesce((SELECT f.value FROM tenures ft JOIN profile_facts f ON f.tenant_id = $1 AND f.tenure_id = ft.id AND f.kind = 'username'
		                 WHERE ft.tenant_id = $1 AND ft.identity_id = i.id ORDER BY f.last_seen DESC, f.first_seen DESC, f.value LIMIT 1), '') AS username,
		       coalesce((SELECT f.value FROM tenures ft JOIN profile_facts f ON f.tenant_id = $1 AND f.tenure_id = ft.id AND f.kind = 'profile_name'
		                 WHERE ft.tenant_id = $1 AND ft.identity_id = i.id ORDER BY f.last_seen DESC, f.first_seen DESC, f.value LIMIT 1), '') AS profile_name,
		       EXISTS (SELECT 1 FROM shared_phones p WHERE p.tenant_id = $1 AND d.kind = 'phone' AND p.phone = d.value) AS shared,
		       d.id AS identifier_id, d.kind, d.value, d.raw, bool_or(t.current) AS current, min(s.first_at) AS first_seen, max(s.last_at) AS last_seen
		FROM identities i
		JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
		CROSS JOIN seen(t) AS s
		JOIN identifiers d ON d.tenant_id = $1 AND d.id = t.identifier_id
		WHERE i.tenant_id = $1 AND (i.contact_id = ANY($2) OR i.id = ANY($3)) AND i.absorbed_into IS NULL
		GROUP BY i.contact_id, i.id, i.scope, i.home_contact, d.id, d.kind, d.value, d.raw
		ORDER BY i.contact_id, i.home_contact IS DISTINCT FROM i.contact_id, i.id, bool_or(t.current) DESC, d.kind DESC, max(s.last_at) DESC, d.value`, tx.Tenant, pq.Array(contacts), pq.Array(ids))
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
