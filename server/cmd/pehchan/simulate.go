package main

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
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
	Told          string    `help:"File to write whose each message, status and change is, one JSON object an item."`
	Contacts      string    `help:"File to write the business's own list of customers to, as CSV, with the errors such lists have."`
	Disorder      float64   `default:"0" help:"Share of deliveries, 0 to 1, that come late; half as many come twice."`
	Start         time.Time `default:"2026-01-05" format:"2006-01-02" help:"Day on which the world begins."`
	Days          int       `default:"180" help:"How many days the events spread over."`
	Portfolio     string    `help:"Business portfolio id, where the number is not the sandbox's own."`
	Also          []string  `help:"Another number that is written to, as WABA:PHONE-NUMBER-ID:DISPLAY-PHONE[:PORTFOLIO]. May be repeated."`
	Calendar      bool      `help:"BSUIDs begin on 1 April and usernames on 7 July 2026, as they did."`
	Parents       bool      `help:"The portfolios have parent ids."`
	ContactBook   bool      `name:"contact-book" help:"The contact book of the portfolios is on."`
	Coexistence   bool      `help:"The first number is also on a phone: echoes, saved names and old chats."`
	Connections   int       `default:"1" help:"How many deliveries are on their way at once; over 1 their order is lost."`
}

func (c simulateCmd) check() error {
	to, err := url.Parse(c.To)
	switch {
	case err != nil || to.Host == "" || to.Scheme != "http" && to.Scheme != "https":
		return usageError("--to is not a web address")
	case c.People < 1 || c.Events < 1 || c.Connections < 1 || c.Days < 1:
		return usageError("--people, --events, --days and --connections are at least 1")
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
	options, err := c.world()
	if err != nil {
		return err
	}
	files, err := c.makeFiles()
	if err != nil {
		return err
	}

	world := sandbox.NewWorld(options)
	deliveries, events, err := c.send(ctx, world, sender{url: c.To, secret: secret, client: &http.Client{Timeout: 30 * time.Second}})
	if err := errors.Join(err, files.write(world)); err != nil {
		return err
	}
	people := world.Truth()

	return out.answer(map[string]any{"deliveries": deliveries, "events": events, "people": len(people)},
		"%d deliveries with %d events of %d people sent", deliveries, events, len(people))
}

// world is what the flags ask for.
func (c simulateCmd) world() (sandbox.WorldOptions, error) {
	numbers := []sandbox.Number{knownNumber(c.WABAID, c.PhoneNumberID, c.DisplayPhone, c.Portfolio)}
	for _, also := range c.Also {
		parts := strings.Split(also, ":")
		if len(parts) < 3 || len(parts) > 4 || slices.Contains(parts, "") {
			return sandbox.WorldOptions{}, usageError("--also is WABA:PHONE-NUMBER-ID:DISPLAY-PHONE[:PORTFOLIO]")
		}
		numbers = append(numbers, knownNumber(parts[0], parts[1], parts[2], strings.Join(parts[3:], "")))
	}
	options := sandbox.WorldOptions{
		Seed: c.Seed, People: c.People, Events: c.Events, Start: c.Start, Span: time.Duration(c.Days) * 24 * time.Hour, Numbers: numbers,
		Disorder: c.Disorder, Calendar: c.Calendar, Parents: c.Parents,
	}
	if c.ContactBook {
		for _, n := range numbers {
			options.Books = append(options.Books, n.PortfolioID)
		}
	}
	if c.Coexistence {
		options.Shared = []string{c.PhoneNumberID}
	}

	return options, nil
}

// knownNumber is the sandbox's own where the ids name one, so that both give its customers the same BSUIDs.
func knownNumber(waba, phoneNumberID, display, portfolio string) sandbox.Number {
	for _, n := range sandbox.Known().Numbers {
		if n.PhoneNumberID == phoneNumberID && n.WABAID == waba {
			n.DisplayPhone = display
			return n
		}
	}

	return sandbox.Number{PortfolioID: cmp.Or(portfolio, waba), WABAID: waba, PhoneNumberID: phoneNumberID, DisplayPhone: display}
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
