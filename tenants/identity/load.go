package identity

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// loaded is the evidence of the components that some identifiers belong to, and what the database now says of them.
type loaded struct {
	graph
	refs       map[uuid.UUID]ref
	tenures    map[uuid.UUID][]tenure // by identifier
	identities map[uuid.UUID]*identityRow
}

type identityRow struct {
	ID           uuid.UUID  `db:"id"`
	Scope        string     `db:"scope"`
	AnchorID     uuid.UUID  `db:"anchor_id"`
	ContactID    *uuid.UUID `db:"contact_id"`
	AbsorbedInto *uuid.UUID `db:"absorbed_into"`
	CreatedAt    time.Time  `db:"created_at"`
}

type rotationRow struct {
	Wamid     string     `db:"wamid"`
	Digest    string     `db:"digest"`
	At        int64      `db:"at"`
	OldPhone  *uuid.UUID `db:"old_phone"`
	OldBSUID  *uuid.UUID `db:"old_bsuid"`
	OldParent *uuid.UUID `db:"old_parent"`
	NewPhone  *uuid.UUID `db:"new_phone"`
	NewBSUID  *uuid.UUID `db:"new_bsuid"`
	NewParent *uuid.UUID `db:"new_parent"`
}

// load reads the whole component of each of the identifiers.
func load(ctx context.Context, tx *tenants.Tx, start []uuid.UUID) (*loaded, error) {
	l := &loaded{refs: map[uuid.UUID]ref{}}
	l.sightings, l.heard = map[ref][]int64{}, map[ref][]int64{}

	pairs := map[pair][]pairing{}
	turns := map[string]rotationRow{}
	seen, past := map[uuid.UUID]bool{}, map[pair]pairing{}
	for frontier := start; len(frontier) > 0; {
		for _, id := range frontier {
			seen[id] = true
		}
		next, err := l.grow(ctx, tx, frontier, pairs, turns)
		if err != nil {
			return nil, err
		}
		more, err := growPast(ctx, tx, frontier, past)
		if err != nil {
			return nil, err
		}
		next = append(next, more...)
		frontier = frontier[:0:0]
		for _, id := range next {
			if !seen[id] {
				seen[id] = true
				frontier = append(frontier, id)
			}
		}
	}

	all := keys(seen)
	if err := l.loadNodes(ctx, tx, all); err != nil {
		return nil, err
	}
	for p, runs := range pairs {
		for _, r := range runs {
			r.bsuid, r.other = l.refs[p.bsuid], l.refs[p.other]
			l.nodes[r.bsuid].seen(r.first, r.last)
			l.nodes[r.other].seen(r.first, r.last)
			l.pairings = append(l.pairings, r)
		}
	}
	for p, r := range past {
		r.bsuid, r.other = l.refs[p.bsuid], l.refs[p.other]
		l.past = append(l.past, r)
	}
	for _, r := range turns {
		l.rotations = append(l.rotations, rotation{
			at: r.At, said: r.Wamid + " " + r.Digest,
			oldPhone: l.ref(r.OldPhone), oldBSUID: l.ref(r.OldBSUID), oldParent: l.ref(r.OldParent),
			newPhone: l.ref(r.NewPhone), newBSUID: l.ref(r.NewBSUID), newParent: l.ref(r.NewParent),
		})
	}

	if err := l.loadSightings(ctx, tx, all); err != nil {
		return nil, err
	}
	if err := l.loadVerdicts(ctx, tx, all); err != nil {
		return nil, err
	}
	if err := l.loadCalled(ctx, tx, all); err != nil {
		return nil, err
	}
	if err := l.loadElsewhere(ctx, tx, all); err != nil {
		return nil, err
	}

	return l, l.loadIdentities(ctx, tx, all)
}

func (l *loaded) ref(id *uuid.UUID) ref {
	if id == nil {
		return none
	}

	return l.refs[*id]
}

// grow reads the evidence that touches the frontier and returns every identifier it names.
func (l *loaded) grow(ctx context.Context, tx *tenants.Tx, frontier []uuid.UUID, pairs map[pair][]pairing, turns map[string]rotationRow) ([]uuid.UUID, error) {
	var runs []struct {
		BSUID uuid.UUID `db:"bsuid_id"`
		Other uuid.UUID `db:"other_id"`
		First int64     `db:"first_at"`
		Last  int64     `db:"last_at"`
	}
	err := tx.SelectContext(ctx, &runs, `
		SELECT bsuid_id, other_id, extract(epoch FROM first_at)::bigint AS first_at, extract(epoch FROM last_at)::bigint AS last_at
		FROM pairings WHERE tenant_id = $1 AND bsuid_id = ANY($2)
		UNION
		SELECT bsuid_id, other_id, extract(epoch FROM first_at)::bigint, extract(epoch FROM last_at)::bigint
		FROM pairings WHERE tenant_id = $1 AND other_id = ANY($2)`, tx.Tenant, pq.Array(frontier))
	if err != nil {
		return nil, fmt.Errorf("read pairings: %w", err)
	}

	var next []uuid.UUID
	fresh := map[pair][]pairing{}
	for _, r := range runs {
		p := pair{r.BSUID, r.Other}
		fresh[p] = append(fresh[p], pairing{first: r.First, last: r.Last})
		next = append(next, r.BSUID, r.Other)
	}
	for p, r := range fresh {
		pairs[p] = r
	}

	var rows []rotationRow
	err = tx.SelectContext(ctx, &rows, `
		SELECT wamid, digest, extract(epoch FROM at)::bigint AS at, old_phone, old_bsuid, old_parent, new_phone, new_bsuid, new_parent
		FROM rotations
		WHERE tenant_id = $1 AND (old_phone = ANY($2) OR old_bsuid = ANY($2) OR old_parent = ANY($2)
		   OR new_phone = ANY($2) OR new_bsuid = ANY($2) OR new_parent = ANY($2))`,
		tx.Tenant, pq.Array(frontier))
	if err != nil {
		return nil, fmt.Errorf("read rotations: %w", err)
	}
	for _, r := range rows {
		turns[r.Wamid+" "+r.Digest] = r
		for _, id := range []*uuid.UUID{r.OldPhone, r.OldBSUID, r.OldParent, r.NewPhone, r.NewBSUID, r.NewParent} {
			if id != nil {
				next = append(next, *id)
			}
		}
	}

	return next, nil
}

