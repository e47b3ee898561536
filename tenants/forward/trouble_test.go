package forward_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/forward"
	"github.com/pehchan/pehchan/tenants/notices"
)

// D2: what was called and not kept, as the process died between, is called again with the same id.
func TestDeathBetweenTheCallAndItsKeeping(t *testing.T) {
	t.Parallel()
	h := open(t)
	target, _ := h.target("/hook", uuid.Nil)
	ctx, die := context.WithCancel(t.Context())
	dying := forward.NewSender(h.DB, h.keys, h.doors, slog.New(slog.DiscardHandler))
	dead := make(chan struct{})
	dying.AtStep(func(name string) {
		if name == "called" {
			close(dead)
			select {} // as if it were no more
		}
	})
	go dying.Run(ctx)
	h.receive(delivery(entry("701", "801", text(1, "namaste"))))
	<-dead
	die()
	h.exec(`UPDATE forward_lanes SET leased_until = now() WHERE tenant_id = $1`) // as after its minute
	h.send()
	h.wantState(target.ID, forward.Sent, 1)
	all := h.system.got()
	if len(all) != 2 || all[0].header.Get("Webhook-Id") == "" || all[0].header.Get("Webhook-Id") != all[1].header.Get("Webhook-Id") {
		t.Errorf("got %d requests with ids %v", len(all), all)
	}
}

// A target that fails gets each thing again after its pause, eight times in all, with a log of the tries; then it is given up, and goes again
// when somebody says so.
func TestTriesAndGivingUp(t *testing.T) {
	t.Parallel()
	h := open(t)
	target, _ := h.target("/hook", uuid.Nil)
	h.system.answers(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "our database is down for 919800000001", http.StatusBadGateway)
	})
	h.send()
	h.receive(delivery(entry("701", "801", text(1, "namaste"))))

	times, over := forward.Tries()
	if times != 8 || over.Hours() < 27 {
		t.Errorf("the plan is %d times over %s", times, over)
	}
	for n := 1; n <= times; n++ {
		h.until("it has failed once more", func() bool { return len(h.tries(target.ID)) == n })
		if f := h.log(target.ID)[0]; n < times && f.State != forward.Waiting {
			t.Fatalf("after %d tries it is %s", n, f.State)
		}
		h.exec(`UPDATE forwards SET not_before = now() WHERE tenant_id = $1 AND state = 'waiting'`)
		h.exec(`UPDATE forward_lanes SET not_before = now(), rest_until = now() WHERE tenant_id = $1`)
	}
	h.wantState(target.ID, forward.Failed, 1)
	tries := h.tries(target.ID)
	if last := tries[len(tries)-1]; last.Status != http.StatusBadGateway || last.Reason != forward.BadStatus || strings.Contains(last.Answer, "9198000") || !strings.HasPrefix(last.Answer, "our database is down for ") {
		t.Errorf("the log says %+v", last)
	}
	if got := h.get(target.ID); got.Failed != 1 || got.FailingSince == nil {
		t.Errorf("the target says %+v", got)
	}

	h.system.answers(nil)
	var n int64
	h.as(h.asha, func(tx *tenants.Tx) (err error) {
		n, err = forward.AllAgain(t.Context(), tx, meera, target.ID)
		return err
	})
	h.wantState(target.ID, forward.Sent, 1)
	h.until("the target is well", func() bool { return h.get(target.ID).FailingSince == nil })
	if n != 1 {
		t.Errorf("passed on again: %d, want 1", n)
	}
}

// What comes while something waits for its next try does not wait with it.
func TestNewThingsDoNotWaitForOldOnes(t *testing.T) {
	t.Parallel()
	h := open(t)
	target, _ := h.target("/hook", uuid.Nil)
	h.system.answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	h.send()
	h.receive(delivery(entry("701", "801", text(1, "namaste"))))
	h.until("it fails", func() bool { return len(h.tries(target.ID)) == 1 })
	h.exec(`UPDATE forwards SET not_before = now() + interval '5 hours' WHERE tenant_id = $1`)
	h.until("the target waits for it", func() bool {
		waits := false
		h.as(h.asha, func(tx *tenants.Tx) error {
			return tx.GetContext(t.Context(), &waits, `SELECT lease IS NULL FROM forward_lanes WHERE tenant_id = $1`, h.asha)
		})

		return waits
	})
	h.exec(`UPDATE forward_lanes SET not_before = now() + interval '5 hours' WHERE tenant_id = $1`)
	h.system.answers(nil)
	h.receive(delivery(entry("701", "801", text(2, "hello"))))
	h.wantState(target.ID, forward.Sent, 1)
}

