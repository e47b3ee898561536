package server_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pehchan/pehchan/server"
	"github.com/pehchan/pehchan/server/config"
)

// listen runs a server on a port of its own until the test ends, and returns its address.
func (st *site) listen(t *testing.T, cfg config.Config) (address string, stop func() error) {
	t.Helper()
	ready := make(chan string, 1)
	d := st.deps(t)
	d.OnListen = func(url string) { ready <- url }
	cfg.Listen, cfg.Data = "127.0.0.1:0", t.TempDir()
	s, err := server.New(cfg, d)
	if err != nil {
		t.Fatalf("new server: %v", err)
	}

	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Listen(ctx) }()
	stop = func() error {
		cancel()
		return <-ended
	}

	select {
	case address = <-ready:
	case err := <-ended:
		t.Fatalf("listen: %v", err)
	}

	return address, stop
}

func TestListen(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	metrics := freePort(t)
	address, stop := st.listen(t, config.Config{MetricsListen: metrics})

	res, err := http.Get(address + "/readyz")
	if err != nil {
		t.Fatalf("get: %v", err)
	}
	defer func() { _ = res.Body.Close() }()
	if body, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusOK || string(body) != "ready\n" {
		t.Errorf("want it ready, got %d %q %v", res.StatusCode, body, err)
	}

	counted, err := http.Get("http://" + metrics + "/metrics")
	if err != nil {
		t.Fatalf("get metrics: %v", err)
	}
	defer func() { _ = counted.Body.Close() }()
	want := `pehchan_http_requests_total{method="GET",route="/readyz",status="200"} 1`
	if body, err := io.ReadAll(counted.Body); err != nil || !strings.Contains(string(body), want) {
		t.Errorf("want the request counted, got %v %s", err, body)
	}

	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	d := st.deps(t)
	second, err := server.New(config.Config{Listen: at.Host, Data: t.TempDir()}, d)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Listen(context.Background()); err == nil || !strings.Contains(err.Error(), at.Host) {
		t.Errorf("want a taken port named, got %v", err)
	}

	if err := stop(); err != nil {
		t.Errorf("want a quiet end, got %v", err)
	}
	if conn, err := net.DialTimeout("tcp", at.Host, time.Second); err == nil {
		_ = conn.Close()
		t.Error("want the port free after the end")
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()

	return ln.Addr().String()
}

// What never reaches a handler gets the same headers.
func TestWhatTheServerItselfRefuses(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	address, stop := st.listen(t, config.Config{})
	defer func() { _ = stop() }()
	host := strings.TrimPrefix(address, "http://")

	for name, raw := range map[string]string{
		"large headers": "GET /login HTTP/1.1\r\nHost: x\r\nX-Large: " + strings.Repeat("x", 20<<10) + "\r\n\r\n",
		"large token":   "GET /team HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + strings.Repeat(".", 1<<20) + "\r\n\r\n",
		"not HTTP":      "hello\r\n\r\n",
		"large body":    "POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		// The server may hang up before it has read everything, which is as good a refusal.
		if _, err := io.Copy(conn, bytes.NewReader([]byte(raw))); err != nil {
			t.Logf("%s: hung up while sending", name)
		}
		head := make([]byte, 4096)
		n, err := conn.Read(head)
		answer := string(head[:n])
		if err == nil && (!strings.HasPrefix(answer, "HTTP/1.1 4") || !strings.Contains(answer, "nosniff") || !strings.Contains(answer, "Content-Security-Policy")) {
			t.Errorf("%s: want a refusal with all headers, got %q", name, answer)
		}
		_ = conn.Close()
	}
}

// The address that limits count by is the peer's own word only where the peer is a proxy of ours.
func TestForwardedAddresses(t *testing.T) {
	t.Parallel()
	st := newSite(t)

	for _, trusted := range []bool{false, true} {
		cfg := config.Config{PublicURL: origin}
		if trusted {
			cfg.TrustedProxies = []string{"0.0.0.0/32"} // where the tests' requests come from
		}
		st.Server = st.open(t, cfg)
		seen := map[string]bool{}
		for _, forwarded := range []string{"203.0.113.1", "203.0.113.2", "evil, 203.0.113.3", "203.0.113.9, 203.0.113.4, 0.0.0.0"} {
			b := st.browser(t)
			b.get("/login")
			b.headers = map[string]string{"X-Forwarded-For": forwarded, "X-Real-IP": "203.0.113.77"}
			b.want(b.post("/login", url.Values{"email": {"asha@pehchan.example"}, "password": {password}}), http.StatusSeeOther, "/")
			seen[st.lastAddress(t)] = true
		}
		want := 1
		if trusted {
			want = 4
		}
		if len(seen) != want || trusted != seen["203.0.113.4"] || seen["203.0.113.77"] {
			t.Errorf("trusted %v: want %d addresses, got %v", trusted, want, seen)
		}
		for s := range seen {
			if _, err := netip.ParseAddr(s); err != nil {
				t.Errorf("want an address, got %q", s)
			}
		}
	}
}
