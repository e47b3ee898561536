package sandbox_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pehchan/pehchan/tenants/sandbox"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// full is a world in which everything happens.
func full(seed int64, people int) sandbox.WorldOptions {
	numbers := sandbox.Known().Numbers[:3]
	return sandbox.WorldOptions{
		Seed: seed, People: people, Events: 14 * people, ToEnd: true, Start: time.Date(2026, time.January, 5, 0, 0, 0, 0, time.UTC),
		Span: 320 * 24 * time.Hour, Numbers: numbers, Disorder: 0.2, Names: sandbox.Frozen, Calendar: true, Parents: true,
		Books: []string{numbers[2].PortfolioID}, Shared: []string{numbers[1].PhoneNumberID},
	}
}

func TestFullWorldIsTheSameAgain(t *testing.T) {
	t.Parallel()

	write := func(seed int64) []byte {
		deliveries, world := run(t, full(seed, 60))
		var all bytes.Buffer
		for _, d := range deliveries {
			all.Write(d.Body)
		}
		for _, v := range []any{world.Truth(), world.Events()} {
			if err := json.NewEncoder(&all).Encode(v); err != nil {
				t.Fatal(err)
			}
		}
		if err := sandbox.WriteContacts(&all, world.Contacts()); err != nil {
			t.Fatal(err)
		}
		return all.Bytes()
	}
	if !bytes.Equal(write(5), write(5)) {
		t.Error("the same seed gave another world")
	}
	if bytes.Equal(write(5), write(6)) {
		t.Error("another seed gave the same world")
	}
}

// TestTruthOfTheFullWorld reads every item as the product would and holds it against what the world says of it.
func TestTruthOfTheFullWorld(t *testing.T) {
	t.Parallel()

	options := full(1, 400)
	options.Disorder = 0
	deliveries, world := run(t, options)
	type key struct{ event, state, phone, bsuid string }
	truth := map[key]sandbox.EventTruth{}
	for _, told := range world.Events() {
		truth[key{told.Event, told.State, told.Shown.Phone, told.Shown.BSUID}] = told
	}
	holdings := map[string]sandbox.PersonTruth{}
	for _, p := range world.Truth() {
		holdings[p.Person] = p
	}

	found, names := map[string]int{}, map[string]int{}
	usernames := map[string]map[string]bool{}
	for _, e := range read(t, deliveries) {
		k := key{e.WAMID, e.Status, e.Party.Phone, e.Party.BSUID}
		if e.Rotation != nil {
			k.phone, k.bsuid = e.Rotation.New.Phone, e.Rotation.New.BSUID
		}
		told, ok := truth[k]
		if !ok || e.PhoneNumberID != told.Number || !e.At.Equal(told.At) {
			t.Fatalf("event %s at %v: the world says %+v", e.WAMID, e.At, told)
		}
		shown := sandbox.Shown{Phone: e.Party.Phone, BSUID: e.Party.BSUID, Parent: e.Party.Parent, Username: told.Shown.Username}
		if e.Rotation != nil {
			shown = sandbox.Shown{Phone: e.Rotation.New.Phone, BSUID: e.Rotation.New.BSUID, Parent: e.Rotation.New.Parent}
			if was := (sandbox.Shown{Phone: e.Rotation.Old.Phone, BSUID: e.Rotation.Old.BSUID, Parent: e.Rotation.Old.Parent}); was != *told.Was {
				t.Errorf("%s: changed from %+v, the world says %+v", e.WAMID, was, *told.Was)
			}
		}
		if shown != told.Shown {
			t.Errorf("%s %s: shows %+v, the world says %+v", told.Kind, e.WAMID, shown, told.Shown)
		}
		for _, value := range []string{shown.Phone, shown.BSUID, shown.Parent} {
			if value != "" && told.Person != "" && !holds(holdings[told.Person], value, told.At) {
				t.Errorf("%s %s: %s does not hold %s at %v", told.Kind, e.WAMID, told.Person, value, told.At)
			}
		}
		if e.At.Before(time.Date(2026, time.April, 1, 0, 0, 0, 0, time.UTC)) && e.Party.BSUID != "" {
			t.Errorf("%s: a BSUID at %v", e.WAMID, e.At)
		}

		found[told.Kind]++
		if e.ContextID != "" {
			found["quoted"]++
		}
		if len(e.Cards) > 0 {
			found["card "+e.Cards[0].Origin]++
		}
		if told.Shown.Username != "" && told.Person != "" {
			if usernames[told.Shown.Username] == nil {
				usernames[told.Shown.Username] = map[string]bool{}
			}
			usernames[told.Shown.Username][told.Person] = true
		}
		if told.Name != nil && e.Kind == whatsapp.KindMessage {
			names[told.Name.Form+" "+told.Name.Script]++
		}
		if told.Person == "" {
			found["nobody"]++
		}
		if strings.Contains(string(e.Content), "clid") || e.Kind == whatsapp.KindMessage && strings.Contains(e.Text, "Mera number") {
			found["typed"]++
		}
	}
	for _, holders := range usernames {
		if len(holders) > 1 {
			found["username taken again"]++
		}
	}
	for _, want := range []string{
		"message", "status", "system", "echo", "history", "sync", "call", "quoted", "card contact_request", "card other",
		"nobody", "typed", "username taken again",
	} {
		if found[want] == 0 {
			t.Errorf("%s: got none in %v", want, found)
		}
	}
	for _, want := range []string{"full hi", "full latin", "one_word hi", "one_word latin", "initial latin", "other latin"} {
		if names[want] == 0 {
			t.Errorf("%s: got none in %v", want, names)
		}
	}
	if rows := world.Contacts(); len(rows) < 150 || !slices.ContainsFunc(rows, func(r sandbox.ContactRow) bool { return strings.Contains(r.Phone, "E+") }) {
		t.Errorf("contacts: got %d, want many, some of them spoilt", len(rows))
	}
}

func holds(p sandbox.PersonTruth, value string, at time.Time) bool {
	return slices.ContainsFunc(p.Identifiers, func(id sandbox.Identifier) bool {
		return id.Value == value && !at.Before(id.From) && (id.To == nil || !at.After(*id.To))
	})
}
