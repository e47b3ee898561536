package main

import (
	"context"
	"errors"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/privacy"
)

type tenantAddCmd struct {
	Slug       string `required:"" help:"2 to 40 of a-z, 0-9 and -."`
	Name       string `required:"" help:"The business's name."`
	OwnerEmail string `required:"" name:"owner-email" help:"E-mail address of its owner."`
}

// Run sets up a business with its owner.
func (c tenantAddCmd) Run(ctx context.Context, out *console) (err error) {
	password, err := out.password()
	if err != nil {
		return err
	}

	in, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()

	tenant, err := access.AddTenant(ctx, in.db, command, access.NewTenant{
		Slug: c.Slug, Name: c.Name, Owner: access.NewPerson{Email: c.OwnerEmail, Password: password},
	})
	if err != nil {
		return err
	}
	err = in.db.As(ctx, tenant.ID, func(tx *tenants.Tx) error { return privacy.Begin(ctx, tx, command.Actor) })
	if err != nil {
		return err
	}

	return out.answer(map[string]any{"tenant_id": tenant.ID, "slug": tenant.Slug}, "tenant %s added, owner %s", tenant.Slug, c.OwnerEmail)
}
