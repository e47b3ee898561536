package identity_test

import (
	"fmt"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
)

// Whoever decides about many may leave after the first step: a job does the rest, and takes back the rest.
func TestManyGoOnByThemselves(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	var known, asking []event
	for i := range 20 { // more than one step
		phone := fmt.Sprintf("9198000005%02d", i)
		known = append(known, event{wamid: fmt.Sprint("k", i), phone: phone})
		asking = append(asking, event{at: 1, wamid: fmt.Sprint("a", i), bsuid: fmt.Sprint("IN.30", i), text: "my number is " + phone[2:]})
	}
	w.feed(known...)
	w.feed(asking...)
	before := w.picture()
	id := w.chooses(identity.BulkInput{Decision: "same", Evidence: "typed_number", All: &identity.CaseFilter{}})
	step := func(do func(tx *tenants.Tx) (bool, error)) {
		t.Helper()
		w.as(func(tx *tenants.Tx) error {
			more, err := do(tx)
			if err == nil && !more {
				t.Error("one step did all, want some left")
			}
			return err
		})
	}

	step(func(tx *tenants.Tx) (bool, error) { return identity.RunBulk(t.Context(), tx, meera, id) })
	other := newWorld(t, w.db, "ravi-motors")
	other.continues(id)
	w.due(id, "1 hour")
	w.continues(id) // not yet: whoever decides may still be at it
	if b := w.standing(id); b.State != identity.BulkRunning || b.Done != 15 || b.Stuck {
		t.Fatalf("after one step %+v, want it running with 15 done", b)
	}
	w.due(id, "-1 second")
	w.continues(id)
	if b := w.standing(id); b.State != identity.BulkDone || b.Done != 20 {
		t.Fatalf("after the job's %+v, want all 20 done", b)
	}
	if got := w.jobOf(id); got != "done 20 of 20" {
		t.Errorf("job: %s", got)
	}
	w.due(id, "-1 second")
	w.continues(id) // nothing left

	step(func(tx *tenants.Tx) (bool, error) { return identity.UndoBulk(t.Context(), tx, joseph, id, true) })
	w.due(id, "-1 second")
	w.continues(id)
	if b := w.standing(id); b.State != identity.BulkUndone || b.Undone != 20 {
		t.Errorf("taken back %+v, want all 20", b)
	}
	if after := w.picture(); after != before {
		t.Errorf("want all as before:\n%s\nbut it is:\n%s", before, after)
	}
	w.checkHeard(t)
}

// A job that comes to what its owner has taken back meanwhile ends; one that gives up says so.
func TestManyWhoseJobEnds(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	var asking []event
	for i := range 300 {
		asking = append(asking, event{wamid: fmt.Sprint("a", i), bsuid: fmt.Sprint("IN.30", i)})
	}
	w.feed(asking...)
	id := w.chooses(identity.BulkInput{Decision: "new", All: &identity.CaseFilter{}})
	w.as(func(tx *tenants.Tx) error {
		_, err := identity.RunBulk(t.Context(), tx, meera, id)
		return err
	})
	w.as(func(tx *tenants.Tx) error {
		_, err := tx.Exec(`UPDATE jobs SET state = 'dead' WHERE id = $1`, id)
		return err
	})
	if b := w.standing(id); !b.Stuck {
		t.Errorf("its job is dead, want it stuck: %+v", b)
	}
	if b := w.runs(id); b.State != identity.BulkDone || b.Done != 300 || b.Stuck {
		t.Errorf("carried on by hand %+v, want all 300 done", b)
	}

	w.as(func(tx *tenants.Tx) error {
		_, err := tx.Exec(`UPDATE bulks SET state = 'undone' WHERE id = $1`, id)
		return err
	})
	w.as(func(tx *tenants.Tx) error {
		_, err := tx.Exec(`UPDATE jobs SET state = 'running', run_at = now() - interval '1 second' WHERE id = $1`, id)
		return err
	})
	w.continues(id)
	if got := w.jobOf(id); got != "done 300 of 300" {
		t.Errorf("job of what was taken back: %s, want it ended", got)
	}
}

func (w *world) continues(id uuid.UUID) {
	w.t.Helper()
	w.as(func(tx *tenants.Tx) error { return identity.ContinueBulk(w.t.Context(), tx, id) })
}

// due has a job's next step come this much from now.
func (w *world) due(id uuid.UUID, in string) {
	w.t.Helper()
	w.as(func(tx *tenants.Tx) error {
		_, err := tx.Exec(`UPDATE jobs SET run_at = now() + $2::interval WHERE id = $1`, id, in)
		return err
	})
}

func (w *world) standing(id uuid.UUID) (b identity.Bulk) {
	w.t.Helper()
	w.as(func(tx *tenants.Tx) (err error) {
		b, err = identity.GetBulk(w.t.Context(), tx, id)
		return err
	})

	return b
}

func (w *world) jobOf(id uuid.UUID) (said string) {
	w.t.Helper()
	w.as(func(tx *tenants.Tx) error {
		return tx.Get(&said, `SELECT state || ' ' || done || ' of ' || total FROM jobs WHERE id = $1 AND kind = 'bulk'`, id)
	})

	return said
}
