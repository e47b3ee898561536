package main

import (
	"testing"
	"time"
)

func TestTheDemoBeginsAnewAtNight(t *testing.T) {
	t.Parallel()
	india := time.FixedZone("IST", 5*3600+1800)
	for _, c := range []struct{ now, want time.Time }{
		{time.Date(2026, 11, 23, 2, 59, 59, 0, india), time.Date(2026, 11, 23, 3, 0, 0, 0, india)},
		{time.Date(2026, 11, 23, 3, 0, 0, 0, india), time.Date(2026, 11, 24, 3, 0, 0, 0, india)},
		{time.Date(2026, 11, 30, 22, 0, 0, 0, time.UTC), time.Date(2026, 12, 2, 3, 0, 0, 0, india)},
	} {
		if got := nextNight(c.now, india); !got.Equal(c.want) {
			t.Errorf("after %s: got %s, want %s", c.now, got, c.want)
		}
	}
}
