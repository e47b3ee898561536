package server_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/sandbox"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

const hook = "/hooks/whatsapp/demo"

func newHookSite(t *testing.T) *site {
	t.Helper()
	st := newSite(t)
	st.app(t, "demo", "app-secret-of-demo", "verify-me")

	return st
}

func (st *site) app(t *testing.T, name, secret, verify string) {
	t.Helper()
	err := st.DB.System(context.Background(), func(tx *tenants.Tx) error {
		_, err := numbers.AddApp(context.Background(), tx, st.keys, access.Command("test").Actor,
			numbers.AppInput{Name: name, MetaAppID: "1234567890", AppSecret: secret, VerifyToken: verify})
		return err
	})
	if err != nil {
		t.Fatalf("add app: %v", err)
	}
}

func (st *site) deliver(t *testing.T, path, body string, headers map[string]string) answer {
	b := st.browser(t)
	b.headers = headers

	return b.do(http.MethodPost, path, strings.NewReader(body))
}

func signed(secret, body string) map[string]string {
	return map[string]string{"X-Hub-Signature-256": whatsapp.Sign([]byte(secret), []byte(body)), "Content-Type": "application/json"}
}

func (st *site) stored(t *testing.T) (n int) {
	t.Helper()
	err := st.DB.System(context.Background(), func(tx *tenants.Tx) error { return tx.Get(&n, `SELECT count(*) FROM inbox_events`) })
	if err != nil {
		t.Fatal(err)
	}

	return n
}

func TestHandshake(t *testing.T) {
	t.Parallel()
	st := newHookSite(t)
	b := st.browser(t)

	r := b.get(hook + "?hub.mode=subscribe&hub.verify_token=verify-me&hub.challenge=1158201444")
	if r.status != http.StatusOK || r.body != "1158201444" || !strings.HasPrefix(r.header.Get("Content-Type"), "text/plain") {
		t.Errorf("want the challenge as plain text, got %d %q %s", r.status, r.body, r.header.Get("Content-Type"))
	}
	for _, query := range []string{
		"", "hub.mode=subscribe&hub.challenge=1", "hub.mode=subscribe&hub.verify_token=wrong&hub.challenge=1", "hub.mode=subscribe&hub.verify_token=&hub.challenge=1",
		"hub.mode=unsubscribe&hub.verify_token=verify-me&hub.challenge=1", "hub.mode=subscribe&hub.verify_token=verify-me",
		"hub.mode=subscribe&hub.verify_token=verify-me&hub.verify_token=x&hub.challenge=1", "hub.mode=subscribe&hub.verify_token[]=verify-me&hub.challenge=1",
		"hub.mode=subscribe&hub.verify_token=verify-me&hub.challenge=%3Cscript%3E", "hub.mode=subscribe&hub.verify_token=verify-me&hub.challenge=a%0d%0ab",
		"hub.mode=subscribe&hub.verify_token=verify-me&hub.challenge=" + strings.Repeat("1", 6000),
	} {
		if r := b.get(hook + "?" + query); r.status != http.StatusForbidden {
			t.Errorf("%.90s: want 403, got %d %q", query, r.status, r.body)
		}
	}
	if r := b.get("/hooks/whatsapp/none?hub.mode=subscribe&hub.verify_token=verify-me&hub.challenge=1"); r.status != http.StatusForbidden {
		t.Errorf("want an unknown app refused alike, got %d", r.status)
	}
}

