package e2e_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/forward"
)

// passedOn adds an address that takes one test and not the next.
func (w *world) passedOn(t *testing.T) {
	t.Helper()
	taken := false
	system := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		if taken {
			http.Error(rw, "our own database is away", http.StatusBadGateway)
		}
		taken = true
	}))
	t.Cleanup(system.Close)
	doors := forward.Doors{Inner: []netip.AddrPort{netip.MustParseAddrPort(system.Listener.Addr().String())}}
	var target forward.Target
	w.as(t, w.clinic, func(tx *tenants.Tx) (err error) {
		target, _, err = forward.Add(t.Context(), tx, w.keys, doors, w.meera, forward.Input{Address: system.URL + "/old/webhook"})
		return err
	})
	w.forward = "/dev/forwards/" + target.ID.String()

	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- forward.NewSender(w.DB, w.keys, doors, slog.New(slog.DiscardHandler)).Run(ctx) }()
	for _, want := range []string{forward.Sent, forward.Waiting} {
		w.as(t, w.clinic, func(tx *tenants.Tx) error { return forward.Test(t.Context(), tx, w.meera, target.ID) })
		w.untilPassed(t, target.ID, want)
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// A developer's journey: an address of their own is added, its secret copied, a test sent and seen taken, and it is paused and removed; on a
// phone in Hindi, and without scripts.
func TestForwardsInTheBrowser(t *testing.T) {
	t.Parallel()
	var taken atomic.Int64
	system := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { taken.Add(1) }))
	t.Cleanup(system.Close)
	at := system.Listener.Addr().String()
	st := newSite(t, func(c *config.Config) {
		c.ForwardAllow = []string{at}
		if err := c.Check(); err != nil {
			t.Fatal(err)
		}
	})
	doors := forward.Doors{Inner: []netip.AddrPort{netip.MustParseAddrPort(at)}}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- forward.NewSender(st.DB, st.keys, doors, slog.New(slog.DiscardHandler)).Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})

	b := st.tab(t, phone)
	b.signIn("Asha")
	b.speak("hi")
	b.open("/dev/forwards")
	b.fill("field-address", "https://127.0.0.1/inward")
	b.submit("add-forward")
	b.see("forward-add")
	if b.has("fresh-secret") || !strings.Contains(b.text("forward-add"), "अपने सर्वर का नाम लिखें") {
		t.Error("an address inward is not refused in words")
	}
	b.fill("field-address", system.URL+"/old/webhook")
	b.submit("add-forward")
	b.says("fresh-secret", "whsec_")
	b.judgeHere("hi")
	b.submit("test-forward")
	if b.has("fresh-secret") {
		t.Error("the secret is shown again")
	}
	b.fits()
	b.scripts(false)
	log := b.path() + "?state=sent"
	for deadline := time.Now().Add(patience); ; {
		b.open(log)
		b.see("pause-forward")
		if b.has("passed") && strings.Contains(b.text("passed"), "लिया गया") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the system took %d tests, and the log does not say so", taken.Load())
		}
	}
	b.submit("pause-forward")
	b.see("resume-forward")
}

// untilPassed waits until something has been tried and is in a state.
func (w *world) untilPassed(t *testing.T, target uuid.UUID, state string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		var list []forward.Forward
		w.as(t, w.clinic, func(tx *tenants.Tx) (err error) {
			list, err = forward.Log(t.Context(), tx, target, forward.Page{Limit: 9})
			return err
		})
		if slices.ContainsFunc(list, func(f forward.Forward) bool { return f.State == state && f.Tries > 0 }) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(fmt.Sprint("nothing is ", state, ": ", list))
		}
	}
}
