package ingest_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pehchan/pehchan/tenants/ingest"
)

// A worker whose work does not go round says so; that it cannot reach the database is no reason.
func TestWorkerSaysWhetherItIsWell(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := ingest.NewWorker(nil, slog.New(slog.DiscardHandler))
		if err := w.Well(); err != nil {
			t.Errorf("a new worker: want nil, got %v", err)
		}
		time.Sleep(2 * time.Minute) // of the bubble's clock
		if err := w.Well(); err == nil {
			t.Error("after two minutes in which nothing went round: want an error")
		}
	})

	p := newPlace(t)
	w := ingest.NewWorker(p.DB, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	if err := w.Well(); err != nil {
		t.Errorf("at work: want nil, got %v", err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
