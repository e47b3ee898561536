// Package migrations holds the database schema as embedded SQL and applies it.
package migrations

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed [0-9]*.sql
var steps embed.FS

//go:embed grants.sql
var grants string

// grantsLock serialises the grants of two Ups at once, which PostgreSQL would
// answer with "tuple concurrently updated".
const grantsLock = 7_340_316

// Up brings the database of ownerDSN, the login that owns the schema, to the
// newest version, with any step below it that is missing, and grants appRole what
// the application may do. Two at once, and running it again, are harmless. A missing appRole is created where
// the owner may create roles.
func Up(ctx context.Context, ownerDSN, appRole string) error {
	db, err := sql.Open("postgres", ownerDSN)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	defer db.Close()

	// The default waits five seconds between tries; the units are seconds and tries.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return fmt.Errorf("make migration lock: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, steps, goose.WithSessionLocker(locker), goose.WithAllowOutofOrder(true))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("apply migrations: %w", err)
	}

	return grant(ctx, db, appRole)
}

func grant(ctx context.Context, db *sql.DB, role string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("grant to %s: %w", role, err)
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, grantsLock); err != nil {
		return fmt.Errorf("grant to %s: %w", role, err)
	}

	var exists, may bool
	err = tx.QueryRowContext(ctx, `
		SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1),
		       (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user)`, role).Scan(&exists, &may)
	if err != nil {
		return fmt.Errorf("look for role %s: %w", role, err)
	}
	if !exists {
		create := `CREATE ROLE ` + pq.QuoteIdentifier(role) + ` LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE`
		if !may {
			return fmt.Errorf("the application role is missing and this login may not create it; as a superuser run: %s", create)
		}
		if _, err := tx.ExecContext(ctx, create); err != nil {
			return fmt.Errorf("create role %s: %w", role, err)
		}
	}
	if _, err := tx.ExecContext(ctx, strings.ReplaceAll(grants, "{{role}}", pq.QuoteIdentifier(role))); err != nil {
		return fmt.Errorf("grant to %s: %w", role, err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("grant to %s: %w", role, err)
	}

	return nil
}

// Pending reports whether the database lacks any of the migrations this program carries, whatever their numbers: two branches may have
// been merged out of order. It reads only what the application role may read.
func Pending(ctx context.Context, db *sql.DB) (bool, error) {
	var applied []int64
	err := db.QueryRowContext(ctx, `SELECT coalesce(array_agg(version_id), '{}') FROM goose_db_version WHERE is_applied`).Scan(pq.Array(&applied))
	if err != nil && pq.As(err, pqerror.UndefinedTable) == nil { // where that table is missing, nothing was ever applied
		return false, fmt.Errorf("read schema versions: %w", err)
	}
	for _, name := range names() {
		version, err := goose.NumericComponent(name)
		if err != nil {
			panic(err) // a misnamed step is a fault of the build
		}
		if !slices.Contains(applied, version) {
			return true, nil
		}
	}

	return false, nil
}

// Hash identifies the schema: it changes with any byte of the embedded SQL. It
// is 16 hexadecimal digits.
func Hash() string {
	sum := sha256.New()
	for _, name := range names() {
		content, err := steps.ReadFile(name)
		if err != nil {
			panic(err) // an embedded file that is listed can be read
		}
		sum.Write(fmt.Appendf(nil, "%s %d\n%s", name, len(content), content))
	}
	sum.Write([]byte(grants))

	return hex.EncodeToString(sum.Sum(nil))[:16]
}

// names lists the embedded steps in order.
func names() []string {
	entries, err := steps.ReadDir(".")
	if err != nil {
		panic(err) // the root of an embedded tree is always there
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}

	return all
}
