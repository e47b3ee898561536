package usernames_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/usernames"
)

func TestPlan(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := context.Background()
	plan := func(number uuid.UUID, p usernames.Plan) error {
		return h.DB.As(ctx, h.asha, func(tx *tenants.Tx) error { return usernames.SetPlan(ctx, tx, meera, number, p) })
	}
	due := time.Date(2031, 3, 4, 0, 0, 0, 0, time.UTC)
	if err := plan(h.desk, usernames.Plan{
		Wanted: "@Asha.Clinic", Alternatives: []string{"ashaclinic", "", "@ASHACLINIC", "asha.clinic", "asha.bhopal"},
		Owner: uuid.NullUUID{UUID: h.owner, Valid: true}, Due: &due,
	}); err != nil {
		t.Fatal(err)
	}
	n := h.get(t, h.desk)
	if n.Plan.Wanted != "asha.clinic" || !slices.Equal(n.Plan.Alternatives, []string{"ashaclinic", "asha.bhopal"}) || n.Plan.Owner.UUID != h.owner || n.Plan.Due.Day() != 4 {
		t.Errorf("got %+v", n.Plan)
	}

	for name, c := range map[string]struct {
		plan       usernames.Plan
		field, key string
	}{
		"a name that may not be":   {usernames.Plan{Wanted: "asha.in"}, "wanted", "username_domain"},
		"an alternative like that": {usernames.Plan{Wanted: "asha", Alternatives: []string{"12"}}, "alternatives", "username_short"},
		"too many":                 {usernames.Plan{Alternatives: []string{"aaa", "bbb", "ccc", "ddd", "eee", "fff"}}, "alternatives", "username_many"},
		"somebody else's owner":    {usernames.Plan{Owner: uuid.NullUUID{UUID: uuid.New(), Valid: true}}, "owner", "member"},
	} {
		var invalid *tenants.Invalid
		if err := plan(h.desk, c.plan); !errors.As(err, &invalid) || invalid.Field != c.field || invalid.Key != c.key {
			t.Errorf("%s: got %v, want %s %s", name, err, c.field, c.key)
		}
	}

	// Two numbers of one business do not get the same name.
	if err := plan(h.lab, usernames.Plan{Wanted: "asha.clinic"}); err != nil {
		t.Fatal(err)
	}
	if got := h.get(t, h.lab).Clashes; len(got) != 1 || got[0].Kind != usernames.ClashWanted || got[0].Number != h.desk {
		t.Errorf("wanted by both: got %+v", got)
	}
	if _, err := h.ask(h.desk, usernames.Claim, "asha.clinic"); err != nil {
		t.Fatal(err)
	}
	if got := h.get(t, h.lab).Clashes; len(got) != 1 || got[0].Kind != usernames.ClashHeld {
		t.Errorf("held by the other: got %+v", got)
	}
	h.as(t, h.asha, func(tx *tenants.Tx) error {
		_, err := tx.Exec(`UPDATE numbers SET scope = 'portfolio:9' WHERE tenant_id = $1 AND id = $2`, tx.Tenant, h.lab)
		return err
	})
	if got := h.get(t, h.lab).Clashes; len(got) != 1 || got[0].Kind != usernames.ClashElsewhere {
		t.Errorf("held in another portfolio: got %+v", got)
	}

	// An idea is the wanted name where there is none, else one more alternative.
	if err := plan(h.lab, usernames.Plan{}); err != nil {
		t.Fatal(err)
	}
	for _, idea := range []string{"asha.lab", "ashalab", "ashalab"} {
		h.as(t, h.asha, func(tx *tenants.Tx) error { return usernames.AddIdea(ctx, tx, meera, h.lab, idea) })
	}
	if got := h.get(t, h.lab).Plan; got.Wanted != "asha.lab" || !slices.Equal(got.Alternatives, []string{"ashalab"}) {
		t.Errorf("ideas: got %+v", got)
	}
	if got := h.audited(t, "username.plan"); got != 6 {
		t.Errorf("audited %d plans, want 6", got)
	}
}

func TestWatch(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := context.Background()
	note := func(name, state, text string) error {
		return h.DB.As(ctx, h.asha, func(tx *tenants.Tx) error { return usernames.Note(ctx, tx, meera, name, state, text) })
	}
	for _, state := range []string{"nobody", "fake", "reported", "gone"} {
		if err := note("@AshaC1inic", state, " asks for money "); err != nil {
			t.Fatal(err)
		}
	}
	h.as(t, h.asha, func(tx *tenants.Tx) error {
		list, err := usernames.Watch(ctx, tx)
		if len(list) != 1 || list[0].Name != "ashac1inic" || list[0].State != "gone" || list[0].Note != "asks for money" || list[0].By != "Meera" || list[0].ReportedAt == nil {
			t.Errorf("got %+v", list)
		}
		return err
	})
	var invalid *tenants.Invalid
	for what, err := range map[string]error{
		"name": note("a", "fake", ""), "state": note("asha", "seen", ""), "note": note("asha", "fake", strings.Repeat("x", 1001)),
	} {
		if !errors.As(err, &invalid) || invalid.Field != what {
			t.Errorf("%s: got %v", what, err)
		}
	}
}
