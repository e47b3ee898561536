package ingest_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity/reference"
	"github.com/pehchan/pehchan/tenants/identity/reference/look"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// crew is several workers at one database, each of which can be killed and replaced.
type crew struct {
	*place
	stops []func()
}

func (p *place) hire(t *testing.T, workers int) *crew {
	t.Helper()

	c := &crew{place: p}
	for range workers {
		c.stops = append(c.stops, c.start(t))
	}
	t.Cleanup(c.stopAll)

	return c
}

func (c *crew) start(t *testing.T) (stop func()) {
	t.Helper()

	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	w := ingest.NewWorker(c.DB, slog.New(slog.DiscardHandler))
	w.Batch = 7 // so that there are many batches to die in
	go func() { done <- w.Run(ctx) }()

	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("worker: %v", err)
		}
	}
}

func (c *crew) stopAll() {
	for _, stop := range c.stops {
		stop()
	}
	c.stops = nil
}

// post posts bodies, each until it is taken, as WhatsApp does. It says on the channel when all are, or why not.
func (p *place) post(ctx context.Context, bodies []string) <-chan error {
	done := make(chan error, 1)
	go func() {
		for _, body := range bodies {
			for _, err := p.receiver.Receive(ctx, p.app, []byte(body)); err != nil; _, err = p.receiver.Receive(ctx, p.app, []byte(body)) {
				if ctx.Err() != nil {
					done <- err
					return
				}
			}
		}
		done <- nil
	}()

	return done
}

// rumour writes a delivery of things that WhatsApp says about few people, to one of the business's numbers: what they write, how they
// change, and what became of messages to them.
func rumour(r *rand.Rand, n, things int) string {
	pick := func(values ...string) string { return values[r.IntN(len(values))] }
	field := func(name, value string) string {
		if value == "" {
			return ""
		}
		return fmt.Sprintf(`,%q:%q`, name, value)
	}
	number := pick("801", "801", "803")
	var messages, statuses, contacts []string
	for i := range things {
		phone, bsuid := pick("919800000101", "919800000102", "919800000103"), pick("IN.1", "IN.2", "IN.3", "IN.4")
		parent := pick("", "", "IN.ENT.1", "IN.ENT.2")
		at := 1_760_000_000 + []int{0, 1, 2, 3, 4, 100, 190}[r.IntN(7)]*86400 + n + i
		id := fmt.Sprintf(`"id":"wamid.r%d.%d","timestamp":"%d"`, n, i, at)
		switch r.IntN(9) {
		case 0:
			messages = append(messages, fmt.Sprintf(`{%s,"type":"system","from":%q,"system":{"type":"user_changed_number","wa_id":%q,"user_id":%q%s}}`,
				id, phone, pick("919800000102", "919800000103"), pick("IN.2", "IN.3"), field("previous_user_id", pick("", bsuid))))
			continue
		case 1:
			statuses = append(statuses, fmt.Sprintf(`{%s,"status":%q,"recipient_id":%q%s}`, id, pick("delivered", "failed"), phone, field("recipient_user_id", pick("", bsuid))))
			continue
		case 2:
			bsuid, parent = "", ""
		case 3, 4:
			phone = ""
		}
		messages = append(messages, fmt.Sprintf(`{%s,"type":"text","text":{"body":"hello"}%s%s%s}`,
			id, field("from", phone), field("from_user_id", bsuid), field("from_parent_user_id", parent)))
		if name := pick("", "Asha", "Bela"); name != "" && bsuid != "" {
			contacts = append(contacts, fmt.Sprintf(`{"profile":{"name":%q},"user_id":%q%s}`, name, bsuid, field("wa_id", phone)))
		}
	}

	return delivery(entry(map[string]string{"801": "701", "803": "703"}[number], fmt.Sprintf(
		`{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"919800000%s","phone_number_id":%q},"messages":[%s],"statuses":[%s],"contacts":[%s]}}`,
		number, number, strings.Join(messages, ","), strings.Join(statuses, ","), strings.Join(contacts, ","))))
}

