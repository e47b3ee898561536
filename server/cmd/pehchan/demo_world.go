package main

import (
	"context"
	"net/http"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/sandbox"
)

const (
	// The demo's past: how long it is, and how many of its deliveries are late.
	pastSpan     = 120 * 24 * time.Hour
	pastDisorder = 0.03

	// The demo's present: a world with an event about every half a minute, met when most of its people write already.
	presentEvents = 6_000
	presentPace   = 30 * time.Second
	presentSpan   = presentEvents * presentPace
	presentMet    = presentSpan * 6 / 10
	presentPeople = 60
	// presentLead lets the first events have happened already.
	presentLead = 5 * time.Minute
)

// live connects the demo's numbers and tells its past, where that is not done yet, and then its present until ctx ends.
func (d *demo) live(ctx context.Context, in *installation, url string) error {
	to := sender{
		client: &http.Client{Timeout: 30 * time.Second}, url: url + numbers.HookPath(demoApp), secret: d.app.Secrets[0],
	}

	if !d.Told {
		for _, b := range d.businesses {
			if err := b.connect(ctx, in, url); err != nil {
				return err
			}
		}
		for i, b := range d.businesses {
			if err := b.past(ctx, to, int64(i), d.Present); err != nil {
				return err
			}
		}
		d.Told = true
		if err := d.save(); err != nil {
			return err
		}
	}

	group, ctx := errgroup.WithContext(ctx)
	for i, b := range d.businesses {
		group.Go(func() error { return b.present(ctx, to, int64(i)) })
	}

	return group.Wait()
}

// connect connects the numbers that are not yet.
func (b business) connect(ctx context.Context, in *installation, url string) error {
	token := ""
	for _, t := range sandbox.Known().Tokens {
		if t.State == sandbox.TokenGood {
			token = t.Token
		}
	}

	for _, n := range b.numbers {
		_, err := numbers.Connect(ctx, in.db, in.keys, in.Graph(), command.Actor, b.tenant, numbers.ConnectInput{
			App: demoApp, WABAID: n.WABAID, PhoneNumberID: n.PhoneNumberID, DisplayPhone: n.DisplayPhone,
			PortfolioID: n.PortfolioID, AccessToken: token, PublicURL: url,
		})
		if err != nil && tenants.ConflictCode(err) != "number_connected" {
			return err
		}
	}

	return nil
}

// past tells what led to the present: months of small talk, and the story that fills every screen. The same present makes the
// same bytes, so telling it again after an interruption only repeats deliveries.
func (b business) past(ctx context.Context, to sender, seed int64, present time.Time) error {
	deliveries := sandbox.DemoStory(b.numbers[0], present)
	world := sandbox.NewWorld(sandbox.WorldOptions{
		Seed: seed, People: b.people, Events: b.events, Start: present.Add(-pastSpan), Span: pastSpan, Numbers: b.numbers,
		Disorder: pastDisorder,
	})
	for {
		d, more := world.Next()
		if !more {
			break
		}
		if d.At.Before(present) {
			deliveries = append(deliveries, d)
		}
	}
	slices.SortStableFunc(deliveries, func(x, y sandbox.Delivery) int { return x.At.Compare(y.At) })

	for _, d := range deliveries {
		if err := to.deliver(ctx, d.Body); err != nil {
			return err
		}
	}

	return nil
}

// present is one world after another, each for some hours, delivered as its time passes.
func (b business) present(ctx context.Context, to sender, seed int64) error {
	for {
		now := time.Now()
		world := sandbox.NewWorld(sandbox.WorldOptions{
			Seed: now.Unix() + seed, People: presentPeople, Events: presentEvents, Start: now.Add(-presentMet),
			Span: presentSpan, Numbers: b.numbers,
		})
		for d, more := world.Next(); more; d, more = world.Next() {
			if d.At.Before(now.Add(-presentLead)) {
				continue
			}
			if err := wait(ctx, time.Until(d.At)); err != nil {
				return err
			}
			if err := to.deliver(ctx, d.Body); err != nil {
				return err
			}
		}
	}
}
