package server_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/sandbox"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

const (
	v1            = "/api/v1"
	sandboxSecret = "app-secret-of-demo"
	sandboxVerify = "verify-me"
)

// apiSite is a site whose two businesses have each a number of the sandbox, the story of it taken in by signed webhooks, and a
// key with both scopes.
type apiSite struct {
	*site
	mine, theirs client
}

func newAPISite(t *testing.T) *apiSite {
	t.Helper()
	st := &apiSite{site: newMetaSite(t)}
	known := sandbox.Known().Numbers
	st.number(t, st.clinic, known[0])
	st.number(t, st.motors, known[2])
	st.mine, st.theirs = st.client(t, st.clinic, "read", "write"), st.client(t, st.motors, "read", "write")

	start := time.Now().Add(-time.Hour)
	for _, n := range []sandbox.Number{known[0], known[2]} {
		for _, d := range sandbox.DemoStory(n, start) {
			if r := st.deliver(t, hook, string(d.Body), signed(sandboxSecret, string(d.Body))); r.status != http.StatusOK {
				t.Fatalf("deliver: want 200, got %d %s", r.status, r.body)
			}
		}
	}
	st.drain(t)

	return st
}

// newMetaSite is a site with the app demo, on the stand-in for Graph; its public address answers handshakes.
func newMetaSite(t *testing.T) *site {
	t.Helper()
	st := newSite(t)
	callback := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != hook || r.URL.Query().Get("hub.verify_token") != sandboxVerify {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = io.WriteString(w, r.URL.Query().Get("hub.challenge"))
	}))
	t.Cleanup(callback.Close)
	stand := sandbox.NewGraph(sandbox.GraphOptions{AppSecret: []byte(sandboxSecret), VerifyToken: sandboxVerify})
	t.Cleanup(stand.Close)
	graph := httptest.NewServer(stand)
	t.Cleanup(graph.Close)

	st.app(t, "demo", sandboxSecret, sandboxVerify)
	st.Server = st.open(t, config.Config{PublicURL: callback.URL, GraphURL: graph.URL + "/v26.0"})

	return st
}

func (st *site) number(t *testing.T, tenant tenants.Tenant, n sandbox.Number) {
	t.Helper()
	_, err := numbers.Connect(context.Background(), st.DB, st.keys, whatsapp.Graph{}, access.Command("test").Actor, tenant.ID, numbers.ConnectInput{
		App: "demo", WABAID: n.WABAID, PhoneNumberID: n.PhoneNumberID, DisplayPhone: n.DisplayPhone, PortfolioID: n.PortfolioID,
		AccessToken: "sandbox-token-good", Unconfirmed: true,
	})
	if err != nil {
		t.Fatalf("connect number: %v", err)
	}
}

// drain lets a worker take in whatever has been delivered.
func (st *site) drain(t *testing.T) {
	t.Helper()
	st.workUntil(t, func() bool {
		fleet, err := ingest.FleetMeter(t.Context(), st.DB)
		if err != nil {
			t.Fatalf("read the meter: %v", err)
		}

		return fleet.Items.Waiting == 0
	})
}

