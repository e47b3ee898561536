package sandbox_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pehchan/pehchan/tenants/sandbox"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

const (
	secret = "sandbox_app_secret"
	verify = "sandbox_verify_token"
	clinic = "224466880013579"
	waba   = "318840557712904"
)

// callback is a webhook endpoint that passes what it takes to a channel.
func callback(t *testing.T) (url string, taken chan whatsapp.Item) {
	t.Helper()
	taken = make(chan whatsapp.Item, 64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			if r.URL.Query().Get("hub.mode") != "subscribe" || r.URL.Query().Get("hub.verify_token") != verify {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			io.WriteString(w, r.URL.Query().Get("hub.challenge"))
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || !whatsapp.VerifySignature(r.Header.Get("X-Hub-Signature-256"), body, []byte(secret)) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		items, err := whatsapp.Split(body)
		if err != nil {
			t.Errorf("split: %v", err)
		}
		for _, item := range items {
			taken <- item
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, taken
}

// meta is a running sandbox that delivers to a callback of its own.
func meta(t *testing.T) (whatsapp.Graph, string, chan whatsapp.Item) {
	t.Helper()
	url, taken := callback(t)
	graph := sandbox.NewGraph(sandbox.GraphOptions{
		AppSecret: []byte(secret), VerifyToken: verify, CallbackURL: url, Pace: time.Millisecond,
	})
	server := httptest.NewServer(graph)
	t.Cleanup(server.Close)
	t.Cleanup(graph.Close)
	return whatsapp.NewGraph(server.URL + "/v26.0"), url, taken
}

func token(t *testing.T, state sandbox.TokenState) string {
	t.Helper()
	for _, token := range sandbox.Known().Tokens {
		if token.State == state {
			return token.Token
		}
	}
	t.Fatalf("no %s token", state)
	return ""
}

func TestNumberAndWABA(t *testing.T) {
	t.Parallel()
	graph, _, _ := meta(t)
	good := token(t, sandbox.TokenGood)

	number, err := graph.PhoneNumber(t.Context(), good, clinic)
	if err != nil {
		t.Fatal(err)
	}
	if number.DisplayPhone != "15550199042" || number.VerifiedName != "Asha Clinic" || number.PlatformType != "CLOUD_API" {
		t.Errorf("number: got %+v", number)
	}
	numbers, err := graph.WABANumbers(t.Context(), good, waba)
	if err != nil || len(numbers) != 2 {
		t.Errorf("numbers: got %d, %v, want 2", len(numbers), err)
	}
	account, err := graph.WABA(t.Context(), good, waba)
	if err != nil || account.PortfolioID != "506914300000001" {
		t.Errorf("WABA: got %+v, %v", account, err)
	}
}

func TestRefusalsAreShapedLikeMetas(t *testing.T) {
	t.Parallel()
	graph, _, _ := meta(t)
	good, expired, narrow := token(t, sandbox.TokenGood), token(t, sandbox.TokenExpired), token(t, sandbox.TokenLacksScopes)

	number := func(token, id string) error {
		_, err := graph.PhoneNumber(t.Context(), token, id)
		return err
	}
	send := func(token, id, to string) error {
		_, err := graph.Send(t.Context(), token, id, whatsapp.Outgoing{Address: to, Text: "hello"})
		return err
	}
	for name, c := range map[string]struct {
		err           error
		code, subcode int
	}{
		"unknown token":      {number("nonsense", clinic), 190, 0},
		"no token":           {number("", clinic), 190, 0},
		"expired token":      {number(expired, clinic), 190, 463},
		"lacks permission":   {number(narrow, clinic), 10, 0},
		"unknown id":         {number(good, "1"), 100, 33},
		"deleted number":     {number(good, sandbox.Known().Deleted), 33, 0},
		"send not granted":   {send(narrow, clinic, "919800000101"), 200, 0},
		"send from unknown":  {send(good, "1", "919800000101"), 100, 33},
		"manage not granted": {graph.Subscribe(t.Context(), narrow, waba, "", ""), 200, 0},
		"override no token":  {graph.Subscribe(t.Context(), good, waba, "http://127.0.0.1:1/", ""), 100, 0},
	} {
		var refused *whatsapp.GraphError
		if !errors.As(c.err, &refused) || refused.Code != c.code || refused.Subcode != c.subcode {
			t.Errorf("%s: got %v, want code %d/%d", name, c.err, c.code, c.subcode)
		}
	}
}

func TestDebugToken(t *testing.T) {
	t.Parallel()
	graph, _, _ := meta(t)

	info, err := graph.DebugToken(t.Context(), "6340|app_secret", token(t, sandbox.TokenGood))
	if err != nil || !info.Valid || !info.ExpiresAt.IsZero() || info.AppID != "6340" || !info.HasScope("whatsapp_business_messaging") {
		t.Errorf("good: got %+v, %v", info, err)
	}
	if targets := info.Targets["whatsapp_business_management"]; len(targets) != 3 || targets[0] != waba {
		t.Errorf("targets: got %v", targets)
	}
	info, err = graph.DebugToken(t.Context(), "6340|app_secret", token(t, sandbox.TokenExpired))
	if err != nil || info.Valid || info.ExpiresAt.IsZero() || info.Problem == "" {
		t.Errorf("expired: got %+v, %v", info, err)
	}
	info, err = graph.DebugToken(t.Context(), "6340|app_secret", token(t, sandbox.TokenLacksScopes))
	if err != nil || !info.Valid || info.HasScope("whatsapp_business_messaging") {
		t.Errorf("lacking scopes: got %+v, %v", info, err)
	}
	if info, err = graph.DebugToken(t.Context(), "6340|app_secret", "nonsense"); err != nil || info.Valid {
		t.Errorf("unknown: got %+v, %v", info, err)
	}
}

func TestSubscribeMakesTheHandshake(t *testing.T) {
	t.Parallel()
	graph, url, _ := meta(t)
	good := token(t, sandbox.TokenGood)

	if err := graph.Subscribe(t.Context(), good, waba, url+"/hooks/whatsapp/x?a=b", verify); err != nil {
		t.Fatalf("override: %v", err)
	}
	apps, err := graph.SubscribedApps(t.Context(), good, waba)
	if err != nil || len(apps) != 1 || apps[0].CallbackURL != url+"/hooks/whatsapp/x?a=b" {
		t.Errorf("apps: got %+v, %v", apps, err)
	}
	if err := graph.Subscribe(t.Context(), good, waba, "", ""); err != nil {
		t.Errorf("the app's own callback: %v", err)
	}
	for name, err := range map[string]error{
		"wrong verify token": graph.Subscribe(t.Context(), good, waba, url, "wrong"),
		"another host":       graph.Subscribe(t.Context(), good, waba, "http://127.0.0.1:1/", verify),
		"not http":           graph.Subscribe(t.Context(), good, waba, "file:///etc/passwd", verify),
	} {
		var refused *whatsapp.GraphError
		if !errors.As(err, &refused) || refused.Code != 2200 || strings.Contains(err.Error(), verify) {
			t.Errorf("%s: got %v, want code 2200", name, err)
		}
	}
}

func TestSendReportsSentAndDelivered(t *testing.T) {
	t.Parallel()
	graph, _, taken := meta(t)
	good := token(t, sandbox.TokenGood)

	for _, address := range []string{"919800000101", sandbox.BSUID("506914300000001", "919800000101")} {
		wamid, err := graph.Send(t.Context(), good, clinic, whatsapp.Outgoing{Address: address, Text: "नमस्ते"})
		if err != nil {
			t.Fatalf("send: %v", err)
		}
		for _, want := range []string{"sent", "delivered"} {
			event := next(t, taken)
			if event.WAMID != wamid || event.Status != want || event.Party.BSUID != sandbox.BSUID("506914300000001", "919800000101") {
				t.Errorf("status: got %s %s %+v, want %s", event.WAMID, event.Status, event.Party, want)
			}
			if (event.Party.Phone != "") != (address == "919800000101") {
				t.Errorf("phone: got %q for a send to %s", event.Party.Phone, address)
			}
		}
	}
}

func next(t *testing.T, taken chan whatsapp.Item) whatsapp.Event {
	t.Helper()
	select {
	case item := <-taken:
		event, err := whatsapp.ParseEvent(item.Kind, item.Body)
		if err != nil {
			t.Fatalf("parse: %v", err)
		}
		return event
	case <-time.After(20 * time.Second):
		t.Fatal("nothing was delivered in 20 s")
		return whatsapp.Event{}
	}
}

func TestSendRefusesWhatIsNoAddress(t *testing.T) {
	t.Parallel()
	graph, _, _ := meta(t)
	for _, address := range []string{"", "hidden", "@asha", "IN.", "12"} {
		if _, err := graph.Send(t.Context(), token(t, sandbox.TokenGood), clinic, whatsapp.Outgoing{Address: address, Text: "x"}); !errors.Is(err, whatsapp.ErrAddress) {
			t.Errorf("%q: got %v, want %v", address, err, whatsapp.ErrAddress)
		}
	}
}

// TestErrorsHoldNoToken asks hostile hosts, which echo the token, redirect it
// away, answer for ever or not at all.
func TestErrorsHoldNoToken(t *testing.T) {
	t.Parallel()

	const canary = "CANARY-0123456789"
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the token was sent to another host")
	}))
	t.Cleanup(elsewhere.Close)
	for name, handler := range map[string]http.HandlerFunc{
		"echo": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusUnauthorized)
			io.WriteString(w, `{"error":{"code":190,"message":"bad token `+canary+`"}}`)
		},
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		},
		"endless": func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"id":"`+strings.Repeat(canary, 100_000))
		},
		"not JSON": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<p>"+canary) },
		"hang up":  func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(handler)
			t.Cleanup(server.Close)
			graph := whatsapp.NewGraph(server.URL)
			_, err := graph.PhoneNumber(t.Context(), canary, "1")
			_, err2 := graph.DebugToken(t.Context(), "1|"+canary, canary)
			for _, err := range []error{err, err2} {
				if err == nil || strings.Contains(err.Error(), canary) {
					t.Errorf("got %v, want an error without the token", err)
				}
			}
		})
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := whatsapp.NewGraph("http://127.0.0.1:1").DebugToken(ctx, "1|"+canary, canary); !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), canary) {
		t.Errorf("cancelled: got %v", err)
	}
}
