package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/migrations"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/postgres"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

const (
	appName   = "bench"
	appSecret = "bench-app-secret"
	portfolio = "506914300000001"
)

// business is a tenant with one number.
type business struct {
	tenant, number uuid.UUID
	phoneNumberID  string
	waba, display  string
	owner          string // e-mail
	people         int    // seeded, known by a phone and a BSUID each
}

// place is the database that is measured: businesses on one app of the platform, four to begin with.
type place struct {
	scale      float64
	profile    string
	longest    time.Duration // how long the highest rate lasts on the whole way
	dir        string
	server     *postgres.Server
	super      *sql.DB // passes the wall, to store much quickly
	db         *tenants.DB
	dsn        string
	keys       *secrets.Keyring
	password   string // of every owner
	app        uuid.UUID
	names      names
	businesses []business
}

// settings are those of design: memory for the data, room for the log, a disk without a head. Everything is synced.
var settings = map[string]string{
	"shared_buffers": "2GB", "max_wal_size": "8GB", "random_page_cost": "1.1", "max_connections": "300",
	"fsync": "on", "synchronous_commit": "on", "checkpoint_timeout": "15min",
	"track_commit_timestamp": "on", // tells when what a delivery caused could be seen
}

func newPlace(ctx context.Context, scale float64, profile string) (_ *place, err error) {
	p := &place{scale: scale, profile: profile, password: uuid.NewString()}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	if p.dir, err = os.MkdirTemp("/var/tmp", "pehchan-bench-"); err != nil {
		return nil, fmt.Errorf("make folder: %w", err)
	}
	if err := os.Chmod(p.dir, 0o711); err != nil { // the database may run as another user
		return nil, fmt.Errorf("open folder: %w", err)
	}
	p.server, err = postgres.Start(ctx, postgres.Options{Dir: filepath.Join(p.dir, "postgres"), Durable: true, Settings: settings})
	if err != nil {
		return nil, err
	}
	if err := postgres.Prepare(ctx, p.server.DSN("postgres", "postgres"), "bench", "bench_owner", "bench_app"); err != nil {
		return nil, err
	}
	if err := migrations.Up(ctx, p.server.DSN("bench_owner", "bench"), "bench_app"); err != nil {
		return nil, err
	}
	// What is seeded by the million is not checked row by row.
	if p.super, err = sql.Open("postgres", p.server.DSN("postgres", "bench")+"&session_replication_role=replica&synchronous_commit=off"); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	p.dsn = p.server.DSN("bench_app", "bench")
	if p.db, err = tenants.Open(ctx, p.dsn); err != nil {
		return nil, err
	}
	if p.keys, err = secrets.Open(filepath.Join(p.dir, "master.key")); err != nil {
		return nil, err
	}

	if p.names, err = readNames(); err != nil {
		return nil, err
	}
	if err := p.addApp(ctx); err != nil {
		return nil, err
	}
	for _, slug := range []string{"asha-clinic", "ravi-motors", "meera-sarees", "joseph-tours"} {
		if err := p.addBusiness(ctx, slug); err != nil {
			return nil, err
		}
	}

	return p, p.learnWords(ctx)
}

func (p *place) addApp(ctx context.Context) error {
	by := access.Command("bench")

	return p.db.System(ctx, func(tx *tenants.Tx) error {
		app, err := numbers.AddApp(ctx, tx, p.keys, by.Actor, numbers.AppInput{
			Name: appName, MetaAppID: "4000000000000001", AppSecret: appSecret, VerifyToken: "bench-verify-token",
		})
		p.app = app.ID

		return err
	})
}

func (p *place) addBusiness(ctx context.Context, slug string) error {
	by, i := access.Command("bench"), len(p.businesses)
	b := business{
		phoneNumberID: fmt.Sprint(8001 + i), waba: fmt.Sprint(7001 + i), display: fmt.Sprint(919800008001 + i), owner: slug + "@pehchan.example",
	}
	tenant, err := access.AddTenant(ctx, p.db, by, access.NewTenant{
		Slug: slug, Name: slug, Owner: access.NewPerson{Email: b.owner, Name: "Meera", Password: p.password},
	})
	if err != nil {
		return err
	}
	number, err := numbers.Connect(ctx, p.db, p.keys, whatsapp.Graph{}, by.Actor, tenant.ID, numbers.ConnectInput{
		App: appName, WABAID: b.waba, PhoneNumberID: b.phoneNumberID, DisplayPhone: b.display, PortfolioID: portfolio,
		AccessToken: "bench-access-token", Unconfirmed: true,
	})
	if err != nil {
		return err
	}
	b.tenant, b.number = tenant.ID, number.ID
	p.businesses = append(p.businesses, b)

	return nil
}

// emptyInbox forgets every delivery.
func (p *place) emptyInbox(ctx context.Context) error {
	for _, statement := range []string{
		`TRUNCATE inbox_items, inbox_repeats, inbox_events, inbox_counters, app_counters, lanes`,
		`CHECKPOINT`,
	} {
		if _, err := p.super.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("empty the inbox: %w", err)
		}
	}

	return nil
}

// copyIn stores rows the quickest way there is.
func (p *place) copyIn(ctx context.Context, copyStatement string, n int, row func(i int) []any) error {
	tx, err := p.super.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	into, err := tx.PrepareContext(ctx, copyStatement)
	if err != nil {
		return fmt.Errorf("copy: %w", err)
	}
	defer func() { _ = into.Close() }()
	for i := range n {
		if _, err := into.ExecContext(ctx, row(i)...); err != nil {
			return fmt.Errorf("copy: %w", err)
		}
	}
	if _, err := into.ExecContext(ctx); err != nil { // the end of the rows
		return fmt.Errorf("copy: %w", err)
	}

	return tx.Commit()
}

func (p *place) exec(ctx context.Context, statement string, args ...any) error {
	if _, err := p.super.ExecContext(ctx, statement, args...); err != nil { //nolint:gosec // what is put into statements is counts and names of tables
		var pqErr *pq.Error
		if errors.As(err, &pqErr) {
			return fmt.Errorf("%w: %.80s", err, statement)
		}

		return err
	}

	return nil
}

func (p *place) close() error {
	var err error
	if p.db != nil {
		err = p.db.Close()
	}
	if p.super != nil {
		err = errors.Join(err, p.super.Close())
	}
	if p.server != nil {
		err = errors.Join(err, p.server.Stop())
	}
	if p.dir != "" {
		err = errors.Join(err, os.RemoveAll(p.dir))
	}

	return err
}
