package server_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/forward"
	"github.com/pehchan/pehchan/tenants/sandbox"
)

// passing is a business whose developer has added an address of its own.
type passing struct {
	*apiSite
	developer *browser
	path      string // of the address's page
	secret    string
	system    *httptest.Server
	status    atomic.Int64 // that the system answers
	got       atomic.Pointer[http.Header]
	config    config.Config
}

func passes(t *testing.T) *passing {
	t.Helper()
	p := &passing{apiSite: newAPISite(t)}
	p.status.Store(http.StatusOK)
	p.system = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := r.Header.Clone()
		p.got.Store(&h)
		w.WriteHeader(int(p.status.Load()))
		_, _ = fmt.Fprint(w, "<b>our own words</b>")
	}))
	t.Cleanup(p.system.Close)
	p.config = config.Config{PublicURL: origin, Listen: "127.0.0.1:0", Data: t.TempDir(), ForwardAllow: []string{p.system.Listener.Addr().String()}}
	if err := p.config.Check(); err != nil {
		t.Fatal(err)
	}
	p.Server = p.open(t, p.config)
	p.member(t, p.clinic, "dev", "developer")
	p.developer = p.signedIn(t, "dev")
	page := p.developer.post("/dev/forwards", url.Values{"address": {p.system.URL + "/hook?token=canarytoken"}})
	_, rest, found := strings.Cut(page.body, "whsec_")
	if page.status != http.StatusOK || !found {
		t.Fatalf("add: %d %.300s", page.status, page.body)
	}
	p.secret = "whsec_" + rest[:strings.IndexAny(rest, `"<`)]
	_, rest, _ = strings.Cut(p.developer.get("/dev/forwards").body, `href="/dev/forwards/`)
	p.path = "/dev/forwards/" + rest[:strings.IndexByte(rest, '"')]

	return p
}

