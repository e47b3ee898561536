package reports_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/reports"
	"github.com/pehchan/pehchan/tenants/testdb"
)

func TestRowsAreWhatTheFiguresCount(t *testing.T) {
	t.Parallel()
	d := testdb.New(t)
	clinic, motors := tenant(t, d, "asha-clinic"), tenant(t, d, "ravi-motors")
	fill(t, d, clinic)
	fill(t, d, clinic) // a second page
	for _, c := range []struct {
		tenant uuid.UUID
		month  time.Month
	}{{clinic, 6}, {clinic, 7}, {clinic, 8}, {motors, 7}} {
		from, to := time.Date(2026, c.month, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, c.month+1, 1, 0, 0, 0, 0, time.UTC)
		in(t, d, c.tenant, func(ctx context.Context, tx *tenants.Tx) error {
			sum, err := reports.Sum(ctx, tx, from, to)
			if err != nil {
				return err
			}
			for _, figure := range []string{reports.FigureReached, reports.FigureAuto, reports.FigureJoined, reports.FigureUndone, reports.FigureDecided} {
				want, _ := sum.Of(figure)
				if got := walk(t, ctx, tx, figure, from, to); int64(len(got)) != want {
					t.Errorf("month %d, %s: got %d rows, want %d", c.month, figure, len(got), want)
				}
			}

			return nil
		})
	}
}

// walk reads the rows of a figure one to a page, and sees that each comes once and in the month, links and cases the newest first.
func walk(t *testing.T, ctx context.Context, tx *tenants.Tx, figure string, from, to time.Time) map[uuid.UUID]reports.Row { //nolint:revive // t is first in a test's helper
	t.Helper()
	all, last := map[uuid.UUID]reports.Row{}, to
	for cursor := ""; ; {
		rows, next, err := reports.Rows(ctx, tx, figure, from, to, cursor, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if _, again := all[r.ID]; again || r.At.Before(from) || !r.At.Before(to) || figure != reports.FigureReached && r.At.After(last) {
				t.Errorf("%s: got row %+v, want each once, in the month, links and cases newest first", figure, r)
			}
			all[r.ID], last = r, r.At
		}
		if next == "" {
			return all
		}
		cursor = next
	}
}

func TestRowsOfNothingKnown(t *testing.T) {
	t.Parallel()
	d := testdb.New(t)
	clinic := tenant(t, d, "asha-clinic")
	now := time.Now()
	in(t, d, clinic, func(ctx context.Context, tx *tenants.Tx) error {
		if _, _, err := reports.Rows(ctx, tx, "heard", now.AddDate(0, -1, 0), now, "", 10); !errors.Is(err, tenants.ErrNotFound) {
			t.Errorf("a figure without rows: got %v, want ErrNotFound", err)
		}
		for _, cursor := range []string{"x", "1.", ".", "1.x", "9223372036854775807." + uuid.NewString()} {
			var invalid *tenants.Invalid
			if _, _, err := reports.Rows(ctx, tx, reports.FigureAuto, now.AddDate(0, -1, 0), now, cursor, 10); !errors.As(err, &invalid) {
				t.Errorf("cursor %q: got %v, want Invalid", cursor, err)
			}
		}

		return nil
	})
}
