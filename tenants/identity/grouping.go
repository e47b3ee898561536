package identity

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// rootOf follows tombstones from a contact to the one that stands for it now. nil stays nil.
func rootOf(ctx context.Context, tx *tenants.Tx, contact *uuid.UUID) (*uuid.UUID, error) {
	if contact == nil {
		return nil, nil
	}

	var root uuid.UUID
	err := tx.GetContext(ctx, &root, `
		WITH RECURSIVE up AS (
			SELECT id, merged_into FROM contacts WHERE tenant_id = $1 AND id = $2
			UNION ALL
			SELECT c.id, c.merged_into FROM up JOIN contacts c ON c.tenant_id = $1 AND c.id = up.merged_into
		)
		SELECT id FROM up WHERE merged_into IS NULL`, tx.Tenant, *contact)
	if err != nil {
		return nil, fmt.Errorf("follow contact: %w", err)
	}

	return &root, nil
}

// Which identities make up a contact is, like everything attested, a function of what stands: each identity brings the
// contact it came into the book as (its home), an absorbed one lends its home to the identity that absorbed it, and a merge
// that has not been undone joins two groups. So merges, undos and later proof may come in any order, and every one of them
// can be taken out again without the others noticing.

// member is an identity as grouping sees it.
type member struct {
	ID      uuid.UUID  `db:"id"`
	Home    *uuid.UUID `db:"home_contact"`
	Contact *uuid.UUID `db:"contact_id"`
	Into    *uuid.UUID `db:"absorbed_into"`
}

// stands for the live identity a member is or was absorbed into.
func (m member) stands() uuid.UUID {
	if m.Into != nil {
		return *m.Into
	}

	return m.ID
}

// bond is a standing decision that two identities are one person, and the survivor chosen with it; apart: that they are not.
type bond struct {
	A    uuid.UUID  `db:"a"`
	B    uuid.UUID  `db:"b"`
	Keep *uuid.UUID `db:"keep_contact"`
	At   time.Time  `db:"decided_at"`

	Apart bool `db:"apart"`
}

// pair names the two, whichever of them the decision names first.
func (b bond) pair() [2]uuid.UUID {
	if bytes.Compare(b.A[:], b.B[:]) > 0 {
		return [2]uuid.UUID{b.B, b.A}
	}

	return [2]uuid.UUID{b.A, b.B}
}

// regroup brings the contacts of the given identities, and of all they are or were together with, to what now stands. It
// returns the contacts that it changed.
func regroup(ctx context.Context, tx *tenants.Tx, start []uuid.UUID) ([]uuid.UUID, error) {
	members, bonds, err := loadGroups(ctx, tx, start)
	if err != nil {
		return nil, err
	}

	parent := map[uuid.UUID]uuid.UUID{}
	var find func(id uuid.UUID) uuid.UUID
	find = func(id uuid.UUID) uuid.UUID {
		if p, ok := parent[id]; ok && p != id {
			parent[id] = find(p)
			return parent[id]
		}
		return id
	}
	for _, b := range bonds {
		parent[find(b.A)] = find(b.B)
	}

	homes := map[uuid.UUID][]uuid.UUID{}
	for _, m := range members {
		if m.Home != nil && !slices.Contains(homes[find(m.stands())], *m.Home) {
			homes[find(m.stands())] = append(homes[find(m.stands())], *m.Home)
		}
	}

	survivor, into := map[uuid.UUID]uuid.UUID{}, map[uuid.UUID]*uuid.UUID{}
	for group, list := range homes {
		s := chooseSurvivor(list, bonds, func(b bond) bool { return find(b.A) == group })
		survivor[group] = s
		for _, h := range list {
			into[h] = nil
			if h != s {
				into[h] = &s
			}
		}
	}

	var ids, alone []uuid.UUID
	var contacts []*uuid.UUID
	for _, m := range members {
		if m.Into != nil {
			continue
		}
		var want *uuid.UUID
		if s, ok := survivor[find(m.ID)]; ok {
			want = &s
		}
		if (want == nil) != (m.Contact == nil) || want != nil && *want != *m.Contact {
			ids, contacts = append(ids, m.ID), append(contacts, want)
			if want == nil {
				alone = append(alone, m.ID)
			}
		}
	}
	changed, err := writeGroups(ctx, tx, ids, contacts, into)
	if err != nil {
		return nil, err
	}
	own, err := ownContacts(ctx, tx, alone)

	return append(changed, own...), err
}

