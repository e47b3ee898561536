package main_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
)

const drillSenders = 8

// outage is a time when Postgres was dead for certain.
type outage struct{ from, to time.Time }

// drill kills parts of a plant with -9, in the order of kills, while webhooks pour in, and starts each again. It returns once
// everything is answered and processed.
func drill(t *testing.T, p *plant, kills []string, seed uint64) (*journal, []outage) {
	t.Helper()

	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	j, chance := newJournal(seed), rand.New(rand.NewPCG(seed, 2))
	var senders sync.WaitGroup
	for range drillSenders {
		senders.Go(func() { j.send(ctx, newMeta(p.url, 1)) })
	}
	defer func() {
		cancel()
		senders.Wait()
	}()

	var outages []outage
	for _, part := range kills {
		j.waitFor(ctx, 30+chance.IntN(100), taken)
		switch part {
		case "web":
			p.killWeb(t)
			p.startWeb(t)
		case "worker":
			p.killWorker(t)
			p.startWorker(t)
		case "postgres":
			p.killPostgres(t)
			dead := time.Now()
			j.waitFor(ctx, 3*drillSenders, func(try) bool { return true })
			outages = append(outages, outage{dead, time.Now()})
			p.startPostgres(t)
		}
	}
	j.waitFor(ctx, 100, taken)
	j.close()
	senders.Wait()
	if ctx.Err() != nil {
		t.Fatal("not everything was taken in time")
	}

	return j, outages
}

// wantSettled waits until nothing waits any more.
func (s store) wantSettled(t *testing.T) {
	t.Helper()

	until(t, func() bool {
		m, err := ingest.FleetMeter(context.Background(), s.db)
		return err == nil && m.Items.Waiting == 0
	})
}

// missing returns the acknowledged messages that are not stored.
func (s store) missing(t *testing.T, j *journal) (missing []string) {
	t.Helper()

	all := map[string]bool{}
	for _, d := range j.deliveries {
		if d.acked {
			for _, wamid := range d.wamids {
				all[wamid] = true
			}
		}
	}
	wamids := make([]string, 0, len(all))
	for wamid := range all {
		wamids = append(wamids, wamid)
	}
	ctx := context.Background()
	err := s.db.As(ctx, s.tenant, func(tx *tenants.Tx) error {
		return tx.SelectContext(ctx, &missing, `
			SELECT w FROM unnest($1::text[]) AS w WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.wamid = w)`, pq.Array(wamids))
	})
	if err != nil {
		t.Fatal(err)
	}

	return missing
}

// TestNothingAcknowledgedIsLost kills the web server, the worker and Postgres under load, and compares what is stored with
// what the senders were told.
func TestNothingAcknowledgedIsLost(t *testing.T) {
	t.Parallel()
	p := newPlant(t, built(t, ""))
	kills := []string{"web", "worker", "postgres", "web", "worker", "postgres", "web", "worker", "postgres", "web", "worker"}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rand.New(rand.NewPCG(seed, 3)).Shuffle(len(kills), func(a, b int) { kills[a], kills[b] = kills[b], kills[a] })
	j, outages := drill(t, p, kills, seed)

	db, err := tenants.Open(context.Background(), p.dsn())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	s := storeOf(t, db)
	s.wantSettled(t)
	wantHonest(t, j, outages)
	if lost := s.missing(t, j); len(lost) > 0 {
		t.Errorf("%d acknowledged messages are lost, among them %s", len(lost), lost[0])
	}
	s.wantEachOnce(t, j)
	s.wantBalance(t)
	if r := p.run(t, "", "audit", "verify"); r.code != 0 {
		t.Errorf("audit verify: exit %d, %s", r.code, r.errOut)
	}
}

// wantHonest checks the answers: 200, or 503 with Retry-After, and no 200 while Postgres was dead.
func wantHonest(t *testing.T, j *journal, outages []outage) {
	t.Helper()

	statuses := map[int]int{}
	for _, a := range j.tries {
		statuses[a.status]++
		during := slices.ContainsFunc(outages, func(o outage) bool { return a.begun.After(o.from) && a.settled.Before(o.to) })
		switch {
		case a.status == http.StatusOK && during:
			t.Error("200 while Postgres was dead")
		case a.status == http.StatusServiceUnavailable && a.retryAfter == "":
			t.Error("503 without Retry-After")
		case a.status != 0 && a.status != http.StatusOK && a.status != http.StatusServiceUnavailable:
			t.Errorf("answered %d, want 200 or 503", a.status)
		}
	}
	if statuses[http.StatusServiceUnavailable] == 0 {
		t.Error("Postgres was killed and nobody was answered 503")
	}
	t.Logf("%d deliveries; answers by status, 0 for none: %v", len(j.deliveries), statuses)
}

// wantEachOnce checks that what was sent, and nothing else, is stored once, by body and by message.
func (s store) wantEachOnce(t *testing.T, j *journal) {
	t.Helper()

	bodies, wamids := map[string]bool{}, map[string]bool{}
	for _, d := range j.deliveries {
		bodies[string(d.body)] = true
		for _, wamid := range d.wamids {
			wamids[wamid] = true
		}
	}
	if got := s.count(t, `SELECT count(*) FROM messages`); got != len(wamids) {
		t.Errorf("%d messages are stored, want %d", got, len(wamids))
	}
	if got := s.count(t, `SELECT count(*) FROM (SELECT 1 FROM messages GROUP BY number_id, wamid HAVING count(*) > 1) AS twice`); got != 0 {
		t.Errorf("%d messages are stored more than once", got)
	}
	if got := s.count(t, `SELECT count(*) FROM contacts`) - s.count(t, `SELECT count(DISTINCT contact_id) FROM identities`); got != 0 {
		t.Errorf("%d contacts without anybody", got)
	}

	var events int
	ctx := context.Background()
	err := s.db.System(ctx, func(tx *tenants.Tx) error { return tx.GetContext(ctx, &events, `SELECT count(*) FROM inbox_events`) })
	if err != nil {
		t.Fatal(err)
	}
	if events != len(bodies) {
		t.Errorf("%d deliveries are stored, want %d", events, len(bodies))
	}
}

// wantBalance checks the zero-loss equation, each counter against the items, and that each item reached an end.
func (s store) wantBalance(t *testing.T) {
	t.Helper()

	m, err := ingest.FleetMeter(context.Background(), s.db)
	if err != nil {
		t.Fatal(err)
	}
	if !m.Items.Balanced() || m.Items.Routed != m.Items.Received {
		t.Errorf("the equation does not hold: %+v", m.Items)
	}
	for _, tenant := range []uuid.UUID{s.tenant, uuid.Nil} {
		drifts, err := ingest.Recount(context.Background(), s.db, tenant)
		if err != nil {
			t.Fatal(err)
		}
		if len(drifts) > 0 {
			t.Errorf("counters differ from items: %+v", drifts)
		}
	}
}

// TestTheDrillFindsLoss is the control: a build that answers before it stores loses what it acknowledged, and the drill says so.
func TestTheDrillFindsLoss(t *testing.T) {
	t.Parallel()
	p := newPlant(t, built(t, "ackbeforestore"))
	j, _ := drill(t, p, []string{"web", "postgres", "web"}, 1)

	db, err := tenants.Open(context.Background(), p.dsn())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	s := storeOf(t, db)
	s.wantSettled(t)
	if lost := s.missing(t, j); len(lost) == 0 {
		t.Errorf("nothing is lost of %d deliveries: the drill cannot find loss", len(j.deliveries))
	} else {
		t.Logf("the drill finds %d messages lost", len(lost))
	}
}
