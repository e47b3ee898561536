package ingest_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
)

// forbid makes the database refuse rows of a table, as a mistake of ours might. rows is an SQL condition.
func (p *place) forbid(t *testing.T, table, rows string) (allow func()) {
	t.Helper()

	owner, err := sql.Open("postgres", p.OwnerDSN)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { owner.Close() })
	run := func(statement string) {
		if _, err := owner.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	run(`ALTER TABLE ` + table + ` ADD CONSTRAINT forbidden CHECK (NOT (` + rows + `))`)

	return func() { run(`ALTER TABLE ` + table + ` DROP CONSTRAINT forbidden`) }
}

func TestOddItemHarmsNobody(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.forbid(t, "messages", "text LIKE 'poison%'")

	// A thousand items in one body, one that cannot be read and one that fails while processed.
	var messages []string
	for i := range 1000 {
		switch i {
		case 333:
			messages = append(messages, `{"from":"919800000333","timestamp":"1790000333"}`)
		case 666:
			messages = append(messages, text(i%20, "poison"))
		default:
			messages = append(messages, text(i%20, "fine "+strconv.Itoa(i)))
		}
	}
	p.receive(t, p.app, toAsha(messages...))
	p.receive(t, p.app, toRavi(text(1, "fine")))
	p.work(t)

	until(t, "all others are processed", func() bool { return p.meter(t, p.asha).Items.Routed == 998 })
	p.settle(t)
	p.wantItems(t, p.asha, ingest.Counts{Received: 1000, Routed: 998, SetAside: 2})
	p.wantItems(t, p.ravi, ingest.Counts{Received: 1, Routed: 1})
	if got := p.count(t, p.asha, `SELECT count(*) FROM messages`); got != 998 {
		t.Errorf("messages: got %d, want 998", got)
	}

	aside := p.items(t, p.asha, ingest.SetAside)
	if len(aside) != 2 || aside[0].Reason != "missing_wamid" || aside[1].Reason != ingest.ProcessingFailed || aside[1].Tries != 3 {
		t.Fatalf("set aside: got %+v", aside)
	}
	if note := aside[1].Note; note != "database 23514 forbidden" || strings.Contains(note, "poison") {
		t.Errorf("note: got %q, want the class of the error and nothing of the message", note)
	}
	if len(p.items(t, p.ravi, ingest.SetAside)) != 0 {
		t.Error("another tenant sees what was set aside")
	}
}

func TestOddDeliveryHarmsNobody(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.forbid(t, "inbox_items", "field = 'poison'")
	for i := range 5 {
		p.receive(t, p.app, toAsha(text(i, "fine")))
		p.receive(t, p.app, delivery(entry("701", fmt.Sprintf(`{"field":"poison","value":%d}`, i))))
	}
	p.work(t)
	p.settle(t)

	p.wantItems(t, p.asha, ingest.Counts{Received: 5, Routed: 5})
	var notes []string
	err := p.as(uuid.Nil, func(ctx context.Context, tx *tenants.Tx) error {
		return tx.SelectContext(ctx, &notes, `SELECT note FROM inbox_items WHERE kind = 'delivery' AND state = 'set_aside'`)
	})
	if err != nil || len(notes) != 5 || notes[0] != "database 23514 forbidden" {
		t.Errorf("deliveries set aside: got %q (%v), want 5 with the class of the error", notes, err)
	}
}

