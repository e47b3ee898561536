package ingest_test

import (
	"testing"

	"github.com/pehchan/pehchan/tenants/ingest"
)

func TestMaskText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		``:                                     ``,
		`not json 919800000101`:                `••• ••• •••`,
		`{"entry":`:                            `{"entry":`,
		`{"from": "919800000101", "Asha": 12,`: `{"from": "•••", "•••": •••,`,
		"{\"type\":\"text\",\n \"text\":{\"body\":\"namaste \\\" ji\"": "{\"type\":\"text\",\n \"text\":{\"body\":\"•••\"",
		`{"919800000101":"a","timestamp":"1790000000"`:                 `{"•••":"•••","timestamp":"1790000000"`,
		`{"type":["919800000101"`:                                      `{"type":["•••"`,
		`{"type":"919800000101 cut`:                                    `{"type":"•••`,
		"from=919800000101&text=नमस्ते":                                `•••`,
		"\x00\xff919":                `•••`,
		`{"type" 919800000101 "name`: `{"•••" ••• "•••`,
	} {
		if got := string(ingest.MaskText([]byte(in))); got != want {
			t.Errorf("mask %q:\n got %q\nwant %q", in, got, want)
		}
	}
}

func TestUnreadable(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]struct {
		why        string
		line, mark int
	}{
		" \n":                       {ingest.UnreadableEmpty, 0, 0},
		"from=91&text=x":            {ingest.UnreadableText, 0, 0},
		"{\"entry\":":               {ingest.UnreadableCut, 1, 10},
		"{\n \"entry\": x}":         {ingest.UnreadableBroken, 2, 11},
		"{\"नाम\": \"x\" 1}":        {ingest.UnreadableBroken, 1, 13},
		`{"object":"page"}`:         {ingest.UnreadableShape, 0, 0},
		`["a list", "and no more"]`: {ingest.UnreadableShape, 0, 0},
	} {
		if why, line, mark := ingest.Unreadable([]byte(in)); why != want.why || line != want.line || mark != want.mark {
			t.Errorf("%q: %s at %d:%d, want %s at %d:%d", in, why, line, mark, want.why, want.line, want.mark)
		}
	}
}
