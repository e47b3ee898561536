// Package tenants is the wall between businesses: the tenant, and transactions that see one tenant's rows or none.
package tenants

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// DB is the database as the application role sees it. It hands out transactions only, each of one tenant or of none.
type DB struct {
	pool   *sqlx.DB
	intake *sqlx.DB
}

// Tx is a transaction in which row level security shows the rows of Tenant, or, where Tenant is uuid.Nil, the platform
// tables and no customer of anybody. As and System are the only ways to get one.
type Tx struct {
	*sqlx.Tx
	Tenant uuid.UUID

	// By tenant, since a transaction may enter one: the last entry of its chain, once this has written it, and what Hold was told.
	audited map[uuid.UUID]AuditEntry
	held    map[heldLock]bool
}

type heldLock struct {
	tenant uuid.UUID
	lock   string
}

// Hold notes that the transaction has taken a lock of its tenant's, which it keeps until it ends.
func (tx *Tx) Hold(lock string) {
	if tx.held == nil {
		tx.held = map[heldLock]bool{}
	}
	tx.held[heldLock{tx.Tenant, lock}] = true
}

// Holds tells whether Hold was told of a lock, so that it need not be asked for again.
func (tx *Tx) Holds(lock string) bool { return tx.held[heldLock{tx.Tenant, lock}] }

// Open connects to the database with the application role's DSN. It refuses a login that row level security does not bind:
// a superuser, a BYPASSRLS role, the owner of any table, or who can become one of these by SET ROLE.
func Open(ctx context.Context, dsn string) (*DB, error) {
	c, err := connect(dsn)
	if err != nil {
		return nil, err
	}
	pool := sqlx.NewDb(sql.OpenDB(c), "postgres")
	if err := pool.PingContext(ctx); err != nil {
		_ = pool.Close()
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	limit(pool, 24)
	if err := refusePowerfulLogin(ctx, pool); err != nil {
		_ = pool.Close()
		return nil, err
	}
	intake := sqlx.NewDb(sql.OpenDB(c), "postgres")
	limit(intake, 8)

	return &DB{pool: pool, intake: intake}, nil
}

func limit(pool *sqlx.DB, connections int) {
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	pool.SetConnMaxIdleTime(5 * time.Minute)
}

// Intake is the same database through a few connections of their own: who takes deliveries never waits for pages, however slow
// these have become. It is closed with db.
func (db *DB) Intake() *DB { return &DB{pool: db.intake, intake: db.intake} }

func refusePowerfulLogin(ctx context.Context, pool *sqlx.DB) error {
	var login struct {
		Name   string `db:"name"`
		Bypass bool   `db:"bypass"`
		Owns   bool   `db:"owns"`
	}

	err := pool.GetContext(ctx, &login, `
		SELECT current_user AS name,
		       EXISTS (SELECT 1 FROM pg_roles r WHERE (r.rolsuper OR r.rolbypassrls) AND pg_has_role(current_user, r.oid, 'MEMBER')) AS bypass,
		       EXISTS (SELECT 1 FROM pg_class c
		               WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
		                 AND pg_has_role(current_user, c.relowner, 'MEMBER')) AS owns`)
	if err != nil {
		return fmt.Errorf("look at the database login: %w", err)
	}

	if login.Bypass || login.Owns {
		return fmt.Errorf("the database login %q can pass the tenant wall (it is a superuser, has BYPASSRLS or owns tables); use the application role", login.Name)
	}

	return nil
}

// Close ends all connections.
func (db *DB) Close() error { return errors.Join(db.pool.Close(), db.intake.Close()) }

// SQL gives the pool to what must see the database itself: readiness and the migration check.
func (db *DB) SQL() *sql.DB { return db.pool.DB }

// As runs fn in a transaction of one tenant and commits it when fn returns nil.
func (db *DB) As(ctx context.Context, tenant uuid.UUID, fn func(*Tx) error) error {
	if tenant == uuid.Nil {
		return errors.New("a tenant's transaction needs a tenant")
	}

	return db.run(ctx, tenant, nil, fn)
}

// AsSnapshot is As for reads that must agree with each other: every statement sees the same moment.
func (db *DB) AsSnapshot(ctx context.Context, tenant uuid.UUID, fn func(*Tx) error) error {
	if tenant == uuid.Nil {
		return errors.New("a tenant's transaction needs a tenant")
	}

	return db.run(ctx, tenant, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}, fn)
}

// System runs fn in a transaction of no tenant: platform tables only. arch_test lists who may call it.
func (db *DB) System(ctx context.Context, fn func(*Tx) error) error {
	return db.run(ctx, uuid.Nil, nil, fn)
}

func (db *DB) run(ctx context.Context, tenant uuid.UUID, opts *sql.TxOptions, fn func(*Tx) error) error {
	tx, err := db.pool.BeginTxx(ctx, opts)
	if err != nil {
		return fmt.Errorf("begin transaction: %w", contextual(ctx, err))
	}
	defer func() { _ = tx.Rollback() }()

	// Always set, also to nothing, so that no transaction depends on what a pooled connection carried before. SET takes no
	// parameters; tenant is a uuid.UUID, so the literal is safe.
	setting := ""
	if tenant != uuid.Nil {
		setting = tenant.String()
	}
	if _, err := tx.ExecContext(ctx, "SET LOCAL app.tenant_id = '"+setting+"'"); err != nil {
		return fmt.Errorf("enter tenant: %w", contextual(ctx, err))
	}

	if err := fn(&Tx{Tx: tx, Tenant: tenant}); err != nil {
		return contextual(ctx, err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", contextual(ctx, err))
	}

	return nil
}

// contextual restores the context's own error where lib/pq reports only that the statement was cancelled.
func contextual(ctx context.Context, err error) error {
	var pqErr *pq.Error
	if errors.As(err, &pqErr) && pqErr.Code == "57014" && ctx.Err() != nil {
		return fmt.Errorf("%w (%w)", ctx.Err(), err)
	}

	return err
}

// Tenant is one business on the platform.
type Tenant struct {
	ID        uuid.UUID `db:"id"`
	Slug      string    `db:"slug"`
	Name      string    `db:"name"`
	State     string    `db:"state"` // Active, Limited, Suspended, Closing, Erased
	Lang      string    `db:"lang"`
	Timezone  string    `db:"timezone"`
	Density   string    `db:"density"` // shop or team
	Demo      bool      `db:"demo"`
	CreatedAt time.Time `db:"created_at"`

	StateReason string     `db:"state_reason"` // for its owners to read
	StateSince  time.Time  `db:"state_since"`
	StateBy     string     `db:"state_by"`
	StateBefore string     `db:"state_before"` // of a closing that an owner began: where taking it back leads
	EraseAfter  *time.Time `db:"erase_after"`  // when everything of a closing one goes
	Standing    string     `db:"standing_access"`

	APIPerMinute int `db:"api_per_minute"` // requests that its keys may make together

	ReadyBy *time.Time `db:"ready_by"` // the day by which it wants to know its customers by their WhatsApp IDs; nil for none chosen

	Quiet
}

// Location is the tenant's time zone, UTC where the name is not known on this machine.
func (t Tenant) Location() *time.Location {
	loc, err := time.LoadLocation(t.Timezone)
	if err != nil {
		return time.UTC
	}

	return loc
}
