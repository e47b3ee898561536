package whatsapp_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// The token goes to Graph and Meta's hosts for files, and to nobody else.
func TestMediaKeepsTokenWithMeta(t *testing.T) {
	t.Parallel()

	var asked atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(elsewhere.Close)
	var graph *httptest.Server
	graph = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		urls := map[string]string{
			"/v26.0/1": graph.URL + "/files/1", "/v26.0/2": elsewhere.URL + "/files/2", "/v26.0/3": graph.URL + "/moved",
			"/v26.0/4": graph.URL + "/endless", "/v26.0/5": "https://lookaside.fbsbx.com.evil.example/x",
			"/v26.0/6": "http://lookaside.fbsbx.com/x", "/v26.0/7": strings.Replace(graph.URL, "//", "//a@", 1) + "/files/1", "/v26.0/8": "",
		}
		switch where, node := urls[r.URL.Path]; {
		case r.Header.Get("Authorization") != "Bearer secret":
			w.WriteHeader(http.StatusUnauthorized)
		case node:
			fmt.Fprintf(w, `{"url":%q,"mime_type":"image/jpeg"}`, where)
		case r.URL.Path == "/moved":
			http.Redirect(w, r, elsewhere.URL, http.StatusFound)
		case r.URL.Path == "/endless":
			for range whatsapp.MaxMedia/1024 + 2 {
				if _, err := w.Write(make([]byte, 1024)); err != nil {
					return
				}
			}
		default:
			fmt.Fprint(w, "bytes")
		}
	}))
	t.Cleanup(graph.Close)

	g := whatsapp.NewGraph(graph.URL + "/v26.0")
	read := func(id string) (string, error) {
		body, err := g.OpenMedia(t.Context(), "secret", id)
		if err != nil {
			return "", err
		}
		defer body.Close()
		got, err := io.ReadAll(body)
		return string(got), err
	}
	if got, err := read("1"); got != "bytes" || err != nil {
		t.Errorf("got %q, %v; want the file", got, err)
	}
	for _, id := range []string{"2", "3", "4", "5", "6", "7", "8"} {
		if got, err := read(id); !errors.Is(err, whatsapp.ErrMedia) {
			t.Errorf("%s: got %d bytes and %v, want %v", id, len(got), err, whatsapp.ErrMedia)
		}
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("another host was asked %d times", n)
	}
}

// Case 83: who cannot show to be Meta, or answers with nothing but heads, is given no token and is waited for no longer.
func TestGraphMustShowWhoItIs(t *testing.T) {
	t.Parallel()

	var asked atomic.Int64
	count := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { asked.Add(1); fmt.Fprint(w, `{}`) })
	quiet := slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	unknown, old := httptest.NewUnstartedServer(count), httptest.NewUnstartedServer(count)
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS10}
	for _, s := range []*httptest.Server{unknown, old} {
		s.Config.ErrorLog = quiet
		s.StartTLS()
		t.Cleanup(s.Close)
	}
	hints := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range 50 {
			w.WriteHeader(http.StatusEarlyHints)
		}
		fmt.Fprint(w, `{}`)
	}))
	heads := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Long", strings.Repeat("x", 1<<20))
		fmt.Fprint(w, `{}`)
	}))
	t.Cleanup(hints.Close)
	t.Cleanup(heads.Close)

	for what, at := range map[string]string{"a certificate of its own": unknown.URL, "TLS of long ago": old.URL, "hints without end": hints.URL, "a head of a megabyte": heads.URL} {
		body, err := whatsapp.NewGraph(at).OpenMedia(t.Context(), "secret", "1")
		if err == nil {
			_ = body.Close()
			t.Errorf("%s: want it refused", what)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error holds the token", what)
		}
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("%d requests were heard by those nobody knows, want none", n)
	}
}
