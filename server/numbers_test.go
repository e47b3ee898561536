package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/sandbox"
)

const (
	demoSecret = "app-secret-of-demo"
	goodToken  = "sandbox-token-good"
	shown      = 20 * time.Second
)

// newGraphSite is a site that asks the sandbox's Graph, which reaches the site's own webhook address as Meta would.
func newGraphSite(t *testing.T) *site {
	t.Helper()
	st := newSite(t)
	st.app(t, "demo", demoSecret, "verify-me")
	graph := sandbox.NewGraph(sandbox.GraphOptions{})
	t.Cleanup(graph.Close)
	meta := httptest.NewServer(graph)
	t.Cleanup(meta.Close)

	outside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RequestURI = r.URL.RequestURI()
		res, err := st.App().Test(r, -1)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer func() { _ = res.Body.Close() }()
		w.WriteHeader(res.StatusCode)
		_, _ = io.Copy(w, res.Body)
	}))
	t.Cleanup(outside.Close)
	st.origin = outside.URL
	st.Server = st.open(t, config.Config{PublicURL: outside.URL, GraphURL: meta.URL})

	return st
}

// work processes what is delivered until the test ends.
func (st *site) work(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- ingest.NewWorker(st.DB, slog.New(slog.NewTextHandler(st.log, nil))).Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("work: %v", err)
		}
	})
}

// until asks for a page until it says want.
func (b *browser) until(path, want string) answer {
	b.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(shown); ; {
		r := b.get(path)
		if strings.Contains(r.body, want) {
			return r
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("%s: want %q, got %d %s", path, want, r.status, r.body)
		}
		<-tick.C
	}
}

// connectForm is the form filled in for one of the sandbox's numbers.
func connectForm(n sandbox.Number) url.Values {
	return url.Values{
		"app": {"demo"}, "waba_id": {n.WABAID}, "phone_number_id": {n.PhoneNumberID}, "display_phone_number": {"+" + n.DisplayPhone}, "access_token": {goodToken},
	}
}

// connect connects a number through the page and returns the path of its own.
func (b *browser) connect(n sandbox.Number) string {
	b.t.Helper()
	r := b.post("/numbers", connectForm(n))
	if r.status != http.StatusSeeOther || !strings.HasPrefix(r.location, "/numbers/") {
		b.t.Fatalf("connect: want 303 to the number, got %d %q %s", r.status, r.location, r.body)
	}

	return r.location
}

// delivery is a webhook with messages for a number.
func delivery(n sandbox.Number, messages ...any) string {
	raw, err := json.Marshal(map[string]any{
		"object": "whatsapp_business_account",
		"entry": []any{map[string]any{"id": n.WABAID, "changes": []any{map[string]any{"field": "messages", "value": map[string]any{
			"messaging_product": "whatsapp", "metadata": map[string]any{"display_phone_number": n.DisplayPhone, "phone_number_id": n.PhoneNumberID},
			"contacts": []any{map[string]any{"wa_id": "919800000101", "user_id": "IN.1001", "profile": map[string]any{"name": "Priya"}}},
			"messages": messages,
		}}}}},
	})
	if err != nil {
		panic(err)
	}

	return string(raw)
}

func textMessage(id string) map[string]any {
	return map[string]any{
		"from": "919800000101", "from_user_id": "IN.1001", "id": "wamid." + id, "timestamp": fmt.Sprint(time.Now().Unix()), "type": "text",
		"text": map[string]any{"body": "mera parcel kahan hai"},
	}
}

func (st *site) send(t *testing.T, body string) {
	t.Helper()
	if r := st.deliver(t, hook, body, signed(demoSecret, body)); r.status != http.StatusOK {
		t.Fatalf("deliver: want 200, got %d %s", r.status, r.body)
	}
}

