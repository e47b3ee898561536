package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// throughFor is how long each rate lasts, but for the highest: the goal names ten minutes of that, and -for says how long it is.
const throughFor = 30 * time.Second

// benchThrough measures the whole way, from a webhook to where its message can be seen, with the web server and the worker as processes
// of their own: at a rate that a busy evening has, at one near the limit, and with one business sending four of five.
func benchThrough(ctx context.Context, p *place, t *table) error {
	for i := range 4 {
		b := &p.businesses[i]
		if b.people < 50_000 {
			if err := p.seedPeople(ctx, *b, b.people+1, 50_000); err != nil {
				return err
			}
			b.people = 50_000
		}
	}
	if err := p.analyze(ctx); err != nil {
		return err
	}

	four := func(n int64) business { return p.businesses[n%4] }
	loud := func(n int64) business {
		if n%5 > 0 {
			return p.businesses[0]
		}
		return p.businesses[1+n/5%3]
	}
	for _, c := range []flow{
		{1_000, throughFor, "four businesses alike", four},
		{5_000, p.longest, "four businesses alike", four},
		{2_000, throughFor, "one business sends 80 %", loud},
	} {
		if err := p.through(ctx, t, c); err != nil {
			return err
		}
	}

	return nil
}

// flow is what comes in while it is measured: so many deliveries a second for so long, the n-th of them for the business that who says.
type flow struct {
	rate    int
	lasting time.Duration
	what    string
	who     func(n int64) business
}

func (p *place) through(ctx context.Context, t *table, f flow) (err error) {
	if err := p.emptyInbox(ctx); err != nil {
		return err
	}
	for _, role := range []string{roleWork, roleGroup} {
		s, startErr := p.start(ctx, role)
		if startErr != nil {
			return startErr
		}
		defer func() { err = errors.Join(err, s.stop()) }()
		if role == roleWork {
			continue
		}
		if _, err := pace(ctx, s.url, f.rate, time.Second, f.who); err != nil { // warm
			return err
		}
		begun := time.Now()
		l, err := pace(ctx, s.url, f.rate, f.lasting, f.who)
		if err != nil {
			return err
		}
		sent := time.Since(begun)
		if err := p.settled(ctx, 100*time.Millisecond); err != nil {
			return err
		}
		t.line(fmt.Sprintf("%d/s for %s, %s", f.rate, f.lasting, f.what), fmt.Sprintf("accepted %.0f/s, p50 %s, p99 %s, refused %d; the last was seen %s after the end",
			float64(len(l.took))/sent.Seconds(), milliseconds(quantile(l.took, 0.5)), milliseconds(quantile(l.took, 0.99)), l.refused, milliseconds(time.Since(begun)-sent)))
	}
	for _, part := range []struct {
		name string
		of   string
	}{{"  accepted to seen, the first business", "="}, {"  accepted to seen, the others", "<>"}} {
		half, most, err := p.lag(ctx, part.of, p.businesses[0].tenant)
		if err != nil {
			return err
		}
		t.line(part.name, fmt.Sprintf("p50 %s, p99 %s", milliseconds(half), milliseconds(most)))
	}

	return nil
}

// lag is how long it took from taking a delivery until what its items caused was committed, of one tenant (=) or all others (<>).
func (p *place) lag(ctx context.Context, of string, tenant uuid.UUID) (half, most time.Duration, err error) {
	var p50, p99 float64
	err = p.super.QueryRowContext(ctx, `
		SELECT coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY lag), 0), coalesce(percentile_cont(0.99) WITHIN GROUP (ORDER BY lag), 0)
		FROM (SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin) - received_at) AS lag FROM inbox_items
		      WHERE state = 'routed' AND tenant_id `+of+` $1) l`, tenant).Scan(&p50, &p99)
	if err != nil {
		return 0, 0, fmt.Errorf("measure lag: %w", err)
	}

	return time.Duration(p50 * float64(time.Second)), time.Duration(p99 * float64(time.Second)), nil
}
