package tenants_test

import (
	"context"
	"errors"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/testdb"
)

// still is a way to a database which can be made to stand still: connections stay open, new ones are taken, and no byte passes.
type still struct {
	dsn  string
	gate sync.RWMutex
}

func standing(t *testing.T, dsn string) *still {
	t.Helper()
	at, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	args := at.Query()
	network, address := "tcp", at.Host
	if dir := args.Get("host"); dir != "" {
		network, address = "unix", filepath.Join(dir, ".s.PGSQL."+args.Get("port"))
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := ln.Close(); err != nil {
			t.Error(err)
		}
	})
	args.Del("host")
	args.Del("port")
	at.Host, at.RawQuery = ln.Addr().String(), args.Encode()

	s := &still{dsn: at.String()}
	go func() {
		for {
			near, err := ln.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial(network, address)
			if err != nil {
				_ = near.Close()
				continue
			}
			go s.pass(near, far)
			go s.pass(far, near)
		}
	}()

	return s
}

func (s *still) pass(from, to net.Conn) {
	defer to.Close()
	buf := make([]byte, 8<<10)
	for {
		n, err := from.Read(buf)
		s.gate.RLock()
		_, wrong := to.Write(buf[:n])
		s.gate.RUnlock()
		if errors.Join(err, wrong) != nil {
			return
		}
	}
}

// A server that stands still neither answers nor hangs up, and cancelling a statement is a question to it too. Whoever asks is told in time,
// on a connection that waits to be used, in the middle of a transaction and where a new connection is needed.
func TestADatabaseThatStandsStillIsLeftInTime(t *testing.T) {
	t.Parallel()
	way := standing(t, testdb.New(t).AppDSN)
	db, err := tenants.Open(t.Context(), way.dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	one := func(tx *tenants.Tx) error {
		var n int
		return tx.GetContext(t.Context(), &n, `SELECT 1`)
	}
	if err := db.Intake().System(t.Context(), one); err != nil {
		t.Fatal(err)
	}

	var asked sync.WaitGroup
	ask := func(name string, db *tenants.DB, between func()) {
		asked.Go(func() {
			ctx, cancel := context.WithTimeout(tenants.Often(context.Background()), time.Second)
			defer cancel()
			done := make(chan error, 1)
			go func() {
				done <- db.System(ctx, func(tx *tenants.Tx) error {
					between()
					var n int
					return tx.GetContext(ctx, &n, `SELECT $1::int`, 1)
				})
			}()
			select {
			case err := <-done:
				if !tenants.Away(err) && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s: want it to be told that the database is away, got %v", name, err)
				}
			case <-time.After(8 * time.Second):
				t.Errorf("%s: waits for ever", name)
			}
		})
	}

	inside, stopped := make(chan struct{}), make(chan struct{})
	ask("in the middle", db, func() { close(inside); <-stopped })
	<-inside
	way.gate.Lock()
	close(stopped)
	for range 20 { // more than there are connections
		ask("at the intake", db.Intake(), func() {})
	}
	asked.Wait()
	way.gate.Unlock()

	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for range 10 {
		if err := db.Intake().System(ctx, one); err != nil {
			t.Fatalf("it goes on: %v", err)
		}
	}
}
