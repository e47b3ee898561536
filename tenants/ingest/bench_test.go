package ingest_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// benchBody is a delivery of 1.2 KB, different for each n.
func benchBody(n int64) []byte {
	return []byte(toAsha(text(int(n), strings.Repeat("namaste ", 106))))
}

// BenchmarkReceive stores deliveries from 64 and from 256 connections at once: the receiver, and beside it the baseline, one
// row and one transaction for each request with the same unique key. Run it on a Postgres that syncs to disk (make bench).
func BenchmarkReceive(b *testing.B) {
	for _, connections := range []int{64, 256} {
		b.Run(fmt.Sprintf("group-commit/%d", connections), func(b *testing.B) {
			p := newPlace(b)
			bench(b, connections, func(ctx context.Context, body []byte) error {
				_, err := p.receiver.Receive(ctx, p.app, body)
				return err
			})
		})
		b.Run(fmt.Sprintf("row-per-request/%d", connections), func(b *testing.B) {
			p := newPlace(b)
			bench(b, connections, func(ctx context.Context, body []byte) error { return p.storeOne(ctx, p.app, body) })
		})
	}
}

// storeOne is the baseline.
func (p *place) storeOne(ctx context.Context, app uuid.UUID, body []byte) error {
	digest := sha256.Sum256(body)

	return p.DB.System(ctx, func(tx *tenants.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO inbox_events (app_id, digest, body) VALUES ($1, $2, $3)
			ON CONFLICT ON CONSTRAINT inbox_events_digest DO NOTHING`, app, digest[:], body)
		return err
	})
}

func bench(b *testing.B, connections int, store func(context.Context, []byte) error) {
	b.Helper()

	var (
		senders sync.WaitGroup
		next    atomic.Int64
		took    = make([][]time.Duration, connections)
	)
	b.ResetTimer()
	for c := range connections {
		senders.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				body, started := benchBody(n), time.Now()
				if err := store(context.Background(), body); err != nil {
					b.Error(err)
					return
				}
				took[c] = append(took[c], time.Since(started))
			}
		})
	}
	senders.Wait()
	b.StopTimer()

	all := slices.Concat(took...)
	slices.Sort(all)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "accepted/s")
	b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
}
