package numbers_test

import (
	"context"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/sandbox"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// metaWindow is Meta's window, its Graph and the callback, in front of a place whose platform has an app. It knows which calls were made.
type metaWindow struct {
	meta
	place
	stand *sandbox.Graph
	url   string
	took  chan []byte // webhooks that were signed right

	mu      sync.Mutex
	calls   []string
	answers map[string]http.HandlerFunc // by path, instead of the stand-in's answer
}

func newWindow(t *testing.T) *metaWindow {
	t.Helper()

	w := &metaWindow{place: newPlace(t), took: make(chan []byte, 64), answers: map[string]http.HandlerFunc{}}
	hook := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(rw, r.URL.Query().Get("hub.challenge"))
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || !whatsapp.VerifySignature(r.Header.Get("X-Hub-Signature-256"), body, []byte(appSecret)) {
			rw.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.took <- body
	}))
	t.Cleanup(hook.Close)
	w.stand = sandbox.NewGraph(sandbox.GraphOptions{
		AppSecret: []byte(appSecret), VerifyToken: verifyToken, CallbackURL: hook.URL, Pace: time.Millisecond,
	})
	t.Cleanup(w.stand.Close)
	api := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.calls = append(w.calls, r.Method+" "+r.URL.Path)
		instead := w.answers[r.URL.Path]
		w.mu.Unlock()
		if instead != nil {
			instead(rw, r)
			return
		}
		w.stand.ServeHTTP(rw, r)
	}))
	t.Cleanup(api.Close)
	w.url, w.callback, w.graph = api.URL, hook.URL, whatsapp.NewGraph(api.URL)
	w.addApp(t, uuid.Nil, "platform")

	return w
}

func (w *metaWindow) instead(path string, answer http.HandlerFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers[path] = answer
}

func (w *metaWindow) called(part string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, call := range w.calls {
		if strings.Contains(call, part) {
			n++
		}
	}

	return n
}

var toldCode = regexp.MustCompile(`data-code="([^"]*)"`)

// choose presses a button in the window and returns the code it gives.
func (w *metaWindow) choose(t *testing.T, n sandbox.Number, feature, outcome string) string {
	t.Helper()

	resp, err := http.PostForm(w.url+"/dialog", url.Values{"number": {n.PhoneNumberID}, "feature": {feature}, "outcome": {outcome}, "opener": {"http://here"}})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	code := toldCode.FindSubmatch(page)
	if code == nil {
		t.Fatalf("the window gave no code: %s", page)
	}

	return html.UnescapeString(string(code[1]))
}

const keepsApp = "whatsapp_business_app_onboarding"

func (w *metaWindow) signup(tenant uuid.UUID, in numbers.SignupInput) (numbers.Number, error) {
	in.App, in.PublicURL = "platform", w.callback

	return numbers.Signup(context.Background(), w.DB, w.keys, w.graph, meera, tenant, in)
}

func TestSignupOfANewNumberRegistersIt(t *testing.T) {
	t.Parallel()
	w := newWindow(t)
	_, fresh := sandbox.SignupNumbers()

	code := w.choose(t, fresh, "", "finish")
	n, err := w.signup(w.asha, numbers.SignupInput{Code: code, WABAID: fresh.WABAID, PhoneNumberID: fresh.PhoneNumberID, PortfolioID: fresh.PortfolioID})
	if err != nil {
		t.Fatal(err)
	}
	if n.PhoneNumberID != fresh.PhoneNumberID || n.DisplayPhone != fresh.DisplayPhone || n.OnApp || n.OnboardedAt == nil || n.State != numbers.Waiting {
		t.Errorf("got %+v, want the new number, waiting", n)
	}
	if n.TokenExpiresAt == nil || time.Until(*n.TokenExpiresAt) < 59*24*time.Hour {
		t.Errorf("token ends %v, want it in 60 days", n.TokenExpiresAt)
	}
	if got := said(n.Checks); !slices.Contains(got, "registered") || !slices.Contains(got, "subscribed") {
		t.Errorf("checks: got %v, want it subscribed and registered", got)
	}
	if !w.stand.Registered(fresh.PhoneNumberID) {
		t.Error("a new number was not registered")
	}
	if got := w.auditOf(t, w.asha, "number.register"); got != 1 {
		t.Errorf("audit entries of the registration: got %d, want 1", got)
	}
	if _, err := w.get(w.ravi, n.ID); err == nil {
		t.Error("another tenant sees the number")
	}

	// The same window again, as when the token has run out: the number gets the new token and stays what it is.
	again, err := w.signup(w.asha, numbers.SignupInput{Code: w.choose(t, fresh, "", "finish"), WABAID: fresh.WABAID, PhoneNumberID: fresh.PhoneNumberID})
	if err != nil || again.ID != n.ID {
		t.Errorf("sign up again: got %s (%v), want number %s with a new token", again.ID, err, n.ID)
	}
	if got := w.called("/register"); got != 1 {
		t.Errorf("registered %d times, want once", got)
	}
	if _, err := w.signup(w.ravi, numbers.SignupInput{Code: w.choose(t, fresh, "", "finish")}); tenants.ConflictCode(err) != "number_taken" {
		t.Errorf("another tenant signs the same number up: got %v, want number_taken", err)
	}
}

