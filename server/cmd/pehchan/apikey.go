package main

import (
	"context"
	"errors"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
)

type apikeyAddCmd struct {
	Tenant string   `required:"" help:"Slug of the business."`
	Scopes []string `required:"" enum:"read,write" help:"read, write, or read,write."`
	Name   string   `default:"command line" help:"What the key is for."`
}

// Run makes an API key and prints it, this once.
func (c apikeyAddCmd) Run(ctx context.Context, out *console) (err error) {
	in, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()

	tenant, err := in.tenant(ctx, c.Tenant)
	if err != nil {
		return err
	}
	var secret string
	err = in.db.As(ctx, tenant, func(tx *tenants.Tx) (err error) {
		_, secret, err = access.CreateKey(ctx, tx, command, c.Name, c.Scopes)
		return err
	})
	if err != nil {
		return err
	}

	return out.answer(map[string]any{"key": secret}, "%s", secret)
}
