package whatsapp_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// FuzzSplitAndParse: whatever is sent, nothing panics, each item can be stored, and no message or status is passed over.
func FuzzSplitAndParse(f *testing.F) {
	paths, err := filepath.Glob("testdata/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		f.Add(payload(f, path))
	}
	f.Add(delivery(value(`"messages":[null,{"id":"\x"},` + goodMessage + `]`)))
	f.Add([]byte(`{"entry":[{"changes":[{"field":"history","value":{"history":[{"threads":[{"id":"1","messages":[{"id":"w"}]}]}]}}]}]}`))

	f.Fuzz(func(t *testing.T, body []byte) {
		items, err := whatsapp.Split(body)
		if err != nil {
			return
		}
		positions := map[string]bool{}
		for _, item := range items {
			if positions[item.Position] {
				t.Errorf("position %s comes twice", item.Position)
			}
			positions[item.Position] = true
			if !json.Valid(item.Body) {
				t.Errorf("%s: body is not JSON: %q", item.Position, item.Body)
			}
			event, err := whatsapp.ParseEvent(item.Kind, item.Body)
			if err != nil {
				continue
			}
			if event.Content != nil && !json.Valid(event.Content) {
				t.Errorf("%s: content is not JSON: %q", item.Position, event.Content)
			}
			written, err := json.Marshal(event)
			if err != nil {
				t.Errorf("%s: %v", item.Position, err)
			}
			if strings.Contains(string(written), `\u0000`) || !utf8.Valid(written) {
				t.Errorf("%s: not storable: %q", item.Position, written)
			}
		}
		for _, place := range places(body) {
			if !positions[place] {
				t.Errorf("nothing was made of what stands at %s", place)
			}
		}
	})
}

// places are where a body holds messages and statuses, as another parser finds them.
func places(body []byte) (all []string) {
	var envelope map[string]json.RawMessage
	var entries []map[string]json.RawMessage
	if json.Unmarshal(body, &envelope) != nil || json.Unmarshal(envelope["entry"], &entries) != nil {
		return nil
	}
	for e, entry := range entries {
		var changes []map[string]json.RawMessage
		if json.Unmarshal(entry["changes"], &changes) != nil {
			continue
		}
		for c, change := range changes {
			var field string
			var value map[string]json.RawMessage
			if json.Unmarshal(change["field"], &field) != nil || field != "messages" || json.Unmarshal(change["value"], &value) != nil {
				continue
			}
			for _, key := range []string{"messages", "statuses"} {
				var list []json.RawMessage
				if json.Unmarshal(value[key], &list) != nil {
					continue
				}
				for i := range list {
					all = append(all, fmt.Sprintf("%d.%d.%s.%d", e, c, key, i))
				}
			}
		}
	}

	return all
}

// FuzzNeighbours puts anything between two messages. They are read as they are without it, unless the delivery is no JSON at all.
func FuzzNeighbours(f *testing.F) {
	for _, odd := range []string{
		goodMessage, `null`, `7`, `{}`, `[]`, `{"id":null}`, `{"id":"w","type":"text","text":{"body":"\ud800"}}`, `{"id":"w","type":{},"from":[]}`,
		`{"type":"system","system":{"type":"user_changed_number"}}`, strings.Repeat("[", 300) + strings.Repeat("]", 300), `{"a":1,"a":2}`, `"x",`, `{"id":"\x"}`,
	} {
		f.Add([]byte(odd))
	}
	before, after := `{"from":"919800000101","id":"before","timestamp":"1790000001","type":"text","text":{"body":"a"}}`,
		`{"from_user_id":"IN.1","id":"after","timestamp":"1790000002","type":"text","text":{"body":"b"}}`
	read := func(body []byte) (map[string]whatsapp.Event, error) {
		items, err := whatsapp.Split(body)
		events := map[string]whatsapp.Event{}
		for _, item := range items {
			if event, err := whatsapp.ParseEvent(item.Kind, item.Body); err == nil && (event.WAMID == "before" || event.WAMID == "after") {
				events[event.WAMID] = event
			}
		}

		return events, err
	}

	f.Fuzz(func(t *testing.T, odd []byte) {
		if strings.Contains(string(odd), "before") || strings.Contains(string(odd), "after") || !json.Valid(odd) {
			return // it may pass for one of them, or end the list
		}
		want, err := read(delivery(value(`"messages":[` + before + `,` + after + `]`)))
		if err != nil {
			t.Fatal(err)
		}
		got, err := read(delivery(value(`"messages":[` + before + `,` + string(odd) + `,` + after + `]`)))
		if err != nil {
			t.Fatalf("split: %v", err)
		}
		if len(got) != 2 || !reflect.DeepEqual(want, got) {
			t.Errorf("want %+v, got %+v", want, got)
		}
	})
}
