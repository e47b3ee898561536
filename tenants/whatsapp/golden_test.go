package whatsapp_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pehchan/pehchan/tenants/whatsapp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// parsed is one item of a payload as the golden files hold it.
type parsed struct {
	Position, Field string
	Kind            whatsapp.ItemKind
	EntryID         string
	PhoneNumberID   string
	DisplayPhone    string
	Problem         string          `json:",omitempty"`
	Event           *whatsapp.Event `json:",omitempty"`
	Error           string          `json:",omitempty"`
}

func TestPayloadsParseAsRecorded(t *testing.T) {
	t.Parallel()

	paths, err := filepath.Glob("testdata/*.json")
	if err != nil || len(paths) != 106 {
		t.Fatalf("payloads: got %d (%v), want 106", len(paths), err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			items, err := whatsapp.Split(payload(t, path))
			if err != nil {
				t.Fatalf("split: %v", err)
			}
			got := []parsed{}
			for _, item := range items {
				if !json.Valid(item.Body) {
					t.Errorf("%s: body is not JSON: %s", item.Position, item.Body)
				}
				p := parsed{
					item.Position, item.Field, item.Kind, item.EntryID,
					item.PhoneNumberID, item.DisplayPhone, item.Problem, nil, "",
				}
				event, err := whatsapp.ParseEvent(item.Kind, item.Body)
				if err != nil {
					p.Error = err.Error()
				} else {
					p.Event = &event
				}
				got = append(got, p)
			}
			golden(t, filepath.Join("testdata", "golden", name+".json"), got)
		})
	}
}

func golden(t *testing.T, path string, value any) {
	t.Helper()
	var got bytes.Buffer
	encoder := json.NewEncoder(&got)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%s:\ngot  %s\nwant %s", path, got.Bytes(), want)
	}
}

func payload(t testing.TB, path string) []byte {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return body
}
