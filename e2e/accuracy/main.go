// Command accuracy runs made-up worlds against the whole product and counts how often it is right about who is who. It starts
// the real program with its embedded Postgres, connects numbers as a customer does, posts signed webhooks over HTTP, reads what
// became of them through the JSON API, and holds that against the truth of the world. make accuracy prints the table; README.md
// beside this file keeps the last one.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	sizes := flag.String("sizes", "200,1000,5000", "people in a world, comma-separated")
	seeds := flag.Int("seeds", 3, "worlds of each size")
	from := flag.Int("from", 1, "seed of the first world of each size")
	quick := flag.Bool("quick", false, "one world of 200 people")
	keep := flag.String("keep", "", "folder to leave misjudged people in, as JSON lines")
	flag.Parse()
	if *quick {
		*sizes, *seeds = "200", 1
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	table, err := measure(ctx, *sizes, *from, *seeds, *keep)
	stop()
	if table != "" {
		fmt.Print(table)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "accuracy:", err)
		os.Exit(1)
	}
}

// measure returns the table of the worlds that were measured, also where a later one failed.
func measure(ctx context.Context, sizes string, from, seeds int, keep string) (table string, err error) {
	p, err := start(ctx)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, p.stop()) }()

	begun := time.Now()
	var results []result
	defer func() {
		if len(results) > 0 {
			table = report(results, time.Since(begun))
		}
	}()
	for size := range strings.SplitSeq(sizes, ",") {
		people, err := strconv.Atoi(strings.TrimSpace(size))
		if err != nil || people < 2 {
			return "", fmt.Errorf("%q is not a number of people", size)
		}
		for seed := from; seed < from+seeds; seed++ {
			r, err := p.world(ctx, people, int64(seed))
			if err != nil {
				return "", fmt.Errorf("world of %d people, seed %d: %w", people, seed, err)
			}
			results = append(results, r)
			if err := r.keep(keep); err != nil {
				return "", err
			}
		}
	}

	return "", nil
}