func (l *loaded) loadNodes(ctx context.Context, tx *tenants.Tx, ids []uuid.UUID) error {
	var rows []identifierRow
	err := tx.SelectContext(ctx, &rows, `
		SELECT id, scope, kind, value, claimed_at,
		       CASE WHEN last_seen < first_seen THEN coalesce(claimed_at, first_seen) ELSE first_seen END AS first_seen,
		       CASE WHEN last_seen < first_seen THEN coalesce(claimed_at, first_seen) ELSE last_seen END AS last_seen
		FROM identifiers WHERE tenant_id = $1 AND id = ANY($2)`, tx.Tenant, pq.Array(ids))
	if err != nil {
		return fmt.Errorf("read identifiers: %w", err)
	}
	for i, r := range rows {
		l.refs[r.ID] = ref(i)
		l.nodes = append(l.nodes, node{id: r.ID, kind: r.Kind, value: r.Value, scope: r.Scope, first: r.FirstSeen.Unix(), last: r.LastSeen.Unix(), claimed: r.ClaimedAt})
	}

	return nil
}

func (l *loaded) loadSightings(ctx context.Context, tx *tenants.Tx, ids []uuid.UUID) error {
	var rows []struct {
		ID    uuid.UUID     `db:"identifier_id"`
		At    pq.Int64Array `db:"at"`
		Heard pq.Int64Array `db:"heard"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT identifier_id, array_agg(extract(epoch FROM at)::bigint) AS at, array_agg(extract(epoch FROM at)::bigint) FILTER (WHERE NOT failed) AS heard
		FROM sightings WHERE tenant_id = $1 AND identifier_id = ANY($2) GROUP BY identifier_id`, tx.Tenant, pq.Array(ids))
	if err != nil {
		return fmt.Errorf("read sightings: %w", err)
	}
	for _, r := range rows {
		of := l.refs[r.ID]
		l.sightings[of], l.heard[of] = r.At, r.Heard
		l.nodes[of].seen(slices.Min(r.At), slices.Max(r.At))
	}

	return nil
}

// loadVerdicts reads the standing decisions inside the components in the order in which they were taken.
func (l *loaded) loadVerdicts(ctx context.Context, tx *tenants.Tx, ids []uuid.UUID) error {
	var rows []struct {
		ID    uuid.UUID `db:"id"`
		Kind  string    `db:"kind"`
		A     uuid.UUID `db:"a_id"`
		B     uuid.UUID `db:"b_id"`
		Known int64     `db:"known_until"`
		AAt   *int64    `db:"a_at"`
		BAt   *int64    `db:"b_at"`
		APast bool      `db:"a_past"`
		BPast bool      `db:"b_past"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT id, kind, a_id, b_id, extract(epoch FROM known_until)::bigint AS known_until,
		       extract(epoch FROM a_at)::bigint AS a_at, extract(epoch FROM b_at)::bigint AS b_at, a_past, b_past
		FROM decisions
		WHERE tenant_id = $1 AND revoked_at IS NULL AND kind IN ('must_link', 'cannot_link') AND a_id = ANY($2) AND b_id = ANY($2)
		ORDER BY decided_at, id`, tx.Tenant, pq.Array(ids))
	if err != nil {
		return fmt.Errorf("read decisions: %w", err)
	}
	for _, r := range rows {
		held := func(at *int64, past bool) when {
			if at == nil {
				return when{at: anytime}
			}
			return when{at: *at, past: past}
		}
		l.verdicts = append(l.verdicts, verdict{
			id: r.ID, a: l.refs[r.A], b: l.refs[r.B], aHeld: held(r.AAt, r.APast), bHeld: held(r.BAt, r.BPast), same: r.Kind == "must_link", known: r.Known,
		})
	}

	return nil
}

func (l *loaded) loadIdentities(ctx context.Context, tx *tenants.Tx, ids []uuid.UUID) error {
	var err error
	if l.tenures, err = tenuresOf(ctx, tx, ids); err != nil {
		return err
	}

	var rows []identityRow
	err = tx.SelectContext(ctx, &rows, `
		SELECT id, scope, anchor_id, contact_id, absorbed_into, created_at
		FROM identities WHERE tenant_id = $1 AND anchor_id = ANY($2) ORDER BY id`, tx.Tenant, pq.Array(ids))
	if err != nil {
		return fmt.Errorf("read identities: %w", err)
	}
	l.identities = make(map[uuid.UUID]*identityRow, len(rows))
	for i := range rows {
		l.identities[rows[i].ID] = &rows[i]
	}

	return nil
}