func TestReplay(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	allow := p.forbid(t, "messages", "text LIKE 'poison%'")
	p.receive(t, p.app, toAsha(text(1, "fine"), text(2, "poison")))
	p.receive(t, p.app, toRavi(text(1, "fine")))
	p.work(t)
	p.settle(t)
	p.wantItems(t, p.asha, ingest.Counts{Received: 2, Routed: 1, SetAside: 1})
	allow()

	replay := func(tenant uuid.UUID, in ingest.ReplayInput) (job uuid.UUID, err error) {
		err = p.as(tenant, func(ctx context.Context, tx *tenants.Tx) error {
			job, err = ingest.Replay(ctx, tx, meera, in)
			return err
		})
		return job, err
	}
	watch := func(tenant, id uuid.UUID) (job ingest.Job, err error) {
		err = p.as(tenant, func(ctx context.Context, tx *tenants.Tx) error {
			job, err = ingest.JobByID(ctx, tx, id)
			return err
		})
		return job, err
	}
	finish := func(id uuid.UUID, total int) {
		t.Helper()
		until(t, "the replay is done", func() bool {
			job, err := watch(p.asha, id)
			if err != nil {
				t.Fatal(err)
			}
			return job.State == "done" && job.Done == total && job.Total == total && job.FinishedAt != nil
		})
	}

	aside := p.items(t, p.asha, ingest.SetAside)
	if len(aside) != 1 {
		t.Fatalf("set aside: got %d, want 1", len(aside))
	}
	if _, err := replay(p.ravi, ingest.ReplayInput{ItemIDs: []int64{aside[0].ID}}); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("replay another tenant's item: got %v, want ErrNotFound", err)
	}
	job, err := replay(p.asha, ingest.ReplayInput{ItemIDs: []int64{aside[0].ID}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := watch(p.ravi, job); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("watch another tenant's job: got %v, want ErrNotFound", err)
	}
	finish(job, 1)
	// When a job is done, so is what it put back.
	p.wantItems(t, p.asha, ingest.Counts{Received: 2, Routed: 2})
	if got := p.count(t, p.asha, `SELECT count(*) FROM messages`); got != 2 {
		t.Errorf("messages: got %d, want 2", got)
	}

	// All of it once more changes nothing.
	if job, err = replay(p.asha, ingest.ReplayInput{From: time.Now().Add(-time.Hour), To: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	finish(job, 2)
	p.wantItems(t, p.asha, ingest.Counts{Received: 2, Routed: 2})
	p.wantItems(t, p.ravi, ingest.Counts{Received: 1, Routed: 1})
	for query, want := range map[string]int{`SELECT count(*) FROM messages`: 2, `SELECT count(*) FROM contacts`: 2} {
		if got := p.count(t, p.asha, query); got != want {
			t.Errorf("%s after a replay: got %d, want %d", query, got, want)
		}
	}
	if m := p.meter(t, p.asha); m.Duplicates != 0 || m.Deliveries != (ingest.Deliveries{Accepted: 1}) {
		t.Errorf("a replay counted as repeats: %+v", m)
	}

	var invalid *tenants.Invalid
	for name, in := range map[string]ingest.ReplayInput{
		"nothing": {}, "backwards": {From: time.Now(), To: time.Now().Add(-time.Hour)}, "too many": {ItemIDs: make1001()},
	} {
		if _, err := replay(p.asha, in); !errors.As(err, &invalid) {
			t.Errorf("replay of %s: got %v, want Invalid", name, err)
		}
	}
}

func make1001() []int64 {
	ids := make([]int64, 1001)
	for i := range ids {
		ids[i] = int64(i)
	}

	return ids
}

func TestRepeatsAreRouted(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	other := p.connect(t, p.asha, "platform", "701", "803", "919800000803")
	p.receive(t, p.app, toAsha(text(1, "a"), text(1, "a")))
	p.receive(t, p.app, toAsha(text(1, "a"), text(2, "b"), text(1, "a")))
	p.receive(t, p.app, delivery(entry("701", change("803", "919800000803", text(1, "a"), text(3, "c"), text(3, "c")))))
	p.work(t)
	p.settle(t)

	p.wantItems(t, p.asha, ingest.Counts{Received: 8, Routed: 8})
	if got := p.meter(t, p.asha).Duplicates; got != 4 {
		t.Errorf("repeats: got %d, want 4", got)
	}
	err := p.as(p.asha, func(ctx context.Context, tx *tenants.Tx) error {
		m, err := ingest.NumberMeter(ctx, tx, p.ashaNumber)
		if want := (ingest.Counts{Received: 5, Routed: 5}); m.Items != want || m.Duplicates != 3 {
			t.Errorf("meter of the number: got %+v, want %+v and 3 repeats", m, want)
		}
		if err != nil {
			return err
		}
		if m, err := ingest.NumberMeter(ctx, tx, other); err != nil || m.Duplicates != 1 {
			t.Errorf("meter of the other number: %+v, %v, want 1 repeat", m, err)
		}
		lag, err := ingest.NumberLag(ctx, tx, p.ashaNumber)
		if lag.Of != 5 || lag.P50 <= 0 || lag.P95 < lag.P50 || lag.P95 > time.Minute {
			t.Errorf("lag of the number: got %+v, want that of 5 events", lag)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	err = p.as(p.ravi, func(ctx context.Context, tx *tenants.Tx) error {
		if lag, err := ingest.NumberLag(ctx, tx, p.ashaNumber); err != nil || lag.Of != 0 {
			t.Errorf("lag of another tenant's number: %+v, %v", lag, err)
		}
		_, err := ingest.NumberMeter(ctx, tx, p.ashaNumber)
		return err
	})
	if !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("meter of another tenant's number: got %v, want ErrNotFound", err)
	}
}

func TestItemsAreTheTenantsOwn(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	for i := range 5 {
		p.receive(t, p.app, toAsha(text(i, "a")))
	}
	p.work(t)
	p.settle(t)

	if got := p.items(t, p.ravi, ""); len(got) != 0 {
		t.Errorf("items of another tenant: got %d, want none", len(got))
	}
	all := p.items(t, p.asha, "")
	if len(all) != 5 {
		t.Fatalf("items: got %d, want 5", len(all))
	}
	err := p.as(p.asha, func(ctx context.Context, tx *tenants.Tx) error {
		page, err := ingest.Items(ctx, tx, ingest.ItemFilter{NumberID: p.ashaNumber, State: ingest.Routed, BeforeAt: all[3].ReceivedAt, BeforeID: all[3].ID, Limit: 2})
		if err != nil || len(page) != 2 || page[0].ID != all[2].ID || page[1].ID != all[1].ID {
			t.Errorf("second page: got %+v (%v)", page, err)
		}
		one, err := ingest.ItemByID(ctx, tx, nil, all[0].ID)
		if err != nil || !strings.Contains(string(one.Body), "919800000000") {
			t.Errorf("item: got %s (%v)", one.Body, err)
		}
		if masked := string(ingest.MaskJSON(one.Body)); strings.Contains(masked, "919800000000") || strings.Contains(masked, `"a"`) || !strings.Contains(masked, `"801"`) {
			t.Errorf("masked item: got %s", masked)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = p.as(p.ravi, func(ctx context.Context, tx *tenants.Tx) error {
		_, err := ingest.ItemByID(ctx, tx, nil, all[0].ID)
		return err
	})
	if !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("another tenant's item: got %v, want ErrNotFound", err)
	}
}

// TestNothingIsLost stirs everything that moves items, with two receivers and workers that come and go, and looks at the
// equation all the while.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.connect(t, p.ravi, "platform", "703", "803", "919800000803")
	other := ingest.NewReceiver(p.DB, ingest.Options{Rows: 3})
	defer other.Close()

	ctx, cancel := context.WithCancel(t.Context())
	var background sync.WaitGroup
	for range 2 { // workers that are stopped in the middle of whatever they do
		background.Go(func() {
			for ctx.Err() == nil {
				short, stop := context.WithTimeout(ctx, time.Duration(20+rand.IntN(120))*time.Millisecond)
				if err := ingest.NewWorker(p.DB, slog.New(slog.DiscardHandler)).Run(short); err != nil {
					t.Errorf("worker: %v", err)
				}
				stop()
			}
		})
	}
	background.Go(func() {
		for known := false; ctx.Err() == nil; known = !known {
			p.list(t, "803", known)
			if known {
				if _, err := ingest.Adopt(context.Background(), p.DB, p.ravi, "803"); err != nil {
					t.Errorf("adopt: %v", err)
				}
			}
			err := p.as(p.asha, func(ctx context.Context, tx *tenants.Tx) error {
				_, err := ingest.Replay(ctx, tx, meera, ingest.ReplayInput{From: time.Now().Add(-time.Second), To: time.Now()})
				return err
			})
			if err != nil {
				t.Errorf("replay: %v", err)
			}
			p.wantBalance(t)
		}
	})

	const deliveries = 200
	var senders sync.WaitGroup
	for s := range 4 {
		receiver := []*ingest.Receiver{p.receiver, other}[s%2]
		senders.Go(func() {
			for i := range deliveries {
				who := strconv.Itoa(i)
				body := delivery(
					entry("701", change("801", "919800000801", text(i%40, who+"a"), text(i%40+1, who+"b"), `5`)),
					entry("702", change("802", "919800000802", text(i%40, who+"a"))),
					entry("703", change("803", "919800000803", text(i%40, who+"c"))),
				)
				if _, err := receiver.Receive(context.Background(), p.app, []byte(body)); err != nil {
					t.Errorf("receive: %v", err)
				}
			}
		})
	}
	senders.Wait()
	cancel()
	background.Wait()

	p.list(t, "803", true)
	if _, err := ingest.Adopt(t.Context(), p.DB, p.ravi, "803"); err != nil {
		t.Fatal(err)
	}
	p.work(t)
	until(t, "the replays are done", func() bool {
		return p.count(t, p.asha, `SELECT count(*) FROM jobs WHERE kind = 'replay' AND state <> 'done'`) == 0
	})
	p.settle(t)

	p.wantItems(t, p.asha, ingest.Counts{Received: 3 * deliveries, Routed: 2 * deliveries, SetAside: deliveries})
	p.wantItems(t, p.ravi, ingest.Counts{Received: 2 * deliveries, Routed: 2 * deliveries})
	// Each of the people asha hears of twice is one contact; ravi's two WABAs, of no known portfolio, see them apart.
	if got := p.count(t, p.asha, `SELECT count(*) FROM contacts`); got != 41 {
		t.Errorf("contacts of asha: got %d, want 41", got)
	}
	if got := p.count(t, p.ravi, `SELECT count(*) FROM contacts`); got != 80 {
		t.Errorf("contacts of ravi: got %d, want 80", got)
	}
	for tenant, want := range map[uuid.UUID]int{p.asha: 2 * deliveries, p.ravi: 2 * deliveries} {
		if got := p.count(t, tenant, `SELECT count(*) FROM messages`); got != want {
			t.Errorf("messages: got %d, want %d", got, want)
		}
		m := p.meter(t, tenant)
		if want := (ingest.Deliveries{Accepted: deliveries, Duplicate: 3 * deliveries}); m.Deliveries != want {
			t.Errorf("deliveries: got %+v, want %+v", m.Deliveries, want)
		}
	}
}