// send passes on what waits, until something says it is enough.
func (p *passing) send(t *testing.T, what string, enough func() bool) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- forward.NewSender(p.DB, p.keys, p.config.Doors(), slog.New(slog.DiscardHandler)).Run(ctx)
	}()
	for deadline := time.Now().Add(time.Minute); !enough(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Errorf("waited in vain until %s", what)
			break
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// From the form to the business's own system and back into the log, as a developer sees it; and nobody else sees the address.
func TestForwardFromFormToLog(t *testing.T) {
	t.Parallel()
	p := passes(t)
	b := p.developer
	if again := b.get(p.path); strings.Contains(again.body, p.secret) || !strings.Contains(again.body, "canarytoken") {
		t.Error("the secret is shown again, or the address is not")
	}
	if list := b.get("/dev/forwards"); !strings.Contains(list.body, "/hook<") || strings.Contains(list.body, "canarytoken") {
		t.Error("the list does not say which address it is, or says what is secret of it")
	}
	p.member(t, p.clinic, "aud", "auditor")
	auditor := p.signedIn(t, "aud")
	for _, path := range []string{"/dev/forwards", p.path} {
		if r := auditor.get(path); r.status != http.StatusOK || strings.Contains(r.body, "canarytoken") || strings.Contains(r.body, `data-testid="pause-forward"`) {
			t.Errorf("%s: an auditor sees the address or may act: %d", path, r.status)
		}
	}

	number := sandbox.Known().Numbers[0]
	raw := `{"object":"whatsapp_business_account","entry":[` + textTo(number, "wamid.fwd", "hello") + `]}`
	if r := p.deliver(t, hook, raw, signed(sandboxSecret, raw)); r.status != http.StatusOK {
		t.Fatalf("deliver: %d", r.status)
	}
	p.drain(t)
	p.send(t, "it is taken", func() bool { return strings.Contains(b.get(p.path+"?state=sent").body, `data-testid="line-`) })
	contact := p.got.Load().Get("X-Identity-Contact")
	if r := b.get("/contacts/" + contact); contact == "" || r.status != http.StatusOK {
		t.Errorf("the contact named to the system: %q, %d", contact, r.status)
	}

	p.status.Store(http.StatusBadGateway)
	b.want(b.post(p.path+"/test", nil), http.StatusSeeOther, p.path)
	p.send(t, "the test fails", func() bool { return strings.Contains(b.get(p.path).body, "It answered 502.") })
	page := b.get(p.path)
	b.has(page, http.StatusOK, `data-testid="forward-failing"`, "&lt;b&gt;our own words&lt;/b&gt;")
	b.post("/language", url.Values{"lang": {"hi"}})
	b.has(b.get(p.path), http.StatusOK, "उसने 502 जवाब दिया।")
	b.post("/language", url.Values{"lang": {"en"}})

	if home := b.get("/home"); strings.Contains(home.body, `data-testid="task-forward"`) {
		t.Error("home speaks of a moment's trouble")
	}
	if err := p.DB.As(t.Context(), p.clinic.ID, func(tx *tenants.Tx) error {
		_, err := tx.ExecContext(t.Context(), `UPDATE forward_targets SET failing_since = now() - interval '2 hours' WHERE tenant_id = $1`, p.clinic.ID)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	b.has(b.get("/home"), http.StatusOK, `data-testid="task-forward"`, "does not take webhooks passed on to it")

	b.want(b.post(p.path+"/state", url.Values{"to": {"paused"}}), http.StatusSeeOther, p.path)
	b.has(b.post(p.path+"/test", nil), http.StatusConflict, "It is not running")
	b.want(b.post(p.path+"/state", url.Values{"to": {"on"}}), http.StatusSeeOther, p.path)
	if r := b.post(p.path+"/state", url.Values{"to": {"gone"}}); r.status != http.StatusUnprocessableEntity {
		t.Errorf("to a state there is not: %d", r.status)
	}
	if r := b.post(p.path+"/secret", nil); r.status != http.StatusOK || !strings.Contains(r.body, "whsec_") || strings.Contains(r.body, p.secret) {
		t.Errorf("a new secret: %d", r.status)
	}
	if r := b.post(p.path+"/remove", url.Values{"confirm": {"another"}}); r.status != http.StatusUnprocessableEntity {
		t.Errorf("removed without its name: %d", r.status)
	}
	b.want(b.post(p.path+"/remove", url.Values{"confirm": {p.system.Listener.Addr().String()}}), http.StatusSeeOther, "/dev/forwards")
	if r := b.get(p.path); r.status != http.StatusNotFound {
		t.Errorf("the page of one that was removed: %d", r.status)
	}

	asha := p.signedIn(t, "asha")
	trail := asha.get("/audit")
	for _, did := range []string{"Address for webhooks added", "Test sent to an address", "Passing on paused", "Passing on resumed", "Secret of an address replaced", "Address for webhooks removed"} {
		if !strings.Contains(trail.body, did) {
			t.Errorf("the audit does not say: %s", did)
		}
	}
	if strings.Contains(trail.body, "canarytoken") {
		t.Error("the audit holds the address")
	}
}

// Attack cases 79 and 82: what leads inward is refused in the form with the reason, and leaves nothing.
func TestForwardAddressesAreRefused(t *testing.T) {
	t.Parallel()
	p := passes(t)
	for address, said := range map[string]string{
		"http://169.254.169.254/latest/meta-data": "begin with https", "https://127.0.0.1/": "the name of your server", "https://localhost/": "the name of your server",
		"https://shop.example:5432/": "ports 443 and 8443", "https://user:pass@shop.example/": "before the @", "": "fill", p.system.URL + "/hook?token=canarytoken": "on the list already",
		"https://shop.example/" + strings.Repeat("a", 8000): "too long",
	} {
		if r := p.developer.post("/dev/forwards", url.Values{"address": {address}}); r.status < 400 || r.status >= 500 || !strings.Contains(strings.ToLower(r.body), strings.ToLower(said)) {
			t.Errorf("%.50q: %d without %q", address, r.status, said)
		}
	}
	if n := strings.Count(p.developer.get("/dev/forwards").body, `data-testid="forward-0`); n != 1 {
		t.Errorf("addresses: %d, want the one that was good", n)
	}
}

// Another business's address is as if it were not.
func TestForwardsNotIfAnotherTenant(t *testing.T) {
	t.Parallel()
	p := passes(t)
	ravi := p.signedIn(t, "ravi")
	if r := ravi.get(p.path); r.status != http.StatusNotFound {
		t.Errorf("GET: %d", r.status)
	}
	for action, form := range map[string]url.Values{
		"state": {"to": {"paused"}}, "test": nil, "again": nil, "secret": nil, "remove": {"confirm": {p.system.Listener.Addr().String()}},
	} {
		if r := ravi.post(p.path+"/"+action, form); r.status != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", action, r.status)
		}
	}
	if r := ravi.get("/dev/forwards"); strings.Contains(r.body, p.system.Listener.Addr().String()) {
		t.Error("another business sees the address")
	}
}
