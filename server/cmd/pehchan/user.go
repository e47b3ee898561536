package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
)

type userAddCmd struct {
	Tenant string `required:"" help:"Slug of the business."`
	Email  string `required:"" help:"Their e-mail address."`
	Role   string `required:"" enum:"owner,lead,agent,marketing,developer,auditor" help:"owner, lead, agent, marketing, developer or auditor."`
}

// Run adds a person to a business.
func (c userAddCmd) Run(ctx context.Context, out *console) (err error) {
	password, err := out.password()
	if err != nil {
		return err
	}

	in, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()

	tenant, err := in.tenant(ctx, c.Tenant)
	if err != nil {
		return err
	}
	id, err := access.AddMember(ctx, in.db, tenant, command, access.NewPerson{Email: c.Email, Password: password}, c.Role)
	if err != nil {
		return err
	}

	return out.answer(map[string]any{"user_id": id}, "%s is now %s at %s", c.Email, c.Role, c.Tenant)
}

type userResetFactorCmd struct {
	Email string `required:"" help:"Their e-mail address."`
}

// Run takes somebody's second factors away, and signs them out everywhere.
func (c userResetFactorCmd) Run(ctx context.Context, out *console) (err error) {
	in, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()

	id, err := access.ResetFactorOf(ctx, in.db, command, c.Email)
	if errors.Is(err, tenants.ErrNotFound) {
		return fmt.Errorf("nobody has the e-mail %s", c.Email)
	}
	if err != nil {
		return err
	}

	return out.answer(map[string]any{"user_id": id}, "%s signs in with the password alone, and is signed out everywhere", c.Email)
}
