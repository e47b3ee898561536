package main

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"github.com/pehchan/pehchan/tenants/imports"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/outbox"
)

type workCmd struct{}

// Run does background work until ctx ends.
func (workCmd) Run(ctx context.Context, out *console) (err error) {
	in, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()

	worker := ingest.NewWorker(in.db, out.log)
	stop, err := answerHealth(ctx, in.Config, roleWork, worker.Well)
	if err != nil {
		return err
	}
	defer stop()
	if err := out.answer(map[string]any{"working": true}, "working"); err != nil {
		return err
	}

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return worker.Run(ctx) })
	group.Go(func() error { return imports.NewWorker(in.db, out.log).Run(ctx) })
	group.Go(func() error { return numbers.NewWorker(in.db, in.keys, in.Graph(), out.log).Run(ctx) })
	group.Go(func() error { return outbox.NewSender(in.db, in.keys, in.Graph(), out.log).Run(ctx) })

	return group.Wait() //nolint:wrapcheck // each says what it was doing
}
