package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pehchan/pehchan/tenants/sandbox"
)

type simulateCmd struct {
	To            string    `required:"" help:"Webhook URL of the app."`
	AppSecretFile string    `required:"" name:"app-secret-file" help:"File with the app secret that signs."`
	WABAID        string    `required:"" name:"waba-id" help:"WhatsApp Business account id of the number written to."`
	PhoneNumberID string    `required:"" name:"phone-number-id" help:"Id of the number written to."`
	DisplayPhone  string    `required:"" name:"display-phone" help:"The number written to, digits."`
	Seed          int64     `required:"" help:"The same seed makes the same world, byte for byte."`
	People        int       `default:"200" help:"How many people write."`
	Events        int       `default:"2000" help:"How many messages, statuses and system entries, repeats not counted."`
	Rate          float64   `default:"0" help:"Events a second; 0 is as fast as they are taken."`
	Truth         string    `help:"File to write who is who to, one JSON object a person."`
	Disorder      float64   `default:"0" help:"Share of deliveries, 0 to 1, that come late; half as many come twice."`
	Start         time.Time `default:"2026-01-05" format:"2006-01-02" help:"Day on which the world begins."`
	Connections   int       `default:"1" help:"How many deliveries are on their way at once; over 1 their order is lost."`
}

func (c simulateCmd) check() error {
	to, err := url.Parse(c.To)
	switch {
	case err != nil || to.Host == "" || to.Scheme != "http" && to.Scheme != "https":
		return usageError("--to is not a web address")
	case c.People < 1 || c.Events < 1 || c.Connections < 1:
		return usageError("--people, --events and --connections are at least 1")
	case c.Rate < 0 || c.Disorder < 0 || c.Disorder > 1:
		return usageError("--rate is not below 0, --disorder is 0 to 1")
	}

	return nil
}

// Run sends a made-up world as signed webhooks.
func (c simulateCmd) Run(ctx context.Context, out *console) error {
	if err := c.check(); err != nil {
		return err
	}
	secret, err := secretFile(c.AppSecretFile)
	if err != nil {
		return err
	}
	var truth *os.File
	if c.Truth != "" {
		if truth, err = os.Create(c.Truth); err != nil {
			return fmt.Errorf("make the truth file: %w", err)
		}
	}

	world := sandbox.NewWorld(sandbox.WorldOptions{
		Seed: c.Seed, People: c.People, Events: c.Events, Start: c.Start, Numbers: []sandbox.Number{c.number()}, Disorder: c.Disorder,
	})
	deliveries, events, err := c.send(ctx, world, sender{url: c.To, secret: secret, client: &http.Client{Timeout: 30 * time.Second}})
	people := world.Truth()
	if truth != nil {
		err = errors.Join(err, writeTruth(truth, people))
	}
	if err != nil {
		return err
	}

	return out.answer(map[string]any{"deliveries": deliveries, "events": events, "people": len(people)},
		"%d deliveries with %d events of %d people sent", deliveries, events, len(people))
}

// number is the sandbox's own where the ids name one, so that both give its customers the same BSUIDs.
func (c simulateCmd) number() sandbox.Number {
	for _, n := range sandbox.Known().Numbers {
		if n.PhoneNumberID == c.PhoneNumberID && n.WABAID == c.WABAID {
			n.DisplayPhone = c.DisplayPhone
			return n
		}
	}

	return sandbox.Number{PortfolioID: c.WABAID, WABAID: c.WABAID, PhoneNumberID: c.PhoneNumberID, DisplayPhone: c.DisplayPhone}
}

// send delivers the whole world, not faster than the rate.
func (c simulateCmd) send(ctx context.Context, world *sandbox.World, to sender) (deliveries, events int, err error) {
	group, sending := errgroup.WithContext(ctx)
	group.SetLimit(c.Connections)

	began := time.Now()
	for sending.Err() == nil {
		d, more := world.Next()
		if !more {
			break
		}
		if c.Rate > 0 {
			due := began.Add(time.Duration(float64(events) / c.Rate * float64(time.Second)))
			if wait(sending, time.Until(due)) != nil {
				break
			}
		}
		group.Go(func() error { return to.deliver(sending, d.Body) })
		deliveries++
		events += d.Items
	}
	err = group.Wait()
	if err == nil && ctx.Err() != nil {
		err = errors.New("interrupted before all was sent")
	}

	return deliveries, events, err
}

func writeTruth(f *os.File, people []sandbox.PersonTruth) error {
	buffered := bufio.NewWriter(f)
	lines := json.NewEncoder(buffered)
	for _, person := range people {
		if err := lines.Encode(person); err != nil {
			return errors.Join(fmt.Errorf("write the truth: %w", err), f.Close())
		}
	}
	if err := errors.Join(buffered.Flush(), f.Close()); err != nil {
		return fmt.Errorf("write the truth: %w", err)
	}

	return nil
}
