package main

import (
	"context"
	"errors"

	"github.com/pehchan/pehchan/server"
)

type serveCmd struct{}

// Run serves the web until ctx ends.
func (serveCmd) Run(ctx context.Context, out *console) error {
	in, err := open(ctx)
	if err != nil {
		return err
	}

	ready := func(url string) {
		if err := out.answer(map[string]any{"listening": url}, "listening on %s", url); err != nil {
			out.log.Error("cannot say the address", "error", err)
		}
	}

	return errors.Join(serve(ctx, out, in, ready), in.close())
}

// serve runs the web server; ready is told its address once it takes connections.
func serve(ctx context.Context, out *console, in *installation, ready func(url string)) error {
	deps := server.Deps{DB: in.db, Keys: in.keys, Log: out.log, OnListen: ready}
	srv, err := server.New(in.Config, deps)
	if err != nil {
		return err
	}

	return srv.Listen(ctx)
}
