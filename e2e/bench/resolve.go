package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/pprof"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

const (
	resolveEvents = 8_000
	severalEvents = 24_000 // over several lanes, so that each has turns enough for its beginning and end not to count
	rowWiseEvents = 200
	newPeople     = 100 // one event in so many is a stranger's first
	fewPeople     = 4_000
	talking       = 2_000 // people of a conversation that goes on
	manyTenants   = 100
)

// benchResolve measures how fast waiting items become messages of contacts: by the lanes as they are, in a business that grows, and
// beside them by the same engine fed one event a transaction.
func benchResolve(ctx context.Context, p *place, t *table) error {
	r := &resolving{place: p, turns: map[uuid.UUID]int{}}
	var first, last rate
	for _, identifiers := range []int{100_000, 1_000_000, 5_000_000, 10_000_000} {
		if float64(identifiers) > 10_000_000*p.scale {
			break
		}
		if err := r.grow(ctx, 0, identifiers/2); err != nil {
			return err
		}
		measured, err := r.measure(ctx, 0, 1, resolveEvents)
		if err != nil {
			return err
		}
		t.line(fmt.Sprintf("one lane, %d identifiers in it", identifiers), measured.String())
		if first.events == 0 {
			first = measured
		}
		last = measured

		r.among = talking
		again, err := r.measure(ctx, 0, 1, resolveEvents)
		if err != nil {
			return err
		}
		r.among = 0
		t.line(fmt.Sprintf("  of them %d who write again and again", talking), again.String())
	}
	t.line("  an event in the largest ÷ in the smallest", fmt.Sprintf("%.2f× processor time", (last.own+last.database)/(first.own+first.database)))

	rowWise, err := r.measure(ctx, 1, 1, rowWiseEvents)
	if err != nil {
		return err
	}
	t.line("the same lane, one event a transaction", rowWise.String())
	t.line("  set-wise ÷ row-wise", fmt.Sprintf("%.1f×", last.events/rowWise.events))

	for i := 1; i < 4; i++ {
		if err := r.grow(ctx, i, 100_000); err != nil {
			return err
		}
	}
	four, err := r.measure(ctx, 0, 4, severalEvents)
	if err != nil {
		return err
	}
	t.line("four lanes at once", four.String())

	for i := len(p.businesses); i < manyTenants; i++ {
		if err := p.addBusiness(ctx, fmt.Sprintf("shop-%d", i)); err != nil {
			return err
		}
		if err := p.seedPeople(ctx, p.businesses[i], 1, fewPeople); err != nil {
			return err
		}
		p.businesses[i].people = fewPeople
	}
	if err := p.analyze(ctx); err != nil {
		return err
	}
	hundred, err := r.measure(ctx, 0, manyTenants, severalEvents)
	if err != nil {
		return err
	}
	t.line(fmt.Sprintf("%d lanes at once", manyTenants), hundred.String())
	t.line("  an event among them ÷ among four", fmt.Sprintf("%.2f× processor time", (hundred.own+hundred.database)/(four.own+four.database)))
	t.line("events", fmt.Sprintf("%d a round in one lane, %d in several, 1 in %d a new person's, each of somebody else than the one before", resolveEvents, severalEvents, newPeople))

	return nil
}

// resolving feeds and drains lanes.
type resolving struct {
	*place
	sent  int
	turns map[uuid.UUID]int // messages of each business
	among int               // so many people write in turn; 0: everybody does
}

// grow seeds a business up to a number of people.
func (r *resolving) grow(ctx context.Context, i, people int) error {
	b := &r.businesses[i]
	if err := r.seedPeople(ctx, *b, b.people+1, people); err != nil {
		return err
	}
	b.people = people

	return r.analyze(ctx)
}

// rate is how many events are resolved in a second, and the processor time of one in this process and in the database, in µs.
type rate struct{ events, own, database float64 }

func (r rate) String() string {
	return fmt.Sprintf("%.0f events/s; processor time of an event: program %.0f µs, database %.0f µs", r.events, r.own, r.database)
}

// measure resolves events of the first so many businesses, as the median of three rounds once it is warm: that is when a round costs nearly
// what the one before did, or after six. What was seeded or measured before leaves the database's memory full of something else, and a
// server runs for months.
func (r *resolving) measure(ctx context.Context, batch, businesses, events int) (rate, error) {
	var rates, own, database []float64
	warm, before := false, 0.0
	for round := 0; len(rates) < 3; round++ {
		one, err := r.round(ctx, batch, businesses, events, round)
		if err != nil {
			return rate{}, err
		}
		if !warm {
			cost := one.own + one.database
			warm, before = before > 0 && cost > steady*before || round >= 5, cost
			continue
		}
		rates, own, database = append(rates, one.events), append(own, one.own), append(database, one.database)
	}

	return rate{median(rates), median(own), median(database)}, nil
}

// steady is how much of its cost a round keeps at least where the one before had warmed everything.
const steady = 0.95

