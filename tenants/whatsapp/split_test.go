package whatsapp_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// delivery wraps values of the field messages, one change each, in an envelope.
func delivery(values ...string) []byte {
	changes := make([]string, len(values))
	for i, value := range values {
		changes[i] = `{"field":"messages","value":` + value + `}`
	}
	return []byte(`{"object":"whatsapp_business_account","entry":[{"id":"318840557712904","changes":[` +
		strings.Join(changes, ",") + `]}]}`)
}

func value(members string) string {
	return `{"messaging_product":"whatsapp","metadata":{"display_phone_number":"+1 555-019-9042","phone_number_id":"224466880013579"},` + members + `}`
}

func split(t *testing.T, body []byte) []whatsapp.Item {
	t.Helper()
	items, err := whatsapp.Split(body)
	if err != nil {
		t.Fatalf("split: %v", err)
	}
	return items
}

const goodMessage = `{"from":"919800000101","id":"wamid.GOOD","timestamp":"1790000001","type":"text","text":{"body":"ok"}}`

func TestOddItemsLeaveNeighboursUnharmed(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct{ item, problem string }{
		"null":              {`null`, "item_not_object"},
		"string":            {`"text"`, "item_not_object"},
		"number":            {`1e1000000`, "item_not_object"},
		"array":             {`[{}]`, "item_not_object"},
		"bad literal":       {`{"id":tru}`, "item_not_json"},
		"bad escape":        {`{"id":"\x"}`, "item_not_json"},
		"deep":              {strings.Repeat(`{"a":`, 10_001) + `1` + strings.Repeat(`}`, 10_001), "item_too_deep"},
		"very deep":         {strings.Repeat(`[`, 1_000_000) + strings.Repeat(`]`, 1_000_000), "item_too_deep"},
		"missing bracket":   {`{"id"}`, "item_not_object"},
		"raw NUL in a key":  {"{\"i\x00d\":1}", ""},
		"keys that collide": {`{` + collidingKeys(15) + `"id":"wamid.keys"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			items := split(t, delivery(value(`"messages":[`+goodMessage+`,`+c.item+`,`+goodMessage+`]`)))
			if len(items) != 3 {
				t.Fatalf("items: got %d, want 3", len(items))
			}
			for i, want := range []string{"", c.problem, ""} {
				if got := items[i].Problem; got != want {
					// A deep array is first of all not an object.
					if !(i == 1 && got == "item_not_object" && want == "item_too_deep") {
						t.Errorf("item %d: got problem %q, want %q", i, got, want)
					}
				}
				if !json.Valid(items[i].Body) {
					t.Errorf("item %d: body is not JSON", i)
				}
			}
			if items[2].Position != "0.0.messages.2" {
				t.Errorf("position: got %s, want 0.0.messages.2", items[2].Position)
			}
			if event, err := whatsapp.ParseEvent(items[2].Kind, items[2].Body); err != nil || event.Text != "ok" {
				t.Errorf("neighbour: got %q, %v, want ok", event.Text, err)
			}
		})
	}
}

// collidingKeys are two to the n keys that are one to a hash of the kind that many languages have: each pair of letters is worth as much as
// the other.
func collidingKeys(n int) string {
	var keys strings.Builder
	for i := range 1 << n {
		keys.WriteByte('"')
		for bit := range n {
			keys.WriteString([]string{"Aa", "BB"}[i>>bit&1])
		}
		keys.WriteString(`":1,`)
	}

	return keys.String()
}

func TestOddLevelsBecomeOneItem(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		body, position, problem string
		kind                    whatsapp.ItemKind
	}{
		"entry not an object":    {`{"entry":[5]}`, "0", "entry_not_object", whatsapp.KindChange},
		"changes not a list":     {`{"entry":[{"id":"1","changes":"x"}]}`, "0", "list_malformed", whatsapp.KindChange},
		"change not an object":   {`{"entry":[{"id":"1","changes":[7]}]}`, "0.0", "change_not_object", whatsapp.KindChange},
		"value not an object":    {`{"entry":[{"changes":[{"field":"messages","value":[]}]}]}`, "0.0", "value_not_object", whatsapp.KindChange},
		"unknown field":          {`{"entry":[{"changes":[{"field":"consumer_profile","value":[1]}]}]}`, "0.0", "", whatsapp.KindChange},
		"messages not a list":    {string(delivery(value(`"messages":"x"`))), "0.0.messages", "list_malformed", whatsapp.KindMessage},
		"nothing under messages": {string(delivery(value(`"contacts":[]`))), "0.0", "", whatsapp.KindChange},
		"object for a list":      {string(delivery(value(`"messages":` + goodMessage))), "0.0.messages.0", "", whatsapp.KindMessage},
		"object for every list":  {`{"entry":{"changes":{"field":"messages","value":` + value(`"messages":`+goodMessage) + `}}}`, "0.0.messages.0", "", whatsapp.KindMessage},
		"byte order mark":        {"\xEF\xBB\xBF" + string(delivery(value(`"messages":[`+goodMessage+`]`))), "0.0.messages.0", "", whatsapp.KindMessage},
		"repeated key":           {string(delivery(value(`"messages":[1,2],"messages":[` + goodMessage + `]`))), "0.0.messages.0", "", whatsapp.KindMessage},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			items := split(t, []byte(c.body))
			if len(items) != 1 {
				t.Fatalf("items: got %d, want 1", len(items))
			}
			got := items[0]
			if got.Position != c.position || got.Problem != c.problem || got.Kind != c.kind {
				t.Errorf("got %s %q %s, want %s %q %s", got.Position, got.Problem, got.Kind, c.position, c.problem, c.kind)
			}
		})
	}
	for _, body := range []string{`{"entry":[]}`, `{"entry":null}`, `{"entry":[{"id":"1"}]}`, `{"entry":[{"id":"1","changes":[]}]}`} {
		if items := split(t, []byte(body)); len(items) != 0 {
			t.Errorf("%s: got %d items, want none", body, len(items))
		}
	}
}

