package sandbox_test

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pehchan/pehchan/tenants/sandbox"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

var start = time.Date(2026, time.May, 1, 3, 30, 0, 0, time.UTC)

func run(t *testing.T, options sandbox.WorldOptions) ([]sandbox.Delivery, *sandbox.World) {
	t.Helper()
	world := sandbox.NewWorld(options)
	var all []sandbox.Delivery
	for {
		delivery, ok := world.Next()
		if !ok {
			return all, world
		}
		all = append(all, delivery)
	}
}

func read(t *testing.T, deliveries []sandbox.Delivery) []whatsapp.Event {
	t.Helper()
	var events []whatsapp.Event
	for _, delivery := range deliveries {
		items, err := whatsapp.Split(delivery.Body)
		if err != nil {
			t.Fatalf("split: %v", err)
		}
		if len(items) != delivery.Items {
			t.Errorf("items: got %d, want %d", len(items), delivery.Items)
		}
		for _, item := range items {
			event, err := whatsapp.ParseEvent(item.Kind, item.Body)
			if err != nil {
				t.Fatalf("parse: %v", err)
			}
			if len(event.Warnings) > 0 {
				t.Errorf("warnings: got %v in %s", event.Warnings, item.Body)
			}
			events = append(events, event)
		}
	}
	return events
}

func TestSameSeedSameBytes(t *testing.T) {
	t.Parallel()

	options := sandbox.WorldOptions{Seed: 7, People: 40, Events: 400, Start: start, Disorder: 0.2}
	first, world := run(t, options)
	again, _ := run(t, options)
	if !slices.EqualFunc(first, again, func(a, b sandbox.Delivery) bool {
		return bytes.Equal(a.Body, b.Body) && a.At.Equal(b.At) && a.Items == b.Items
	}) {
		t.Error("the same seed gave another world")
	}
	if len(world.Truth()) < 30 {
		t.Errorf("truth: got %d people, want most of 40", len(world.Truth()))
	}
	options.Seed = 8
	if other, _ := run(t, options); bytes.Equal(first[0].Body, other[0].Body) {
		t.Error("another seed gave the same world")
	}
}

func TestWorldHoldsWhatItPromises(t *testing.T) {
	t.Parallel()

	deliveries, world := run(t, sandbox.WorldOptions{
		Seed: 3, People: 300, Events: 5000, Start: start, Span: 300 * 24 * time.Hour, Numbers: sandbox.Known().Numbers[:3],
	})
	events := read(t, deliveries)
	if len(events) < 5000 || len(events) > 5010 {
		t.Errorf("events: got %d, want 5000", len(events))
	}
	if at := deliveries[len(deliveries)-1].At; at.After(start.Add(300 * 24 * time.Hour)) {
		t.Errorf("last event: got %v, want within the span", at)
	}
	batches := 0
	for i, d := range deliveries {
		if d.Items > 1 {
			batches++
		}
		if i > 0 && d.At.Before(deliveries[i-1].At) {
			t.Fatalf("delivery %d is before the one it follows", i)
		}
	}
	if batches < len(deliveries)/50 {
		t.Errorf("batches: got %d of %d deliveries, want some", batches, len(deliveries))
	}

	// Whoever holds an identifier at the time of an event is the one it is about.
	owner := map[string]string{}
	held := map[string][]sandbox.Identifier{}
	holder := map[string][]string{}
	for _, person := range world.Truth() {
		for _, wamid := range person.WAMIDs {
			if owner[wamid] != "" {
				t.Errorf("%s belongs to two people", wamid)
			}
			owner[wamid] = person.Person
		}
		for _, id := range person.Identifiers {
			held[id.Value] = append(held[id.Value], id)
			holder[id.Value] = append(holder[id.Value], person.Person)
		}
	}
	who := func(value string, at time.Time) string {
		for i, id := range held[value] {
			if !at.Before(id.From) && (id.To == nil || !at.After(*id.To)) {
				return holder[value][i]
			}
		}
		return "nobody"
	}
	kinds := map[string]int{}
	lastPhone := map[string]time.Time{}
	for _, e := range events {
		kinds[e.Type]++
		for _, id := range []string{e.Party.Phone, e.Party.BSUID} {
			if id == "" {
				continue
			}
			if e.Kind == whatsapp.KindMessage && owner[e.WAMID] != "" && who(id, e.At) != owner[e.WAMID] {
				t.Errorf("%s at %v: got %s, want %s", id, e.At, who(id, e.At), owner[e.WAMID])
			}
		}
		if e.Party.Phone != "" {
			lastPhone[e.PhoneNumberID+e.Party.BSUID] = e.At
			continue
		}
		kinds["hidden"]++
		if e.Kind == whatsapp.KindMessage && e.Party.Username == "" {
			t.Errorf("%s: phone hidden without a username", e.WAMID)
		}
		if last, ok := lastPhone[e.PhoneNumberID+e.Party.BSUID]; ok && e.Kind == whatsapp.KindMessage && e.At.Sub(last) <= 30*24*time.Hour {
			t.Errorf("%s: phone hidden %v after it was used", e.WAMID, e.At.Sub(last))
		}
	}
	for _, kind := range []string{"text", "image", "location", "audio", "reaction", "status", "hidden", "system:user_changed_number", "system:user_changed_user_id"} {
		if kinds[kind] == 0 {
			t.Errorf("%s: got none in %v", kind, kinds)
		}
	}
	recycled := 0
	for value, holders := range holder {
		if len(holders) > 1 {
			recycled++
			if strings.Contains(value, ".") {
				t.Errorf("BSUID %s belongs to %v", value, holders)
			}
		}
	}
	if recycled == 0 {
		t.Error("recycled phones: got none")
	}
}

func TestDisorderLosesNothing(t *testing.T) {
	t.Parallel()

	options := sandbox.WorldOptions{Seed: 11, People: 50, Events: 1000, Start: start}
	ordered, _ := run(t, options)
	options.Disorder = 0.3
	shuffled, _ := run(t, options)
	if len(shuffled) <= len(ordered)*11/10 {
		t.Errorf("deliveries: got %d with disorder and %d without, want repeats", len(shuffled), len(ordered))
	}
	count := func(deliveries []sandbox.Delivery) map[string]int {
		seen := map[string]int{}
		for _, e := range read(t, deliveries) {
			seen[e.WAMID+e.Status]++
		}
		return seen
	}
	late := 0
	last := time.Time{}
	for _, e := range read(t, shuffled) {
		if e.At.Before(last) {
			late++
		}
		last = e.At
	}
	if late < 50 {
		t.Errorf("late events: got %d, want many", late)
	}
	if got, want := len(count(shuffled)), len(slices.Collect(maps.Keys(count(ordered)))); got != want {
		t.Errorf("different events: got %d, want %d", got, want)
	}
}

func TestSmallWorldsEnd(t *testing.T) {
	t.Parallel()

	for _, people := range []int{1, 2, 3} {
		for seed := range int64(20) {
			deliveries, world := run(t, sandbox.WorldOptions{Seed: seed, People: people, Events: 50, Start: start})
			if got := len(read(t, deliveries)); got != 50 {
				t.Errorf("%d people, seed %d: got %d events, want 50", people, seed, got)
			}
			if len(world.Truth()) == 0 || len(world.Truth()) > people {
				t.Errorf("%d people, seed %d: got %d in the truth", people, seed, len(world.Truth()))
			}
		}
	}
}
