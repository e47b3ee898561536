package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"time"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/outbox"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

const (
	sendPeople  = 800_000_000 // seeded people from here on, who write first
	sendNumbers = 25
	sendEach    = 40 // people of each, who get a reply
	sendTakes   = 50 * time.Millisecond
)

// benchSend measures how fast replies are taken from those who write them, and how fast they go out to a Graph that takes as long as
// Meta's. A number sends 40 messages a second at most, so many send at once.
func benchSend(ctx context.Context, p *place, t *table) error {
	for i := len(p.businesses); i < sendNumbers; i++ {
		if err := p.addBusiness(ctx, fmt.Sprintf("sender-%d", i)); err != nil {
			return err
		}
	}
	if err := p.peopleWrite(ctx); err != nil {
		return err
	}

	var taken atomic.Int64
	graph := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		time.Sleep(sendTakes)
		_, _ = fmt.Fprintf(w, `{"messages":[{"id":"wamid.bench.%d"}]}`, taken.Add(1))
	}))
	defer graph.Close()

	var submits []time.Duration
	for i, b := range p.businesses[:sendNumbers] {
		for k := range sendEach {
			took, err := p.reply(ctx, b, sendPeople+i*sendEach+k)
			if err != nil {
				return err
			}
			submits = append(submits, took)
		}
	}
	slices.Sort(submits)
	t.line("a reply opened and submitted", fmt.Sprintf("p50 %s, p95 %s", milliseconds(quantile(submits, 0.5)), milliseconds(quantile(submits, 0.95))))

	began := time.Now()
	if err := p.drainOutbox(ctx, whatsapp.NewGraph(graph.URL), len(submits)); err != nil {
		return err
	}
	took := time.Since(began)
	t.line("replies sent", fmt.Sprintf("%.0f/s, %d of %d numbers, Graph takes %s", float64(len(submits))/took.Seconds(), len(submits), sendNumbers, sendTakes))
	if got := taken.Load(); got != int64(len(submits)) {
		return fmt.Errorf("graph was given %d messages of %d", got, len(submits))
	}

	return nil
}

// peopleWrite has everybody who is to get a reply write first, so that they may get one.
func (p *place) peopleWrite(ctx context.Context) error {
	r := &resolving{place: p}
	if err := p.emptyInbox(ctx); err != nil {
		return err
	}
	for i, b := range p.businesses[:sendNumbers] {
		first := sendPeople + i*sendEach
		if err := p.seedPeople(ctx, b, first, first+sendEach-1); err != nil {
			return err
		}
		bodies := make([]string, sendEach)
		for k := range bodies {
			bodies[k] = b.message(first+k, p.names.latin(first+k), fmt.Sprint("send.", i, ".", k))
		}
		if err := r.feedLane(ctx, b, bodies); err != nil {
			return err
		}
	}
	_, err := r.drain(ctx, 0, "")

	return err
}

// reply opens the composer of a seeded person and submits a text, as the page and its form do.
func (p *place) reply(ctx context.Context, b business, person int) (time.Duration, error) {
	ctx = tenants.Often(ctx)
	began := time.Now()
	var to conversations.Recipient
	err := p.db.As(ctx, b.tenant, func(tx *tenants.Tx) (err error) {
		to, err = conversations.ReplyTo(ctx, tx, conversations.Thread{Contact: seededContact(person)})
		return err
	})
	if err != nil {
		return 0, err
	}
	err = p.db.As(ctx, b.tenant, func(tx *tenants.Tx) error {
		_, err := conversations.Submit(ctx, tx, access.Command("bench").Actor, conversations.Draft{Version: to.Version, Key: fmt.Sprint("bench-", person), Text: "Haan, aa jaaiye."})
		return err
	})

	return time.Since(began), err
}

// drainOutbox sends until all messages are sent.
func (p *place) drainOutbox(ctx context.Context, graph whatsapp.Graph, all int) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- outbox.NewSender(p.db, p.keys, graph, slog.New(slog.DiscardHandler)).Run(ctx) }()
	for sent := 0; sent < all; {
		if err := p.super.QueryRowContext(ctx, `SELECT count(*) FROM outbox WHERE state NOT IN ('waiting', 'sending')`).Scan(&sent); err != nil {
			return fmt.Errorf("look at the outbox: %w", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(25 * time.Millisecond):
		}
	}
	stop()

	return <-ended
}