func TestCoexistenceNeverRegisters(t *testing.T) {
	t.Parallel()
	w := newWindow(t)
	inApp, _ := sandbox.SignupNumbers()

	// The window names the account only.
	n, err := w.signup(w.asha, numbers.SignupInput{OnApp: true, Code: w.choose(t, inApp, keepsApp, "finish"), WABAID: inApp.WABAID})
	if err != nil {
		t.Fatal(err)
	}
	if n.PhoneNumberID != inApp.PhoneNumberID || !n.OnApp {
		t.Errorf("got %+v, want the number of the app", n)
	}
	if _, err := numbers.Recheck(context.Background(), w.DB, w.keys, w.graph, meera, w.asha, n.ID, w.callback); err != nil {
		t.Fatal(err)
	}
	// Also not through the other door: Meta says that the number is in the app.
	if _, err := w.signup(w.asha, numbers.SignupInput{Code: w.choose(t, inApp, "", "finish"), WABAID: inApp.WABAID, PhoneNumberID: inApp.PhoneNumberID}); err != nil {
		t.Errorf("through the other door: %v", err)
	}
	if got := w.called("/register"); got != 0 {
		t.Errorf("register was called %d times for a number in the Business app", got)
	}
}

func TestSignupSaysWhatWentWrong(t *testing.T) {
	t.Parallel()
	w := newWindow(t)
	inApp, fresh := sandbox.SignupNumbers()
	used := w.choose(t, fresh, "", "finish")
	if _, err := w.graph.ExchangeCode(context.Background(), "1", "secret", used); err != nil {
		t.Fatal(err)
	}

	for _, c := range []struct {
		name string
		in   numbers.SignupInput
		want string
	}{
		{"no code", numbers.SignupInput{}, "signup_no_code"},
		{"made-up code", numbers.SignupInput{Code: "AQmade-up"}, "signup_refused"},
		{"late", numbers.SignupInput{Code: w.choose(t, fresh, "", "late")}, "signup_expired"},
		{"used, says the window", numbers.SignupInput{Code: w.choose(t, fresh, "", "used")}, "signup_used"},
		{"used before", numbers.SignupInput{Code: used}, "signup_used"},
		{"only the account", numbers.SignupInput{Code: w.choose(t, fresh, "", "account")}, "signup_no_number"},
		{"account of somebody else", numbers.SignupInput{Code: w.choose(t, fresh, "", "finish"), WABAID: sandbox.Known().Numbers[0].WABAID}, "signup_other_account"},
		{"number of somebody else", numbers.SignupInput{Code: w.choose(t, fresh, "", "finish"), PhoneNumberID: inApp.PhoneNumberID}, "signup_other_account"},
	} {
		_, err := w.signup(w.asha, c.in)
		if got := tenants.ConflictCode(err); got != c.want {
			t.Errorf("%s: got %q (%v), want %q", c.name, got, err, c.want)
		}
		if err != nil && c.in.Code != "" && strings.Contains(err.Error(), c.in.Code) {
			t.Errorf("%s: the error holds the code", c.name)
		}
	}

	// Where the session's words were lost, the token itself tells the account and the number.
	if n, err := w.signup(w.asha, numbers.SignupInput{Code: w.choose(t, fresh, "", "silent")}); err != nil || n.PhoneNumberID != fresh.PhoneNumberID {
		t.Errorf("window said nothing: got %s (%v), want the number all the same", n.PhoneNumberID, err)
	}
	w.instead("/oauth/access_token", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	if _, err := w.signup(w.asha, numbers.SignupInput{Code: "AQ"}); tenants.ConflictCode(err) != "signup_away" {
		t.Errorf("Meta away: got %v, want signup_away", err)
	}
	if _, err := numbers.Signup(context.Background(), w.DB, w.keys, w.graph, meera, w.asha, numbers.SignupInput{App: "none", Code: "AQ"}); tenants.ConflictCode(err) != "signup_off" {
		t.Errorf("no platform app: got %v, want signup_off", err)
	}
	w.addApp(t, w.asha, "ashas-own")
	if _, err := numbers.Signup(context.Background(), w.DB, w.keys, w.graph, meera, w.asha, numbers.SignupInput{App: "ashas-own", Code: "AQ"}); tenants.ConflictCode(err) != "signup_off" {
		t.Errorf("a tenant's own app: got %v, want signup_off", err)
	}
}

func TestRegistrationThatFailedIsTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWindow(t)
	_, fresh := sandbox.SignupNumbers()
	path := "/" + fresh.PhoneNumberID + "/register"
	w.instead(path, func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(rw, `{"error":{"code":100,"message":"not now"}}`)
	})

	n, err := w.signup(w.asha, numbers.SignupInput{Code: w.choose(t, fresh, "", "finish")})
	if err != nil || !slices.Contains(said(n.Checks), "registered:not_registered") || n.RegisteredAt != nil {
		t.Fatalf("got %v (%v), want it connected and not registered", said(n.Checks), err)
	}
	w.instead(path, nil)
	n, err = numbers.Recheck(context.Background(), w.DB, w.keys, w.graph, meera, w.asha, n.ID, w.callback)
	if err != nil || !slices.Contains(said(n.Checks), "registered") || n.RegisteredAt == nil {
		t.Errorf("check again: got %v (%v), want it registered", said(n.Checks), err)
	}
}
