package server_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
)

func (st *site) key(t *testing.T, tenant tenants.Tenant, scopes ...string) (id uuid.UUID, secret string) {
	t.Helper()
	err := st.DB.As(context.Background(), tenant.ID, func(tx *tenants.Tx) error {
		k, s, err := access.CreateKey(context.Background(), tx, access.Command("test"), "CRM", scopes)
		id, secret = k.ID, s
		return err
	})
	if err != nil {
		t.Fatalf("create key: %v", err)
	}

	return id, secret
}

func TestAPIKeys(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	who := func(c *fiber.Ctx) error {
		m, _ := access.From(c.UserContext())
		return c.SendString(m.Tenant.Slug + " " + m.Role + " " + m.Actor.Kind)
	}
	st.App().Get("/api/v1/probe", st.Guard("key:read", who))
	st.App().Post("/api/v1/probe", st.Guard("key:write", who))
	id, reads := st.key(t, st.clinic, "read")
	_, writes := st.key(t, st.motors, "read", "write")

	ask := func(method, authorization string) answer {
		b := st.browser(t)
		b.headers = map[string]string{"Authorization": authorization}
		return b.do(method, "/api/v1/probe", nil)
	}
	if r := ask(http.MethodGet, "Bearer "+reads); r.status != http.StatusOK || r.body != "asha-clinic lead api_key" {
		t.Errorf("want the clinic's lead by key, got %d %s", r.status, r.body)
	}
	if r := ask(http.MethodPost, "Bearer "+writes); r.status != http.StatusOK || r.body != "ravi-motors lead api_key" {
		t.Errorf("want a write allowed, without any form token, got %d %s", r.status, r.body)
	}
	if r := ask(http.MethodPost, "Bearer "+reads); r.status != http.StatusForbidden || !strings.Contains(r.body, `"code":"missing_scope"`) {
		t.Errorf("want a write refused to a reader, got %d %s", r.status, r.body)
	}
	if r := ask(http.MethodGet, "bearer "+reads); r.status != http.StatusOK {
		t.Errorf("want the scheme taken in any case, got %d %s", r.status, r.body)
	}
	for _, bad := range []string{"", "Bearer ", "Bearer " + reads[:45], "Basic " + reads, "bearer" + reads, "Bearer pk_" + strings.Repeat("A", 43), "Bearer " + strings.Repeat(".", 4096)} {
		r := ask(http.MethodGet, bad)
		if r.status != http.StatusUnauthorized || r.header.Get("WWW-Authenticate") == "" || !strings.Contains(r.body, `"code":"unauthorized"`) {
			t.Errorf("%.40q: want 401 and a problem, got %d %s", bad, r.status, r.body)
		}
	}

	// A signed-in browser is no key.
	asha := st.signedIn(t, "asha")
	if r := asha.get("/api/v1/probe"); r.status != http.StatusUnauthorized {
		t.Errorf("want a session refused, got %d", r.status)
	}

	err := st.DB.As(context.Background(), st.clinic.ID, func(tx *tenants.Tx) error {
		_, err := access.RevokeKey(context.Background(), tx, access.Command("test"), id, reads[:10])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if r := ask(http.MethodGet, "Bearer "+reads); r.status != http.StatusUnauthorized {
		t.Errorf("want a revoked key refused at once, got %d", r.status)
	}
}

func TestAPIRateLimit(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.App().Get("/api/v1/probe", st.Guard("key:read", func(c *fiber.Ctx) error { return c.SendStatus(http.StatusOK) }))
	_, busy := st.key(t, st.clinic, "read")
	_, calm := st.key(t, st.clinic, "read")

	// All at one moment that is still to come, so that none is given back while the test runs.
	const burst = 1000
	soon := time.Now().Add(time.Hour)
	if n := st.AskAtOnce(busy, soon, burst); n == 0 || n == burst {
		t.Errorf("of %d requests at once %d are allowed, want some", burst, n)
	}
	b := st.browser(t)
	b.headers = map[string]string{"Authorization": "Bearer " + busy}
	refused := b.get("/api/v1/probe")
	if refused.status != http.StatusTooManyRequests || refused.header.Get("Retry-After") != "1" || !strings.Contains(refused.body, `"code":"rate_limited"`) {
		t.Errorf("want 429 after the burst, got %d %s", refused.status, refused.body)
	}
	b.headers = map[string]string{"Authorization": "Bearer " + calm}
	if r := b.get("/api/v1/probe"); r.status != http.StatusOK {
		t.Errorf("want the other key untouched, got %d", r.status)
	}
}

// The pages of team, audit and keys do what they say, and nothing across tenants.
func TestAdministrationNotIfAnotherTenant(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	joseph := st.member(t, st.motors, "joseph", "agent")
	key, secret := st.key(t, st.motors, "read")
	asha := st.signedIn(t, "asha")

	missing := uuid.New()
	for _, path := range []string{"/team/%/role", "/team/%/remove", "/dev/keys/%/revoke"} {
		for _, id := range []uuid.UUID{joseph, key, missing} {
			form := map[string][]string{"role": {"lead"}, "confirm": {secret[:10]}}
			if r := asha.post(strings.Replace(path, "%", id.String(), 1), form); r.status != http.StatusNotFound {
				t.Errorf("%s: want 404, got %d", path, r.status)
			}
		}
	}
	for _, path := range []string{"/team", "/dev/keys", "/audit"} {
		if r := asha.get(path); r.status != http.StatusOK || strings.Contains(r.body, "joseph") || strings.Contains(r.body, secret[:10]) {
			t.Errorf("%s: want nothing of ravi-motors, got %d", path, r.status)
		}
	}
}

func TestAdministration(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	asha := st.signedIn(t, "asha")

	asha.get("/team")
	add := map[string][]string{"email": {"meera at pehchan"}, "role": {"agent"}}
	if r := asha.post("/team", add); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, `data-testid="wrong-email"`) ||
		!strings.Contains(r.body, `value="meera at pehchan"`) {
		t.Errorf("want the form back with what was typed, got %d", r.status)
	}
	add["email"] = []string{"meera@pehchan.example"}
	asha.want(asha.post("/team", add), http.StatusSeeOther, "/team")
	if r := asha.get("/team"); !strings.Contains(r.body, "meera@pehchan.example") || !strings.Contains(r.body, `data-testid="toast"`) {
		t.Errorf("want Meera asked and a word about it, got %d", r.status)
	}
	st.member(t, st.clinic, "meera", "agent")
	if r := asha.post("/team", add); r.status != http.StatusConflict {
		t.Errorf("want Meera refused who is in the team, got %d", r.status)
	}

	if r := asha.get("/audit?about=people"); r.status != http.StatusOK || strings.Count(r.body, `data-testid="entry"`) != 4 {
		t.Errorf("want the two joinings, the invitation and the sign-in, got %d %s", r.status, r.body)
	}
	if r := asha.post("/audit/verify", nil); r.status != http.StatusOK || !strings.Contains(r.body, `data-testid="verified"`) {
		t.Errorf("want the chain found whole, got %d", r.status)
	}
	meera := st.signedIn(t, "meera")
	if r := meera.get("/audit"); strings.Count(r.body, `data-testid="entry"`) != 1 {
		t.Errorf("want an agent to see her own acts only, got %s", r.body)
	}
	for _, path := range []string{"/audit?before=x", "/audit?before=-1", "/audit?before=1e9"} {
		if r := asha.get(path); r.status != http.StatusNotFound {
			t.Errorf("%s: want 404, got %d", path, r.status)
		}
	}

	form := map[string][]string{"name": {"Asha Clinic"}, "lang": {"hi"}, "timezone": {"Mars/Olympus"}, "density": {"team"}}
	if r := asha.post("/settings/business", form); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, `data-testid="wrong-timezone"`) {
		t.Errorf("want an unknown zone refused in its field, got %d", r.status)
	}
	form["timezone"] = []string{"Asia/Dubai"}
	asha.want(asha.post("/settings/business", form), http.StatusSeeOther, "/settings")
	if r := meera.get("/help"); !strings.Contains(r.body, `<html lang="hi"`) {
		t.Error("want the business's language for who has chosen none")
	}
}
