package usernames_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/usernames"
)

// Whoever is named for a number's username or a printed place has it in hand until it is done.
func TestPrintedPlaces(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := context.Background()
	set := func(p usernames.Place) error {
		return h.DB.As(ctx, h.asha, func(tx *tenants.Tx) error { return usernames.SetPlace(ctx, tx, meera, p) })
	}
	owner := uuid.NullUUID{UUID: h.owner, Valid: true}
	soon, late := time.Date(2031, 3, 4, 0, 0, 0, 0, time.UTC), time.Date(2031, 5, 4, 0, 0, 0, 0, time.UTC)
	for _, p := range []usernames.Place{
		{Place: "board", State: usernames.PlaceToDo, Owner: owner, Due: &late},
		{Place: "bill", State: usernames.PlaceToDo, Owner: owner},
		{Place: "packaging", State: usernames.PlaceNone},
		{Place: "card", State: usernames.PlaceDone, Owner: owner, Due: &soon},
		{Place: "card", State: usernames.PlaceToDo, Owner: owner, Due: &soon}, // printed wrongly after all
		{Place: "qr", State: usernames.PlaceDone, Owner: owner},
	} {
		if err := set(p); err != nil {
			t.Fatal(err)
		}
	}
	h.as(t, h.asha, func(tx *tenants.Tx) error {
		return usernames.SetPlan(ctx, tx, meera, h.desk, usernames.Plan{Wanted: "asha.clinic", Owner: owner, Due: &soon})
	})
	for name, c := range map[string]struct {
		place usernames.Place
		want  error
	}{
		"no place":         {usernames.Place{Place: "roof", State: usernames.PlaceDone}, tenants.ErrNotFound},
		"no state":         {usernames.Place{Place: "bill", State: "half"}, &tenants.Invalid{Field: "state", Key: "other"}},
		"not of the team":  {usernames.Place{Place: "bill", State: usernames.PlaceToDo, Owner: uuid.NullUUID{UUID: uuid.New(), Valid: true}}, &tenants.Invalid{Field: "owner", Key: "member"}},
		"of no such state": {usernames.Place{Place: "bill"}, &tenants.Invalid{Field: "state", Key: "other"}},
	} {
		err := set(c.place)
		if wanted := (*tenants.Invalid)(nil); errors.As(c.want, &wanted) {
			if got := (*tenants.Invalid)(nil); !errors.As(err, &got) || *got != *wanted {
				t.Errorf("%s: got %v, want %v", name, err, c.want)
			}
		} else if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	if n := h.audited(t, "username.place"); n != 6 {
		t.Errorf("got %d entries of places, want 6", n)
	}

	h.as(t, h.asha, func(tx *tenants.Tx) error {
		places, err := usernames.PrintPlaces(ctx, tx)
		if err != nil {
			return err
		}
		for i, want := range []string{usernames.PlaceToDo, usernames.PlaceToDo, usernames.PlaceNone, usernames.PlaceToDo, usernames.PlaceToDo, usernames.PlaceDone} {
			if places[i].Place != usernames.Places[i] || places[i].State != want {
				t.Errorf("got %+v, want %s %s", places[i], usernames.Places[i], want)
			}
		}
		tasks, err := usernames.Tasks(ctx, tx, h.owner)
		var got []string
		for _, task := range tasks {
			got = append(got, task.Place+task.Wanted)
		}
		if want := []string{"asha.clinic", "card", "board", "bill"}; len(got) != len(want) || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] || got[3] != want[3] {
			t.Errorf("got %v, want %v", got, want)
		}
		if n, err := usernames.PlannedBy(ctx, tx, h.owner); n != 5 || err != nil {
			t.Errorf("in hand: got %d, %v", n, err)
		}
		if n, err := usernames.HandOver(ctx, tx, meera, h.owner, uuid.Nil); n != 5 || err != nil {
			t.Errorf("handed over: got %d, %v", n, err)
		}
		if tasks, err := usernames.Tasks(ctx, tx, h.owner); len(tasks) != 0 || err != nil {
			t.Errorf("after that: got %+v, %v", tasks, err)
		}
		return err
	})
	h.as(t, h.ravi, func(tx *tenants.Tx) error {
		places, err := usernames.PrintPlaces(ctx, tx)
		for _, p := range places {
			if p.State != usernames.PlaceToDo || p.By != "" {
				t.Errorf("another business sees %+v", p)
			}
		}
		return err
	})
}

func TestOverdue(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		t.Fatal(err)
	}
	due := time.Date(2026, 11, 18, 0, 0, 0, 0, time.UTC)
	if usernames.Overdue(&due, time.Date(2026, 11, 18, 18, 29, 0, 0, time.UTC), zone) {
		t.Error("overdue while it is still the day in India")
	}
	if !usernames.Overdue(&due, time.Date(2026, 11, 18, 18, 31, 0, 0, time.UTC), zone) {
		t.Error("not overdue though the next day has begun in India")
	}
	if usernames.Overdue(nil, due, zone) {
		t.Error("overdue without a day")
	}
}
