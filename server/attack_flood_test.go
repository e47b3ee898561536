package server_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/pehchan/pehchan/server"
	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Case 41: fifty sign-ins at once, each of which takes a password to check, hold up no page. It goes by who is answered first and not by
// time.
func TestManySignInsHoldUpNobody(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	asha := st.signedIn(t, "asha")
	var (
		all  sync.WaitGroup
		done atomic.Int64
	)
	const many = 50
	started := make(chan struct{}, many)
	for i := range many {
		b := st.browser(t)
		b.get("/login")
		all.Go(func() {
			started <- struct{}{}
			r := b.post("/login", url.Values{"email": {fmt.Sprintf("stranger-%d@pehchan.example", i)}, "password": {"not-the-password-7"}})
			if r.status != http.StatusUnauthorized && r.status != http.StatusServiceUnavailable { // which is for who would wait too long
				t.Errorf("a sign-in among many: want it refused, got %d", r.status)
			}
			done.Add(1)
		})
	}
	for range many {
		<-started
	}
	if r := asha.get("/help"); r.status != http.StatusOK || done.Load() == many {
		t.Errorf("a page meanwhile: got %d after %d of %d sign-ins, want it before the last", r.status, done.Load(), many)
	}
	all.Wait()
}

// Case 68: however many deliveries are forged, each signed one among them is taken, and what is kept of the forged is a count: no line of
// the log, and no row for each.
func TestForgedDeliveriesLeaveACount(t *testing.T) {
	t.Parallel()
	st := newHookSite(t)
	const workers, rounds, forgedEach = 8, 25, 10
	before := len(st.log.String())
	serve := st.App().Handler()
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			var ctx fasthttp.RequestCtx // used again and again, as a connection's is
			ask := func(body, signature string) int {
				ctx.Request.Reset()
				ctx.Response.Reset()
				ctx.ResetUserValues()
				ctx.Request.Header.SetMethod(http.MethodPost)
				ctx.Request.SetRequestURI(hook)
				ctx.Request.Header.SetHost("pehchan.example")
				ctx.Request.Header.SetContentType("application/json")
				if signature != "" {
					ctx.Request.Header.Set("X-Hub-Signature-256", signature)
				}
				ctx.Request.SetBodyString(body)
				serve(&ctx)
				return ctx.Response.StatusCode()
			}
			for i := range rounds {
				for k := range forgedEach {
					body := fmt.Sprintf(`{"object":"whatsapp_business_account","forged":"%d-%d-%d"}`, w, i, k)
					signature := ""
					if k%2 == 1 {
						signature = whatsapp.Sign([]byte("not-the-secret"), []byte(body))
					}
					if got := ask(body, signature); got != http.StatusUnauthorized {
						t.Errorf("a forged one: want 401, got %d", got)
					}
				}
				body := fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[],"n":"%d-%d"}`, w, i)
				if got := ask(body, whatsapp.Sign([]byte("app-secret-of-demo"), []byte(body))); got != http.StatusOK {
					t.Errorf("a signed one among them: want 200, got %d", got)
				}
			}
		})
	}
	all.Wait()
	st.Close() // writes what it has counted

	if n := st.stored(t); n != workers*rounds {
		t.Errorf("%d deliveries stored, want the %d signed", n, workers*rounds)
	}
	var kept struct{ Refused, Rows int }
	err := st.DB.System(t.Context(), func(tx *tenants.Tx) error {
		return tx.Get(&kept, `SELECT coalesce(sum(refused), 0)::int AS refused, count(*)::int AS rows FROM app_counters`)
	})
	if err != nil || kept.Refused != workers*rounds*forgedEach || kept.Rows > 64 {
		t.Errorf("want %d refused in a few rows, got %+v (%v)", workers*rounds*forgedEach, kept, err)
	}
	if logged := len(st.log.String()) - before; logged > 4<<10 {
		t.Errorf("%d forged deliveries wrote %d bytes of log, want next to none: %.500s", workers*rounds*forgedEach, logged, st.log.String()[before:])
	}
}

// Case 69: who sends a request a byte at a time is hung up on when the time for all of it is over, however often a byte comes, and holds up
// nobody meanwhile. The time is made shorter than it is: waiting would show no more.
func TestSlowConnectionsAreEnded(t *testing.T) {
	t.Parallel()
	st := newHookSite(t)
	ready := make(chan string, 1)
	d := st.deps(t)
	d.Log, d.OnListen = slog.New(slog.DiscardHandler), func(url string) { ready <- url }
	s, err := server.New(config.Config{Listen: "127.0.0.1:0", Data: t.TempDir()}, d)
	if err != nil {
		t.Fatal(err)
	}
	if limit := s.App().Server().ReadTimeout; limit <= 0 || limit > 15*time.Second {
		t.Errorf("a request may take %s to come in, want 15 s at most", limit)
	}
	s.App().Server().ReadTimeout = 2 * time.Second
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Listen(ctx) }()
	address := <-ready

	const many = 500
	slow := make([]net.Conn, many)
	for i := range slow {
		if slow[i], err = net.Dial("tcp", strings.TrimPrefix(address, "http://")); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = slow[i].Close() }()
		if _, err := io.WriteString(slow[i], "POST "+hook+" HTTP/1.1\r\nHost: x\r\nX-Slow: "); err != nil {
			t.Fatal(err)
		}
	}
	dripping, dry := context.WithCancel(t.Context())
	var drip sync.WaitGroup
	drip.Go(func() {
		for tick := time.NewTicker(200 * time.Millisecond); dripping.Err() == nil; <-tick.C {
			for _, conn := range slow {
				_, _ = conn.Write([]byte("x")) // those hung up on fail
			}
		}
	})
	const body = `{"object":"whatsapp_business_account","entry":[]}`
	for range 20 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+hook, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range signed("app-secret-of-demo", body) {
			req.Header.Set(name, value)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatalf("a delivery meanwhile: %v", err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("a delivery meanwhile: want 200, got %d", res.StatusCode)
		}
	}
	for i, conn := range slow {
		if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if answer, err := io.ReadAll(conn); errIsTimeout(err) || strings.HasPrefix(string(answer), "HTTP/1.1 2") {
			t.Fatalf("slow connection %d: got %.100q, %v; want it hung up on", i, answer, err)
		}
	}
	dry()
	drip.Wait()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// errIsTimeout tells whether reading gave up waiting, other than by being hung up on.
func errIsTimeout(err error) bool {
	timeout, ok := err.(net.Error) //nolint:errorlint // as Read returns it

	return ok && timeout.Timeout()
}
