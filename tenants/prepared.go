package tenants

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/lib/pq"
)

// Often marks a context whose statements run again and again, such as a lane's or a page's: each is prepared once on each connection and
// kept, so that PostgreSQL does not read it anew, and settles on one plan for all values where after five runs that looks no dearer.
// Reading and planning take some two thirds of the database's time for a page of fifty short statements.
func Often(ctx context.Context) context.Context { return context.WithValue(ctx, often{}, true) }

type often struct{}

// maxPrepared bounds what a connection keeps; lanes and pages together know some 300 statements.
const maxPrepared = 500

// connector makes connections that keep the statements of contexts marked with Often.
type connector struct{ cfg pq.Config }

func (connector) Driver() driver.Driver { return &pq.Driver{} }

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	dialer, err := pq.NewConnectorConfig(c.cfg)
	if err != nil {
		return nil, fmt.Errorf("read the database's address: %w", err)
	}
	wait := &leash{}
	dialer.Dialer(wait)
	raw, err := dialer.Connect(ctx)
	if err != nil {
		return nil, err //nolint:wrapcheck // the driver's own words
	}
	conn, ok := raw.(pqConn)
	if !ok {
		return nil, fmt.Errorf("connection %T cannot prepare statements", raw)
	}

	// What runs here is short, also where the planner takes it for long: compiling it would take longer than running it.
	if _, err := conn.ExecContext(ctx, `SET jit = off`, nil); err != nil {
		return nil, errors.Join(fmt.Errorf("set the connection up: %w", err), conn.Close())
	}

	if err := wait.connected(); err != nil {
		return nil, errors.Join(fmt.Errorf("set the connection up: %w", err), conn.Close())
	}

	return &keeping{pqConn: conn, wait: wait, kept: map[string]pqStatement{}}, nil
}

// pqConn is what a connection of lib/pq can do, all of which database/sql makes use of.
type pqConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
}

type pqStatement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// keeping is a connection and the statements prepared on it. database/sql uses a connection from one goroutine at a time.
type keeping struct {
	pqConn

	wait *leash
	kept map[string]pqStatement
}

// BeginTx lets all of the transaction, its end too, wait for as long as the context it begins with.
func (k *keeping) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if err := k.wait.last(ctx); err != nil {
		return nil, driver.ErrBadConn
	}

	return k.pqConn.BeginTx(ctx, opts) //nolint:wrapcheck // the driver's own words
}

func (k *keeping) Ping(ctx context.Context) error {
	if err := k.wait.last(ctx); err != nil {
		return driver.ErrBadConn
	}

	return k.pqConn.Ping(ctx) //nolint:wrapcheck // the driver's own words
}

// ResetSession is called before the connection is used again.
func (k *keeping) ResetSession(ctx context.Context) error {
	if err := k.wait.last(ctx); err != nil {
		return driver.ErrBadConn
	}

	return k.pqConn.ResetSession(ctx) //nolint:wrapcheck // the driver's own words
}

func (k *keeping) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if ctx.Value(often{}) == nil || len(args) == 0 {
		return k.pqConn.ExecContext(ctx, query, args)
	}
	s, err := k.statement(ctx, query)
	if err != nil {
		return nil, err
	}

	return s.ExecContext(ctx, args)
}

func (k *keeping) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if ctx.Value(often{}) == nil || len(args) == 0 {
		return k.pqConn.QueryContext(ctx, query, args)
	}
	s, err := k.statement(ctx, query)
	if err != nil {
		return nil, err
	}

	return s.QueryContext(ctx, args)
}

func (k *keeping) statement(ctx context.Context, query string) (pqStatement, error) {
	if s, ok := k.kept[query]; ok {
		return s, nil
	}
	prepared, err := k.PrepareContext(ctx, query)
	if err != nil {
		return nil, err //nolint:wrapcheck // the driver's own words
	}
	s, ok := prepared.(pqStatement)
	if !ok {
		return nil, fmt.Errorf("statement %T takes no context", prepared)
	}
	if len(k.kept) >= maxPrepared {
		for q, old := range k.kept {
			delete(k.kept, q)
			if err := old.Close(); err != nil {
				return nil, err //nolint:wrapcheck // the driver's own words
			}
		}
	}
	k.kept[query] = s

	return s, nil
}

// connect makes connections to a database on which a []byte is sent as it is and not as hexadecimal digits; what is given to a jsonb must
// then be a string or a json.RawMessage.
func connect(dsn string) (connector, error) {
	cfg, err := pq.NewConfig(dsn)
	if err != nil {
		return connector{}, fmt.Errorf("read the database's address: %w", err)
	}
	cfg.BinaryParameters = true
	if _, err := pq.NewConnectorConfig(cfg); err != nil {
		return connector{}, fmt.Errorf("read the database's address: %w", err)
	}

	return connector{cfg}, nil
}