func TestDeliveries(t *testing.T) {
	t.Parallel()
	st := newHookSite(t)
	st.app(t, "other", "another-app-secret", "verify-other")
	body := `{"object":"whatsapp_business_account","entry":[],"note":"नमस्ते \ud83d\ude00"}`

	if r := st.deliver(t, hook, body, signed("app-secret-of-demo", body)); r.status != http.StatusOK || st.stored(t) != 1 {
		t.Errorf("want it stored and then acknowledged, got %d with %d stored", r.status, st.stored(t))
	}
	if r := st.deliver(t, hook, body, signed("app-secret-of-demo", body)); r.status != http.StatusOK || st.stored(t) != 1 {
		t.Errorf("want a repeat acknowledged and not stored again, got %d with %d stored", r.status, st.stored(t))
	}

	good := signed("app-secret-of-demo", body)["X-Hub-Signature-256"]
	for name, headers := range map[string]map[string]string{
		"no signature":       {},
		"empty":              {"X-Hub-Signature-256": "sha256="},
		"sha1":               {"X-Hub-Signature": "sha1=" + strings.Repeat("0", 40)},
		"63 digits":          {"X-Hub-Signature-256": good[:len(good)-1]},
		"65 digits":          {"X-Hub-Signature-256": good + "0"},
		"not hex":            {"X-Hub-Signature-256": "sha256=" + strings.Repeat("z", 64)},
		"two in a list":      {"X-Hub-Signature-256": good + "," + good},
		"another app's":      signed("another-app-secret", body),
		"of other bytes":     signed("app-secret-of-demo", body+" "),
		"of the empty key":   signed("", body),
		"capitals in prefix": {"X-Hub-Signature-256": strings.Replace(good, "sha256", "SHA256", 1)},
	} {
		if r := st.deliver(t, hook, body+"\n", headers); r.status != http.StatusUnauthorized {
			t.Errorf("%s: want 401, got %d", name, r.status)
		}
	}

	if r := st.deliver(t, "/hooks/whatsapp/none", body, signed("app-secret-of-demo", body)); r.status != http.StatusNotFound {
		t.Errorf("unknown app: want 404, got %d", r.status)
	}
	for _, path := range []string{hook + "/", "/hooks/whatsapp/DEMO", "/HOOKS/whatsapp/demo"} {
		if r := st.deliver(t, path, body, signed("app-secret-of-demo", body)); r.status != http.StatusNotFound || r.location != "" {
			t.Errorf("%s: want 404 without a redirect, got %d", path, r.status)
		}
	}
	for _, encoding := range []string{"gzip", "br", "gzip, gzip", "identity"} {
		headers := signed("app-secret-of-demo", body)
		headers["Content-Encoding"] = encoding
		if r := st.deliver(t, hook, body, headers); r.status != http.StatusUnsupportedMediaType {
			t.Errorf("%s: want 415, got %d", encoding, r.status)
		}
	}
	if n := st.stored(t); n != 1 {
		t.Errorf("want nothing of all that stored, got %d", n)
	}

	large := `{"x":"` + strings.Repeat("x", 3<<20-8) + `"}`
	if r := st.deliver(t, hook, large, signed("app-secret-of-demo", large)); r.status != http.StatusOK {
		t.Errorf("3 MiB: want it taken, got %d", r.status)
	}
	large += " "
	if r := st.deliver(t, hook, large, signed("app-secret-of-demo", large)); r.status != http.StatusRequestEntityTooLarge {
		t.Errorf("one byte over 3 MiB: want 413, got %d", r.status)
	}
}

func TestAFloodOfUnknownAppsHoldsUpNobody(t *testing.T) {
	t.Parallel()
	st := newHookSite(t)
	body := `{"object":"whatsapp_business_account","entry":[]}`
	st.deliver(t, hook, body, signed("app-secret-of-demo", body))
	st.AskForNewAppsNoMore()

	r := st.deliver(t, "/hooks/whatsapp/made-up", body, signed("app-secret-of-demo", body))
	if r.status != http.StatusServiceUnavailable || r.header.Get("Retry-After") == "" {
		t.Errorf("one more unknown app: want 503 and when to come back, got %d", r.status)
	}
	if r := st.deliver(t, hook, body, signed("app-secret-of-demo", body)); r.status != http.StatusOK {
		t.Errorf("an app that is known: want 200, got %d", r.status)
	}
}

