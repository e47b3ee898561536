package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/pehchan/pehchan/server"
	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/postgres"
	"github.com/pehchan/pehchan/tenants/sandbox"
)

type runCmd struct {
	Demo bool `negatable:"" default:"true" help:"Fill the platform with a living demo, or leave it empty."`
}

// Run is the whole product in one process, with an embedded Postgres unless DATABASE_URL names another and a stand-in for
// WhatsApp unless PEHCHAN_GRAPH_URL does.
func (c runCmd) Run(ctx context.Context, out *console) (err error) {
	cfg, err := config.Load()
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

	var meta net.Listener
	if in.GraphURL == "" {
		if meta, err = listen(ctx, "127.0.0.1:0"); err != nil {
			return err
		}
		in.GraphURL = "http://" + meta.Addr().String()
		if in.SignupApp == "" {
			in.SignupApp, in.SignupConfig, in.SignupSDK = demoApp, sandbox.SignupConfig, in.GraphURL+sandbox.SDKPath
		}
	}

	by, err := in.Mail()
	if err != nil {
		return err
	}
	listening, worker := make(chan string, 1), ingest.NewWorker(in.db, out.log)
	worker.Recognise(in.keys)
	stop, err := answerHealth(ctx, in.Config, roleWork, worker.Well)
	if err != nil {
		return err
	}
	defer stop()
	group, ctx := errgroup.WithContext(ctx)
	var visited atomic.Pointer[uuid.UUID]
	deps := server.Deps{
		DB: in.db, Keys: in.keys, Log: out.log, Wake: worker.Wake, OnListen: func(url string) { listening <- url },
		Demo: func() uuid.UUID {
			if id := visited.Load(); id != nil {
				return *id
			}

			return uuid.Nil
		},
	}
	group.Go(func() error { return serve(ctx, in, deps) })
	workInBackground(ctx, group, in, out, worker, by)
	if in.embedded != nil {
		group.Go(func() error { return watch(ctx, in.embedded) })
	}
	group.Go(func() error {
		select {
		case <-ctx.Done():
			return nil
		case url := <-listening:
			return c.accompany(ctx, out, in, url, meta, &visited)
		}
	})
	// The group ends when one of them fails, or all have stopped on a signal.
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}

	return nil
}

// accompany runs beside the server at url until ctx ends: the stand-in for WhatsApp on meta, unless that is nil because Graph is
// elsewhere, and the demo. It begins once the server takes connections, so that nobody waits for the demo. visited is then the business that
// visitors enter; there is none where messages leave the machine.
func (c runCmd) accompany(
	ctx context.Context, out *console, in *installation, url string, meta net.Listener, visited *atomic.Pointer[uuid.UUID],
) error {
	world, err := &demo{}, error(nil)
	if !out.json {
		err = out.answer(nil, "listening on %s", url)
	}
	if err == nil && c.Demo {
		world, err = openDemo(ctx, in)
	}
	if err == nil && meta != nil {
		graph := sandbox.NewGraph(world.graphOptions(url))
		defer graph.Close()
		defer serveOn(meta, graph)()
	}
	if err == nil && c.Demo && meta != nil {
		tenant := world.businesses[0].tenant
		visited.Store(&tenant)
		go beginAnewEachNight(ctx, in.db, out.log, tenant)
	}
	if err == nil {
		err = world.introduce(out, in, url)
	}
	if err == nil && c.Demo {
		err = world.live(ctx, in, url)
	}
	if err != nil && ctx.Err() == nil {
		// A demo that cannot go on is no reason to stop the server.
		out.log.Error("the demo has stopped", "error", sentence(err))
	}
	<-ctx.Done()

	return nil
}

// openForRun is open, but the embedded server is this process's own.
func openForRun(ctx context.Context, cfg config.Config) (*installation, error) {
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
