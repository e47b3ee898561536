package forward_test

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"code.dny.dev/ssrf"

	"github.com/pehchan/pehchan/tenants/forward"
)

// Attack case 82: what is no https address of a named machine is refused when it is typed.
func TestAddressesThatAreRefused(t *testing.T) {
	t.Parallel()
	for address, key := range map[string]string{
		"":                                                  "missing",
		"http://shop.example/hook":                          "forward_https",
		"ftp://shop.example/hook":                           "forward_https",
		"file:///etc/passwd":                                "forward_address",
		"gopher://shop.example/":                            "forward_https",
		"javascript:alert(1)":                               "forward_address",
		"shop.example/hook":                                 "forward_address",
		"https://":                                          "forward_address",
		"https:///hook":                                     "forward_address",
		"https://a@shop.example/":                           "forward_userinfo",
		"https://a:b@shop.example/":                         "forward_userinfo",
		`https://evil.example\@good.com`:                    "forward_address",
		"https://shop.example:22/":                          "forward_port",
		"https://shop.example:25/":                          "forward_port",
		"https://shop.example:5432/":                        "forward_port",
		"https://shop.example:6379/":                        "forward_port",
		"https://shop.example:0443/":                        "",
		"https://shop.example:99999/":                       "forward_port",
		"https://shop.example/%00":                          "forward_address",
		"https://shop.example/%0d%0aX:1":                    "forward_address",
		"https://shop.example/a b":                          "forward_address",
		"https://shop.example/a\r\nHost:":                   "forward_address",
		"https://दुकान.example/":                            "forward_address",
		"https://shop.example/#part":                        "forward_address",
		"https://127.0.0.1/":                                "forward_name",
		"https://127.1/":                                    "forward_name",
		"https://0x7f.0.0.1/":                               "forward_name",
		"https://2130706433/":                               "forward_name",
		"https://[::1]/":                                    "forward_name",
		"https://[::ffff:127.0.0.1]/":                       "forward_name",
		"https://localhost/":                                "forward_name",
		"https://93.184.216.34/":                            "forward_name",
		"https://shop.example/" + strings.Repeat("a", 8000): "address_long",
		"https://shop.example/hook?token=abc":               "",
		"https://shop.example:8443/hook":                    "",
		" https://xn--p1b6ci4b4b3a.example/hook ":           "",
	} {
		if _, err := (forward.Doors{}).Check(address); invalid(err) != key || err != nil && key == "" {
			t.Errorf("%.60q: got %v, want %q", address, err, key)
		}
	}
}

// Attack cases 79 and 80: it is the address that a name has led to that counts, at the moment of the connection.
func TestNoConnectionInward(t *testing.T) {
	t.Parallel()
	inner := forward.Doors{Inner: []netip.AddrPort{netip.MustParseAddrPort("10.0.0.7:9000")}}
	for address, free := range map[string]bool{
		"127.0.0.1:443": false, "127.9.9.9:443": false, "0.0.0.0:443": false, "10.0.0.1:443": false, "172.16.0.1:443": false, "192.168.1.1:443": false,
		"169.254.169.254:443": false, "100.64.0.1:443": false, "198.18.0.1:443": false, "224.0.0.1:443": false, "255.255.255.255:443": false,
		"[::1]:443": false, "[::]:443": false, "[fe80::1]:443": false, "[fc00::1]:443": false, "[::ffff:127.0.0.1]:443": false,
		"[::ffff:10.0.0.1]:443": false, "[64:ff9b::7f00:1]:443": false, "[2002:7f00:1::]:443": false, "[2001:db8::1]:443": false,
		"8.8.8.8:443": true, "8.8.8.8:8443": true, "8.8.8.8:80": false, "8.8.8.8:22": false, "[2606:4700::1111]:443": true,
		"10.0.0.7:9000": true, "10.0.0.7:9001": false, "10.0.0.8:9000": false,
	} {
		network := "tcp4"
		if strings.HasPrefix(address, "[") {
			network = "tcp6"
		}
		if err := inner.Guard(network, address); (err == nil) != free {
			t.Errorf("%s: got %v, want free %t", address, err, free)
		}
	}
	if err := inner.Guard("udp4", "8.8.8.8:443"); !errors.Is(err, ssrf.ErrProhibitedNetwork) {
		t.Errorf("over UDP: got %v", err)
	}
}