func TestUnusableEnvelopesAreRefused(t *testing.T) {
	t.Parallel()

	for name, body := range map[string]string{
		"empty":     "",
		"one byte":  "{",
		"text":      "hello",
		"array":     `[{"entry":[]}]`,
		"no entry":  `{"object":"whatsapp_business_account"}`,
		"scalar":    `{"entry":"x"}`,
		"cut off":   string(delivery(value(`"messages":[` + goodMessage + `]`)))[:300],
		"brackets":  string(delivery(value(`"messages":[{"id":[}]}]`))),
		"trailing":  `{"entry":[]} x`,
		"crowded":   string(delivery(value(`"messages":[` + strings.Repeat(`{},`, 1_000_000) + `{}]`))),
		"crowd two": `{"entry":[` + strings.Repeat(`{"changes":[{}]},`, 150_000) + `{}]}`,
	} {
		if items, err := whatsapp.Split([]byte(body)); err == nil {
			t.Errorf("%s: got %d items, want an error", name, len(items))
		}
	}
}

func TestLargestBatchWithOnePoisonItem(t *testing.T) {
	t.Parallel()

	messages := make([]string, 1000)
	contacts := make([]string, 1000)
	for i := range messages {
		messages[i] = fmt.Sprintf(`{"from_user_id":"IN.%d","id":"wamid.%d","timestamp":"1790000001","type":"text","text":{"body":"n %d"}}`, i, i, i)
		contacts[i] = fmt.Sprintf(`{"profile":{"name":"P%d"},"wa_id":"91980%07d","user_id":"IN.%d"}`, i, i, i)
	}
	messages[500] = `{"id":"\x"}`
	items := split(t, delivery(value(`"contacts":[`+strings.Join(contacts, ",")+`],"messages":[`+strings.Join(messages, ",")+`]`)))
	if len(items) != 1000 {
		t.Fatalf("items: got %d, want 1000", len(items))
	}
	for i, item := range items {
		if (item.Problem != "") != (i == 500) {
			t.Errorf("item %d: got problem %q", i, item.Problem)
		}
		if i == 500 {
			continue
		}
		event, err := whatsapp.ParseEvent(item.Kind, item.Body)
		if want := fmt.Sprintf("P%d", i); err != nil || event.Party.ProfileName != want || event.Party.Phone != fmt.Sprintf("91980%07d", i) {
			t.Errorf("item %d: got %q %q, %v, want %q", i, event.Party.ProfileName, event.Party.Phone, err, want)
		}
		if len(item.Body) > 600 {
			t.Errorf("item %d: got %d bytes, want only its own contact", i, len(item.Body))
		}
	}
}

func TestItemsKeepTheBytesThatWereSent(t *testing.T) {
	t.Parallel()

	const odd = `{ "id":"wamid.X", "timestamp":1.790000001e9 ,"type":"text","text":{"body":"<b>\u0928&\/ \ud83d ` + "\xff" + `"},"n":12345678901234567890.10}`
	items := split(t, delivery(value(`"messages":[`+odd+`]`)))
	if !strings.Contains(string(items[0].Body), odd) {
		t.Errorf("body: got %s, want it to hold %s", items[0].Body, odd)
	}
	if items[0].DisplayPhone != "15550199042" || items[0].PhoneNumberID != "224466880013579" || items[0].EntryID != "318840557712904" {
		t.Errorf("routing: got %q %q %q", items[0].DisplayPhone, items[0].PhoneNumberID, items[0].EntryID)
	}
}

func TestSharedPartsAreNotMultiplied(t *testing.T) {
	t.Parallel()

	huge := strings.Repeat("x", 1<<20)
	body := delivery(`{"metadata":{"phone_number_id":"1","x":"` + huge + `"},"contacts":[{"wa_id":"919800000101","profile":{"name":"` + huge +
		`"}}],"messages":[` + strings.Repeat(goodMessage+`,`, 999) + goodMessage + `]}`)
	total := 0
	for _, item := range split(t, body) {
		if item.PhoneNumberID != "1" {
			t.Fatalf("phone number id: got %q, want 1", item.PhoneNumberID)
		}
		total += len(item.Body)
	}
	if total > len(body) {
		t.Errorf("bytes of all items: got %d, want at most the delivery's %d", total, len(body))
	}
}