// round resolves events once.
func (r *resolving) round(ctx context.Context, batch, businesses, events, n int) (rate, error) {
	if err := r.feed(ctx, r.businesses[:businesses], events/businesses); err != nil {
		return rate{}, err
	}
	ownBefore, databaseBefore, err := r.cpu()
	if err != nil {
		return rate{}, err
	}
	took, err := r.drain(ctx, batch, fmt.Sprintf("resolve-%d-%d-%d", batch, businesses, n))
	if err != nil {
		return rate{}, err
	}
	own, database, err := r.cpu()
	if err != nil {
		return rate{}, err
	}
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(events) }

	return rate{float64(events) / took.Seconds(), each(own - ownBefore), each(database - databaseBefore)}, nil
}

// feed makes n items wait in each business's lane.
func (r *resolving) feed(ctx context.Context, businesses []business, n int) error {
	if err := r.emptyInbox(ctx); err != nil {
		return err
	}
	for _, b := range businesses {
		bodies := make([]string, n)
		for i := range bodies {
			bodies[i] = r.next(b)
		}
		if err := r.feedLane(ctx, b, bodies); err != nil {
			return err
		}
	}

	return nil
}

// feedLane makes the one item of each delivery wait in a business's lane.
func (r *resolving) feedLane(ctx context.Context, b business, deliveries []string) error {
	var event int64
	if err := r.super.QueryRowContext(ctx, `INSERT INTO inbox_events (app_id, digest, body, split_at) VALUES ($1, $2, '', now()) RETURNING id`,
		r.app, fmt.Appendf(nil, "%s %d", b.phoneNumberID, r.sent)).Scan(&event); err != nil {
		return fmt.Errorf("feed a lane: %w", err)
	}
	now, bodies := time.Now(), make([][]byte, len(deliveries))
	for i, d := range deliveries {
		items, err := whatsapp.Split([]byte(d))
		if err != nil || len(items) != 1 {
			return fmt.Errorf("feed a lane: %d items, %w", len(items), err)
		}
		bodies[i] = items[0].Body
	}
	err := r.copyIn(ctx, `
		COPY inbox_items (event_id, position, app_id, tenant_id, number_id, field, kind, phone_number_id,
		                  waba_id, display_phone, body, state, received_at) FROM STDIN`, len(bodies), func(i int) []any {
		return []any{event, fmt.Sprint(i), r.app, b.tenant, b.number, "messages", "message", b.phoneNumberID, b.waba, b.display, bodies[i], "waiting", now}
	})
	if err != nil {
		return err
	}
	if err := r.exec(ctx, `INSERT INTO inbox_counters (tenant_id, number_id, slot, received, waiting) VALUES ($1, $2, 0, $3, $3)`, b.tenant, b.number, len(bodies)); err != nil {
		return err
	}

	return r.exec(ctx, `INSERT INTO lanes (tenant_id, gen, ready) VALUES ($1, 1, true)`, b.tenant)
}

// next is the next message: of somebody known, or once in a while of a stranger.
func (r *resolving) next(b business) string {
	r.sent++
	r.turns[b.tenant]++
	turn := r.turns[b.tenant]
	if r.among > 0 {
		turn %= r.among
	}
	person := 1 + turn*7919%b.people
	if r.sent%newPeople == 0 {
		person = 900_000_000 + r.sent
	}

	return b.message(person, r.names.latin(person), fmt.Sprint("bench.", r.sent))
}

// message is a delivery with one message of a person, as seeded.
func (b business) message(person int, name, wamid string) string {
	return fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":%q,"changes":[{"field":"messages","value":{"messaging_product":"whatsapp",`+
		`"metadata":{"display_phone_number":%q,"phone_number_id":%q},"contacts":[{"profile":{"name":%q},"wa_id":"917%09d","user_id":%q}],`+
		`"messages":[{"from":"917%09d","from_user_id":%q,"id":"wamid.%s","timestamp":"%d","type":"text","text":{"body":"Kal subah aa sakte hain?"}}]}}]}]}`,
		b.waba, b.display, b.phoneNumberID, name, person, bsuidOf(person), person, bsuidOf(person), wamid, time.Now().Unix())
}

// hidden is a delivery with one message of a person who shows no phone.
func (b business) hidden(person int, name, wamid string) string {
	return fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":%q,"changes":[{"field":"messages","value":{"messaging_product":"whatsapp",`+
		`"metadata":{"display_phone_number":%q,"phone_number_id":%q},"contacts":[{"profile":{"name":%q},"user_id":%q}],`+
		`"messages":[{"from_user_id":%q,"id":"wamid.%s","timestamp":"%d","type":"text","text":{"body":"Namaste"}}]}}]}]}`,
		b.waba, b.display, b.phoneNumberID, name, bsuidOf(person), bsuidOf(person), wamid, time.Now().Unix())
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
	if err := r.settled(ctx, 25*time.Millisecond); err != nil {
		return 0, err
	}
	took := time.Since(begun)
	stop()

	return took, <-ended
}

// settled waits until every delivery is split and every item has left its lane.
func (p *place) settled(ctx context.Context, every time.Duration) error {
	for {
		var waiting int64
		if err := p.super.QueryRowContext(ctx, `
			SELECT (SELECT coalesce(sum(waiting), 0) FROM inbox_counters) + (SELECT count(*) FROM inbox_events WHERE split_at IS NULL)`).Scan(&waiting); err != nil {
			return fmt.Errorf("look at the lanes: %w", err)
		}
		if waiting == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(every):
		}
	}
}