// steps are what a delivery says, as the reference takes it.
func (p *place) steps(t *testing.T, body string) (steps []reference.Step) {
	t.Helper()

	scopes := map[string]string{}
	var numbers []struct {
		ID    string `db:"phone_number_id"`
		Scope string `db:"scope"`
	}
	err := p.as(p.asha, func(ctx context.Context, tx *tenants.Tx) error {
		return tx.SelectContext(ctx, &numbers, `SELECT phone_number_id, scope FROM numbers`)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range numbers {
		scopes[n.ID] = n.Scope
	}
	items, err := whatsapp.Split([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range items {
		e, err := whatsapp.ParseEvent(it.Kind, it.Body)
		if err != nil {
			t.Fatal(err)
		}
		steps = append(steps, reference.Step{Event: look.Told(scopes[e.PhoneNumberID], time.Time{}, e)})
	}

	return steps
}

// TestWorkersKilledInTheMiddleOfABatch: three workers share a tenant. Time and again a batch is made to wait at a table it writes
// to, and there the connection it works on is cut, or all workers are stopped. What was written by then is gone, the work is done
// again by another, and in the end everything is as if nothing had happened.
func TestWorkersKilledInTheMiddleOfABatch(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.connect(t, p.asha, "platform", "703", "803", "919800000803")
	owner, err := sql.Open("postgres", p.OwnerDSN)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = owner.Close() }()
	app, err := sql.Open("postgres", p.AppDSN) // who may end its own sessions
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = app.Close() }()

	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	c := p.hire(t, 3)
	var bodies []string
	n := 0
	for round, table := range []string{"identifiers", "messages", "inbox_items", "tenures", "cases", "identities", "contacts", "pairings", "messages", "inbox_counters"} {
		lock, err := owner.Begin()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := lock.Exec(`LOCK TABLE ` + table + ` IN SHARE MODE`); err != nil {
			t.Fatal(err)
		}
		var now []string
		for range 4 {
			// Somebody new beside each, so that every table is written to.
			n++
			stranger := toAsha(text(round*100+n, "hello"), fmt.Sprintf(`{"id":"wamid.n%d","timestamp":"%d","type":"text","from_user_id":"IN.9%d","text":{"body":"hi"}}`, n, 1_760_000_000+n, n))
			bodies = append(bodies, stranger, rumour(r, 10*n, 1+r.IntN(4)))
			now = append(now, bodies[len(bodies)-2:]...)
			now = append(now, bodies[r.IntN(len(bodies))])
		}
		taken := p.post(ctx, now) // which the batch that waits may keep waiting too

		var waiting []int
		until(t, "a batch waits at "+table, func() bool {
			waiting = sessionsWaitingFor(t, owner, table)
			return len(waiting) > 0
		})
		if round%2 == 0 {
			if _, err := app.Exec(`SELECT pg_terminate_backend($1)`, waiting[r.IntN(len(waiting))]); err != nil {
				t.Fatal(err)
			}
		} else {
			c.stopAll()
			for range 3 {
				c.stops = append(c.stops, c.start(t))
			}
		}
		if err := lock.Rollback(); err != nil {
			t.Fatal(err)
		}
		if err := <-taken; err != nil {
			t.Fatal(err)
		}
	}
	p.settle(t)

	var steps []reference.Step
	for _, body := range bodies {
		steps = append(steps, p.steps(t, body)...)
	}
	var got []string
	err = p.as(p.asha, func(ctx context.Context, tx *tenants.Tx) (err error) {
		got, err = look.Picture(ctx, tx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	rules := reference.Picture(steps)
	var nobodies []string
	for _, line := range rules {
		if n, ok := strings.CutPrefix(line, "nobody "); ok {
			nobodies = append(nobodies, n)
		}
	}
	if diff := cmp.Diff(people(rules, nobodies), people(got, nobodies)); diff != "" {
		t.Errorf("the rules and the world differ (-rules +world):\n%s\nafter\n%s", diff, strings.Join(bodies, "\n"))
	}
	m := p.meter(t, p.asha)
	if m.Items.Routed != m.Items.Received || m.Items.Received < int64(len(steps)) {
		t.Errorf("items: %+v, want all of at least %d routed", m.Items, len(steps))
	}
	p.wantBalance(t)
}

// people are the lines of a picture. Whether one that nobody has written from is kept as a contact is not compared, and so not what is
// asked about them as such.
func people(picture, nobodies []string) (lines []string) {
	for _, line := range picture {
		asked := strings.HasPrefix(line, "perhaps one ")
		if !asked || !slices.ContainsFunc(nobodies, func(n string) bool { return strings.Contains(line, n) }) {
			lines = append(lines, strings.Replace(line, "nobody ", "person ", 1))
		}
	}
	slices.Sort(lines)

	return lines
}

// sessionsWaitingFor are the sessions that wait for a table's lock.
func sessionsWaitingFor(t *testing.T, db *sql.DB, table string) (pids []int) {
	t.Helper()

	rows, err := db.Query(`
		SELECT l.pid FROM pg_locks l JOIN pg_database d ON d.oid = l.database
		WHERE NOT l.granted AND l.locktype = 'relation' AND l.relation = $1::regclass AND d.datname = current_database()`, table)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var pid int
		if err := rows.Scan(&pid); err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}

	return pids
}
