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
	if err := out.answer(map[string]any{"working": true}, "working"); err != nil {
		return errors.Join(err, in.close())
	}

	return errors.Join(ingest.NewWorker(in.db, out.log).Run(ctx), in.close())
}
