package e2e_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

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
