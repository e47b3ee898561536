package main

import (
	"context"
	"errors"

	"github.com/pehchan/pehchan/tenants/access"
)

type operatorAddCmd struct {
	Email string `required:"" help:"Their e-mail address."`
	Role  string `required:"" enum:"admin,support" help:"admin or support."`
}

// Run makes somebody an operator of the platform.
func (c operatorAddCmd) Run(ctx context.Context, out *console) (err error) {
	password, err := out.password()
	if err != nil {
		return err
	}

	in, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()

	id, err := access.AddOperator(ctx, in.db, command, access.NewPerson{Email: c.Email, Password: password}, c.Role)
	if err != nil {
		return err
	}

	return out.answer(map[string]any{"user_id": id}, "operator %s added, role %s", c.Email, c.Role)
}