// However many pages hold connections, deliveries are taken at once.
func TestDeliveriesDoNotWaitForPages(t *testing.T) {
	t.Parallel()
	st := newHookSite(t)
	body := `{"object":"whatsapp_business_account","entry":[]}`

	var pages sync.WaitGroup
	defer pages.Wait()
	held, release := make(chan struct{}), make(chan struct{})
	defer close(release)
	const connections = 24
	for range connections {
		pages.Go(func() {
			err := st.DB.System(context.Background(), func(*tenants.Tx) error {
				held <- struct{}{}
				<-release

				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	for range connections {
		<-held
	}

	begun := time.Now()
	if r := st.deliver(t, hook, body, signed("app-secret-of-demo", body)); r.status != http.StatusOK || time.Since(begun) > 5*time.Second {
		t.Errorf("want it taken at once, got %d after %s", r.status, time.Since(begun))
	}
}

// While an app's secret is being changed both hold, and nobody is refused.
func TestRotationHoldsBothSecrets(t *testing.T) {
	t.Parallel()
	st := newHookSite(t)
	// The server has just used, hence remembers, the secret that is about to change.
	if r := st.deliver(t, hook, "{}", signed("app-secret-of-demo", "{}")); r.status != http.StatusOK {
		t.Fatalf("before the rotation: want 200, got %d", r.status)
	}
	var busy sync.WaitGroup
	for i := range 120 { // while others come
		body := fmt.Sprintf(`{"busy":%d}`, i)
		busy.Go(func() {
			if r := st.deliver(t, hook, body, signed("app-secret-of-demo", body)); r.status != http.StatusOK {
				t.Errorf("during the rotation: want it taken, got %d", r.status)
			}
		})
	}
	defer busy.Wait()
	err := st.DB.System(context.Background(), func(tx *tenants.Tx) error {
		_, err := numbers.RotateApp(context.Background(), tx, st.keys, access.Command("test").Actor, "demo",
			numbers.RotateInput{AppSecret: "new-secret-of-demo", VerifyToken: "verify-new"})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	for i, secret := range []string{"app-secret-of-demo", "new-secret-of-demo"} {
		body := `{"n":` + strings.Repeat("1", i+1) + `}`
		if r := st.deliver(t, hook, body, signed(secret, body)); r.status != http.StatusOK {
			t.Errorf("%s: want it taken, got %d", secret, r.status)
		}
	}
	b := st.browser(t)
	for _, verify := range []string{"verify-me", "verify-new"} {
		if r := b.get(hook + "?" + url.Values{"hub.mode": {"subscribe"}, "hub.verify_token": {verify}, "hub.challenge": {"7"}}.Encode()); r.status != http.StatusOK {
			t.Errorf("%s: want the handshake, got %d", verify, r.status)
		}
	}
}

// Case 54: one delivery a thousand times at once, among others, and once more when a week has gone, is one.
func TestManyDeliveriesAtOnce(t *testing.T) {
	t.Parallel()
	st := newMetaSite(t)
	n := sandbox.Known().Numbers[0]
	st.number(t, st.clinic, n)
	bodies := make([]string, 40)
	for i := range bodies {
		bodies[i] = `{"n":"` + strings.Repeat("n", i) + `"}`
	}
	body := `{"object":"whatsapp_business_account","entry":[` + textTo(n, "wamid.again", "once") + `]}`
	work := make(chan string, 1200)
	for i := range 1080 {
		work <- body
		if i%27 < 2 {
			work <- bodies[i/27]
		}
	}
	close(work)
	deliver := func(body string) {
		if r := st.deliver(t, hook, body, signed(sandboxSecret, body)); r.status != http.StatusOK {
			t.Errorf("want 200, got %d", r.status)
		}
	}
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for body := range work {
				deliver(body)
			}
		})
	}
	wg.Wait()
	if got := st.stored(t); got != len(bodies)+1 {
		t.Errorf("want %d stored, each once, got %d", len(bodies)+1, got)
	}
	st.drain(t)

	// WhatsApp has given up by then, and what came so long ago is not remembered by its bytes any more.
	db := st.above(t)
	within(t, db, uuid.Nil, func(tx *sqlx.Tx) {
		tx.MustExec(`UPDATE inbox_events SET received_at = received_at - interval '8 days', digest = sha256(digest)`)
	})
	deliver(body)
	st.drain(t)
	var held struct{ Messages, Contacts, Unread int }
	err := st.DB.As(t.Context(), st.clinic.ID, func(tx *tenants.Tx) error {
		return tx.Get(&held, `SELECT (SELECT count(*) FROM messages) AS messages, (SELECT count(*) FROM contacts) AS contacts, (SELECT count(*) FROM thread_tips WHERE unread) AS unread`)
	})
	if err != nil || held.Messages != 1 || held.Contacts != 1 || held.Unread != 1 {
		t.Errorf("want one message of one contact, unread once, got %+v (%v)", held, err)
	}
}

func TestNoFalse200WithoutADatabase(t *testing.T) {
	t.Parallel()
	st := newHookSite(t)
	body := `{"n":1}`
	if r := st.deliver(t, hook, body, signed("app-secret-of-demo", body)); r.status != http.StatusOK {
		t.Fatalf("want 200, got %d", r.status)
	}
	if err := st.DB.Close(); err != nil {
		t.Fatal(err)
	}
	body = `{"n":2}`
	r := st.deliver(t, hook, body, signed("app-secret-of-demo", body))
	if r.status != http.StatusServiceUnavailable || r.header.Get("Retry-After") == "" {
		t.Errorf("want 503 with Retry-After, got %d", r.status)
	}
}
