package main

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"github.com/pehchan/pehchan/server/teller"
	"github.com/pehchan/pehchan/tenants/forward"
	"github.com/pehchan/pehchan/tenants/imports"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/lives"
	"github.com/pehchan/pehchan/tenants/mail"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/operator"
	"github.com/pehchan/pehchan/tenants/outbox"
	"github.com/pehchan/pehchan/tenants/privacy"
)

type workCmd struct{}

// Run does background work until ctx ends.
func (workCmd) Run(ctx context.Context, out *console) (err error) {
	in, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()

	by, err := in.Mail()
	if err != nil {
		return err
	}
	worker := ingest.NewWorker(in.db, out.log)
	worker.Recognise(in.keys)
	stop, err := answerHealth(ctx, in.Config, roleWork, worker.Well)
	if err != nil {
		return err
	}
	defer stop()
	if err := out.answer(map[string]any{"working": true}, "working"); err != nil {
		return err
	}

	group, ctx := errgroup.WithContext(ctx)
	workInBackground(ctx, group, in, out, worker, by)

	return group.Wait() //nolint:wrapcheck // each says what it was doing
}

// workInBackground starts all that is done beside answering people.
func workInBackground(ctx context.Context, group *errgroup.Group, in *installation, out *console, worker *ingest.Worker, by mail.Carrier) {
	teller := teller.New(in.Config, in.db, in.keys, out.log)
	for _, run := range []func(context.Context) error{
		worker.Run,
		imports.NewWorker(in.db, in.keys, out.log).Run,
		numbers.NewWorker(in.db, in.keys, in.Graph(), out.log).Run,
		outbox.NewSender(in.db, in.keys, in.Graph(), out.log).Run,
		forward.NewSender(in.db, in.keys, in.Doors(), out.log).Run,
		mail.NewSender(in.db, in.keys, by, out.log).Run,
		lives.NewWorker(in.db, out.log).Run,
		operator.NewCounter(in.db, out.log).Run,
		teller.Run,
		teller.RunDigests,
		teller.RunOverdue,
		privacy.NewWorker(in.db, in.keys, in.Graph(), out.log).Run,
	} {
		group.Go(func() error { return run(ctx) })
	}
}