func TestConnectAndSeeTheFirstEvent(t *testing.T) {
	t.Parallel()
	st := newGraphSite(t)
	st.work(t)
	asha, number := st.signedIn(t, "asha"), sandbox.Known().Numbers[0]

	for path, want := range map[string]string{
		"/home": `data-testid="task-connect"`, "/numbers": `data-testid="empty"`, "/numbers/new": `href="/numbers/new/manual"`,
		"/numbers/new/manual": `value="demo"`, "/apps": st.origin + "/hooks/whatsapp/demo",
	} {
		if r := asha.get(path); r.status != http.StatusOK || !strings.Contains(r.body, want) {
			t.Errorf("%s: want %s, got %d %s", path, want, r.status, r.body)
		}
	}

	at := asha.connect(number)
	r := asha.get(at)
	for _, want := range []string{"Asha Clinic", `data-testid="first-event"`, `data-live="3"`, `data-testid="toast"`, number.PhoneNumberID, st.origin + hook} {
		if !strings.Contains(r.body, want) {
			t.Errorf("want %q on the page of a number that waits, got %d %s", want, r.status, r.body)
		}
	}
	if strings.Contains(r.body, "check.not_tried") || strings.Count(r.body, `data-state="bad"`) > 0 || strings.Contains(r.body, goodToken) {
		t.Errorf("want every check passed and no token on the page: %s", r.body)
	}
	if r := asha.get("/home"); !strings.Contains(r.body, `data-testid="task-first"`) {
		t.Errorf("want home to say that the number waits: %s", r.body)
	}

	st.send(t, delivery(number, textMessage("one")))
	r = asha.until(at+"/live", `data-testid="first-arrived"`)
	if strings.Contains(r.body, "first-event") || strings.Contains(r.body, "<html") || !strings.Contains(r.body, `data-live="15"`) {
		t.Errorf("want the fragment of a connected number: %s", r.body)
	}
	if r := asha.get("/numbers"); !strings.Contains(r.body, "badge-good") && !strings.Contains(r.body, "Connected") {
		t.Errorf("want it connected in the list: %s", r.body)
	}
	if r := asha.get("/home"); !strings.Contains(r.body, "All is well.") || strings.Contains(r.body, "task-first") {
		t.Errorf("want all well at home: %s", r.body)
	}

	// The same number a second time, and by another business that has its token too.
	if r := asha.post("/numbers", connectForm(number)); r.status != http.StatusConflict || !strings.Contains(r.body, "already connected") {
		t.Errorf("connect again: want 409 with words, got %d %s", r.status, r.body)
	}
	ravi := st.signedIn(t, "ravi")
	if r := ravi.post("/numbers", connectForm(number)); r.status != http.StatusConflict || strings.Contains(r.body, "asha") {
		t.Errorf("connect another's: want 409 without a name, got %d %s", r.status, r.body)
	}
}

func TestConnectListsWhatMetaDidNotConfirm(t *testing.T) {
	t.Parallel()
	st := newGraphSite(t)
	asha, number := st.signedIn(t, "asha"), sandbox.Known().Numbers[0]

	for name, c := range map[string]struct {
		field, value string
		status       int
		want         []string
	}{
		"expired token":     {"access_token", "sandbox-token-expired", 422, []string{"The token has expired.", "Not checked, because", "nothing was saved"}},
		"scopes":            {"access_token", "sandbox-token-lacks-scopes", 422, []string{"whatsapp_business_management, whatsapp_business_messaging"}},
		"another's number":  {"phone_number_id", sandbox.Known().Numbers[2].PhoneNumberID, 422, []string{"This number is not in this WhatsApp account."}},
		"deleted number":    {"phone_number_id", sandbox.Known().Deleted, 422, []string{"The token sees no number with this phone number id."}},
		"another phone":     {"display_phone_number", "919800000480", 422, []string{"WhatsApp says this number is"}},
		"another portfolio": {"portfolio_id", "5", 422, []string{"WhatsApp says the business portfolio is " + number.PortfolioID}},
		"no id":             {"waba_id", "Asha Clinic", 422, []string{"digits only"}},
		"no app":            {"app", "none", 422, []string{"There is no app with this name."}},
	} {
		form := connectForm(number)
		form.Set(c.field, c.value)
		r := asha.post("/numbers", form)
		if r.status != c.status {
			t.Errorf("%s: want %d, got %d %q", name, c.status, r.status, r.location)
		}
		for _, want := range c.want {
			if !strings.Contains(r.body, want) {
				t.Errorf("%s: want %q on the page: %s", name, want, r.body)
			}
		}
		if strings.Contains(r.body, "sandbox-token") || !strings.Contains(r.body, `value="`+form.Get("waba_id")+`"`) {
			t.Errorf("%s: want what was typed filled in again, but the token", name)
		}
	}
	if r := asha.get("/numbers"); !strings.Contains(r.body, `data-testid="empty"`) {
		t.Error("want no number after eight refusals")
	}
}

