package sandbox_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/pehchan/pehchan/tenants/sandbox"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

func TestDemoStoryShowsEverything(t *testing.T) {
	t.Parallel()

	now := time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC)
	for _, number := range sandbox.Known().Numbers {
		deliveries := sandbox.DemoStory(number, now)
		again := sandbox.DemoStory(number, now)
		found := map[string]int{}
		bsuids := map[string]map[string]bool{}
		last := time.Time{}
		for i, d := range deliveries {
			if !bytes.Equal(d.Body, again[i].Body) {
				t.Fatal("the same story came out differently")
			}
			if d.At.Before(last) || d.At.After(now) {
				t.Errorf("delivery %d: got %v after %v", i, d.At, last)
			}
			last = d.At
			items, err := whatsapp.Split(d.Body)
			if err != nil || len(items) != d.Items {
				t.Fatalf("split: got %d items, %v, want %d", len(items), err, d.Items)
			}
			for _, item := range items {
				tally(found, item, number, bsuids)
			}
		}
		for _, want := range []string{
			"text", "image", "audio", "document", "location", "reaction", "button", "interactive", "order", "edit", "revoke",
			"unsupported", "contacts", "group", "phone only", "bsuid only", "both", "nobody", "set aside", "unknown number",
			"sent", "delivered", "read", "failed", "system:user_changed_number", "system:user_changed_user_id", "typed number",
		} {
			if found[want] == 0 {
				t.Errorf("%s: %s: got none in %v", number.VerifiedName, want, found)
			}
		}
		recycled := 0
		for phone, ids := range bsuids {
			if !strings.HasPrefix(phone, "9198000") {
				t.Errorf("%s is outside the fictional block", phone)
			}
			if len(ids) > 1 {
				recycled++
			}
		}
		if recycled != 1 {
			t.Errorf("phones with two holders: got %d, want 1", recycled)
		}
	}
}

func tally(found map[string]int, item whatsapp.Item, number sandbox.Number, bsuids map[string]map[string]bool) {
	if item.PhoneNumberID != number.PhoneNumberID {
		found["unknown number"]++
		return
	}
	e, err := whatsapp.ParseEvent(item.Kind, item.Body)
	if err != nil {
		found["set aside"]++
		return
	}
	found[e.Type]++
	found[e.Status]++
	if e.GroupID != "" {
		found["group"]++
	}
	if strings.Contains(e.Text, "my number is") {
		found["typed number"]++
	}
	switch p := e.Party; {
	case p.Phone != "" && p.BSUID != "":
		found["both"]++
		if bsuids[p.Phone] == nil {
			bsuids[p.Phone] = map[string]bool{}
		}
		bsuids[p.Phone][p.BSUID] = true
	case p.Phone != "":
		found["phone only"]++
	case p.BSUID != "":
		found["bsuid only"]++
	default:
		found["nobody"]++
	}
}

func TestStoriesShareNoPhones(t *testing.T) {
	t.Parallel()

	now := time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC)
	owner := map[string]string{}
	for _, number := range sandbox.Known().Numbers {
		for _, e := range readable(t, sandbox.DemoStory(number, now)) {
			if e.Party.Phone == "" {
				continue
			}
			if had := owner[e.Party.Phone]; had != "" && had != number.PhoneNumberID {
				t.Fatalf("%s writes to %s and %s", e.Party.Phone, had, number.PhoneNumberID)
			}
			owner[e.Party.Phone] = number.PhoneNumberID
		}
	}
}

// readable reads the events that can be read.
func readable(t *testing.T, deliveries []sandbox.Delivery) []whatsapp.Event {
	t.Helper()
	var events []whatsapp.Event
	for _, d := range deliveries {
		items, err := whatsapp.Split(d.Body)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range items {
			if e, err := whatsapp.ParseEvent(item.Kind, item.Body); err == nil {
				events = append(events, e)
			}
		}
	}
	return events
}
