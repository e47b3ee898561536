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
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server"
	"github.com/pehchan/pehchan/tenants"
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
	st.Server = st.open(t, server.Config{PublicURL: outside.URL, GraphURL: meta.URL})

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

func TestItemsSetAside(t *testing.T) {
	t.Parallel()
	st := newGraphSite(t)
	st.work(t)
	asha, number := st.signedIn(t, "asha"), sandbox.Known().Numbers[0]
	at := asha.connect(number)
	odd := textMessage("odd")
	delete(odd, "id")
	st.send(t, delivery(number, textMessage("good"), odd))

	r := asha.until(at+"/live", `data-testid="raw-`)
	item := regexp.MustCompile(`href="(/numbers/[^/]+/items/(\d+))"`).FindStringSubmatch(r.body)
	if item == nil || !strings.Contains(r.body, "It has no message id.") || !strings.Contains(r.body, `hx-swap-oob="morph:outerHTML"`) {
		t.Fatalf("want the item with its reason: %s", r.body)
	}
	if r := asha.get("/home"); !strings.Contains(r.body, `data-testid="task-aside"`) || !strings.Contains(r.body, at+"#items") {
		t.Errorf("want home to lead to it: %s", r.body)
	}

	st.member(t, st.clinic, "meera", "lead")
	st.member(t, st.clinic, "arjun", "developer")
	for _, c := range []struct {
		who   string
		clear bool
		tries bool // may replay
	}{{"asha", true, true}, {"meera", true, false}, {"arjun", false, true}} {
		r := st.signedIn(t, c.who).get(item[1])
		if r.status != http.StatusOK || strings.Contains(r.body, "919800000101") != c.clear || strings.Contains(r.body, "parcel") != c.clear ||
			strings.Contains(r.body, `data-testid="replay-`+item[2]) != c.tries || !strings.Contains(r.body, "timestamp") {
			t.Errorf("%s: want clear %v and replay %v, got %d %s", c.who, c.clear, c.tries, r.status, r.body)
		}
	}

	ravi := st.signedIn(t, "ravi")
	if r := ravi.get(item[1]); r.status != http.StatusNotFound {
		t.Errorf("another business's item: want 404, got %d", r.status)
	}
	if r := ravi.post(at+"/replay", url.Values{"item": {item[2]}}); r.status != http.StatusNotFound {
		t.Errorf("replay another business's item: want 404, got %d", r.status)
	}

	asha.get(at)
	asha.want(asha.post(at+"/replay", url.Values{"item": {item[2]}}), http.StatusSeeOther, at+"#items")
	asha.want(asha.post(at+"/replay", nil), http.StatusSeeOther, at+"#items")
	if r := asha.post(at+"/replay", url.Values{"item": {"x"}}); r.status != http.StatusNotFound {
		t.Errorf("replay nonsense: want 404, got %d", r.status)
	}
	if r := asha.get("/audit?about=numbers"); strings.Count(r.body, "Events tried again") < 2 && strings.Count(r.body, "ingest.replay") < 2 {
		t.Errorf("want both replays in the audit: %s", r.body)
	}
	if r := asha.get(at + "?before=1.x"); r.status != http.StatusNotFound {
		t.Errorf("a made-up place in the list: want 404, got %d", r.status)
	}
}

