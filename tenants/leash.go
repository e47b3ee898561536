package tenants

import (
	"context"
	"net"
	"sync"
	"time"
)

const (
	// toGiveUp is how much longer than a context's deadline its connection waits: a server that is alive says in this time that it has
	// cancelled the statement.
	toGiveUp = time.Second
	// toConnect is how long a server may take to greet where the context sets no deadline.
	toConnect = 10 * time.Second
)

// leash dials for one connection and bounds how long that waits for the server. lib/pq asks the server to cancel a statement whose
// context has ended, and then goes on reading: from a server that stands still it would read for ever, deadline or not.
type leash struct {
	mu   sync.Mutex
	conn net.Conn
	up   bool
}

func (l *leash) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err //nolint:wrapcheck // the driver reads it
	}

	l.mu.Lock()
	defer l.mu.Unlock()
	if l.up { // what is dialled later asks to cancel a statement, which has not the time of a statement
		return conn, conn.SetDeadline(time.Now().Add(toGiveUp))
	}
	l.conn = conn
	until, ok := ctx.Deadline()
	if !ok {
		until = time.Now().Add(toConnect)
	}

	return conn, conn.SetDeadline(until)
}

func (l *leash) Dial(network, address string) (net.Conn, error) {
	return l.DialContext(context.Background(), network, address)
}

func (l *leash) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()

	return l.DialContext(ctx, network, address)
}

// connected says that the server has greeted, and that the connection waits for whoever has it.
func (l *leash) connected() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.up = true

	return l.conn.SetDeadline(time.Time{})
}

// last makes the connection wait for as long as ctx allows, until it is told of another.
func (l *leash) last(ctx context.Context) error {
	until, ok := ctx.Deadline()
	if ok {
		until = until.Add(toGiveUp)
	}

	return l.conn.SetDeadline(until)
}
