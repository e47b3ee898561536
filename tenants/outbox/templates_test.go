package outbox_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pehchan/pehchan/tenants/outbox"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Pages do not wait for a Meta that does not answer, and however many there are, it is asked once. What it says late is there next time.
func TestPagesDoNotWaitForMeta(t *testing.T) {
	t.Parallel()
	h := open(t)
	var asked atomic.Int32
	answer := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		<-answer
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"data":[{"name":"order_ready","language":"hi","status":"APPROVED","category":"UTILITY","components":[{"type":"BODY","text":"आपका ऑर्डर तैयार है।"}]}]}`))
	}))
	defer slow.Close()
	c := outbox.NewCatalogue(h.db.DB, h.keys, whatsapp.NewGraph(slow.URL))

	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			list, at, err := c.Templates(t.Context(), h.tenant, h.number)
			if !errors.Is(err, outbox.ErrNotAsked) || len(list) != 0 || !at.IsZero() {
				t.Errorf("got %v of %s and %v, want to be told that Meta has not answered", list, at, err)
			}
		})
	}
	all.Wait()
	if got := asked.Load(); got != 1 {
		t.Errorf("asked %d times, want once", got)
	}

	close(answer)
	for deadline := time.Now().Add(10 * time.Second); ; {
		list, at, err := c.Templates(t.Context(), h.tenant, h.number)
		if err == nil && len(list) == 1 && !at.IsZero() {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("got %v and %v, want what Meta said late", list, err)
		}
	}
	if got := asked.Load(); got > 2 {
		t.Errorf("asked %d times, want what was kept", got)
	}
}

// A Meta that failed is left alone for a while.
func TestMetaThatFailsIsLeftAlone(t *testing.T) {
	t.Parallel()
	h := open(t)
	var asked atomic.Int32
	down := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusInternalServerError)
	}))
	defer down.Close()
	c := outbox.NewCatalogue(h.db.DB, h.keys, whatsapp.NewGraph(down.URL))
	for range 3 {
		if _, _, err := c.Templates(t.Context(), h.tenant, h.number); !errors.Is(err, outbox.ErrNotAsked) {
			t.Errorf("got %v, want %v", err, outbox.ErrNotAsked)
		}
	}
	if got := asked.Load(); got != 1 {
		t.Errorf("asked %d times, want once", got)
	}
}
