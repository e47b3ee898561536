package postgres

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/lib/pq"
)

// prepareLock serialises Prepare on one server; any constant of ours will do.
const prepareLock = 7_340_315

// Prepare makes what a fresh server lacks: the login owner, the login app, and
// database, which owner owns. superuser is a DSN to any database of the server.
// Neither login can bypass row level security, make databases or make roles.
// What exists is left as it is.
func Prepare(ctx context.Context, superuser, database, owner, app string) error {
	db, err := sql.Open("postgres", superuser)
	if err != nil {
		return fmt.Errorf("prepare database: %w", err)
	}
	defer db.Close()
	// CREATE DATABASE cannot run in a transaction, so one connection holds the lock.
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("prepare database: %w", err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, prepareLock); err != nil {
		return fmt.Errorf("prepare database: %w", err)
	}
	// Closing the pool ends the session and with it the lock.

	for _, role := range []string{owner, app} {
		var exists bool
		err := conn.QueryRowContext(ctx, `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)`, role).Scan(&exists)
		if err != nil {
			return fmt.Errorf("look for role %s: %w", role, err)
		}
		if exists {
			continue
		}
		_, err = conn.ExecContext(ctx, `CREATE ROLE `+pq.QuoteIdentifier(role)+
			` LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE`)
		if err != nil {
			return fmt.Errorf("create role %s: %w", role, err)
		}
	}

	var exists bool
	err = conn.QueryRowContext(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, database).Scan(&exists)
	if err != nil {
		return fmt.Errorf("look for database %s: %w", database, err)
	}
	if !exists {
		_, err := conn.ExecContext(ctx, `CREATE DATABASE `+pq.QuoteIdentifier(database)+
			` OWNER `+pq.QuoteIdentifier(owner)+` TEMPLATE template0`)
		if err != nil {
			return fmt.Errorf("create database %s: %w", database, err)
		}
	}

	return nil
}
