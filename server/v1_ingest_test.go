package server_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/sandbox"
)

func balanced(r reply) bool {
	return r.number("items", "received") == r.number("items", "routed")+r.number("items", "held")+r.number("items", "set_aside")+r.number("items", "waiting")
}

func TestAPIIngest(t *testing.T) {
	t.Parallel()
	st := newAPISite(t)

	r := st.mine.want(st.mine.get("/ingest"), http.StatusOK, "")
	if !balanced(r) || r.number("items", "received") == 0 || r.number("items", "waiting") != 0 || r.number("items", "held") != 0 || r.number("deliveries", "duplicate") == 0 {
		t.Errorf("want the story taken in and nothing lost, got %s", r.body)
	}
	received := r.number("items", "received")

	// From the 200 on, a delivery that nobody has looked into yet counts.
	body := string(sandbox.DemoStory(sandbox.Known().Numbers[0], time.Now())[0].Body) + " "
	if r := st.deliver(t, hook, body, signed(sandboxSecret, body)); r.status != http.StatusOK {
		t.Fatalf("deliver: %d", r.status)
	}
	if r := st.mine.get("/ingest"); !balanced(r) || r.number("items", "received") != received+1 || r.number("items", "waiting") != 1 {
		t.Errorf("want it waiting, got %s", r.body)
	}
	st.drain(t)
	if r := st.mine.get("/ingest"); !balanced(r) || r.number("items", "waiting") != 0 {
		t.Errorf("want it taken in, got %s", r.body)
	}
}

func TestAPIReplay(t *testing.T) {
	t.Parallel()
	st := newAPISite(t)
	contacts, cases := len(st.mine.all("/contacts")), len(st.mine.all("/cases"))
	var own, theirs int64
	err := st.DB.System(t.Context(), func(tx *tenants.Tx) error {
		if err := tx.Get(&own, `SELECT min(id) FROM inbox_items WHERE tenant_id = $1`, st.clinic.ID); err != nil {
			return err
		}
		return tx.Get(&theirs, `SELECT min(id) FROM inbox_items WHERE tenant_id = $1`, st.motors.ID)
	})
	if err != nil {
		t.Fatal(err)
	}

	for body, field := range map[string]string{
		`{}`: "from", `{"from":"2026-01-01T00:00:00Z"}`: "to", `{"to":"2026-01-01T00:00:00Z"}`: "from", `{"item_ids":[]}`: "item_ids",
		`{"from":"2026-01-02T00:00:00Z","to":"2026-01-01T00:00:00Z"}`: "to", `{"item_ids":["x"],"from":"2026-01-01T00:00:00Z"}`: "item_ids",
	} {
		if r := st.mine.want(st.mine.post("/ingest/replay", body), http.StatusUnprocessableEntity, "invalid"); r.text("field") != field {
			t.Errorf("%s: want %s refused, got %s", body, field, r.body)
		}
	}
	st.mine.want(st.mine.post("/ingest/replay", st.itemIDs(own, theirs)), http.StatusNotFound, "not_found")
	st.mine.want(st.mine.post("/ingest/replay", st.itemIDs(1<<62-1)), http.StatusNotFound, "not_found")
	for _, odd := range []string{missing(), "1", ""} {
		st.mine.want(st.mine.post("/ingest/replay", `{"item_ids":["`+odd+`"]}`), http.StatusNotFound, "not_found")
	}
	st.mine.want(st.mine.post("/ingest/replay", `{"item_ids":[1]}`), http.StatusBadRequest, "invalid")
	many := st.itemIDs(slices.Repeat([]int64{own}, 1001)...) // each costs work to read
	if r := st.mine.want(st.mine.post("/ingest/replay", many), http.StatusUnprocessableEntity, "invalid"); r.text("reason") != "too_many" {
		t.Errorf("1,001 items: want them refused, got %s", r.body)
	}
	// What this business calls its item is nothing to another.
	st.theirs.want(st.theirs.post("/ingest/replay", st.itemIDs(own)), http.StatusNotFound, "not_found")
	st.theirs.want(st.theirs.post("/ingest/replay", st.itemIDs(theirs)), http.StatusNotFound, "not_found")
	// Zones that PostgreSQL does not know, and years that JSON does not.
	st.mine.want(st.mine.post("/ingest/replay", `{"from":"2020-01-01T00:00:00+23:59","to":"2020-01-02T00:00:00-23:59"}`), http.StatusAccepted, "")
	st.mine.want(st.mine.post("/ingest/replay", `{"from":"2020-01-01T00:00:00Z","to":"9999-12-31T23:59:59-23:59"}`), http.StatusUnprocessableEntity, "invalid")

	one := st.mine.want(st.mine.post("/ingest/replay", st.itemIDs(own), "Idempotency-Key", "again"), http.StatusAccepted, "")
	if two := st.mine.post("/ingest/replay", st.itemIDs(own), "Idempotency-Key", "again"); two.body != one.body || two.status != http.StatusAccepted {
		t.Errorf("want one job, got %d %s", two.status, two.body)
	}
	all := st.mine.want(st.mine.post("/ingest/replay", `{"from":"2020-01-01T00:00:00Z","to":"2100-01-01T00:00:00+05:30"}`), http.StatusAccepted, "")
	st.workUntil(t, func() bool {
		return st.mine.get("/jobs/"+one.text("id")).text("state") == "done" && st.mine.get("/jobs/"+all.text("id")).text("state") == "done"
	})
	if r := st.mine.get("/jobs/" + all.text("id")); r.number("done") != r.number("total") || r.number("total") < 50 || r.text("finished_at") == "" {
		t.Errorf("want all of it done, got %s", r.body)
	}
	if c, k := len(st.mine.all("/contacts")), len(st.mine.all("/cases")); c != contacts || k != cases {
		t.Errorf("want nothing doubled: %d contacts and %d cases before, %d and %d after", contacts, cases, c, k)
	}
	if r := st.mine.get("/ingest"); !balanced(r) {
		t.Errorf("want the meter to add up, got %s", r.body)
	}
	st.theirs.want(st.theirs.get("/jobs/"+one.text("id")), http.StatusNotFound, "not_found")
}
