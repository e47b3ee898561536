package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/pprof"
	"time"

	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

const (
	resolveEvents = 8_000
	rowWiseEvents = 200
	newPeople     = 100 // one event in so many is a stranger's first
)

// benchResolve measures how fast waiting items become messages of contacts: the lanes as they are, and beside them the same
// engine fed one event a transaction.
func benchResolve(ctx context.Context, p *place, t *table) error {
	people := int(50_000 * p.scale)
	for _, b := range p.businesses {
		if err := p.seedPeople(ctx, b, 1, people); err != nil {
			return err
		}
	}
	if err := p.analyze(ctx); err != nil {
		return err
	}

	r := &resolving{place: p, people: people}
	if err := r.feed(ctx, p.businesses[:1], 2_000); err != nil { // warm
		return err
	}
	if _, err := r.drain(ctx, 0, ""); err != nil {
		return err
	}
	measured := map[string]float64{}
	for _, c := range []struct {
		name       string
		businesses []business
		events     int
		batch      int
	}{
		{"one event a transaction, one lane", p.businesses[:1], rowWiseEvents, 1},
		{"set-wise, one lane", p.businesses[:1], resolveEvents, 0},
		{"set-wise, four lanes", p.businesses, resolveEvents, 0},
	} {
		var rates, own, database []float64 // events a second; processor time of an event in this process and in the database, µs
		for round := range 3 {
			if err := r.feed(ctx, c.businesses, c.events/len(c.businesses)); err != nil {
				return err
			}
			goBefore, dbBefore, err := r.cpu()
			if err != nil {
				return err
			}
			took, err := r.drain(ctx, c.batch, fmt.Sprintf("resolve-%d-%d-%d", c.batch, len(c.businesses), round))
			if err != nil {
				return err
			}
			goAfter, dbAfter, err := r.cpu()
			if err != nil {
				return err
			}
			rates = append(rates, float64(c.events)/took.Seconds())
			own = append(own, float64((goAfter-goBefore).Microseconds())/float64(c.events))
			database = append(database, float64((dbAfter-dbBefore).Microseconds())/float64(c.events))
		}
		measured[c.name] = median(rates)
		t.line(c.name, fmt.Sprintf("%.0f events/s; processor time of an event: program %.0f µs, database %.0f µs", measured[c.name], median(own), median(database)))
	}
	t.line("set-wise ÷ row-wise, one lane", fmt.Sprintf("%.1f×", measured["set-wise, one lane"]/measured["one event a transaction, one lane"]))
	t.line("identifiers stored beforehand", fmt.Sprintf("%d in each of 4 businesses; 1 event in %d is a new person's", 2*people, newPeople))

	return nil
}

type resolving struct {
	*place
	people, sent int
}

// feed makes n items wait in each business's lane.
func (r *resolving) feed(ctx context.Context, businesses []business, n int) error {
	if err := r.emptyInbox(ctx); err != nil {
		return err
	}
	for _, b := range businesses {
		if err := r.feedLane(ctx, b, n); err != nil {
			return err
		}
	}

	return nil
}

func (r *resolving) feedLane(ctx context.Context, b business, n int) error {
	var event int64
	if err := r.super.QueryRowContext(ctx, `INSERT INTO inbox_events (app_id, digest, body, split_at) VALUES ($1, $2, '', now()) RETURNING id`,
		r.app, fmt.Appendf(nil, "%s %d", b.phoneNumberID, r.sent)).Scan(&event); err != nil {
		return fmt.Errorf("feed a lane: %w", err)
	}
	now, bodies := time.Now(), make([][]byte, n)
	for i := range n {
		r.sent++
		items, err := whatsapp.Split(r.delivery(b, now))
		if err != nil || len(items) != 1 {
			return fmt.Errorf("feed a lane: %d items, %w", len(items), err)
		}
		bodies[i] = items[0].Body
	}
	err := r.copyIn(ctx, `
		COPY inbox_items (event_id, position, app_id, tenant_id, number_id, field, kind, phone_number_id,
		                  waba_id, display_phone, body, state, received_at) FROM STDIN`, n, func(i int) []any {
		return []any{event, fmt.Sprint(i), r.app, b.tenant, b.number, "messages", "message", b.phoneNumberID, b.waba, b.display, bodies[i], "waiting", now}
	})
	if err != nil {
		return err
	}
	if err := r.exec(ctx, `INSERT INTO inbox_counters (tenant_id, number_id, slot, received, waiting) VALUES ($1, $2, 0, $3, $3)`, b.tenant, b.number, n); err != nil {
		return err
	}

	return r.exec(ctx, `INSERT INTO lanes (tenant_id, gen, ready) VALUES ($1, 1, true)`, b.tenant)
}

// delivery is the next message: of somebody known, or once in a while of a stranger.
func (r *resolving) delivery(b business, at time.Time) []byte {
	person := 1 + r.sent*7919%r.people
	if r.sent%newPeople == 0 {
		person = 900_000_000 + r.sent
	}
	return fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":%q,"changes":[{"field":"messages","value":{"messaging_product":"whatsapp",`+
		`"metadata":{"display_phone_number":%q,"phone_number_id":%q},"contacts":[{"profile":{"name":%q},"wa_id":"917%09d","user_id":"IN.88%014d"}],`+
		`"messages":[{"from":"917%09d","from_user_id":"IN.88%014d","id":"wamid.bench.%d","timestamp":"%d","type":"text","text":{"body":"Kal subah aa sakte hain?"}}]}}]}]}`,
		b.waba, b.display, b.phoneNumberID, nameOf(person), person, person, person, person, r.sent, at.Unix())
}

// drain runs the lanes until nothing waits, and returns how long that took.
func (r *resolving) drain(ctx context.Context, batch int, profile string) (time.Duration, error) {
	if r.profile != "" && profile != "" {
		f, err := os.Create(filepath.Join(r.profile, profile+".pprof"))
		if err != nil {
			return 0, fmt.Errorf("profile: %w", err)
		}
		defer func() { _ = f.Close() }()
		if err := pprof.StartCPUProfile(f); err != nil {
			return 0, fmt.Errorf("profile: %w", err)
		}
		defer pprof.StopCPUProfile()
	}

	ctx, stop := context.WithCancel(ctx)
	defer stop()
	w := ingest.NewWorker(r.db, slog.New(slog.DiscardHandler))
	w.Batch = batch
	ended := make(chan error, 1)
	begun := time.Now()
	go func() { ended <- w.Run(ctx) }()
	for {
		var waiting int64
		if err := r.super.QueryRowContext(ctx, `SELECT coalesce(sum(waiting), 0) FROM inbox_counters`).Scan(&waiting); err != nil {
			return 0, fmt.Errorf("look at the lanes: %w", err)
		}
		if waiting == 0 {
			break
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(25 * time.Millisecond):
		}
	}
	took := time.Since(begun)
	stop()

	return took, <-ended
}
