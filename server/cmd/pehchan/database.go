package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/migrations"
	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/facts"
	"github.com/pehchan/pehchan/tenants/postgres"
	"github.com/pehchan/pehchan/tenants/secrets"
)

// The logins and the database of an embedded Postgres.
const (
	superuser   = "postgres"
	ownerRole   = "pehchan_owner"
	appRole     = "pehchan_app"
	appDatabase = "pehchan"
)

// installation is what every command that touches data works with: the settings, the database and the keys.
type installation struct {
	config.Config
	db   *tenants.DB
	keys *secrets.Keyring

	embedded *postgres.Server // nil where DATABASE_URL names another
}

// open opens the installation for one command: the database of DATABASE_URL, else the embedded one, whether or not a server is
// running on it.
func open(ctx context.Context) (*installation, error) {
	cfg, err := config.Load()
	if err != nil {
		return nil, err
	}

	var embedded *postgres.Server
	if cfg.DatabaseURL == "" {
		if embedded, _, err = postgres.Join(ctx, embeddedOptions(cfg)); err != nil {
			return nil, err
		}
	}

	return openOn(ctx, cfg, embedded)
}

// openOn opens the installation on an embedded server, or on DATABASE_URL where that is nil. It takes the server over: close
// ends it, and so does a failure.
func openOn(ctx context.Context, cfg config.Config, embedded *postgres.Server) (_ *installation, err error) {
	in := &installation{Config: cfg, embedded: embedded}
	defer func() {
		if err != nil {
			err = errors.Join(err, in.close())
		}
	}()

	dsn := cfg.DatabaseURL
	if embedded != nil {
		if err := migrateEmbedded(ctx, embedded); err != nil {
			return nil, err
		}
		dsn = embedded.DSN(appRole, appDatabase)
	}
	if in.db, err = tenants.Open(ctx, dsn); err != nil {
		return nil, err
	}
	pending, err := migrations.Pending(ctx, in.db.SQL())
	if err != nil {
		return nil, err
	}
	if pending {
		return nil, errors.New("the database schema is not up to date; run: pehchan migrate")
	}
	if err := facts.Seed(ctx, in.db); err != nil {
		return nil, err
	}
	if in.keys, err = secrets.Open(cfg.KeyFile); err != nil {
		return nil, err
	}

	return in, nil
}

// close ends the connections, and the embedded server where this process started it.
func (in *installation) close() error {
	var err error
	if in.db != nil {
		err = in.db.Close()
	}
	if in.embedded != nil {
		err = errors.Join(err, in.embedded.Stop())
	}

	return err
}

// tenant finds a business by its slug.
func (in *installation) tenant(ctx context.Context, slug string) (id uuid.UUID, err error) {
	err = in.db.System(ctx, func(tx *tenants.Tx) error {
		t, err := access.TenantBySlug(ctx, tx, slug)
		id = t.ID

		return err
	})
	if errors.Is(err, tenants.ErrNotFound) {
		return uuid.Nil, fmt.Errorf("there is no tenant %q", slug)
	}

	return id, err
}

func embeddedOptions(cfg config.Config) postgres.Options {
	return postgres.Options{Dir: filepath.Join(cfg.Data, "postgres"), Durable: true}
}

// migrateEmbedded brings an embedded server to what the program needs; where that is so already it changes nothing.
func migrateEmbedded(ctx context.Context, srv *postgres.Server) error {
	if err := postgres.Prepare(ctx, srv.DSN(superuser, "postgres"), appDatabase, ownerRole, appRole); err != nil {
		return err
	}

	return migrations.Up(ctx, srv.DSN(ownerRole, appDatabase), appRole)
}

// makeDataFolder makes PEHCHAN_DATA, which holds keys, for its owner alone.
func makeDataFolder(cfg config.Config) error {
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return fmt.Errorf("make %s: %w", cfg.Data, err)
	}

	return nil
}
