package identity_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/adoption"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/testdb"
)

func (w *world) people() (p identity.People) {
	w.t.Helper()
	w.as(func(tx *tenants.Tx) (err error) {
		p, err = identity.CountPeople(w.t.Context(), tx)
		return err
	})

	return p
}

// changes writes each change as its kind, who it is about and who did it.
func (w *world) changes() (list []string) {
	w.t.Helper()
	w.as(func(tx *tenants.Tx) error {
		changes, err := identity.Changes(w.t.Context(), tx, 10)
		for _, c := range changes {
			list = append(list, c.Kind+" "+c.Name+" "+c.By)
		}
		return err
	})

	return list
}

func TestOverview(t *testing.T) {
	t.Parallel()
	db := testdb.New(t).DB
	w, other := newWorld(t, db, "asha-clinic"), newWorld(t, db, "ravi-motors")
	w.feed(event{wamid: "a", phone: "919800000101", name: "Asha"})
	w.feed(event{wamid: "b", phone: "919800000101", bsuid: "IN.1", name: "Asha"})
	w.feed(event{wamid: "c", bsuid: "IN.2", name: "Priya"})
	w.feed(event{wamid: "d", phone: "919800000103", name: "Ravi"})

	if got, want := w.people(), (identity.People{Total: 3, WithID: 2, Hidden: 1}); got != want {
		t.Errorf("people: got %+v, want %+v", got, want)
	}

	link := w.merge(w.whois("bsuid", "IN.2"), w.whois("phone", "919800000103"))
	if got, want := w.people(), (identity.People{Total: 2, WithID: 2}); got != want {
		t.Errorf("people after a merge: got %+v, want %+v", got, want)
	}
	if got := w.changes(); len(got) < 2 || got[0] != "merged Priya Meera" {
		t.Errorf("changes after a merge: got %q", got)
	}
	if err := w.undo(link); err != nil {
		t.Fatal(err)
	}
	if got := w.changes(); got[0] != "undone Priya " {
		t.Errorf("changes after the undo: got %q", got)
	}

	if got := other.people(); got != (identity.People{}) {
		t.Errorf("people of another tenant: got %+v", got)
	}
	if got := other.changes(); len(got) != 0 {
		t.Errorf("changes of another tenant: got %q", got)
	}
}

func TestCaseAges(t *testing.T) {
	t.Parallel()
	db := testdb.New(t).DB
	w, other := newWorld(t, db, "asha-clinic"), newWorld(t, db, "ravi-motors")
	now := time.Now()
	w.as(func(tx *tenants.Tx) error {
		for key, since := range map[string]time.Duration{"a": time.Minute, "b": 2 * time.Hour, "c": 3 * 24 * time.Hour, "d": 40 * 24 * time.Hour, "held": time.Hour} {
			_, err := tx.ExecContext(t.Context(), `
				INSERT INTO cases (tenant_id, id, kind, key, waiting_since, hold_until)
				VALUES ($1, gen_random_uuid(), 'unidentifiable', $2, $3, CASE WHEN $2 = 'held' THEN now() + interval '1 day' END)`, w.tenant, key, now.Add(-since))
			if err != nil {
				return err
			}
		}
		_, err := adoption.Rebuild(t.Context(), tx)
		return err
	})

	ages := func(w *world) (a identity.Ages) {
		w.as(func(tx *tenants.Tx) (err error) {
			a, err = identity.CaseAges(t.Context(), tx)
			return err
		})
		return a
	}
	if diff := cmp.Diff(identity.Ages{Hour: 1, Day: 1, Week: 1, Older: 1}, ages(w)); diff != "" {
		t.Errorf("ages (-want +got):\n%s", diff)
	}
	if got := ages(other); got != (identity.Ages{}) {
		t.Errorf("ages of another tenant: got %+v", got)
	}
}
