package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pehchan/pehchan/server"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/postgres"
)

type runCmd struct {
	Demo bool `negatable:"" default:"true" help:"Fill the platform with a living demo, or leave it empty."`
}

// Run is the whole product in one process, with an embedded Postgres unless DATABASE_URL names another and a stand-in for
// WhatsApp unless PEHCHAN_GRAPH_URL does.
func (c runCmd) Run(ctx context.Context, out *console) (err error) {
	cfg, err := server.LoadConfig()
	if err != nil {
		return err
	}
	if err := portFree(ctx, cfg.Listen); err != nil {
		return err
	}
	if err := makeDataFolder(cfg); err != nil {
		return err
	}

	in, err := openForRun(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()

	demo, err := loadDemo(cfg)
	if err != nil {
		return err
	}
	if cfg.GraphURL == "" {
		stop, err := demo.startSandbox(ctx)
		if err != nil {
			return err
		}
		defer stop()
		in.GraphURL = demo.graphURL
	}

	group, ctx := errgroup.WithContext(ctx)
	listening := make(chan string, 1)
	group.Go(func() error { return serve(ctx, out, in, func(url string) { listening <- url }) })
	group.Go(func() error { return ingest.NewWorker(in.db, out.log).Run(ctx) })
	if in.embedded != nil {
		group.Go(func() error { return watch(ctx, in.embedded) })
	}
	if c.Demo {
		group.Go(func() error { return demo.live(ctx, out, in, listening) })
	}
	// The group ends when one of them fails or all have stopped on a signal.
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}

	return nil
}

// openForRun is open, but the embedded server is this process's own.
func openForRun(ctx context.Context, cfg server.Config) (*installation, error) {
	if cfg.DatabaseURL != "" {
		return openOn(ctx, cfg, nil)
	}

	embedded, err := postgres.Start(ctx, embeddedOptions(cfg))
	if errors.Is(err, postgres.ErrInUse) {
		return nil, fmt.Errorf("another pehchan is running on the data in %s; stop it, or set PEHCHAN_DATA to another folder", cfg.Data)
	}
	if err != nil {
		return nil, err
	}

	return openOn(ctx, cfg, embedded)
}

// watch fails when the embedded server ends before ctx does.
func watch(ctx context.Context, embedded *postgres.Server) error {
	select {
	case <-ctx.Done():
		return nil
	case <-embedded.Done():
		return errors.New("the embedded Postgres has ended; its log is beside its data")
	}
}

// portFree tells before anything is started whether the address can be listened on.
func portFree(ctx context.Context, addr string) error {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("cannot listen on %s (%w); stop what uses it, or set PEHCHAN_LISTEN to another address", addr, errors.Unwrap(err))
	}

	return ln.Close()
}

// serveLoopback answers on a loopback port of its own until stop is called.
func serveLoopback(ctx context.Context, addr string, handler http.Handler) (url string, stop func(), err error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return "", nil, fmt.Errorf("listen on %s: %w", addr, err)
	}

	srv := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(ln) // ends with ErrServerClosed
	}()

	return "http://" + ln.Addr().String(), func() {
		_ = srv.Close()
		<-done
	}, nil
}
