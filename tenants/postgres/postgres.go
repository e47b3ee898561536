// Package postgres runs a PostgreSQL server of our own: found on the machine or
// fetched, reachable only through a Unix socket, ended with the process that
// started it.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	// port only names the socket file; the server opens no TCP port.
	port = "5432"

	startTimeout = 30 * time.Second
	// leaveTimeout is how long the owner's Stop waits for processes that joined.
	leaveTimeout = 5 * time.Second
)

// ErrInUse is returned by Start when another live process runs the server of
// the same Options.Dir.
var ErrInUse = errors.New("another process is running PostgreSQL there")

// Options says where a server keeps its data and how it is run.
type Options struct {
	// Dir holds the data, the log and the locks. It is made when missing. One
	// Dir is one server; its absolute path decides the socket.
	Dir string
	// Durable leaves fsync on. Off, a power cut loses the data: for tests.
	Durable bool
	// Settings are put on the server's command line, name to value.
	Settings map[string]string
}

// Server is a running PostgreSQL server. Its superuser is "postgres".
type Server struct {
	place place
	proc  *process // nil when joined
	owner *lockFile
	users *lockFile

	stop    sync.Once
	stopErr error
}

// Start runs the server of o.Dir, making its data on the first start, and
// returns when it answers. It waits for a server left behind by a killed
// process to end, and for another live owner for a few seconds; after that the
// error is ErrInUse. What it has to install first is said on standard error.
func Start(ctx context.Context, o Options) (*Server, error) {
	at, err := locate(o.Dir)
	if err != nil {
		return nil, err
	}

	deadline := time.Now().Add(2 * leaveTimeout)
	for {
		owner, err := at.lock("owner.lock", exclusive)
		if err == nil {
			return start(ctx, o, at, owner)
		}
		if !errors.Is(err, errLocked) {
			return nil, err
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("start PostgreSQL in %s: %w", at.dir, ErrInUse)
		}
		if err := pause(ctx); err != nil {
			return nil, err
		}
	}
}

// Join uses the server another process runs on o.Dir, or starts it; started
// says which. A joined server lives until its owner stops, and the owner waits
// a few seconds for those who joined, so Join is for short commands.
func Join(ctx context.Context, o Options) (srv *Server, started bool, err error) {
	at, err := locate(o.Dir)
	if err != nil {
		return nil, false, err
	}

	ctx, cancel := context.WithTimeout(ctx, 2*startTimeout)
	defer cancel()
	for {
		// The lock is asked first: a server whose owner was killed may still
		// answer for a moment before it ends.
		owner, err := at.lock("owner.lock", exclusive)
		if err == nil {
			srv, err := start(ctx, o, at, owner)
			return srv, err == nil, err
		}
		if !errors.Is(err, errLocked) {
			return nil, false, err
		}

		users, err := at.lock("users.lock", shared)
		if err == nil {
			if at.ping(ctx) == nil {
				return &Server{place: at, users: users}, false, nil
			}
			users.unlock()
		} else if !errors.Is(err, errLocked) {
			return nil, false, err
		}
		if err := pause(ctx); err != nil {
			return nil, false, fmt.Errorf("join PostgreSQL in %s: %w", at.dir, err)
		}
	}
}

// start runs the server under the owner's lock, which it gives back on failure.
func start(ctx context.Context, o Options, at place, owner *lockFile) (_ *Server, err error) {
	defer func() {
		if err != nil {
			owner.unlock()
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, 20*startTimeout) // installing may be slow
	defer cancel()

	if err := at.adopt(); err != nil {
		return nil, err
	}
	bin, err := binaries(ctx, at.major())
	if err != nil {
		return nil, err
	}
	if err := at.prepare(ctx, bin, o.Durable); err != nil {
		return nil, fmt.Errorf("prepare PostgreSQL in %s: %w", at.dir, err)
	}
	proc, err := at.run(ctx, bin, o)
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL in %s: %w", at.dir, err)
	}

	return &Server{place: at, proc: proc, owner: owner}, nil
}

// DSN returns a connection URL for lib/pq, over the Unix socket and without a
// password. Only the user running the server, and root, can open the socket.
func (s *Server) DSN(user, database string) string {
	return s.place.dsn(user, database)
}

// Done is closed when a server that this process started has ended, for
// whatever reason. It is nil, and blocks for ever, when the server was joined.
func (s *Server) Done() <-chan struct{} {
	if s.proc == nil {
		return nil
	}

	return s.proc.done
}

// Pid is the process id of a server that this process started, 0 when joined.
func (s *Server) Pid() int {
	if s.proc == nil {
		return 0
	}

	return s.proc.pid
}

// Stop ends a server this process started and leaves one it joined. Clients
// are disconnected; committed work is kept. Calling it again is harmless.
func (s *Server) Stop() error {
	s.stop.Do(func() { s.stopErr = s.end() })

	return s.stopErr
}

func (s *Server) end() error {
	if s.proc == nil {
		s.users.unlock()

		return nil
	}
	defer s.owner.unlock()

	// Nobody can join from here on: joining takes this lock shared.
	deadline := time.Now().Add(leaveTimeout)
	for {
		users, err := s.place.lock("users.lock", exclusive)
		if err == nil {
			defer users.unlock()

			break
		}
		if time.Now().After(deadline) {
			break
		}
		time.Sleep(pauseFor)
	}

	err := s.proc.end()
	// Only an empty directory goes: PostgreSQL removes its own socket.
	if rmErr := os.Remove(s.place.socket); rmErr != nil && !errors.Is(rmErr, os.ErrNotExist) {
		err = errors.Join(err, fmt.Errorf("remove socket directory: %w", rmErr))
	}

	return err
}

func (p place) dsn(user, database string) string {
	u := url.URL{
		Scheme: "postgres",
		User:   url.User(user),
		Path:   "/" + database,
		RawQuery: url.Values{
			"host": {p.socket}, "port": {port}, "sslmode": {"disable"},
		}.Encode(),
	}

	return u.String()
}

func (p place) file(name string) string { return filepath.Join(p.dir, name) }

const pauseFor = 25 * time.Millisecond

func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(pauseFor):
		return nil
	}
}