// chooseSurvivor: the one the last standing merge chose, else the oldest, the one people have had longest to write on.
func chooseSurvivor(homes []uuid.UUID, bonds []bond, inGroup func(bond) bool) uuid.UUID {
	var last *bond
	for i, b := range bonds {
		if b.Keep != nil && slices.Contains(homes, *b.Keep) && inGroup(b) && (last == nil || b.At.After(last.At)) {
			last = &bonds[i]
		}
	}
	if last != nil {
		return *last.Keep
	}

	return slices.MinFunc(homes, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
}

// ownContacts brings those into the book, among accounts that have nobody's contact, who have written: a rule linked them before they
// had, so that they have none to go back to.
func ownContacts(ctx context.Context, tx *tenants.Tx, accounts []uuid.UUID) ([]uuid.UUID, error) {
	if len(accounts) == 0 {
		return nil, nil
	}
	var wrote []uuid.UUID
	if err := tx.SelectContext(ctx, &wrote, `
		SELECT w.id FROM unnest($2::uuid[]) AS w (id)
		WHERE EXISTS (SELECT 1 FROM tenures t JOIN messages m ON m.tenant_id = $1 AND m.tenure_id = t.id AND m.direction = 'in'
		              WHERE t.tenant_id = $1 AND t.identity_id = w.id)
		ORDER BY w.id`, tx.Tenant, pq.Array(accounts)); err != nil {
		return nil, fmt.Errorf("find who wrote: %w", err)
	}
	if len(wrote) == 0 {
		return nil, nil
	}

	own := make([]uuid.UUID, len(wrote))
	for i := range own {
		own[i] = newID()
	}
	if err := addContacts(ctx, tx, wrote, own); err != nil {
		return nil, err
	}

	return own, listContacts(ctx, tx, wrote)
}

// loadGroups reads everything that could be grouped with the given identities: through a shared contact, an absorption or a
// standing merge.
func loadGroups(ctx context.Context, tx *tenants.Tx, start []uuid.UUID) (map[uuid.UUID]member, []bond, error) {
	members, bonds := map[uuid.UUID]member{}, map[[2]uuid.UUID]bond{}
	expanded := map[uuid.UUID]bool{}
	for frontier := start; len(frontier) > 0; {
		for _, id := range frontier {
			expanded[id] = true
		}
		var rows []member
		err := tx.SelectContext(ctx, &rows, `
			WITH near AS (
				SELECT id, home_contact, contact_id, absorbed_into FROM identities WHERE tenant_id = $1 AND (id = ANY($2) OR absorbed_into = ANY($2))
			), books AS (
				SELECT home_contact AS id FROM near WHERE home_contact IS NOT NULL UNION SELECT contact_id FROM near WHERE contact_id IS NOT NULL
			)
			SELECT id, home_contact, contact_id, absorbed_into FROM near
			UNION -- each half by its own index: with OR between them every account of the tenant is read
			SELECT i.id, i.home_contact, i.contact_id, i.absorbed_into FROM books b JOIN identities i ON i.tenant_id = $1 AND i.home_contact = b.id
			UNION
			SELECT i.id, i.home_contact, i.contact_id, i.absorbed_into FROM books b JOIN identities i ON i.tenant_id = $1 AND i.contact_id = b.id`,
			tx.Tenant, pq.Array(frontier))
		if err != nil {
			return nil, nil, fmt.Errorf("read who is grouped: %w", err)
		}
		var tied []bond
		err = tx.SelectContext(ctx, &tied, `
			SELECT holder($1, d.a_id, coalesce(d.a_at, d.known_until)) AS a, holder($1, d.b_id, coalesce(d.b_at, d.known_until)) AS b,
			       l.keep_contact, d.decided_at, d.kind = 'cannot_link' AS apart
			FROM (SELECT x.id FROM tenures t JOIN decisions x ON x.tenant_id = $1 AND x.revoked_at IS NULL AND x.a_id = t.identifier_id
			      WHERE t.tenant_id = $1 AND t.identity_id = ANY($2)
			      UNION
			      SELECT x.id FROM tenures t JOIN decisions x ON x.tenant_id = $1 AND x.revoked_at IS NULL AND x.b_id = t.identifier_id
			      WHERE t.tenant_id = $1 AND t.identity_id = ANY($2)) near
			JOIN decisions d ON d.tenant_id = $1 AND d.id = near.id AND d.kind IN ('must_link', 'cannot_link')
			LEFT JOIN links l ON l.tenant_id = $1 AND l.id = d.link_id
			ORDER BY d.decided_at, d.id`, tx.Tenant, pq.Array(frontier))
		if err != nil {
			return nil, nil, fmt.Errorf("read standing merges: %w", err)
		}

		frontier = frontier[:0:0]
		reach := func(id uuid.UUID) {
			if !expanded[id] && !slices.Contains(frontier, id) {
				frontier = append(frontier, id)
			}
		}
		for _, m := range rows {
			members[m.ID] = m
			reach(m.ID)
			reach(m.stands())
		}
		for _, b := range tied { // of several about the two the last counts
			if b.Apart {
				delete(bonds, b.pair())
				continue
			}
			bonds[b.pair()] = b
			reach(b.A)
			reach(b.B)
		}
	}

	list := make([]bond, 0, len(bonds))
	for _, b := range bonds {
		list = append(list, b)
	}

	return members, list, nil
}

// askAnew derives again the accounts of contacts that hold none of the known identifiers: what people are asked about them hangs on
// which of them are one person's.
func (b *Batch) askAnew(ctx context.Context, contacts, known []uuid.UUID) error {
	if len(contacts) == 0 {
		return nil
	}
	var ids []uuid.UUID
	if err := b.tx.SelectContext(ctx, &ids, `
		SELECT DISTINCT t.identifier_id FROM identities i JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
		WHERE i.tenant_id = $1 AND i.contact_id = ANY($2) AND t.identifier_id <> ALL($3)`, b.tx.Tenant, pq.Array(contacts), pq.Array(known)); err != nil {
		return fmt.Errorf("read other accounts of contacts: %w", err)
	}
	if len(ids) == 0 {
		return nil
	}

	return b.rederive(ctx, ids)
}

// writeGroups stores a grouping and returns the contacts it changed. No message moves, however many there are.
func writeGroups(ctx context.Context, tx *tenants.Tx, ids []uuid.UUID, contacts []*uuid.UUID, into map[uuid.UUID]*uuid.UUID) ([]uuid.UUID, error) {
	var changed []uuid.UUID
	if len(ids) > 0 {
		err := tx.SelectContext(ctx, &changed, `
			WITH old AS (
				SELECT i.id, i.contact_id FROM identities i WHERE i.tenant_id = $1 AND i.id = ANY($2)
			), moved AS (
				UPDATE identities i SET contact_id = w.contact_id
				FROM unnest($2::uuid[], $3::uuid[]) AS w (id, contact_id)
				WHERE i.tenant_id = $1 AND i.id = w.id RETURNING i.contact_id
			)
			SELECT contact_id FROM old WHERE contact_id IS NOT NULL UNION SELECT contact_id FROM moved WHERE contact_id IS NOT NULL`,
			tx.Tenant, pq.Array(ids), pq.Array(contacts))
		if err != nil {
			return nil, fmt.Errorf("group identities: %w", err)
		}
		if err := bringConflicts(ctx, tx, ids); err != nil {
			return nil, err
		}
	}

	var homes []uuid.UUID
	var targets []*uuid.UUID
	for h, t := range into {
		homes, targets = append(homes, h), append(targets, t)
	}
	if len(homes) > 0 {
		var turned []uuid.UUID
		err := tx.SelectContext(ctx, &turned, `
			UPDATE contacts c SET merged_into = w.merged_into
			FROM unnest($2::uuid[], $3::uuid[]) AS w (id, merged_into)
			WHERE c.tenant_id = $1 AND c.id = w.id AND c.merged_into IS DISTINCT FROM w.merged_into RETURNING c.id`,
			tx.Tenant, pq.Array(homes), pq.Array(targets))
		if err != nil {
			return nil, fmt.Errorf("turn tombstones: %w", err)
		}
		changed = append(changed, turned...)
	}
	if len(changed) > 0 {
		if _, err := tx.ExecContext(ctx, `
			UPDATE contacts SET version = version + 1, updated_at = now() WHERE tenant_id = $1 AND id = ANY($2)`, tx.Tenant, pq.Array(changed)); err != nil {
			return nil, fmt.Errorf("move contacts on: %w", err)
		}
	}

	return changed, nil
}
