package adoption_test

import (
	"testing"

	"github.com/pehchan/pehchan/tenants/adoption"
)

func TestTarget(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		days       int
		all, known int64
		perWeek    int64
	}{
		{70, 100, 0, 10}, {7, 100, 90, 10}, {8, 100, 90, 5}, {0, 100, 90, 10}, {-3, 100, 90, 10}, {30, 5, 5, 0}, {15, 10, 9, 1}, {30, 0, 0, 0},
	} {
		if got := (adoption.Target{Days: c.days, All: c.all, Known: c.known}).PerWeek(); got != c.perWeek {
			t.Errorf("%+v: %d a week", c, got)
		}
	}
}
