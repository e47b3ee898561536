package access

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// NewPerson is somebody to be given an account. Where the e-mail already has one, Name and Password are ignored.
type NewPerson struct {
	Email    string
	Name     string // the name part of the e-mail where empty
	Password string
}

// prepared is a NewPerson whose input is checked and whose password is hashed, so that no transaction waits for it.
type prepared struct {
	email, key, name, hash string
}

// prepare checks in and hashes its password. A command may leave out the password of somebody who exists; for everybody else a
// password is checked either way, so that the answer does not tell who has an account.
func prepare(ctx context.Context, db *tenants.DB, by Member, in NewPerson) (prepared, error) {
	var (
		p   prepared
		err error
	)
	if p.email, p.key, err = checkEmail(in.Email); err != nil {
		return prepared{}, err
	}
	if in.Name == "" {
		in.Name, _, _ = strings.Cut(p.email, "@")
	}
	if p.name, err = checkName(in.Name); err != nil {
		return prepared{}, err
	}

	if by.Actor.Kind == "command" {
		known := false
		err := db.System(ctx, func(tx *tenants.Tx) error {
			return tx.GetContext(ctx, &known, `SELECT EXISTS (SELECT 1 FROM people WHERE email_key = $1)`, p.key)
		})
		if err != nil {
			return prepared{}, fmt.Errorf("look for person: %w", err)
		}
		if known {
			return p, nil
		}
	}

	if err := checkPassword(in.Password, p.email, p.name); err != nil {
		return prepared{}, err
	}
	p.hash, err = hashPassword(ctx, in.Password)

	return p, err
}

// addPerson finds the person with the prepared e-mail or makes them. It needs a System transaction.
func addPerson(ctx context.Context, tx *tenants.Tx, p prepared) (id uuid.UUID, created bool, err error) {
	if p.hash != "" {
		id, err = uuid.NewV7()
		if err != nil {
			return uuid.Nil, false, fmt.Errorf("make person id: %w", err)
		}

		result, err := tx.ExecContext(ctx, `
			INSERT INTO people (id, email, email_key, name, password_hash) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT ON CONSTRAINT people_email_key DO NOTHING`, id, p.email, p.key, p.name, p.hash)
		if err != nil {
			return uuid.Nil, false, fmt.Errorf("add person: %w", err)
		}
		if n, err := result.RowsAffected(); err != nil || n == 1 {
			return id, true, err
		}
	}

	if err := tx.GetContext(ctx, &id, `SELECT id FROM people WHERE email_key = $1`, p.key); err != nil {
		return uuid.Nil, false, fmt.Errorf("find person: %w", err)
	}

	return id, false, nil
}

// AddPerson gives somebody an account without any role, and returns their id; an existing account stays as it is.
func AddPerson(ctx context.Context, db *tenants.DB, by Member, in NewPerson) (uuid.UUID, error) {
	return addWithPlatformAudit(ctx, db, by, in, "")
}

// AddOperator makes somebody an operator above tenants, role admin or support, and returns their id.
func AddOperator(ctx context.Context, db *tenants.DB, by Member, in NewPerson, role string) (uuid.UUID, error) {
	if role != "admin" && role != "support" {
		return uuid.Nil, &tenants.Invalid{Field: "role", Key: "role"}
	}

	return addWithPlatformAudit(ctx, db, by, in, role)
}

func addWithPlatformAudit(ctx context.Context, db *tenants.DB, by Member, in NewPerson, operatorRole string) (uuid.UUID, error) {
	p, err := prepare(ctx, db, by, in)
	if err != nil {
		return uuid.Nil, err
	}

	var id uuid.UUID
	err = db.System(ctx, func(tx *tenants.Tx) error {
		var created bool
		if id, created, err = addPerson(ctx, tx, p); err != nil {
			return err
		}

		act := tenants.Act{Actor: by.Actor, Action: "person.add", ObjectKind: "person", ObjectID: id.String(), Detail: map[string]any{"new": created}}
		if operatorRole != "" {
			_, err := tx.ExecContext(ctx, `UPDATE people SET operator_role = $2 WHERE id = $1`, id, operatorRole)
			if err != nil {
				return fmt.Errorf("make operator: %w", err)
			}
			act.Action, act.Detail["role"] = "operator.add", operatorRole
		}

		return tenants.Audit(ctx, tx, act)
	})

	return id, err
}

// NewTenant is a business to be set up with its first owner.
type NewTenant struct {
	Slug  string // 2–40 of a–z, 0–9 and -
	Name  string
	Demo  bool
	Owner NewPerson
}

// AddTenant sets up a business and its owner in one transaction. A slug in use is Conflict "slug_taken".
func AddTenant(ctx context.Context, db *tenants.DB, by Member, in NewTenant) (tenants.Tenant, error) {
	name, err := checkName(in.Name)
	if err != nil {
		return tenants.Tenant{}, err
	}
	owner, err := prepare(ctx, db, by, in.Owner)
	if err != nil {
		return tenants.Tenant{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return tenants.Tenant{}, fmt.Errorf("make tenant id: %w", err)
	}

	var t tenants.Tenant
	err = db.System(ctx, func(tx *tenants.Tx) error {
		err := tx.GetContext(ctx, &t, `
			INSERT INTO tenants (id, slug, name, demo) VALUES ($1, $2, $3, $4)
			RETURNING `+tenantColumns, id, in.Slug, name, in.Demo)
		switch {
		case tenants.Violates(err, "tenants_slug_key"):
			return &tenants.Conflict{Code: "slug_taken"}
		case tenants.Violates(err, "tenants_slug_shape"):
			return &tenants.Invalid{Field: "slug", Key: "slug"}
		case err != nil:
			return fmt.Errorf("add tenant: %w", err)
		}

		person, _, err := addPerson(ctx, tx, owner)
		if err != nil {
			return err
		}
		err = tenants.Audit(ctx, tx, tenants.Act{Actor: by.Actor, Action: "tenant.add", ObjectKind: "tenant", ObjectID: id.String()})
		if err != nil {
			return err
		}
		if tx, err = tx.Enter(ctx, id); err != nil {
			return err
		}

		return addMembership(ctx, tx, by, person, Owner)
	})

	return t, err
}

// TenantBySlug finds a business by its slug, in a System transaction.
func TenantBySlug(ctx context.Context, tx *tenants.Tx, slug string) (tenants.Tenant, error) {
	var t tenants.Tenant
	err := tx.GetContext(ctx, &t, `SELECT `+tenantColumns+` FROM tenants WHERE slug = $1`, slug)
	if errors.Is(err, sql.ErrNoRows) {
		return tenants.Tenant{}, tenants.ErrNotFound
	}
	if err != nil {
		return tenants.Tenant{}, fmt.Errorf("find tenant: %w", err)
	}

	return t, nil
}

const tenantColumns = `id, slug, name, state, lang, timezone, density, demo, created_at, state_reason, state_since, state_by, state_before, erase_after, standing_access, api_per_minute,
	ready_by, quiet_from, quiet_until`