// workUntil runs a worker until done says so.
func (st *site) workUntil(t *testing.T, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	stopped := make(chan error, 1)
	worker := ingest.NewWorker(st.DB, st.deps(t).Log)
	worker.Recognise(st.keys) // without them it could not tell whether somebody was erased
	go func() { stopped <- worker.Run(ctx) }()
	defer func() { cancel(); <-stopped }()

	for !done() {
		select {
		case <-ctx.Done():
			t.Fatalf("the worker is not done:\n%s", st.log)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// message is a text somebody sends, with the handles WhatsApp shows of them.
type message struct {
	wamid, phone, bsuid string
	at                  int64
}

// says delivers a message to a number.
func (st *site) says(t *testing.T, to sandbox.Number, m message) {
	t.Helper()
	contact, item := map[string]any{"wa_id": m.phone}, map[string]any{
		"from": m.phone, "id": m.wamid, "timestamp": strconv.FormatInt(m.at, 10), "type": "text", "text": map[string]any{"body": "hello"},
	}
	if m.bsuid != "" {
		contact["user_id"], item["from_user_id"] = m.bsuid, m.bsuid
	}
	raw, err := json.Marshal(map[string]any{"object": "whatsapp_business_account", "entry": []any{map[string]any{
		"id": to.WABAID, "changes": []any{map[string]any{"field": "messages", "value": map[string]any{
			"messaging_product": "whatsapp", "contacts": []any{contact}, "messages": []any{item},
			"metadata": map[string]any{"display_phone_number": to.DisplayPhone, "phone_number_id": to.PhoneNumberID},
		}}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if r := st.deliver(t, hook, string(raw), signed(sandboxSecret, string(raw))); r.status != http.StatusOK {
		t.Fatalf("deliver: want 200, got %d %s", r.status, r.body)
	}
}

// itemIDs asks for a replay of items.
// itemID is an item as a business's addresses name it.
func (st *site) itemID(of tenants.Tenant, n int64) string {
	return st.keys.Veil(of.ID, ingest.VeilItem).Write(n).String()
}

// itemIDs asks for items of the clinic.
func (st *site) itemIDs(ids ...int64) string {
	var given []string
	for _, id := range ids {
		given = append(given, st.itemID(st.clinic, id))
	}
	list, _ := json.Marshal(given)

	return `{"item_ids":` + string(list) + `}`
}

// client asks the API with a key.
type client struct {
	t   *testing.T
	st  *site
	key string
}

func (st *site) client(t *testing.T, tenant tenants.Tenant, scopes ...string) client {
	t.Helper()
	_, secret := st.key(t, tenant, scopes...)

	return client{t, st, secret}
}

// reply is an answer of the API.
type reply struct {
	answer
	method, path string
	json         map[string]any
}

func (cl client) get(path string) reply { cl.t.Helper(); return cl.do(http.MethodGet, path, "") }

func (cl client) post(path, body string, headers ...string) reply {
	cl.t.Helper()
	return cl.do(http.MethodPost, path, body, headers...)
}

// do sends a body as JSON unless headers, given as name and value in turn, say otherwise. Every answer is held against the
// OpenAPI document.
func (cl client) do(method, path, body string, headers ...string) reply {
	cl.t.Helper()
	b := cl.st.browser(cl.t)
	b.headers = map[string]string{}
	if cl.key != "" {
		b.headers["Authorization"] = "Bearer " + cl.key
	}
	if body != "" {
		b.headers["Content-Type"] = "application/json"
	}
	for i := 0; i+1 < len(headers); i += 2 {
		b.headers[headers[i]] = headers[i+1]
	}

	r := reply{answer: b.do(method, v1+path, strings.NewReader(body)), method: method, path: path}
	if err := json.Unmarshal([]byte(r.body), &r.json); err != nil {
		cl.t.Fatalf("%s %s: want JSON, got %d %.300q", method, path, r.status, r.body)
	}
	checkAnswer(cl.t, r)

	return r
}

// want checks the status and, of a problem, the code.
func (cl client) want(r reply, status int, code string) reply {
	cl.t.Helper()
	if got, _ := r.json["code"].(string); r.status != status || status >= http.StatusBadRequest && got != code {
		cl.t.Errorf("%s %s: want %d %s, got %d %.400s", r.method, r.path, status, code, r.status, r.body)
	}

	return r
}

// at walks into an answer: names for objects, ints for lists.
func (r reply) at(path ...any) any {
	var v any = r.json
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[step]
		case int:
			l, _ := v.([]any)
			if step >= len(l) {
				return nil
			}
			v = l[step]
		}
	}

	return v
}

func (r reply) text(path ...any) string { s, _ := r.at(path...).(string); return s }

func (r reply) number(path ...any) int { f, _ := r.at(path...).(float64); return int(f) }

func (r reply) items() []any { l, _ := r.at("items").([]any); return l }

// all reads a list to its end, a few rows at a time.
func (cl client) all(path string) (rows []any) {
	cl.t.Helper()
	glue := "?"
	if strings.Contains(path, "?") {
		glue = "&"
	}
	for cursor := ""; ; {
		r := cl.want(cl.get(path+glue+"limit=7&cursor="+cursor), http.StatusOK, "")
		rows = append(rows, r.items()...)
		if cursor = r.text("next_cursor"); cursor == "" {
			return rows
		}
		if len(r.items()) != 7 {
			cl.t.Fatalf("%s: want full pages before the last, got %d rows", path, len(r.items()))
		}
	}
}

func missing() string { return uuid.NewString() }
