package forward_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/uuid"
	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/forward"
)

// Requirement 13, attack case 84: the bytes as they came, signed anew, with the contact, and nothing of ours besides.
func TestPassedOnAsItCame(t *testing.T) {
	t.Parallel()
	h := open(t)
	target, secret := h.target("/hook?k=1", uuid.Nil)
	h.send()

	body := delivery(entry("701", "801", text(1, "namaste"), text(2, "hello"), text(1, "again")))
	h.receive(body)
	h.wantState(target.ID, forward.Sent, 1)

	all := h.system.got()
	if len(all) != 1 || string(all[0].body) != body {
		t.Fatalf("got %d requests, want the delivery as it was sent: %q", len(all), all)
	}
	head := all[0].header
	by, err := webhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	if err := by.Verify(all[0].body, head); err != nil {
		t.Errorf("the signature of standardwebhooks.com: %v", err)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(all[0].body)
	if got, want := head.Get("X-Hub-Signature-256"), "sha256="+hex.EncodeToString(mac.Sum(nil)); got != want {
		t.Errorf("the signature as WhatsApp makes it: got %s, want %s", got, want)
	}
	one, two := h.contact("IN.7700000001").String(), h.contact("IN.7700000002").String()
	for name, want := range map[string]string{
		"X-Identity-Event": "webhook", "X-Identity-Contact": one + ", " + two, "X-Identity-Number": h.first.String(),
		"X-Identity-Items": "0.0.messages.0=" + one + ", 0.0.messages.1=" + two + ", 0.0.messages.2=" + one, "Content-Type": "application/json",
	} {
		if got := head.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	for name, values := range head {
		known := strings.Contains(" X-Hub-Signature-256 X-Identity-Event X-Identity-Contact X-Identity-Number X-Identity-Items Content-Type "+
			"Content-Length Accept-Encoding User-Agent Webhook-Id Webhook-Timestamp Webhook-Signature ", " "+name+" ")
		if !known || strings.Contains(strings.Join(values, " "), "canary") {
			t.Errorf("header %s is passed on: %q", name, values)
		}
	}
}

// Case 54: what WhatsApp sends again, or is replayed, is passed on once.
func TestPassedOnOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	target, _ := h.target("/hook", uuid.Nil)
	h.send()
	body := delivery(entry("701", "801", text(1, "namaste")))
	for range 20 {
		h.receive(body)
	}
	h.receive(delivery(entry("701", "801", text(2, "after"))))
	h.wantState(target.ID, forward.Sent, 2)
	if got := len(h.system.got()); got != 2 {
		t.Errorf("got %d requests, want one for each delivery", got)
	}
}

// Of a delivery that holds what is others' each target gets its own.
func TestNobodyGetsWhatIsOthers(t *testing.T) {
	t.Parallel()
	h := open(t)
	all, _ := h.target("/all", uuid.Nil)
	one, _ := h.target("/one", h.second)
	h.send()

	h.receive(delivery(entry("701", "801", text(1, "first")), entry("702", "802", text(2, "ravis")), entry("703", "803", text(3, "second"))))
	h.receive(delivery(entry("701", "801", text(6, "alone")), entry("702", "802"))) // of ravi's a change without anything in it
	h.receive(delivery(entry("702", "802", text(4, "ravis"))))
	h.receive(delivery(entry("701", "801", text(5, "last"))))
	h.wantState(all.ID, forward.Sent, 3)
	h.wantState(one.ID, forward.Sent, 1)
	for _, g := range h.system.got() {
		if strings.Contains(string(g.body), "ravis") || strings.Contains(string(g.body), "919800000802") {
			t.Errorf("passed on to another business: %s", g.body)
		}
	}
	bodies := map[string]int{}
	for _, g := range h.system.got() {
		for _, word := range []string{"first", "second", "last"} {
			if strings.Contains(string(g.body), `"body":"`+word+`"`) {
				bodies[word]++
			}
		}
	}
	if bodies["first"] != 1 || bodies["second"] != 2 || bodies["last"] != 1 {
		t.Errorf("messages passed on: got %v, want first and last once, second to both", bodies)
	}
}

// What could not be read, in the lane or already while it was split, is passed on as well: the business's system may know better.
func TestWhatCannotBeReadIsPassedOn(t *testing.T) {
	t.Parallel()
	h := open(t)
	target, _ := h.target("/hook", uuid.Nil)
	body := delivery(entry("701", "801", `"no message"`))
	h.receive(body)
	h.until("it is set aside", func() bool {
		n := 0
		h.as(h.asha, func(tx *tenants.Tx) error {
			return tx.GetContext(t.Context(), &n, `SELECT count(*) FROM inbox_items WHERE tenant_id = $1 AND state = 'set_aside'`, h.asha)
		})

		return n == 1
	})
	h.send()
	h.wantState(target.ID, forward.Sent, 1)
	if all := h.system.got(); len(all) != 1 || string(all[0].body) != body {
		t.Errorf("got %q, want the delivery as it was sent", all)
	}
}

func TestPauseResumeRemove(t *testing.T) {
	t.Parallel()
	h := open(t)
	target, _ := h.target("/hook", uuid.Nil)
	h.send()
	turn := func(to func(tx *tenants.Tx) error) { h.t.Helper(); h.as(h.asha, to) }

	turn(func(tx *tenants.Tx) error { _, err := forward.Pause(t.Context(), tx, meera, target.ID); return err })
	h.receive(delivery(entry("701", "801", text(1, "while-paused"))))
	h.contact("IN.7700000001")
	turn(func(tx *tenants.Tx) error { _, err := forward.Resume(t.Context(), tx, meera, target.ID); return err })
	h.receive(delivery(entry("701", "801", text(2, "after"))))
	h.wantState(target.ID, forward.Sent, 1)
	if all := h.system.got(); len(all) != 1 || !strings.Contains(string(all[0].body), "after") {
		t.Errorf("got %q, want what came after the pause alone", all)
	}

	turn(func(tx *tenants.Tx) error { _, err := forward.Remove(t.Context(), tx, meera, target.ID); return err })
	h.receive(delivery(entry("701", "801", text(3, "removed"))))
	h.contact("IN.7700000003")
	left := 0
	h.as(h.asha, func(tx *tenants.Tx) error {
		return tx.GetContext(t.Context(), &left, `SELECT sum(length(address) + length(secret)) FROM forward_targets WHERE tenant_id = $1`, h.asha)
	})
	if left != 0 {
		t.Errorf("of a target that was removed %d bytes of address and secret are left", left)
	}
	h.as(h.asha, func(tx *tenants.Tx) error {
		if list, err := forward.Targets(t.Context(), tx); len(list) != 0 || err != nil {
			t.Errorf("targets: got %v, %v, want none", list, err)
		}
		return nil
	})
	if n := len(h.system.got()); n != 1 {
		t.Errorf("got %d requests, want none after it was removed", n)
	}
}

// A new secret signs at once, and the old one beside it.
func TestNewSecret(t *testing.T) {
	t.Parallel()
	h := open(t)
	target, old := h.target("/hook", uuid.Nil)
	var secret string
	h.as(h.asha, func(tx *tenants.Tx) (err error) {
		_, secret, err = forward.NewSecret(t.Context(), tx, h.keys, meera, target.ID)
		return err
	})
	h.send()
	h.receive(delivery(entry("701", "801", text(1, "namaste"))))
	h.wantState(target.ID, forward.Sent, 1)
	for name, key := range map[string]string{"old": old, "new": secret} {
		by, err := webhooks.NewWebhook(key)
		if err != nil {
			t.Fatal(err)
		}
		if err := by.Verify(h.system.got()[0].body, h.system.got()[0].header); err != nil {
			t.Errorf("%s secret: %v", name, err)
		}
	}
	h.exec(`UPDATE forward_targets SET old_until = now() WHERE tenant_id = $1`)
	h.receive(delivery(entry("701", "801", text(2, "later"))))
	h.wantState(target.ID, forward.Sent, 2)
	by, err := webhooks.NewWebhook(old)
	if err != nil {
		t.Fatal(err)
	}
	if by.Verify(h.system.got()[1].body, h.system.got()[1].header) == nil {
		t.Error("the old secret still signs after its time")
	}
}

func TestTheTestIsSentAndLimited(t *testing.T) {
	t.Parallel()
	h := open(t)
	target, _ := h.target("/hook", uuid.Nil)
	h.send()
	h.as(h.asha, func(tx *tenants.Tx) error { return forward.Test(t.Context(), tx, meera, target.ID) })
	h.wantState(target.ID, forward.Sent, 1)
	if all := h.system.got(); all[0].header.Get("X-Identity-Event") != "test" {
		t.Errorf("the test says it is %q", all[0].header.Get("X-Identity-Event"))
	}
	h.exec(`INSERT INTO forwards (tenant_id, id, target_id, kind, state) SELECT $1, gen_random_uuid(), $2, 'test', 'sent' FROM generate_series(1, $3)`,
		target.ID, tenants.QuotaForwardTests.Most()-1)
	err := h.DB.As(t.Context(), h.asha, func(tx *tenants.Tx) error { return forward.Test(t.Context(), tx, meera, target.ID) })
	if tenants.ConflictCode(err) != tenants.QuotaForwardTests.Code() {
		t.Errorf("one test too many: got %v", err)
	}
}

func TestWordOfAnErasure(t *testing.T) {
	t.Parallel()
	h := open(t)
	target, _ := h.target("/hook", uuid.Nil)
	gone := uuid.New()
	h.exec(`WITH f AS (INSERT INTO forwards (tenant_id, id, target_id, kind, state) VALUES ($1, $2, $2, 'test', 'failed') RETURNING id)
		INSERT INTO forward_tries (tenant_id, forward_id, n, reason, status, answer) SELECT $1, id, 1, 'status', 500, 'no room for canary' FROM f`, target.ID)
	for range 2 {
		h.as(h.asha, func(tx *tenants.Tx) error { return forward.Erased(t.Context(), tx, []uuid.UUID{gone}) })
	}
	h.send()
	h.wantState(target.ID, forward.Sent, 1)
	if all := h.system.got(); len(all) != 1 || all[0].header.Get("X-Identity-Contact") != gone.String() || !strings.Contains(string(all[0].body), gone.String()) {
		t.Errorf("got %v, want word of %s once", all, gone)
	}
	if tries := h.tries(target.ID); len(tries) != 1 || tries[0].Answer != "" {
		t.Errorf("what a target answered is kept: %v", tries)
	}
}

// What is kept no longer, and what came by a number that keeps no phones, is not passed on.
func TestNothingToPassOn(t *testing.T) {
	t.Parallel()
	h := open(t)
	target, _ := h.target("/hook", uuid.Nil)
	h.receive(delivery(entry("701", "801", text(1, "old"))))
	h.receive(delivery(entry("703", "803", text(2, "free"))))
	h.contact("IN.7700000001")
	h.contact("IN.7700000002")
	h.exec(`UPDATE inbox_items SET reason = 'expired' WHERE tenant_id = $1 AND number_id = $2`, h.first)
	h.exec(`UPDATE numbers SET phone_free_since = now() WHERE tenant_id = $1 AND id = $2`, h.second)
	h.send()
	h.wantState(target.ID, forward.Dropped, 2)
	reasons := map[string]bool{}
	for _, f := range h.log(target.ID) {
		reasons[f.Reason] = true
	}
	if !reasons[forward.Gone] || !reasons[forward.PhoneFree] || len(h.system.got()) != 0 {
		t.Errorf("reasons: got %v with %d requests", reasons, len(h.system.got()))
	}
}

func TestNotIfAnotherTenant(t *testing.T) {
	t.Parallel()
	h := open(t)
	target, _ := h.target("/hook", uuid.Nil)
	h.receive(delivery(entry("701", "801", text(1, "namaste"))))
	stop := h.send()
	h.wantState(target.ID, forward.Sent, 1)
	stop()
	id := h.log(target.ID)[0].ID

	ctx := t.Context()
	for name, ask := range map[string]func(tx *tenants.Tx) error{
		"get":     func(tx *tenants.Tx) error { _, err := forward.Get(ctx, tx, target.ID); return err },
		"address": func(tx *tenants.Tx) error { _, err := forward.Address(ctx, tx, h.keys, target.ID); return err },
		"pause":   func(tx *tenants.Tx) error { _, err := forward.Pause(ctx, tx, meera, target.ID); return err },
		"resume":  func(tx *tenants.Tx) error { _, err := forward.Resume(ctx, tx, meera, target.ID); return err },
		"remove":  func(tx *tenants.Tx) error { _, err := forward.Remove(ctx, tx, meera, target.ID); return err },
		"secret": func(tx *tenants.Tx) error {
			_, _, err := forward.NewSecret(ctx, tx, h.keys, meera, target.ID)
			return err
		},
		"test":  func(tx *tenants.Tx) error { return forward.Test(ctx, tx, meera, target.ID) },
		"again": func(tx *tenants.Tx) error { return forward.Again(ctx, tx, meera, target.ID, id) },
		"all":   func(tx *tenants.Tx) error { _, err := forward.AllAgain(ctx, tx, meera, target.ID); return err },
	} {
		if err := h.DB.As(ctx, h.ravi, ask); err != tenants.ErrNotFound { //nolint:errorlint // it is returned as it is
			t.Errorf("%s by another tenant: got %v, want ErrNotFound", name, err)
		}
	}
	h.as(h.ravi, func(tx *tenants.Tx) error {
		if list, err := forward.Log(ctx, tx, target.ID, forward.Page{Limit: 9}); len(list) != 0 || err != nil {
			t.Errorf("log by another tenant: %v, %v", list, err)
		}
		if list, err := forward.Targets(ctx, tx); len(list) != 0 || err != nil {
			t.Errorf("targets by another tenant: %v, %v", list, err)
		}
		_, _, err := forward.Add(ctx, tx, h.keys, h.doors, meera, forward.Input{Address: h.system.URL + "/r", Number: h.first})
		if invalid(err) != "choice" {
			t.Errorf("a target for another's number: %v", err)
		}
		return nil
	})
}