// What names no number of the business is found beside its numbers.
func TestItemsOfNoNumber(t *testing.T) {
	t.Parallel()
	st := newGraphSite(t)
	st.work(t)
	asha, ravi := st.signedIn(t, "asha"), st.signedIn(t, "ravi")
	asha.get("/apps")
	asha.want(asha.post("/apps", url.Values{"name": {"asha-own"}, "meta_app_id": {"77"}, "app_secret": {"secret-of-asha"}, "verify_token": {"verify-asha"}}),
		http.StatusSeeOther, "/apps")
	body := `{"object":"whatsapp_business_account","entry":"919800000101"}`
	if r := st.deliver(t, "/hooks/whatsapp/asha-own", body, signed("secret-of-asha", body)); r.status != http.StatusOK {
		t.Fatalf("deliver: want 200, got %d", r.status)
	}

	r := asha.until("/numbers", `data-testid="raw-`)
	item := regexp.MustCompile(`href="(/numbers/items/(\d+))"`).FindStringSubmatch(r.body)
	if item == nil || !strings.Contains(r.body, "The whole delivery could not be read.") {
		t.Fatalf("want the delivery with its reason: %s", r.body)
	}
	if r := asha.get("/home"); !strings.Contains(r.body, `href="/numbers#items"`) {
		t.Errorf("want home to lead to it: %s", r.body)
	}
	if r := asha.get(item[1]); r.status != http.StatusOK || !strings.Contains(r.body, "whatsapp_business_account") {
		t.Errorf("want its bytes, got %d %s", r.status, r.body)
	}
	if r := asha.get("/numbers/" + uuid.Nil.String() + "/items/" + item[2]); r.status != http.StatusNotFound {
		t.Errorf("by the nil number: want 404, got %d", r.status)
	}
	if r := ravi.get(item[1]); r.status != http.StatusNotFound {
		t.Errorf("another business's: want 404, got %d", r.status)
	}
	if r := ravi.post("/numbers/replay", url.Values{"item": {item[2]}}); r.status != http.StatusNotFound {
		t.Errorf("replay another business's: want 404, got %d", r.status)
	}
	asha.want(asha.post("/numbers/replay", nil), http.StatusSeeOther, "/numbers#items")
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

func TestHomeOfATeam(t *testing.T) {
	t.Parallel()
	st := newGraphSite(t)
	st.work(t)
	asha, number := st.signedIn(t, "asha"), sandbox.Known().Numbers[0]
	at := asha.connect(number)
	st.send(t, delivery(number, textMessage("one")))
	asha.until(at+"/live", "first-arrived")
	st.exec(t, `UPDATE people SET density = 'team'`)

	r := asha.get("/home")
	for _, want := range []string{`data-testid="stat-coverage"`, "1 of 1 customers", `data-testid="stat-lost"`, "of 1 received"} {
		if !strings.Contains(r.body, want) {
			t.Errorf("want %q at home: %s", want, r.body)
		}
	}
	st.member(t, st.clinic, "tara", "marketing")
	st.exec(t, `UPDATE people SET density = 'team'`)
	if r := st.signedIn(t, "tara").get("/home"); strings.Contains(r.body, `href="/resolve"`) || strings.Contains(r.body, `href="/numbers"`) || !strings.Contains(r.body, "stat-coverage") {
		t.Errorf("want figures without ways that are shut: %s", r.body)
	}
	if r := st.signedIn(t, "ravi").get("/home"); !strings.Contains(r.body, "0 of 0 customers") || strings.Contains(r.body, "Priya") {
		t.Errorf("want nothing of another business: %s", r.body)
	}
}

func TestApps(t *testing.T) {
	t.Parallel()
	st := newGraphSite(t)
	asha := st.signedIn(t, "asha")
	asha.get("/apps")
	form := url.Values{"name": {"asha-own"}, "meta_app_id": {"77"}, "app_secret": {"secret-of-asha"}, "verify_token": {"verify-asha"}}
	asha.want(asha.post("/apps", form), http.StatusSeeOther, "/apps")
	if r := asha.post("/apps", form); r.status != http.StatusConflict || !strings.Contains(r.body, "in use") || strings.Contains(r.body, "secret-of-asha") {
		t.Errorf("the same name: want 409 without the secret, got %d %s", r.status, r.body)
	}

	r := asha.get("/apps")
	if !strings.Contains(r.body, st.origin+"/hooks/whatsapp/asha-own") || strings.Contains(r.body, "secret-of-asha") || strings.Contains(r.body, "verify-asha") {
		t.Errorf("want the webhook address and no secret: %s", r.body)
	}
	rotation := url.Values{"app_secret": {"another-secret"}, "verify_token": {"another-token"}, "keep": {"24"}}
	asha.want(asha.post("/apps/asha-own/rotate", rotation), http.StatusSeeOther, "/apps")
	if r := asha.get("/apps"); !strings.Contains(r.body, "Old and new secret both hold until") {
		t.Errorf("want the page to say until when: %s", r.body)
	}
	for _, keep := range []string{"0", "-1", "721", "x", "99999999999999999999", ""} {
		rotation.Set("keep", keep)
		if r := asha.post("/apps/asha-own/rotate", rotation); r.status != 422 || !strings.Contains(r.body, "up to 30 days") {
			t.Errorf("keep for %q hours: want 422, got %d", keep, r.status)
		}
	}

	rotation = url.Values{"app_secret": {"another-secret"}, "verify_token": {"another-token"}, "keep": {"24"}}
	ravi := st.signedIn(t, "ravi")
	if r := ravi.get("/apps"); strings.Contains(r.body, "asha-own") || !strings.Contains(r.body, "/hooks/whatsapp/demo") {
		t.Errorf("want the platform's app alone: %s", r.body)
	}
	for _, app := range []string{"asha-own", "demo"} {
		if r := ravi.post("/apps/"+app+"/rotate", rotation); r.status != http.StatusNotFound {
			t.Errorf("rotate %s: want 404, got %d", app, r.status)
		}
	}
}

func TestOperatorSeesCountsAndNobody(t *testing.T) {
	t.Parallel()
	st := newGraphSite(t)
	st.work(t)
	asha, known := st.signedIn(t, "asha"), sandbox.Known().Numbers
	at := asha.connect(known[0])
	st.send(t, delivery(known[0], textMessage("one")))
	st.send(t, delivery(known[3], textMessage("two"), textMessage("three")))
	asha.until(at+"/live", "first-arrived")

	st.operator(t, "omar", "support")
	omar := st.signedIn(t, "omar")
	held := omar.until("/op/held", `data-testid="held-row"`)
	for _, want := range []string{known[3].PhoneNumberID, "Nobody has connected this number.", "demo", "2 events are held"} {
		if !strings.Contains(held.body, want) {
			t.Errorf("want %q among the held: %s", want, held.body)
		}
	}
	op := omar.get("/op")
	for _, want := range []string{"asha-clinic", "ravi-motors", "See the 2 held events"} {
		if !strings.Contains(op.body, want) {
			t.Errorf("want %q on the operator's page: %s", want, op.body)
		}
	}
	for _, r := range []answer{held, op} {
		if r.status != http.StatusOK || strings.Contains(r.body, "9800000101") || strings.Contains(r.body, "Priya") || strings.Contains(r.body, "IN.1001") || strings.Contains(r.body, "parcel") {
			t.Errorf("want nobody's customer on an operator's page, got %d %s", r.status, r.body)
		}
	}
	if n := strings.Count(held.body[:strings.Index(held.body, "<main")], `aria-current="page"`); n != strings.Count(op.body[:strings.Index(op.body, "<main")], `aria-current="page"`) {
		t.Errorf("want held alone to be current there, got %d places", n)
	}
	for _, path := range []string{"/home", "/numbers", at} {
		if r := omar.get(path); r.status != http.StatusForbidden {
			t.Errorf("%s: want an operator refused, got %d", path, r.status)
		}
	}
	if r := omar.get("/op?after=x"); r.status != http.StatusNotFound {
		t.Errorf("a made-up place in the list: want 404, got %d", r.status)
	}

	// Connecting the number adopts what was held.
	ravi := st.signedIn(t, "ravi")
	ravi.get("/numbers/new/manual")
	ravi.connect(known[3])
	omar.until("/op/held", `data-testid="empty"`)
}

func TestCountsAreOfOneBusiness(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	ctx := context.Background()
	counts := func(tenant tenants.Tenant) (n map[uuid.UUID]ingest.Counts) {
		err := st.DB.As(ctx, tenant.ID, func(tx *tenants.Tx) (err error) {
			n, err = ingest.NumberCounts(ctx, tx)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}

		return n
	}
	st.exec(t, `INSERT INTO inbox_counters (tenant_id, number_id, slot, received, routed) VALUES ($1, $2, 0, 3, 3)`, st.clinic.ID, uuid.New())
	if got := counts(st.clinic); len(got) != 1 {
		t.Errorf("want the clinic's number counted, got %v", got)
	}
	if got := counts(st.motors); len(got) != 0 {
		t.Errorf("want nothing of another business counted, got %v", got)
	}
}
