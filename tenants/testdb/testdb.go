// Package testdb gives each test a migrated PostgreSQL database of its own. It
// is for tests only.
package testdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/migrations"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/postgres"
)

// The tests' roles are their own, so that a server shared with other uses keeps
// its roles as they are.
const (
	ownerRole = "pehchan_test_owner"
	appRole   = "pehchan_test_app"
)

// templateLock serialises the making of the template; any constant of ours will do.
const templateLock = 7_340_317

// Database is a database no other test sees.
type Database struct {
	// DB is connected as the application role.
	DB *tenants.DB
	// AppDSN is the login the program itself would use: bound by row level security.
	AppDSN string
	// OwnerDSN is the login that owns the schema, and is bound by it too.
	OwnerDSN string
	// AppRole is the user of AppDSN.
	AppRole string
}

// New clones the migrated template and drops the clone when the test ends. The
// server is that of TEST_DATABASE_URL, a superuser login, else one shared by
// the test processes of this checkout, which ends by itself when they are done.
func New(t testing.TB) *Database {
	t.Helper()
	server, err := server()
	if err != nil {
		t.Fatalf("testdb: %v", err)
	}
	d := server.create(t, server.template)
	d.DB, err = tenants.Open(context.Background(), d.AppDSN)
	if err != nil {
		t.Fatalf("testdb: %v", err)
	}
	t.Cleanup(func() { d.DB.Close() })

	return d
}

// NewEmpty makes a database without migrations; its DB is nil.
func NewEmpty(t testing.TB) *Database {
	t.Helper()
	server, err := server()
	if err != nil {
		t.Fatalf("testdb: %v", err)
	}

	return server.create(t, "template0")
}

func (s *testServer) create(t testing.TB, template string) *Database {
	t.Helper()
	name := "pehchan_test_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	// file_copy is the quicker way for a database this small.
	_, err := s.admin.ExecContext(context.Background(), `CREATE DATABASE `+name+
		` TEMPLATE `+template+` OWNER `+ownerRole+` STRATEGY file_copy`)
	if err != nil {
		t.Fatalf("testdb: clone %s: %v", template, err)
	}
	t.Cleanup(func() {
		// t's own context has ended by now.
		if _, err := s.admin.ExecContext(context.Background(), `DROP DATABASE `+name+` WITH (FORCE)`); err != nil {
			t.Errorf("testdb: drop database: %v", err)
		}
	})

	return &Database{AppDSN: dsn(s.url, appRole, name), OwnerDSN: dsn(s.url, ownerRole, name), AppRole: appRole}
}

type testServer struct {
	url      string // a superuser's
	admin    *sql.DB
	template string
	users    *os.File // the lock that keeps a shared server going
}

// server is found once a process: its template cannot change while it runs.
var server = sync.OnceValues(func() (*testServer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute) // installing may be slow
	defer cancel()
	at := os.Getenv("TEST_DATABASE_URL")
	var users *os.File
	if at == "" {
		var err error
		if at, users, err = shared(ctx); err != nil {
			return nil, fmt.Errorf("start a server for tests: %w", err)
		}
	}
	admin, err := sql.Open("postgres", at)
	if err != nil {
		return nil, fmt.Errorf("open server: %w", err)
	}
	admin.SetMaxOpenConns(4)
	s := &testServer{url: at, admin: admin, template: "pehchan_template_" + migrations.Hash(), users: users}
	if err := s.makeTemplate(ctx); err != nil {
		return nil, fmt.Errorf("make template: %w", err)
	}

	return s, nil
})

func (s *testServer) makeTemplate(ctx context.Context) (err error) {
	conn, err := s.admin.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, templateLock); err != nil {
		return err
	}
	defer func() {
		_, unlockErr := conn.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, templateLock)
		err = errors.Join(err, unlockErr)
	}()

	var exists bool
	err = conn.QueryRowContext(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, s.template).Scan(&exists)
	if err != nil || exists {
		return err
	}

	// Renamed when done, so that an interrupted run leaves no half template.
	fresh := s.template + "_new"
	if _, err := conn.ExecContext(ctx, `DROP DATABASE IF EXISTS `+fresh+` WITH (FORCE)`); err != nil {
		return err
	}
	if err := postgres.Prepare(ctx, s.url, fresh, ownerRole, appRole); err != nil {
		return err
	}
	if secret, ok := password(s.url); ok {
		for _, role := range []string{ownerRole, appRole} {
			if _, err := conn.ExecContext(ctx, `ALTER ROLE `+role+` PASSWORD `+pq.QuoteLiteral(secret)); err != nil {
				return err
			}
		}
	}
	if err := migrations.Up(ctx, dsn(s.url, ownerRole, fresh), appRole); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, `ALTER DATABASE `+fresh+` RENAME TO `+s.template)

	return err
}

// dsn is server, a URL or lib/pq's keywords, for another user and database. A
// password stays: the test roles are given the superuser's.
func dsn(server, user, database string) string {
	u, err := url.Parse(server)
	if err != nil || !strings.HasPrefix(u.Scheme, "postgres") {
		return server + " user=" + user + " dbname=" + database // the last one counts
	}
	if secret, ok := u.User.Password(); ok {
		u.User = url.UserPassword(user, secret)
	} else {
		u.User = url.User(user)
	}
	u.Path = "/" + database

	return u.String()
}

func password(server string) (string, bool) {
	cfg, err := pq.NewConfig(server)

	return cfg.Password, err == nil && cfg.Password != ""
}
