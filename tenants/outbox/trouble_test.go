package outbox_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Whatever Graph does for a while, what comes in is taken in as before, nothing goes out twice, and in the end all is sent.
func TestGraphInTrouble(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		mood    func(w http.ResponseWriter, r *http.Request) bool
		trouble string
		cure    string
		unknown bool // whether any was taken
	}{
		"down":             {mood: func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }, trouble: whatsapp.TroubleGraphDown, unknown: true},
		"out of order":     {mood: refuses(http.StatusServiceUnavailable, 0), trouble: whatsapp.TroubleGraphDown, unknown: true},
		"temporary":        {mood: refuses(http.StatusInternalServerError, 2), trouble: whatsapp.TroubleGraphDown},
		"too much":         {mood: refuses(http.StatusTooManyRequests, 4), trouble: whatsapp.TroubleRate},
		"too much of one":  {mood: refuses(http.StatusBadRequest, 130429), trouble: whatsapp.TroubleRate},
		"token":            {mood: refuses(http.StatusUnauthorized, 190), trouble: whatsapp.TroubleToken, cure: `UPDATE numbers SET token_problem = ''`},
		"permission":       {mood: refuses(http.StatusForbidden, 10), trouble: whatsapp.TroublePermission},
		"not registered":   {mood: refuses(http.StatusBadRequest, 133010), trouble: whatsapp.TroubleNotRegistered},
		"a proxy's answer": {mood: func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(http.StatusForbidden); return false }, trouble: whatsapp.TroubleGraphDown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			all := h.crowd(3, 2)
			var calls atomic.Int64
			h.meta.feels(func(w http.ResponseWriter, r *http.Request) bool { calls.Add(1); return c.mood(w, r) })
			s := h.sender()
			for range 5 {
				h.turns(s)
				h.later()
			}
			if n := calls.Load(); n > 4+2*4 {
				t.Errorf("Graph was asked %d times in five turns", n)
			}
			r := h.opens(h.whois(whatsapp.KindPhone, "919800000000").ID)
			if r.Paused != c.trouble {
				t.Errorf("the number rests because of %q, want %q", r.Paused, c.trouble)
			}
			unknown := slices.ContainsFunc(all, func(m conversations.Outgoing) bool { return h.state(m.MessageID).State == conversations.StateUnknown })
			if unknown != c.unknown {
				t.Errorf("that any may have been taken is %t, want %t", unknown, c.unknown)
			}
			h.writes(ashasPhone, ashasID)

			h.meta.feels(nil)
			if c.cure != "" {
				h.exec(c.cure)
			}
			for range 5 {
				h.turns(s)
				h.later()
			}
			if got := h.opens(h.whois(whatsapp.KindPhone, ashasPhone).ID).Paused; got != "" {
				t.Errorf("the number rests still because of %q", got)
			}
			h.judge(all)
		})
	}
}

// A Graph that takes messages and does not answer is asked for something harmless before it gets another one.
func TestGraphThatTakesAndDoesNotAnswer(t *testing.T) {
	t.Parallel()
	h := open(t)
	all := h.crowd(1, 5)
	h.meta.feels(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			h.meta.take(r)
		}
		panic(http.ErrAbortHandler)
	})
	s := h.sender()
	for range 10 {
		h.turns(s)
		h.later()
	}
	if n := len(h.meta.all()); n != 1 {
		t.Errorf("Graph got %d messages, want one", n)
	}
	if got := h.state(all[0].MessageID).State; got != conversations.StateUnknown {
		t.Errorf("the first message is %s, want unknown", got)
	}

	h.meta.feels(nil)
	for range 3 {
		h.turns(s)
		h.later()
	}
	h.judge(all)
}

