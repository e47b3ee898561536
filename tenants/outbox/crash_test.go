package outbox_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/outbox"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

var steps = []string{"claimed", "taken", "called", "settled", "sent"}

// crowd has several customers write, and as many replies each wait to be sent.
func (h *house) crowd(people, each int) []conversations.Outgoing {
	h.t.Helper()
	var all []conversations.Outgoing
	for p := range people {
		phone, id := fmt.Sprintf("9198000%05d", p), fmt.Sprintf("IN.7704418820%06d", p)
		h.writes(phone, id)
		r := h.opens(h.whois(whatsapp.KindPhone, phone).ID)
		for n := range each {
			all = append(all, h.sends(r, fmt.Sprintf("reply %d to %d", n, p)))
		}
	}

	return all
}

// judge compares what became of messages with what Graph took. Statuses of all that Graph took come in first, so that what was lost
// track of is known again.
func (h *house) judge(all []conversations.Outgoing) {
	h.t.Helper()
	taken := map[string]int{}
	for _, s := range h.meta.all() {
		if taken[s.Tag]++; taken[s.Tag] > 1 {
			h.t.Errorf("message %s was sent %d times", s.Tag, taken[s.Tag])
		}
		h.report(s, "sent", s.To, "")
	}
	unknown := 0
	for _, m := range all {
		switch got := h.state(m.MessageID); {
		case taken[m.ID.String()] > 0 && got.State != conversations.StateAccepted:
			h.t.Errorf("Graph took a message that is %s", got.State)
		case taken[m.ID.String()] == 0 && got.State == conversations.StateUnknown:
			unknown++ // died before the call: nobody can know, so people are asked
		case taken[m.ID.String()] == 0:
			h.t.Errorf("message was lost: it is %s and Graph has not seen it", got.State)
		}
	}
	h.t.Logf("%d messages: %d taken by Graph, %d shown as unknown", len(all), len(taken), unknown)
}

// settled tells whether nothing waits or is under way.
func (h *house) settled() bool {
	h.t.Helper()
	var n int
	h.as(func(tx *tenants.Tx) error {
		return tx.Get(&n, `SELECT count(*) FROM outbox WHERE state IN ('waiting', 'sending')`)
	})

	return n == 0
}

// A sender that dies between any two steps sends nothing twice and loses nothing.
func TestDyingBetweenAnyTwoSteps(t *testing.T) {
	t.Parallel()
	h := open(t)
	all := h.crowd(6, 4)
	rng := rand.New(rand.NewPCG(7, 11))

	for life := 0; !h.settled(); life++ {
		if life > 200 {
			t.Fatal("the queue does not drain")
		}
		// Each life dies at one step, a few messages on; the last ones live.
		var dead atomic.Bool
		var left atomic.Int64
		left.Store(rng.Int64N(4))
		die := steps[life%len(steps)]
		s := h.sender()
		s.AtStep(func(step string) {
			if dead.Load() || life < 60 && step == die && left.Add(-1) < 0 {
				dead.Store(true)
				runtime.Goexit()
			}
		})
		var living sync.WaitGroup
		living.Go(func() {
			if _, err := s.Once(t.Context()); err != nil {
				t.Error(err)
			}
		})
		living.Wait()
		h.later()
	}
	h.judge(all)
}

// A sender that lives but could not keep what Graph answered leaves the message to the next turn.
func TestWhatCouldNotBeKeptIsUnknown(t *testing.T) {
	t.Parallel()
	h := open(t)
	all := h.crowd(1, 1)
	h.meta.feels(refuses(http.StatusBadRequest, 131026))
	s := h.sender()
	s.AtStep(func(step string) {
		if step == "called" { // as if another sender had the number
			h.exec(`UPDATE outbox SET lease = $1`, uuid.New())
		}
	})
	h.turns(s)
	if got := h.state(all[0].MessageID).State; got != conversations.StateUnknown {
		t.Errorf("message is %s, want unknown", got)
	}
}

// The same with a process that is killed, whatever it is doing.
func TestKilledProcesses(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.meta.feels(func(http.ResponseWriter, *http.Request) bool { time.Sleep(5 * time.Millisecond); return true })
	all := h.crowd(10, 6)
	rng := rand.New(rand.NewPCG(3, 5))
	deadline := time.Now().Add(time.Minute)
	for life := 0; !h.settled(); life++ {
		if time.Now().After(deadline) {
			t.Fatal("the queue does not drain")
		}
		h.lives(time.Duration(10+rng.IntN(100+20*life)) * time.Millisecond)
		h.later()
	}
	h.judge(all)
}

// lives has a process send for a while, and kills it.
func (h *house) lives(long time.Duration) {
	h.t.Helper()
	child := exec.CommandContext(h.t.Context(), os.Args[0], "-test.run=^TestSendUntilKilled$")
	child.Env = append(os.Environ(), "PEHCHAN_TEST_SENDER="+h.db.AppDSN, "PEHCHAN_TEST_KEY="+h.key, "PEHCHAN_TEST_GRAPH="+h.meta.URL)
	out, err := child.StdoutPipe()
	if err == nil {
		err = child.Start()
	}
	if err == nil {
		_, err = out.Read(make([]byte, 1)) // it sends from now on
	}
	if err != nil {
		h.t.Fatal(err)
	}
	time.Sleep(long)
	if err := child.Process.Kill(); err != nil {
		h.t.Fatal(err)
	}
	_ = child.Wait()
}

// TestSendUntilKilled is the process that TestKilledProcesses kills; by itself it has nothing to send.
func TestSendUntilKilled(t *testing.T) {
	t.Parallel()
	dsn := os.Getenv("PEHCHAN_TEST_SENDER")
	if dsn == "" {
		return
	}
	db, err := tenants.Open(context.Background(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := secrets.Open(os.Getenv("PEHCHAN_TEST_KEY"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("sending")
	_ = outbox.NewSender(db, keys, whatsapp.NewGraph(os.Getenv("PEHCHAN_TEST_GRAPH")), slog.New(slog.DiscardHandler)).Run(context.Background())
}

// Two senders at once share the numbers between them and send nothing twice.
func TestTwoSendersAtOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	all := h.crowd(8, 5)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for range 3 {
		s := h.sender()
		running.Go(func() { _ = s.Run(ctx) })
	}
	// More comes while they are at it.
	r := h.opens(h.whois(whatsapp.KindPhone, "919800000000").ID)
	for n := range 20 {
		all = append(all, h.sends(r, fmt.Sprint("late ", n)))
	}
	deadline := time.Now().Add(30 * time.Second)
	for !h.settled() && time.Now().Before(deadline) {
		time.Sleep(20 * time.Millisecond)
	}
	stop()
	running.Wait()
	h.judge(all)

	// Of one account, in the order in which it was written.
	last := map[string]uuid.UUID{}
	for _, s := range h.meta.all() {
		id := uuid.MustParse(s.Tag)
		if before, ok := last[s.To]; ok && before.String() > id.String() {
			t.Errorf("to one account %s went out after %s", before, id)
		}
		last[s.To] = id
	}
}