// D16: a target that fails again and again is asked with one thing at a time, and with pauses; well again, it gets at once what waited.
func TestATargetThatFailsIsSpared(t *testing.T) {
	t.Parallel()
	h := open(t)
	target, _ := h.target("/hook", uuid.Nil)
	var calls atomic.Int64
	h.system.answers(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.WriteHeader(http.StatusInternalServerError)
	})
	for n := range 60 {
		h.receive(delivery(entry("701", "801", text(n, "namaste"))))
	}
	h.until("all wait", func() bool { return h.get(target.ID).Waiting == 60 })
	h.send()
	h.until("it rests", func() bool {
		resting := false
		h.as(h.asha, func(tx *tenants.Tx) error {
			return tx.GetContext(t.Context(), &resting, `SELECT failures >= 10 AND rest_until > now() AND lease IS NULL FROM forward_lanes WHERE tenant_id = $1`, h.asha)
		})

		return resting
	})
	if n := calls.Load(); n > 20 {
		t.Errorf("it was asked %d times before it was spared, want at most 20", n)
	}
	h.system.answers(nil)
	// A test goes at once, before all that waits; and it finds the target well.
	h.as(h.asha, func(tx *tenants.Tx) error { return forward.Test(t.Context(), tx, meera, target.ID) })
	h.wantState(target.ID, forward.Sent, 61)
	if first := h.system.got()[calls.Load()]; first.header.Get("X-Identity-Event") != "test" {
		t.Errorf("the first that was taken is a %s, want the test", first.header.Get("X-Identity-Event"))
	}
}

// One that hangs holds up no other.
func TestATargetThatHangsHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	h := open(t)
	hanging := newSystem(t)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	hanging.answers(func(http.ResponseWriter, *http.Request) { <-release })
	h.doors.Inner = append(h.doors.Inner, hanging.at(t))
	h.as(h.asha, func(tx *tenants.Tx) error {
		_, _, err := forward.Add(t.Context(), tx, h.keys, h.doors, meera, forward.Input{Address: hanging.URL})
		return err
	})
	good, _ := h.target("/hook", uuid.Nil)
	for n := range 40 {
		h.receive(delivery(entry("701", "801", text(n, "namaste"))))
	}
	h.send()
	h.wantState(good.ID, forward.Sent, 40)
	if len(hanging.got()) == 0 {
		t.Error("the one that hangs was not asked")
	}
}

// After an hour the owners hear of it, after five days it is stopped; resumed, it goes on with what waited.
func TestOwnersHearAndATargetIsStopped(t *testing.T) {
	t.Parallel()
	h := open(t)
	target, _ := h.target("/hook", uuid.Nil)
	h.system.answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	h.send()
	h.receive(delivery(entry("701", "801", text(1, "namaste"))))
	h.until("it fails", func() bool { return len(h.tries(target.ID)) == 1 })
	told := func(event string) (n int) {
		h.as(h.asha, func(tx *tenants.Tx) error {
			return tx.GetContext(t.Context(), &n, `SELECT count(*) FROM notices WHERE tenant_id = $1 AND field = $2 AND event = $3 AND number_id IS NULL`,
				h.asha, notices.FieldForward, event)
		})
		return n
	}
	again := func(since string) {
		tries := len(h.tries(target.ID))
		h.exec(`UPDATE forward_targets SET failing_since = now() - $2::interval WHERE tenant_id = $1`, since)
		h.exec(`UPDATE forwards SET not_before = now() WHERE tenant_id = $1`)
		h.exec(`UPDATE forward_lanes SET not_before = now(), rest_until = now(), ready = true WHERE tenant_id = $1`)
		h.until("it fails again", func() bool { return len(h.tries(target.ID)) > tries })
	}
	if told(notices.ForwardFailing) != 0 {
		t.Error("the owners are told at once")
	}
	again("61 minutes")
	h.until("the owners are told", func() bool { return told(notices.ForwardFailing) == 1 })
	h.as(h.asha, func(tx *tenants.Tx) error {
		if list, err := forward.InTrouble(t.Context(), tx); len(list) != 1 || err != nil {
			t.Errorf("in trouble: %v, %v", list, err)
		}
		return nil
	})
	again("121 hours")
	h.until("it is stopped", func() bool { return h.get(target.ID).State == forward.Stopped && told(notices.ForwardStopped) == 1 })

	h.system.answers(nil)
	h.as(h.asha, func(tx *tenants.Tx) error { _, err := forward.Resume(t.Context(), tx, meera, target.ID); return err })
	h.wantState(target.ID, forward.Sent, 1)
}

