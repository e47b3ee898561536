package identity

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Joined are the identifiers that a link joined: those an account gained, or those of the accounts that moved. Of a rotation, Old
// are those that WhatsApp said were replaced, and New what replaced them; both are empty where it left one side unsaid.
type Joined struct {
	Handles  []Handle
	Old, New []Handle
}

// LinkHandles names for each link the identifiers that it joined.
func LinkHandles(ctx context.Context, tx *tenants.Tx, links []Link) (map[uuid.UUID]Joined, error) {
	var of, named, moved, turned []uuid.UUID
	for _, l := range links {
		var proof proofOfLink
		if err := json.Unmarshal(l.Evidence, &proof); err != nil {
			return nil, fmt.Errorf("read link proof: %w", err)
		}
		if l.Kind == "merged" && l.Rule == "" {
			moved = append(moved, l.ID)
			continue
		}
		if l.Kind == "rotated" {
			turned = append(turned, l.ID)
		}
		for _, id := range append(slices.Clone(proof.Cut), proof.Gained...) {
			of, named = append(of, l.ID), append(named, id)
		}
	}

	var rows []struct {
		Link  uuid.UUID     `db:"link_id"`
		Kind  whatsapp.Kind `db:"kind"`
		Value string        `db:"value"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT DISTINCT w.link_id, d.kind, d.value
		FROM unnest($2::uuid[], $3::uuid[]) AS w (link_id, identifier_id)
		JOIN identifiers d ON d.tenant_id = $1 AND d.id = w.identifier_id
		UNION
		SELECT m.link_id, d.kind, d.value
		FROM link_moves m
		JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = m.identity_id
		JOIN identifiers d ON d.tenant_id = $1 AND d.id = t.identifier_id
		WHERE m.tenant_id = $1 AND m.link_id = ANY($4)
		ORDER BY 1, 2 DESC, 3`, tx.Tenant, pq.Array(of), pq.Array(named), pq.Array(moved))
	if err != nil {
		return nil, fmt.Errorf("read what links joined: %w", err)
	}
	out := map[uuid.UUID]Joined{}
	for _, r := range rows {
		j := out[r.Link]
		j.Handles = append(j.Handles, Handle{r.Kind, r.Value})
		out[r.Link] = j
	}
	if len(turned) == 0 {
		return out, nil
	}

	return out, directed(ctx, tx, turned, of, named, out)
}

// directed puts in what replaced what: of the rotations that name an identifier of the link, the one that names most of them.
func directed(ctx context.Context, tx *tenants.Tx, turned, of, named []uuid.UUID, joined map[uuid.UUID]Joined) error {
	var rows []struct {
		Link     uuid.UUID `db:"link_id"`
		OldPhone string    `db:"old_phone"`
		OldBSUID string    `db:"old_bsuid"`
		NewPhone string    `db:"new_phone"`
		NewBSUID string    `db:"new_bsuid"`
	}
	err := tx.SelectContext(ctx, &rows, `
		WITH named AS (
			SELECT DISTINCT w.link_id, w.identifier_id FROM unnest($2::uuid[], $3::uuid[]) AS w (link_id, identifier_id) WHERE w.link_id = ANY($4)
		), hit AS (
			SELECT n.link_id, n.identifier_id, r.id FROM named n JOIN rotations r ON r.tenant_id = $1 AND r.old_phone = n.identifier_id
			UNION SELECT n.link_id, n.identifier_id, r.id FROM named n JOIN rotations r ON r.tenant_id = $1 AND r.old_bsuid = n.identifier_id
			UNION SELECT n.link_id, n.identifier_id, r.id FROM named n JOIN rotations r ON r.tenant_id = $1 AND r.new_phone = n.identifier_id
			UNION SELECT n.link_id, n.identifier_id, r.id FROM named n JOIN rotations r ON r.tenant_id = $1 AND r.new_bsuid = n.identifier_id
		), best AS (
			SELECT DISTINCT ON (link_id) link_id, id FROM hit GROUP BY link_id, id ORDER BY link_id, count(*) DESC, id
		)
		SELECT b.link_id, coalesce(op.value, '') AS old_phone, coalesce(ob.value, '') AS old_bsuid,
		       coalesce(np.value, '') AS new_phone, coalesce(nb.value, '') AS new_bsuid
		FROM best b
		JOIN rotations r ON r.tenant_id = $1 AND r.id = b.id
		LEFT JOIN identifiers op ON op.tenant_id = $1 AND op.id = r.old_phone
		LEFT JOIN identifiers ob ON ob.tenant_id = $1 AND ob.id = r.old_bsuid
		LEFT JOIN identifiers np ON np.tenant_id = $1 AND np.id = r.new_phone
		LEFT JOIN identifiers nb ON nb.tenant_id = $1 AND nb.id = r.new_bsuid`, tx.Tenant, pq.Array(of), pq.Array(named), pq.Array(turned))
	if err != nil {
		return fmt.Errorf("read what replaced what: %w", err)
	}
	for _, r := range rows {
		j := joined[r.Link]
		// What stays the same through a change, the WhatsApp ID of a new phone, is on both sides.
		was, now := handles(r.OldPhone, r.OldBSUID), handles(r.NewPhone, r.NewBSUID)
		j.Old = slices.DeleteFunc(slices.Clone(was), func(h Handle) bool { return slices.Contains(now, h) })
		j.New = slices.DeleteFunc(slices.Clone(now), func(h Handle) bool { return slices.Contains(was, h) })
		if len(j.Old) == 0 || len(j.New) == 0 {
			j.Old, j.New = nil, nil
		}
		joined[r.Link] = j
	}

	return nil
}
