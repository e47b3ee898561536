package whatsapp_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pehchan/pehchan/tenants/whatsapp"
)

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
	})
}
