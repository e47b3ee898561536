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

	deps := server.Deps{DB: in.db, Keys: in.keys, Log: out.log, OnListen: ready}

	return errors.Join(serve(ctx, in, deps), in.close())
}

func serve(ctx context.Context, in *installation, deps server.Deps) error {
	srv, err := server.New(in.Config, deps)
	if err != nil {
		return err
	}

	return srv.Listen(ctx)
}
