package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// table is what is printed: a line for each measurement.
type table struct {
	lines []string
}

func (t *table) section(name, note string) {
	t.lines = append(t.lines, fmt.Sprintf("\n%s\t%s", name, note))
}

func (t *table) line(what string, figures string) {
	t.lines = append(t.lines, fmt.Sprintf("  %s\t%s", what, figures))
}

func (t *table) print(w io.Writer) error {
	tab := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, l := range t.lines {
		if _, err := fmt.Fprintln(tab, l); err != nil {
			return err
		}
	}

	return tab.Flush()
}

// quantile of sorted durations.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}

	return sorted[min(int(float64(len(sorted))*q), len(sorted)-1)]
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}

func median(figures []float64) float64 {
	sorted := slices.Sorted(slices.Values(figures))

	return sorted[len(sorted)/2]
}
