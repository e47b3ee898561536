package main

import (
	"context"
	"errors"

	"github.com/pehchan/pehchan/tenants/ingest"
)

type workCmd struct{}

// Run does background work until ctx ends.
func (workCmd) Run(ctx context.Context, out *console) error {
	in, err := open(ctx)
	if err != nil {
		return err
	}
	out.log.Info("working")

	return errors.Join(ingest.NewWorker(in.db, out.log).Run(ctx), in.close())
}
