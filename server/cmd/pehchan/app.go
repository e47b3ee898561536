package main

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/numbers"
)

type appAddCmd struct {
	Name      string `required:"" help:"Slug: 2 to 40 of a-z, 0-9 and -."`
	MetaAppID string `required:"" name:"meta-app-id" help:"The app's id at Meta."`
	Tenant    string `help:"Slug of the business whose own app it is; without it, every business may use the app."`
}

// Run adds the platform's app, or one business's own.
func (c appAddCmd) Run(ctx context.Context, out *console) (err error) {
	var secret struct {
		AppSecret   string `json:"app_secret"`
		VerifyToken string `json:"verify_token"`
	}
	if err := out.object(&secret); err != nil {
		return err
	}

	in, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()

	enter := in.db.System
	if c.Tenant != "" {
		tenant, err := in.tenant(ctx, c.Tenant)
		if err != nil {
			return err
		}
		enter = in.as(tenant)
	}
	input := numbers.AppInput{Name: c.Name, MetaAppID: c.MetaAppID, AppSecret: secret.AppSecret, VerifyToken: secret.VerifyToken}
	err = enter(ctx, func(tx *tenants.Tx) error {
		_, err := numbers.AddApp(ctx, tx, in.keys, command.Actor, input)
		return err
	})
	if err != nil {
		return err
	}
	path := numbers.HookPath(c.Name)

	return out.answer(map[string]any{"app": c.Name, "webhook_path": path}, "app %s added; its webhooks go to %s", c.Name, path)
}

func (in *installation) as(tenant uuid.UUID) func(context.Context, func(*tenants.Tx) error) error {
	return func(ctx context.Context, fn func(*tenants.Tx) error) error { return in.db.As(ctx, tenant, fn) }
}