func TestNumberIsChangedByItsOwnBusinessOnly(t *testing.T) {
	t.Parallel()
	st := newGraphSite(t)
	asha, ravi, number := st.signedIn(t, "asha"), st.signedIn(t, "ravi"), sandbox.Known().Numbers[0]
	at := asha.connect(number)

	for _, path := range []string{at, at + "/live", at + "/items/1", "/numbers/not-an-id", "/numbers/" + uuid.NewString()} {
		if r := ravi.get(path); r.status != http.StatusNotFound {
			t.Errorf("get %s of another business: want 404, got %d", path, r.status)
		}
	}
	for path, form := range map[string]url.Values{
		"/check": nil, "/token": {"access_token": {goodToken}}, "/disconnect": {"confirm": {"9042"}}, "/replay": nil,
	} {
		if r := ravi.post(at+path, form); r.status != http.StatusNotFound {
			t.Errorf("post %s of another business: want 404, got %d", path, r.status)
		}
	}

	asha.want(asha.post(at+"/check", nil), http.StatusSeeOther, at)
	asha.want(asha.post(at+"/token", url.Values{"access_token": {goodToken}}), http.StatusSeeOther, at)
	if r := asha.post(at+"/token", url.Values{"access_token": {"sandbox-token-expired"}}); r.status != 422 || !strings.Contains(r.body, "The token has expired.") {
		t.Errorf("an expired token: want 422 with the reason, got %d %s", r.status, r.body)
	}
	if r := asha.post(at+"/token", url.Values{"access_token": {"short"}}); r.status != 422 || !strings.Contains(r.body, "8 to 512 characters") {
		t.Errorf("no token: want 422 with the reason, got %d %s", r.status, r.body)
	}
	if r := asha.post(at+"/disconnect", url.Values{"confirm": {"0000"}}); r.status != 422 || !strings.Contains(r.body, "does not match") {
		t.Errorf("disconnect without the right digits: want 422, got %d %s", r.status, r.body)
	}
	asha.want(asha.post(at+"/disconnect", url.Values{"confirm": {"9042"}}), http.StatusSeeOther, at)
	if r := asha.get(at); !strings.Contains(r.body, "This number is disconnected.") || strings.Contains(r.body, `data-testid="rotate"`) {
		t.Errorf("want a disconnected number without forms: %s", r.body)
	}
	if r := asha.post(at+"/disconnect", url.Values{"confirm": {"9042"}}); r.status != http.StatusConflict || !strings.Contains(r.body, "This number is disconnected.") {
		t.Errorf("disconnect twice: want 409 with words, got %d %s", r.status, r.body)
	}
	// Disconnected by one, it is free for the other.
	ravi.get("/numbers/new/manual")
	ravi.connect(number)
}

func TestAgentSeesNoNumbers(t *testing.T) {
	t.Parallel()
	st := newGraphSite(t)
	asha := st.signedIn(t, "asha")
	at := asha.connect(sandbox.Known().Numbers[0])
	st.member(t, st.clinic, "joseph", "agent")
	agent := st.signedIn(t, "joseph")

	for _, path := range []string{"/numbers", "/numbers/new", at, at + "/live", at + "/items/1", "/apps", "/op", "/op/held"} {
		if r := agent.get(path); r.status != http.StatusForbidden {
			t.Errorf("%s: want 403, got %d", path, r.status)
		}
	}
	if r := agent.get("/home"); r.status != http.StatusOK || strings.Contains(r.body, `href="/numbers`) {
		t.Errorf("want a home without a way to the numbers, got %d %s", r.status, r.body)
	}
}
