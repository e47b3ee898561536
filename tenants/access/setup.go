package access

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// NewBusiness is a business to be set up, whose first owner is asked by mail.
type NewBusiness struct {
	Slug  string // 2–40 of a–z, 0–9 and -
	Name  string
	Lang  string // en or hi
	Owner string // e-mail address
}

// SetUp sets up a business for an operator, in a System transaction, and invites its owner. It returns the token of their link for the
// mail that tells them, and the transaction as the business's. A slug in use is Conflict "slug_taken".
func SetUp(ctx context.Context, tx *tenants.Tx, by Member, b NewBusiness) (t tenants.Tenant, in Invitation, token string, inside *tenants.Tx, err error) {
	if !by.Can("op:write") {
		return t, in, "", nil, fmt.Errorf("set up business: %w", tenants.ErrForbidden)
	}
	name, err := checkName(b.Name)
	if err != nil {
		return t, in, "", nil, err
	}
	if b.Lang != "en" && b.Lang != "hi" {
		return t, in, "", nil, &tenants.Invalid{Field: "lang", Key: "choice"}
	}
	id, err := uuid.NewV7()
	if err != nil {
		return t, in, "", nil, fmt.Errorf("make tenant id: %w", err)
	}
	err = tx.GetContext(ctx, &t, `INSERT INTO tenants (id, slug, name, lang) VALUES ($1, $2, $3, $4) RETURNING `+tenantColumns, id, b.Slug, name, b.Lang)
	switch {
	case tenants.Violates(err, "tenants_slug_key"):
		return t, in, "", nil, &tenants.Conflict{Code: "slug_taken"}
	case tenants.Violates(err, "tenants_slug_shape"):
		return t, in, "", nil, &tenants.Invalid{Field: "slug", Key: "slug"}
	case err != nil:
		return t, in, "", nil, fmt.Errorf("add tenant: %w", err)
	}
	if err := tenants.Audit(ctx, tx, tenants.Act{Actor: by.Actor, Action: "tenant.add", ObjectKind: "tenant", ObjectID: id.String()}); err != nil {
		return t, in, "", nil, err
	}
	if inside, err = tx.Enter(ctx, id); err != nil {
		return t, in, "", nil, err
	}
	in, token, err = Invite(ctx, inside, Member{Person: by.Person, Role: Owner, Actor: by.Actor}, b.Owner, Owner)

	return t, in, token, inside, err
}

// PutState is SetState for an operator's page: in a System transaction, and in the platform's audit too.
func PutState(ctx context.Context, tx *tenants.Tx, by Member, tenant uuid.UUID, was, state, reason string) error {
	var known bool
	if err := tx.GetContext(ctx, &known, `SELECT EXISTS (SELECT 1 FROM tenants WHERE id = $1)`, tenant); err != nil {
		return fmt.Errorf("look for business: %w", err)
	}
	if !known {
		return tenants.ErrNotFound
	}
	act := tenants.Act{
		Actor: by.Actor, Action: "tenant.state", ObjectKind: "tenant", ObjectID: tenant.String(), Detail: map[string]any{"before": was, "after": state},
	}
	if err := tenants.Audit(ctx, tx, act); err != nil {
		return err
	}
	tx, err := tx.Enter(ctx, tenant)
	if err != nil {
		return err
	}

	return SetState(ctx, tx, by, was, state, reason)
}
