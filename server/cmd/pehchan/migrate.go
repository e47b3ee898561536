package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/lib/pq"

	"github.com/pehchan/pehchan/migrations"
	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/tenants/postgres"
)

type migrateCmd struct{}

// Run brings the schema up to date with the owner's login, or the embedded database's where none is named.
func (migrateCmd) Run(ctx context.Context, out *console) error {
	cfg, err := config.Load()
	if err != nil {
		return err
	}
	stop, err := answerHealth(ctx, cfg, roleMigrate, func() error { return nil })
	if err != nil {
		return err
	}
	defer stop()

	switch {
	case cfg.OwnerURL != "":
		role, err := applicationRole(cfg.DatabaseURL)
		if err != nil {
			return err
		}
		if err := migrations.Up(ctx, cfg.OwnerURL, role); err != nil {
			return err
		}
	case cfg.DatabaseURL != "":
		return errors.New("migrate needs PEHCHAN_OWNER_URL, the login that owns the schema")
	default:
		embedded, _, err := postgres.Join(ctx, embeddedOptions(cfg))
		if err != nil {
			return err
		}
		if err := errors.Join(migrateEmbedded(ctx, embedded), embedded.Stop()); err != nil {
			return err
		}
	}

	return out.answer(map[string]any{"schema": migrations.Hash()}, "the database schema is up to date")
}

// applicationRole is the user of DATABASE_URL, to whom migrate grants what the application may do.
func applicationRole(dsn string) (string, error) {
	if dsn == "" {
		return appRole, nil
	}

	login, err := pq.NewConfig(dsn)
	if err != nil {
		return "", fmt.Errorf("read DATABASE_URL: %w", err)
	}
	if login.User == "" {
		return "", errors.New("DATABASE_URL names no user, so migrate cannot tell whom to grant the application's rights")
	}

	return login.User, nil
}