// While Graph keeps a sender waiting, deliveries are taken in and pages answer.
func TestASlowGraphHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	h := open(t)
	all := h.crowd(8, 1)
	entered, leave := make(chan struct{}, 100), make(chan struct{})
	h.meta.feels(func(http.ResponseWriter, *http.Request) bool { entered <- struct{}{}; <-leave; return true })
	var sending sync.WaitGroup
	s := h.sender()
	sending.Go(func() { _, _ = s.Once(t.Context()) })
	<-entered

	// Graph answers only afterwards: what waited for it here would wait for ever.
	for n := range 20 {
		h.writes(fmt.Sprintf("9197000%05d", n), "")
	}
	close(leave)
	sending.Wait()
	h.turns(s)
	h.judge(all)
}

// A business with much to send keeps no other waiting, and neither does one with many numbers.
func TestEveryTenantHasItsTurn(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.crowd(30, 4)
	small := *h
	small.tenant, small.number = h.business("ravi-motors", "701", "801")
	small.writes(ashasPhone, ashasID)
	out := small.sends(small.opens(small.whois(whatsapp.KindPhone, ashasPhone).ID), "hello")

	if n, err := h.sender().Once(t.Context()); n != 2 || err != nil {
		t.Fatalf("%d numbers had their turn, %v; want both", n, err)
	}
	if got := small.state(out.MessageID).State; got != conversations.StateAccepted {
		t.Errorf("the small business's message is %s after one round", got)
	}
	if h.settled() {
		t.Error("the large business sent all it had in one turn")
	}
}

func TestTooManyToOneCustomerHoldsUpThatOne(t *testing.T) {
	t.Parallel()
	h := open(t)
	all := h.crowd(2, 2)
	h.meta.feels(func(w http.ResponseWriter, r *http.Request) bool {
		s := sent{}
		if err := decode(r, &s); err == nil && s.To == "919800000000" {
			return refuses(http.StatusBadRequest, 131056)(w, r)
		}
		return true
	})
	h.turns(h.sender())
	for i, want := range []string{"waiting", "waiting", "accepted", "accepted"} {
		if got := h.state(all[i].MessageID); got.State != want {
			t.Errorf("message %d is %s, want %s", i, got.State, want)
		}
	}
	if got := h.state(all[0].MessageID); got.NextTryAt == nil || got.Reason != "131056" {
		t.Errorf("the held message says %+v, want when it is tried again and why", got)
	}
	h.meta.feels(nil)
	h.later()
	h.turns(h.sender())
	h.judge(all)
}

// Messages that Graph cannot take, whatever it is about them, hold up neither the number for long nor themselves for ever.
func TestMessagesThatGraphAlwaysFailsOn(t *testing.T) {
	t.Parallel()
	h := open(t)
	all := h.crowd(6, 1) // the first three are those
	tries := map[string]int{}
	var mu sync.Mutex
	h.meta.feels(func(w http.ResponseWriter, r *http.Request) bool {
		s := sent{}
		if r.Method == http.MethodPost && decode(r, &s) == nil && s.To < "919800000003" {
			mu.Lock()
			defer mu.Unlock()
			tries[s.To]++
			return refuses(http.StatusInternalServerError, 131000)(w, r)
		}
		return true
	})
	s := h.sender()
	for range 8 { // the numbers' rest passes, that of the messages does not
		h.turns(s)
		h.exec(`UPDATE outbox_lanes SET not_before = now()`)
	}
	for i, m := range all {
		want := conversations.StateAccepted
		if i < 3 {
			want = conversations.StateWaiting
		}
		if got := h.state(m.MessageID).State; got != want {
			t.Errorf("message %d is %s, want %s", i, got, want)
		}
	}

	for range 40 {
		h.later()
		h.turns(s)
	}
	for i, m := range all[:3] {
		got := h.state(m.MessageID)
		if got.State != conversations.StateFailed || got.Reason != whatsapp.TroubleGraphDown || got.Detail == "" {
			t.Errorf("message %d is %s, %q, %q; want it failed, with Graph's words", i, got.State, got.Reason, got.Detail)
		}
	}
	for to, n := range tries {
		if n != 10 {
			t.Errorf("%s was tried %d times, want 10", to, n)
		}
	}
	if n := len(h.meta.all()); n != 3 {
		t.Errorf("Graph took %d messages, want 3", n)
	}
}
