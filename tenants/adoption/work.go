package adoption

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// Waiting are the open cases of a kind, by how long they have waited; those on hold are left out.
type Waiting struct {
	Kind  string
	Day   int64 // less than a day
	Week  int64 // less than a week, and so on
	Month int64 // of 30 days
	Older int64
}

// All is how many there are.
func (w Waiting) All() int64 { return w.Day + w.Week + w.Month + w.Older }

// WaitingCases counts the open queue by kind and age, to the quarter of an hour.
func WaitingCases(ctx context.Context, tx *tenants.Tx, now time.Time) ([]Waiting, error) {
	kinds, younger, all, err := Open(ctx, tx, now, oneDay, 7*oneDay, 30*oneDay)
	if err != nil {
		return nil, err
	}
	var list []Waiting
	for i, kind := range kinds {
		if all[i] > 0 {
			n := younger[i]
			list = append(list, Waiting{Kind: kind, Day: n[0], Week: n[1] - n[0], Month: n[2] - n[1], Older: all[i] - n[2]})
		}
	}

	return list, nil
}

// The ages of Waiting.
const (
	AgeDay   = "day"
	AgeWeek  = "week"
	AgeMonth = "month"
	AgeOlder = "older"
)

// Waited is since when, and before when, a case of an age of Waiting has been there, as WaitingCases counts it; ok is false for no such age.
func Waited(age string, now time.Time) (since, before time.Time, ok bool) {
	ago := func(days int) time.Time { return quarterOf(now.Add(-time.Duration(days) * oneDay)) }
	switch age {
	case AgeDay:
		return ago(1), endless, true
	case AgeWeek:
		return ago(7), ago(1), true
	case AgeMonth:
		return ago(30), ago(7), true
	case AgeOlder:
		return time.Time{}, ago(30), true
	}

	return time.Time{}, time.Time{}, false
}

// Open counts the cases that somebody can decide now: of each kind those that have waited for less than each of some ages, and all.
func Open(ctx context.Context, tx *tenants.Tx, now time.Time, ages ...time.Duration) (kinds []string, younger [][]int64, all []int64, err error) {
	total, err := AllOpen(ctx, tx)
	if err != nil {
		return nil, nil, nil, err
	}
	kinds = slices.Sorted(maps.Keys(total))
	whats, since := make([]string, len(kinds)), make([]between, len(ages))
	for i, kind := range kinds {
		whats[i] = openCase + kind
	}
	for i, age := range ages {
		since[i] = between{from: now.Add(-age)}
	}
	sums, err := countWork(ctx, tx, whats, since...)
	if err != nil {
		return nil, nil, nil, err
	}
	for i, kind := range kinds {
		n := make([]int64, len(ages))
		for j := range ages {
			n[j] = sums[j][whats[i]]
		}
		younger, all = append(younger, n), append(all, total[kind])
	}

	var held []struct {
		Kind  string    `db:"kind"`
		Since time.Time `db:"waiting_since"`
	}
	if err := tx.SelectContext(ctx, &held, `
		SELECT kind, waiting_since FROM cases WHERE tenant_id = $1 AND state = 'open' AND part_of IS NULL AND hold_until > now()`, tx.Tenant); err != nil {
		return nil, nil, nil, fmt.Errorf("read cases on hold: %w", err)
	}
	for _, h := range held {
		i := slices.Index(kinds, h.Kind)
		if i == -1 {
			continue
		}
		all[i]--
		for j, s := range since {
			if !quarterOf(h.Since).Before(quarterOf(s.from)) {
				younger[i][j]--
			}
		}
	}

	return kinds, younger, all, nil
}

// AllOpen counts the open queue by kind, with what is put off.
func AllOpen(ctx context.Context, tx *tenants.Tx) (map[string]int64, error) {
	var rows []struct {
		What string `db:"what"`
		N    int64  `db:"n"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		SELECT what, n FROM work_sums WHERE tenant_id = $1 AND what = ANY($2) AND span = 'all'`, tx.Tenant,
		pq.Array([]string{openCase + "unresolved", openCase + "suggested", openCase + "conflict", openCase + "unidentifiable"})); err != nil {
		return nil, fmt.Errorf("read how many cases are open: %w", err)
	}
	open := map[string]int64{}
	for _, r := range rows {
		open[strings.TrimPrefix(r.What, openCase)] = r.N
	}

	return open, nil
}

// Linked is what was put together in a time: by itself, because WhatsApp showed it or a rule that is switched on says so, and by
// people; and how much of each was taken back since.
type Linked struct {
	Auto         int64
	AutoUndone   int64
	Manual       int64
	ManualUndone int64
}

// Links counts what was put together from a time up to another, or without that since, both to the quarter of an hour.
func Links(ctx context.Context, tx *tenants.Tx, from, to time.Time) (Linked, error) {
	sums, err := countWork(ctx, tx, []string{linkAuto, linkAuto + undoneSuffix, linkManual, linkManual + undoneSuffix}, between{from, to})
	if err != nil {
		return Linked{}, err
	}
	n := sums[0]
	l := Linked{AutoUndone: n[linkAuto+undoneSuffix], ManualUndone: n[linkManual+undoneSuffix]}
	l.Auto, l.Manual = n[linkAuto]+l.AutoUndone, n[linkManual]+l.ManualUndone

	return l, nil
}

// Joined counts the contacts that a link of a time made one with another, and that are it still, both ends to the quarter of an hour.
func Joined(ctx context.Context, tx *tenants.Tx, from, to time.Time) (int64, error) {
	sums, err := countWork(ctx, tx, []string{linkJoined}, between{from, to})
	if err != nil {
		return 0, err
	}

	return sums[0][linkJoined], nil
}

// Ended is how many cases ended.
type Ended struct {
	Decided int64 // by a person
	Ruled   int64 // as a person would have decided, by nobody
	Proved  int64 // WhatsApp settled them by itself
}

// CasesEnded counts the cases that ended from a time up to another, or without that since, both to the quarter of an hour, and are not open
// again.
func CasesEnded(ctx context.Context, tx *tenants.Tx, from, to time.Time) (Ended, error) {
	sums, err := countWork(ctx, tx, []string{caseDecided, caseRuled, caseProved}, between{from, to})
	if err != nil {
		return Ended{}, err
	}

	return Ended{Decided: sums[0][caseDecided], Ruled: sums[0][caseRuled], Proved: sums[0][caseProved]}, nil
}

// Pace is how long cases that people decided had been open.
type Pace struct {
	Decided int64   `db:"decided"`
	Median  float64 `db:"median"` // seconds
	P90     float64 `db:"p90"`
}

// paceOf is how many of the last decisions are looked at.
const paceOf = 2_000

// TimeToDecide measures the last 2,000 decisions since a time.
func TimeToDecide(ctx context.Context, tx *tenants.Tx, since time.Time) (Pace, error) {
	var p Pace
	if err := tx.GetContext(ctx, &p, `
		SELECT count(*) AS decided, coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY took), 0) AS median,
		       coalesce(percentile_cont(0.9) WITHIN GROUP (ORDER BY took), 0) AS p90
		FROM (SELECT extract(epoch FROM closed_at - opened_at)::float8 AS took FROM cases
		      WHERE tenant_id = $1 AND state = 'done' AND closed_at >= $2 AND outcome IN ('same', 'not_same', 'new') AND closed_by <> 'system'
		      ORDER BY closed_at DESC, id DESC LIMIT $3) decided`, tx.Tenant, since, paceOf); err != nil {
		return Pace{}, fmt.Errorf("measure decisions: %w", err)
	}

	return p, nil
}
