package static_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"

	"github.com/pehchan/pehchan/static"
)

func TestEveryFileIsServedUnderItsHash(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"app.css": "text/css", "app.js": "text/javascript", "htmx.js": "text/javascript", "plot.js": "text/javascript", "favicon.svg": "image/svg+xml",
	} {
		content, gz, contentType, ok := static.Lookup(static.URL(name))
		if !ok || !strings.HasPrefix(contentType, want) {
			t.Errorf("%s: got type %q, found %v; want %q", name, contentType, ok, want)
		}
		r, err := gzip.NewReader(bytes.NewReader(gz))
		if err != nil {
			t.Fatal(err)
		}
		unpacked, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(unpacked, content) {
			t.Errorf("%s: gzipped bytes are not the file", name)
		}
	}
}

func TestLookupKnowsExactAddressesOnly(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/static/app.css", "/static/000000000000/app.css", "/static/../static.go", "/static/", ""} {
		if _, _, _, ok := static.Lookup(path); ok {
			t.Errorf("Lookup(%q) found a file", path)
		}
	}
}

// The weights a first visit may have, over the wire.
func TestWeights(t *testing.T) {
	t.Parallel()
	for name, most := range map[string]int{"app.css": 17 << 10, "app.js": 8 << 10, "htmx.js": 22 << 10} {
		_, gz, _, _ := static.Lookup(static.URL(name))
		if len(gz) > most {
			t.Errorf("%s: %d bytes gzipped, want at most %d", name, len(gz), most)
		}
	}
}