// Attack case 86: a target that is closed, one where nothing may be sent, and one whose name leads nowhere say the same, and take as long.
func TestUnreachableTellsNothing(t *testing.T) {
	t.Parallel()
	listening := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(listening.Close)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := netip.MustParseAddrPort(closed.Addr().String())
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	const takes = time.Second
	for name, address := range map[string]string{
		"something listens that may not be asked": listening.URL, "nothing listens": fmt.Sprintf("http://%s/", at), "no such name": "https://nowhere.invalid/",
	} {
		began := time.Now()
		reason, status, answer := forward.Ask(t.Context(), forward.Doors{Inner: []netip.AddrPort{at}}, address, 10*time.Second, takes)
		if reason != forward.Unreachable || status != 0 || answer != "" {
			t.Errorf("%s: got %q, %d, %q", name, reason, status, answer)
		}
		if time.Since(began) < takes {
			t.Errorf("%s: took %s, less than the %s that all such take", name, time.Since(began), takes)
		}
	}
}

// Attack cases 81 and 83: whatever a target answers, it costs little and shows little.
func TestOddAnswers(t *testing.T) {
	t.Parallel()
	var followed atomic.Bool
	t.Cleanup(func() {
		if followed.Load() {
			t.Error("a redirect was followed")
		}
	})
	for name, c := range map[string]struct {
		answer func(w http.ResponseWriter, r *http.Request)
		reason string
		status int
		shown  string
	}{
		"taken": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, "", 204, ""},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/followed", http.StatusTemporaryRedirect)
		}, forward.Redirected, 307, ""},
		"another one": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/followed", http.StatusMovedPermanently)
		}, forward.Redirected, 301, ""},
		"to a file": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(http.StatusPermanentRedirect)
		}, forward.Redirected, 308, ""},
		"refused": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "no <b>such</b>\n\x1b[31mhook", http.StatusNotFound)
		}, forward.BadStatus, 404, "no <b>such</b> [31mhook"},
		"without end":  {endless(http.StatusInternalServerError), forward.BadStatus, 500, strings.Repeat("a", 1024)},
		"taken at end": {endless(http.StatusOK), "", 200, ""},
		"packed":       {packed, forward.BadStatus, 500, ""},
		"big headers":  {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Big", strings.Repeat("a", 1<<20)) }, forward.Unreachable, 0, ""},
		"never":        {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, forward.Slow, 0, ""},
		"drop by drop": {drops, forward.Slow, 500, ""},
		"many early ones": {func(w http.ResponseWriter, _ *http.Request) {
			for range 5000 {
				w.Header().Set("X-Early", "hint")
				w.WriteHeader(http.StatusEarlyHints)
			}
		}, forward.Unreachable, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				// Only then does it notice that nobody waits for the answer any more.
				if _, err := io.Copy(io.Discard, r.Body); err != nil {
					return
				}
				if r.URL.Path == "/followed" {
					followed.Store(true)
				}
				c.answer(w, r)
			}))
			t.Cleanup(s.Close)
			d := forward.Doors{Inner: []netip.AddrPort{netip.MustParseAddrPort(s.Listener.Addr().String())}}
			reason, status, shown := forward.Ask(t.Context(), d, s.URL, 2*time.Second, 0)
			if name == "packed" || name == "drop by drop" {
				shown = ""
			}
			if reason != c.reason || status != c.status || shown != c.shown {
				t.Errorf("got %q, %d, %.80q; want %q, %d, %.80q", reason, status, shown, c.reason, c.status, c.shown)
			}
		})
	}
}

// Attack case 83: nobody whose certificate does not say who they are.
func TestCertificatesAreLookedAt(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the request reached a server that signs for itself")
	}))
	t.Cleanup(s.Close)
	s.Config.ErrorLog = nil
	d := forward.Doors{Inner: []netip.AddrPort{netip.MustParseAddrPort(s.Listener.Addr().String())}}
	if reason, _, _ := forward.Ask(t.Context(), d, s.URL, 2*time.Second, 0); reason != forward.BadTLS {
		t.Errorf("signed by itself: got %q, want %q", reason, forward.BadTLS)
	}
}

func endless(status int) func(w http.ResponseWriter, r *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		block := []byte(strings.Repeat("a", 64<<10))
		for r.Context().Err() == nil {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	}
}

// packed answers with a megabyte that is a few bytes when packed, ten thousand times.
func packed(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Encoding", "gzip")
	w.WriteHeader(http.StatusInternalServerError)
	z := gzip.NewWriter(w)
	block := make([]byte, 1<<20)
	for range 10_000 {
		if _, err := z.Write(block); err != nil || r.Context().Err() != nil {
			return
		}
	}
}

func drops(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusInternalServerError)
	for r.Context().Err() == nil {
		if _, err := w.Write([]byte("a")); err != nil {
			return
		}
		http.NewResponseController(w).Flush()
		time.Sleep(100 * time.Millisecond)
	}
}
