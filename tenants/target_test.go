package tenants_test

import (
	"testing"
	"time"

	"github.com/pehchan/pehchan/tenants"
)

func TestDaysUntilGoByTheBusinessesClocks(t *testing.T) {
	t.Parallel()
	asha := tenants.Tenant{Timezone: "Asia/Kolkata"}
	day := time.Date(2027, 1, 10, 0, 0, 0, 0, time.UTC)
	for now, want := range map[string]int{
		"2027-01-09T18:29:59Z": 1, "2027-01-09T18:30:00Z": 0, "2027-01-10T18:29:59Z": 0, "2027-01-10T18:30:00Z": -1, "2026-12-31T18:29:59Z": 10,
	} {
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		if got := asha.DaysUntil(day, at); got != want {
			t.Errorf("%s: %d days, want %d", now, got, want)
		}
	}
}
