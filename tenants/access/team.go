package access

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// MayManage tells whether by may give, change or take away role: an owner every role, a lead only that of agents.
func MayManage(by Member, role string) bool {
	return by.Can("team:manage_all") || role == Agent && by.Can("team:manage")
}

// AddMember gives somebody a role in tenant, making their account where the e-mail has none, and returns their id. Somebody who
// is in the team already is Conflict "already_member", a team as large as its limit "too_many_people"; a role that by may not give is ErrForbidden.
func AddMember(ctx context.Context, db *tenants.DB, tenant uuid.UUID, by Member, in NewPerson, role string) (uuid.UUID, error) {
	if !IsRole(role) {
		return uuid.Nil, &tenants.Invalid{Field: "role", Key: "role"}
	}
	if !MayManage(by, role) {
		return uuid.Nil, fmt.Errorf("add a %s: %w", role, tenants.ErrForbidden)
	}
	p, err := prepare(ctx, db, by, in)
	if err != nil {
		return uuid.Nil, err
	}

	var id uuid.UUID
	err = db.System(ctx, func(tx *tenants.Tx) error {
		if id, _, err = addPerson(ctx, tx, p); err != nil {
			return err
		}
		if tx, err = tx.Enter(ctx, tenant); err != nil {
			return err
		}

		return addMembership(ctx, tx, by, id, role)
	})

	return id, err
}

// addMembership gives a person a role in tx's tenant, whose team must not be as large as its limit yet: Conflict "too_many_people".
func addMembership(ctx context.Context, tx *tenants.Tx, by Member, person uuid.UUID, role string) error {
	// Two who join at once must not both take the last place.
	if _, err := tx.ExecContext(ctx, `SELECT 1 FROM tenants WHERE id = $1 FOR NO KEY UPDATE`, tx.Tenant); err != nil {
		return fmt.Errorf("lock team: %w", err)
	}
	var seen struct {
		Member bool `db:"member"`
		Full   bool `db:"full"`
	}
	if err := tx.GetContext(ctx, &seen, `
		SELECT EXISTS (SELECT 1 FROM memberships WHERE tenant_id = t.id AND person_id = $2) AS member,
		       (SELECT count(*) FROM memberships WHERE tenant_id = t.id) >= t.most_people AS full
		FROM tenants t WHERE t.id = $1`, tx.Tenant, person); err != nil {
		return fmt.Errorf("look at team: %w", err)
	}
	switch {
	case seen.Member:
		return &tenants.Conflict{Code: "already_member"}
	case seen.Full:
		return &tenants.Conflict{Code: "too_many_people"}
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO memberships (tenant_id, person_id, role) VALUES ($1, $2, $3)`, tx.Tenant, person, role); err != nil {
		return fmt.Errorf("add membership: %w", err)
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: by.Actor, Action: "member.add", ObjectKind: "person", ObjectID: person.String(), Detail: map[string]any{"role": role},
	})
}

// ChangeRole gives somebody of the team another role, which counts from their next request, and returns them as they are then. The last
// owner keeps theirs: Conflict "last_owner".
func ChangeRole(ctx context.Context, tx *tenants.Tx, by Member, person uuid.UUID, role string) (Colleague, error) {
	if !IsRole(role) {
		return Colleague{}, &tenants.Invalid{Field: "role", Key: "role"}
	}
	who, err := managed(ctx, tx, by, person, role)
	if err != nil || who.Role == role {
		return who, err
	}

	_, err = tx.ExecContext(ctx, `UPDATE memberships SET role = $3 WHERE tenant_id = $1 AND person_id = $2`, tx.Tenant, person, role)
	if err != nil {
		return Colleague{}, fmt.Errorf("change role: %w", err)
	}
	if err := withdrawAll(ctx, tx, person); err != nil {
		return Colleague{}, err
	}
	before := who.Role
	who.Role = role

	return who, tenants.Audit(ctx, tx, tenants.Act{
		Actor: by.Actor, Action: "member.change_role", ObjectKind: "person", ObjectID: person.String(),
		Detail: map[string]any{"before": before, "after": role},
	})
}

// RemoveMember takes somebody out of the team, and returns who it was; their sessions in the tenant end with it. The last owner cannot
// go: Conflict "last_owner".
func RemoveMember(ctx context.Context, tx *tenants.Tx, by Member, person uuid.UUID) (Colleague, error) {
	who, err := managed(ctx, tx, by, person, "")
	if err != nil {
		return Colleague{}, err
	}

	_, err = tx.ExecContext(ctx, `DELETE FROM memberships WHERE tenant_id = $1 AND person_id = $2`, tx.Tenant, person)
	if err != nil {
		return Colleague{}, fmt.Errorf("remove membership: %w", err)
	}
	if err := withdrawAll(ctx, tx, person); err != nil {
		return Colleague{}, err
	}

	return who, tenants.Audit(ctx, tx, tenants.Act{
		Actor: by.Actor, Action: "member.remove", ObjectKind: "person", ObjectID: person.String(), Detail: map[string]any{"role": who.Role},
	})
}

// managed locks the person's membership and the owners', and returns the person, provided by may change their role to the role
// after ("" to remove) and an owner is left.
func managed(ctx context.Context, tx *tenants.Tx, by Member, person uuid.UUID, after string) (Colleague, error) {
	var locked []Colleague
	err := tx.SelectContext(ctx, &locked, `
		SELECT p.id, p.email, p.name, m.role, m.created_at AS since
		FROM memberships m JOIN people p ON p.id = m.person_id
		WHERE m.tenant_id = $1 AND (m.person_id = $2 OR m.role = 'owner')
		ORDER BY m.person_id FOR UPDATE OF m`, tx.Tenant, person)
	if err != nil {
		return Colleague{}, fmt.Errorf("lock memberships: %w", err)
	}

	var who Colleague
	owners := 0
	for _, m := range locked {
		if m.Role == Owner {
			owners++
		}
		if m.ID == person {
			who = m
		}
	}

	switch {
	case who.Role == "":
		return Colleague{}, tenants.ErrNotFound
	case !MayManage(by, who.Role) || after != "" && !MayManage(by, after):
		return Colleague{}, fmt.Errorf("change a %s: %w", who.Role, tenants.ErrForbidden)
	case who.Role == Owner && after != Owner && owners == 1:
		return Colleague{}, &tenants.Conflict{Code: "last_owner"}
	}

	return who, nil
}
