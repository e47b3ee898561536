package imports_test

import (
	"context"
	"database/sql"
	"encoding/csv"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/imports"
)

// rows is how long a list the memory is measured with. A cell nobody uses makes any list as large, so that a short one shows as well
// as a long one whether it is held. Try 200,000 with -rows.
var rows = flag.Int("rows", 1500, "rows of the list that TestMemoryDoesNotGrow takes in and gives out")

const (
	listBytes  = 24 << 20
	liveAllows = 12 << 20 // half of it: the collector lets some pass
)

// longList writes a list while it is read.
type longList struct {
	rows, next int
	rest       strings.Reader
	pad        string
}

func (l *longList) Read(p []byte) (int, error) {
	if l.rest.Len() == 0 {
		if l.next > l.rows {
			return 0, io.EOF
		}
		line := fmt.Sprintf("Customer %d,+9198%08d,C-%d,%s\n", l.next, l.next, l.next, l.pad)
		if l.next == 0 {
			line = "name,phone,customer id,note\n"
		}
		l.rest.Reset(line)
		l.next++
	}

	return l.rest.Read(p)
}

// peak samples the live heap, as the last collection left it, and the memory had from the system, until stop is called.
func peak() (stop func() (live, had uint64)) {
	was := debug.SetGCPercent(20)
	runtime.GC()
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(sample)
	base := sample[0].Value.Uint64()
	var live, had atomic.Uint64
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		own := append([]metrics.Sample{}, sample...)
		for tick := time.NewTicker(5 * time.Millisecond); ; {
			select {
			case <-done:
				tick.Stop()
				return
			case <-tick.C:
				metrics.Read(own)
				live.Store(max(live.Load(), own[0].Value.Uint64()))
				had.Store(max(had.Load(), own[1].Value.Uint64()-own[2].Value.Uint64()))
			}
		}
	}()

	return func() (uint64, uint64) {
		close(done)
		<-ended
		debug.SetGCPercent(was)
		return max(live.Load(), base) - base, had.Load()
	}
}

// tend does every half minute what a server does by itself where many rows are written, and a server for tests leaves undone.
func (s *shop) tend() {
	s.t.Helper()
	owner, err := sql.Open("postgres", s.owner)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(s.t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for tick := time.NewTicker(30 * time.Second); ; {
			select {
			case <-ctx.Done():
				tick.Stop()
				return
			case <-tick.C:
				if _, err := owner.ExecContext(ctx, `VACUUM ANALYZE`); err != nil && ctx.Err() == nil {
					s.t.Error(err)
				}
			}
		}
	}()
	s.t.Cleanup(func() {
		stop()
		<-ended
		_ = owner.Close()
	})
}

// A list goes in, is tried, taken in, given out and taken back with the memory of a batch. It does not run beside other tests, whose
// memory it would count.
func TestMemoryDoesNotGrow(t *testing.T) { //nolint:paralleltest // see above
	s := newShop(t, false)
	s.work()
	s.tend()
	step := func(what string, do func()) {
		stop, began := peak(), time.Now()
		do()
		live, had := stop()
		t.Logf("%-9s %d rows: %s, live heap +%.1f MB, memory had %.0f MB", what, *rows, time.Since(began).Round(time.Millisecond), float64(live)/(1<<20), float64(had)/(1<<20))
		if live > liveAllows {
			t.Errorf("%s: live heap grew by %d bytes, want at most %d for a list of any length", what, live, liveAllows)
		}
	}

	var i imports.Import
	step("upload", func() { i = s.upload(&longList{rows: *rows, pad: strings.Repeat("x", listBytes / *rows)}) })
	step("trial", func() { i = s.try(i, nil) })
	step("take in", func() {
		s.step(i.ID, imports.Run)
		i = s.until(i.ID, imports.Done)
	})
	if i.New != *rows {
		t.Errorf("want %d new, got %d", *rows, i.New)
	}
	step("give out", func() {
		n, err := imports.Export{Clear: true, Heads: []string{"name", "phone", "bsuid", "username", "last"}, Zone: time.UTC}.Write(
			t.Context(), s.db, s.tenant, csv.NewWriter(io.Discard))
		if err != nil || n != *rows {
			t.Errorf("want %d given out, got %d %v", *rows, n, err)
		}
	})
	step("take back", func() { i = s.undo(i) })
	if i.Reverted != *rows || i.Kept != 0 {
		t.Errorf("want %d taken back, got %d, and %d kept", *rows, i.Reverted, i.Kept)
	}
}

// Workers that die at any moment, two at a time, lose no row and take none in twice.
func TestEveryRowOnceWhateverDies(t *testing.T) {
	t.Parallel()
	const people = 1200
	s := newShop(t, false)
	i := s.upload(&longList{rows: people})
	rng := rand.New(rand.NewPCG(1, 2))
	deaths := 0
	carryOn := func(until string) {
		for deaths = 0; ; {
			var workers sync.WaitGroup
			for range 2 {
				// Lives grow, so that on a slow machine some are long enough for a batch.
				ctx, die := context.WithTimeout(t.Context(), time.Duration(50+rng.IntN(200)+deaths*20)*time.Millisecond)
				workers.Go(func() {
					defer die()
					_ = imports.NewWorker(s.db, s.keys, slog.New(slog.DiscardHandler)).Run(ctx)
				})
				deaths++
			}
			workers.Wait()
			s.as(func(tx *tenants.Tx) (err error) {
				i, err = imports.Get(t.Context(), tx, i.ID)
				return err
			})
			if i.State == until {
				return
			}
			if deaths > 500 {
				t.Fatalf("import stays %s at row %d", i.State, i.AtRow)
			}
		}
	}

	s.as(func(tx *tenants.Tx) error { return imports.Map(t.Context(), tx, meera, i.ID, i.Mapping, "") })
	carryOn(imports.Checked)
	s.step(i.ID, imports.Run)
	carryOn(imports.Done)
	var contacts, links, rows int
	s.as(func(tx *tenants.Tx) error {
		return tx.QueryRowx(`
			SELECT (SELECT count(*) FROM contacts), (SELECT count(*) FROM links WHERE kind = 'imported'),
			       (SELECT count(*) FROM import_rows WHERE outcome = 'new' AND contact_id IS NOT NULL)`).Scan(&contacts, &links, &rows)
	})
	if i.New != people || contacts != people || links != people || rows != people {
		t.Errorf("want %d each after %d deaths: counted %d, contacts %d, links %d, rows %d", people, deaths, i.New, contacts, links, rows)
	}
	s.step(i.ID, imports.Undo)
	carryOn(imports.Undone)
	if left := s.dump(); left != "" {
		t.Errorf("want nothing left, got %.500s", left)
	}
}
