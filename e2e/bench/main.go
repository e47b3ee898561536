// Command bench measures what the product promises about speed, on a PostgreSQL of its own that syncs to disk, and prints one
// table with the baselines it was measured beside. Nothing hangs on its figures.
//
//	go run ./e2e/bench [-only ingest,resolve,through,merge,send,pages,memory] [-for 10m] [-profile folder]
//
// SCALE multiplies how much is stored before measuring. 1 is a million contacts and ten million messages, ten million identifiers in the
// largest lane, and takes a while and some 20 GB of disk; a tenth of it is measured where nothing is said.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/pehchan/pehchan/tenants"
)

// part is one thing to measure.
type part struct {
	name string
	run  func(context.Context, *place, *table) error
}

var parts = []part{
	{"ingest", benchIngest},
	{"resolve", benchResolve},
	{"through", benchThrough},
	{"merge", benchMerge},
	{"send", benchSend},
	{"pages", benchPages},
	{"memory", benchMemory},
}

func main() {
	tenants.LeaveRoom() // as the product's own program does
	role := flag.String("role", "", "serve as one of hmac, row, group, work: what the measuring starts by itself")
	only := flag.String("only", "", "measure these `parts` only, with commas between them")
	profile := flag.String("profile", "", "write CPU profiles to this `folder`")
	longest := flag.Duration("for", throughFor, "let 5,000 deliveries a second last this `long` on their whole way")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if *role != "" {
		err = serve(ctx, *role, *profile)
	} else {
		err = measure(ctx, *only, *profile, *longest)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has been called
	}
}

func measure(ctx context.Context, only, profile string, longest time.Duration) (err error) {
	scale, err := strconv.ParseFloat(cmp.Or(os.Getenv("SCALE"), "0.1"), 64)
	if err != nil || scale <= 0 {
		return fmt.Errorf("SCALE is not a number above 0: %q", os.Getenv("SCALE"))
	}
	p, err := newPlace(ctx, scale, profile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()

	p.longest = longest
	t := &table{}
	for _, part := range parts {
		if only != "" && !slices.Contains(strings.Split(only, ","), part.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "measuring %s\n", part.name)
		t.section(part.name, busy())
		if err := part.run(ctx, p, t); err != nil {
			// What was measured before is worth having.
			return errors.Join(fmt.Errorf("measure %s: %w", part.name, err), t.print(os.Stdout))
		}
	}

	return t.print(os.Stdout)
}

// busy is how many programs wanted a processor over the last minute.
func busy() string {
	raw, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "load not known"
	}
	one, _, _ := strings.Cut(string(raw), " ")

	return "load " + one + " when it began"
}
