package facts_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/facts"
	"github.com/pehchan/pehchan/tenants/testdb"
)

func untold(t *testing.T, d *testdb.Database, tenant tenants.Tenant, person uuid.UUID, limit int) (shown, all int, seq int64) {
	t.Helper()
	as(t, d, tenant, func(ctx context.Context, tx *tenants.Tx) error {
		list, n, end, err := facts.Untold(ctx, tx, person, limit)
		shown, all, seq = len(list), n, end

		return err
	})

	return shown, all, seq
}

func TestNobodyIsToldTwice(t *testing.T) {
	t.Parallel()
	d := testdb.New(t)
	seed(t, d)
	clinic, asha := owner(t, d, "asha-clinic")
	motors, ravi := owner(t, d, "ravi-motors")
	if _, all, _ := untold(t, d, clinic, asha, 5); all != 0 {
		t.Errorf("a new owner: got %d to tell, want nothing", all)
	}
	for i, key := range []string{"usernames.in", "usernames.np", "usernames.in"} {
		f := get(t, d, key)
		change := f.Content
		change.TextEN += " Again."
		edit(t, d, facts.Change{Key: key, Version: f.Version, Content: change})
		want := min(i+1, 2) // what was replaced is not told
		if shown, all, _ := untold(t, d, clinic, asha, 1); shown != 1 || all != want {
			t.Errorf("after %d edits: got %d of %d, want 1 of %d", i+1, shown, all, want)
		}
	}

	_, _, seq := untold(t, d, clinic, asha, 5)
	as(t, d, clinic, func(ctx context.Context, tx *tenants.Tx) error { return facts.Told(ctx, tx, asha, seq) })
	if _, all, _ := untold(t, d, clinic, asha, 5); all != 0 {
		t.Errorf("once told: got %d more", all)
	}
	as(t, d, motors, func(ctx context.Context, tx *tenants.Tx) error { return facts.MarkRead(ctx, tx, ravi, 1) })
	if _, all, _ := untold(t, d, motors, ravi, 5); all == 0 {
		t.Error("who is in another business and has read only the first fact is told nothing")
	}
	as(t, d, motors, func(ctx context.Context, tx *tenants.Tx) error { return facts.MarkRead(ctx, tx, ravi, seq) })
	if _, all, _ := untold(t, d, motors, ravi, 5); all != 0 {
		t.Errorf("who has read everything is told %d things", all)
	}
}

func TestTheDigestIsOnMondayMorning(t *testing.T) {
	t.Parallel()
	d := testdb.New(t)
	clinic, _ := owner(t, d, "asha-clinic")
	kolkata := clinic.Location()
	if err := facts.Digests.Plan(t.Context(), d.DB); err != nil {
		t.Fatal(err)
	}
	due, err := facts.Digests.Claim(t.Context(), d.DB)
	if err != nil || len(due) != 1 || due[0].Tenant != clinic.ID || !due[0].First {
		t.Fatalf("got %+v %v, want the business's first", due, err)
	}
	if again, err := facts.Digests.Claim(t.Context(), d.DB); err != nil || len(again) != 0 {
		t.Errorf("claimed twice: %+v %v", again, err)
	}
	for now, want := range map[string]string{
		"2026-11-22T23:30:00+05:30": "2026-11-23T08:00:00+05:30", // Sunday
		"2026-11-23T07:59:59+05:30": "2026-11-23T08:00:00+05:30",
		"2026-11-23T08:00:00+05:30": "2026-11-30T08:00:00+05:30",
		"2026-11-24T00:00:00+05:30": "2026-11-30T08:00:00+05:30",
	} {
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		as(t, d, clinic, func(ctx context.Context, tx *tenants.Tx) error {
			if err := facts.NextDigest(ctx, tx, at, kolkata); err != nil {
				return err
			}
			var next time.Time
			err := tx.GetContext(ctx, &next, `SELECT run_at FROM jobs WHERE kind = $1`, facts.KindDigest)
			if got := next.In(kolkata).Format(time.RFC3339); got != want {
				t.Errorf("after %s: got %s, want %s", now, got, want)
			}

			return err
		})
	}
}