// Case 16: of a business that is suspended nothing is passed on.
func TestSuspendedBusinessesPassNothingOn(t *testing.T) {
	t.Parallel()
	h := open(t)
	target, _ := h.target("/hook", uuid.Nil)
	h.receive(delivery(entry("701", "801", text(1, "namaste"))))
	h.until("it waits", func() bool { return h.get(target.ID).Waiting == 1 })
	if _, err := h.DB.SQL().Exec(`UPDATE tenants SET state = 'suspended' WHERE id = $1`, h.asha); err != nil {
		t.Fatal(err)
	}
	other := newSystem(t)
	h.doors.Inner = append(h.doors.Inner, other.at(t))
	h.as(h.ravi, func(tx *tenants.Tx) error {
		_, _, err := forward.Add(t.Context(), tx, h.keys, h.doors, meera, forward.Input{Address: other.URL})
		return err
	})
	h.send()
	h.receive(delivery(entry("702", "802", text(2, "ravis"))))
	h.until("another's is passed on", func() bool { return len(other.got()) == 1 })
	if n := len(h.system.got()); n != 0 {
		t.Errorf("of a suspended business %d were passed on", n)
	}
	if _, err := h.DB.SQL().Exec(`UPDATE tenants SET state = 'active' WHERE id = $1`, h.asha); err != nil {
		t.Fatal(err)
	}
	h.wantState(target.ID, forward.Sent, 1)
}

// One that fails while more and more waits for it is stopped, and one whose secret does not open is not tried over and over.
func TestTooMuchWaitsOrNothingOpens(t *testing.T) {
	t.Parallel()
	h := open(t)
	target, _ := h.target("/hook", uuid.Nil)
	h.system.answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	h.exec(`INSERT INTO forwards (tenant_id, id, target_id, kind, contact_id) SELECT $1, gen_random_uuid(), $2, 'erased', gen_random_uuid() FROM generate_series(0, 40)`, target.ID)
	h.exec(`UPDATE forward_lanes SET ready = true WHERE tenant_id = $1`)
	var lines countedLines
	sender := forward.NewSender(h.DB, h.keys, h.doors, slog.New(slog.NewTextHandler(&lines, nil)))
	sender.StopsBeyond(40)
	h.run(sender.Run)
	h.until("it is stopped", func() bool { return h.get(target.ID).State == forward.Stopped })

	other, _ := h.target("/other", uuid.Nil)
	h.exec(`UPDATE forward_targets SET secret = 'x' WHERE tenant_id = $1 AND id = $2`, other.ID)
	h.as(h.asha, func(tx *tenants.Tx) error { return forward.Test(t.Context(), tx, meera, other.ID) })
	h.until("it rests", func() bool {
		resting := false
		h.as(h.asha, func(tx *tenants.Tx) error {
			return tx.GetContext(t.Context(), &resting, `SELECT rest_until > now() FROM forward_lanes WHERE tenant_id = $1 AND target_id = $2`, h.asha, other.ID)
		})

		return resting
	})
	if n := lines.errors.Load(); n == 0 || n > 2 {
		t.Errorf("it was complained of %d times, want once", n)
	}
}

// countedLines counts the errors that are logged.
type countedLines struct{ errors atomic.Int64 }

func (c *countedLines) Write(p []byte) (int, error) {
	if strings.Contains(string(p), "level=ERROR") {
		c.errors.Add(1)
	}

	return len(p), nil
}

func TestTwiceAndTooMany(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.target("/hook", uuid.Nil)
	add := func(address string) error {
		return h.DB.As(t.Context(), h.asha, func(tx *tenants.Tx) error {
			_, _, err := forward.Add(t.Context(), tx, h.keys, h.doors, meera, forward.Input{Address: address})
			return err
		})
	}
	if err := add(h.system.URL + "/hook"); tenants.ConflictCode(err) != "forward_twice" {
		t.Errorf("the same address twice: got %v", err)
	}
	for n := 1; n < tenants.QuotaForwards.Most(); n++ {
		if err := add(h.system.URL + "/" + string(rune('a'+n))); err != nil {
			t.Fatal(err)
		}
	}
	if err := add(h.system.URL + "/more"); tenants.ConflictCode(err) != tenants.QuotaForwards.Code() {
		t.Errorf("one too many: got %v", err)
	}
	if _, err := (forward.Doors{Inner: []netip.AddrPort{h.system.at(t)}}).Check("http://127.0.0.1:1/"); invalid(err) != "forward_https" {
		t.Errorf("an inner address that is not allowed: got %v", err)
	}
}

// Secrets and addresses lie sealed.
func TestSecretsLieSealed(t *testing.T) {
	t.Parallel()
	h := open(t)
	_, secret := h.target("/hook?token=canary-token", uuid.Nil)
	var row string
	h.as(h.asha, func(tx *tenants.Tx) error {
		return tx.GetContext(t.Context(), &row, `SELECT encode(address, 'escape') || encode(secret, 'escape') || host || made_by FROM forward_targets WHERE tenant_id = $1`, h.asha)
	})
	for _, canary := range []string{"canary-token", secret, secret[6:]} {
		if len(canary) > 8 && strings.Contains(row, canary) {
			t.Errorf("%q lies open in %q", canary, row)
		}
	}
}
