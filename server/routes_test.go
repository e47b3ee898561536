package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// The columns of the table: who asks.
var columns = []string{"owner", "lead", "agent", "marketing", "developer", "auditor", "op-admin", "op-support", "nobody"}

// routeTable says for every route what each column gets. It is written by hand and does not ask the policy: a route
// without a row fails, and so does a row without a route.
//
//   - let through to the handler
//     x  403
//     L  303 to /login
//     K  401: the API wants a key, and a session is none
var routeTable = []struct{ method, path, cells string }{
	{"GET", "/healthz", "+++++++++"},
	{"GET", "/readyz", "+++++++++"},
	{"GET", "/static/:version/:name", "+++++++++"},

	{"GET", "/hooks/whatsapp/:app", "xxxxxxxxx"},  // Meta alone, who knows the verify token
	{"POST", "/hooks/whatsapp/:app", "+++++++++"}, // the signature counts, not who sends it

	{"GET", "/", "++++++++L"},
	{"GET", "/help", "+++++++++"},
	{"GET", "/more", "++++++++L"},
	{"GET", "/login", "+++++++++"},
	{"POST", "/login", "+++++++++"},
	{"GET", "/signup", "+++++++++"},
	{"POST", "/signup", "+++++++++"},
	{"GET", "/signup/:token", "+++++++++"},
	{"POST", "/signup/:token", "+++++++++"},
	{"GET", "/email/:token", "+++++++++"},
	{"POST", "/email/:token", "+++++++++"},
	{"GET", "/email/undo/:token", "+++++++++"},
	{"POST", "/email/undo/:token", "+++++++++"},
	{"POST", "/login/passkey", "LLLLLLLLL"}, // to /login/step, where the device is asked
	{"GET", "/login/step", "+++++++++"},
	{"POST", "/login/step", "+++++++++"},
	{"GET", "/forgot", "+++++++++"},
	{"POST", "/forgot", "+++++++++"},
	{"GET", "/reset/:token", "+++++++++"},
	{"POST", "/reset/:token", "+++++++++"},
	{"GET", "/invite/:token", "+++++++++"},
	{"POST", "/invite/:token", "+++++++++"},
	{"GET", "/t/:slug", "+++++++++"},
	{"POST", "/t/:slug", "+++++++++"},
	{"GET", "/mails/leave/:token", "+++++++++"},
	{"GET", "/briefing/:token", "+++++++++"},
	{"POST", "/briefing/:token", "+++++++++"},
	{"POST", "/mails/leave/:token", "+++++++++"},
	{"POST", "/language", "+++++++++"},
	{"POST", "/theme", "+++++++++"},
	{"GET", "/confirm", "++++++++L"},
	{"POST", "/confirm", "++++++++L"},
	{"POST", "/logout", "LLLLLLLLL"}, // where signing out leads
	{"POST", "/logout/everywhere", "++++++++L"},
	{"POST", "/logout/devices/:handle", "++++++++L"},
	{"GET", "/choose", "++++++++L"},
	{"POST", "/tenant", "++++++++L"},

	{"GET", "/home", "++++++xxL"},
	{"GET", "/events", "++++++xxL"},
	{"POST", "/news/:id/read", "++++++xxL"},
	{"GET", "/changes", "++++++xxL"},
	{"POST", "/changes/read", "++++++xxL"},
	{"GET", "/prep/faq", "++++++xxL"},
	{"POST", "/prep/faq", "++x+xxxxL"},
	{"GET", "/prep/faq/new", "++x+xxxxL"},
	{"GET", "/prep/faq/:id", "++++++xxL"},
	{"POST", "/prep/faq/:id", "++x+xxxxL"},
	{"GET", "/prep/faq/:id/edit", "++x+xxxxL"},
	{"POST", "/prep/faq/:id/used", "+++++xxxL"},
	{"POST", "/prep/faq/:id/vote", "+++++xxxL"},
	{"POST", "/prep/faq/:id/check", "++x+xxxxL"},
	{"POST", "/prep/faq/:id/restore", "++x+xxxxL"},
	{"GET", "/prep/macros", "+++xxxxxL"},
	{"GET", "/prep/questions", "++x+xxxxL"},
	{"POST", "/prep/questions", "+++++xxxL"},
	{"POST", "/prep/questions/:id/undo", "+++++xxxL"},
	{"POST", "/prep/questions/:id/card", "++x+xxxxL"},
	{"POST", "/prep/questions/:id/remove", "++x+xxxxL"},
	{"GET", "/start", "+xxxxxxxL"},
	{"GET", "/start/live", "+xxxxxxxL"},
	{"POST", "/start/:step", "+xxxxxxxL"},
	{"GET", "/reports/monthly", "++xxxxxxL"},
	{"GET", "/overview", "++x+++xxL"},
	{"GET", "/adoption/people", "++x+++xxL"},
	{"GET", "/adoption/export", "++x+++xxL"},
	{"GET", "/adoption/forecast", "++x+xxxxL"},
	{"POST", "/adoption/forecast/book", "+xxxxxxxL"},
	{"GET", "/adoption/reach", "++x+xxxxL"},
	{"POST", "/adoption/segments", "++x+xxxxL"},
	{"GET", "/adoption/segments/:id", "++x+xxxxL"},
	{"POST", "/adoption/segments/:id/remove", "++x+xxxxL"},
	{"GET", "/numbers", "++xx++xxL"},
	{"GET", "/numbers/new", "+xxx+xxxL"},
	{"GET", "/numbers/new/manual", "+xxx+xxxL"},
	{"GET", "/numbers/new/embedded", "+xxx+xxxL"},
	{"POST", "/numbers/new/embedded", "+xxx+xxxL"},
	{"POST", "/numbers", "+xxx+xxxL"},
	{"GET", "/numbers/items/:item", "++xx++xxL"},
	{"POST", "/numbers/replay", "+xxx+xxxL"},
	{"GET", "/numbers/:id", "++xx++xxL"},
	{"GET", "/numbers/:id/live", "++xx++xxL"},
	{"GET", "/numbers/:id/health", "++xx++xxL"},
	{"GET", "/numbers/:id/health/live", "++xx++xxL"},
	{"POST", "/numbers/:id/check", "+xxx+xxxL"},
	{"POST", "/numbers/:id/token", "+xxx+xxxL"},
	{"POST", "/numbers/:id/disconnect", "+xxx+xxxL"},
	{"GET", "/numbers/:id/phone-free", "+xxx+xxxL"},
	{"POST", "/numbers/:id/phone-free", "+xxx+xxxL"},
	{"POST", "/numbers/:id/reconnect", "+xxx+xxxL"},
	{"POST", "/numbers/:id/sync", "+xxx+xxxL"},
	{"GET", "/numbers/:id/items/:item", "++xx++xxL"},
	{"POST", "/numbers/:id/replay", "+xxx+xxxL"},
	{"GET", "/usernames", "++x+++xxL"},
	{"GET", "/usernames/ideas", "++x+++xxL"},
	{"POST", "/usernames/ideas", "+xx+xxxxL"},
	{"GET", "/usernames/watch", "++x+++xxL"},
	{"POST", "/usernames/watch", "+xx+xxxxL"},
	{"GET", "/usernames/kit", "++x+++xxL"},
	{"GET", "/usernames/trust", "+xxxxxxxL"},
	{"POST", "/usernames/trust", "+xxxxxxxL"},
	{"POST", "/usernames/trust/requests/:id", "+xxxxxxxL"},
	{"GET", "/usernames/:id", "++x+++xxL"},
	{"POST", "/usernames/:id/plan", "+xx+xxxxL"},
	{"POST", "/usernames/:id/record", "+xx+xxxxL"},
	{"POST", "/usernames/:id/look", "+xx+xxxxL"},
	{"GET", "/usernames/:id/confirm", "+xx+xxxxL"},
	{"POST", "/usernames/:id/claim", "+xx+xxxxL"},
	{"POST", "/usernames/:id/transfer", "+xx+xxxxL"},
	{"POST", "/usernames/:id/delete", "+xx+xxxxL"},
	{"GET", "/apps", "+xxx++xxL"},
	{"POST", "/apps", "+xxx+xxxL"},
	{"POST", "/apps/:name/rotate", "+xxx+xxxL"},

	{"GET", "/op", "xxxxxx++L"},
	{"GET", "/op/held", "xxxxxx++L"},
	{"GET", "/op/tenants", "xxxxxx++L"},
	{"POST", "/op/tenants", "xxxxxx+xL"},
	{"GET", "/op/tenants/new", "xxxxxx+xL"},
	{"GET", "/op/tenants/:id", "xxxxxx++L"},
	{"POST", "/op/tenants/:id/state", "xxxxxx+xL"},
	{"POST", "/op/tenants/:id/limits", "xxxxxx+xL"},
	{"POST", "/op/tenants/:id/notes", "xxxxxx+xL"},
	{"GET", "/op/drift", "xxxxxx++L"},
	{"GET", "/op/jobs", "xxxxxx++L"},
	{"POST", "/op/jobs/retry", "xxxxxx+xL"},
	{"GET", "/op/usage", "xxxxxx++L"},
	{"GET", "/op/usage/export", "xxxxxx++L"},
	{"GET", "/op/news", "xxxxxx++L"},
	{"POST", "/op/news", "xxxxxx+xL"},
	{"POST", "/op/news/:id/end", "xxxxxx+xL"},
	{"GET", "/op/audit", "xxxxxx++L"},
	{"POST", "/op/audit/verify", "xxxxxx+xL"},
	{"GET", "/op/access", "xxxxxx++L"},
	{"POST", "/op/access", "xxxxxx++L"},
	{"POST", "/op/access/leave", "++++++++L"},
	{"POST", "/op/access/:id/enter", "xxxxxx++L"},
	{"GET", "/op/items", "xxxxxx++L"},
	{"GET", "/op/facts", "xxxxxx++L"},
	{"GET", "/op/facts/new", "xxxxxx+xL"},
	{"POST", "/op/facts", "xxxxxx+xL"},
	{"GET", "/op/facts/:key", "xxxxxx++L"},
	{"POST", "/op/facts/:key", "xxxxxx+xL"},

	{"GET", "/resolve", "+++xx+xxL"},
	{"GET", "/resolve/next", "+++xxxxxL"},
	{"POST", "/resolve/many", "+++xxxxxL"},
	{"GET", "/resolve/many/:id", "+++xx+xxL"},
	{"POST", "/resolve/many/:id", "+++xxxxxL"},
	{"POST", "/resolve/many/:id/undo", "+++xxxxxL"},
	{"GET", "/resolve/:id", "+++xx+xxL"},
	{"GET", "/resolve/:id/event", "+++xx+xxL"},
	{"POST", "/resolve/:id", "+++xxxxxL"},
	{"POST", "/resolve/:id/undo", "+++xxxxxL"},
	{"GET", "/resolve/:id/ask", "+++xxxxxL"},
	{"POST", "/resolve/:id/ask", "+++xxxxxL"},
	{"GET", "/inbox", "+++xx+xxL"},
	{"GET", "/inbox/:id", "+++xx+xxL"},
	{"GET", "/inbox/:id/live", "+++xx+xxL"},
	{"POST", "/inbox/:id", "+++xxxxxL"},
	{"POST", "/inbox/:id/cancel", "+++xxxxxL"},
	{"POST", "/inbox/:id/notes", "+++xxxxxL"},
	{"POST", "/inbox/:id/assign", "+++xxxxxL"},
	{"POST", "/inbox/:id/done", "+++xxxxxL"},
	{"GET", "/media/:message", "+++xx+xxL"},
	{"GET", "/contacts", "++++++xxL"},
	{"GET", "/contacts/import", "++xx+xxxL"},
	{"POST", "/contacts/import", "++xx+xxxL"},
	{"GET", "/contacts/import/sample", "++xx+xxxL"},
	{"GET", "/contacts/import/:id", "++xx+xxxL"},
	{"GET", "/contacts/import/:id/live", "++xx+xxxL"},
	{"GET", "/contacts/import/:id/problems", "++xx+xxxL"},
	{"POST", "/contacts/import/:id/columns", "++xx+xxxL"},
	{"POST", "/contacts/import/:id/run", "++xx+xxxL"},
	{"POST", "/contacts/import/:id/stop", "++xx+xxxL"},
	{"POST", "/contacts/import/:id/undo", "++xx+xxxL"},
	{"POST", "/contacts/import/:id/discard", "++xx+xxxL"},
	{"GET", "/contacts/export", "+xxx+xxxL"},
	{"POST", "/contacts/export", "+xxx+xxxL"},
	{"GET", "/contacts/:id", "++++++xxL"},
	{"GET", "/contacts/:id/evidence/:item", "++++++xxL"},
	{"POST", "/contacts/:id", "+++xxxxxL"},
	{"POST", "/contacts/:id/reveal", "xx+xxxxxL"}, // who sees phones in clear has nothing to reveal
	{"GET", "/contacts/:id/code", "+++xxxxxL"},
	{"POST", "/contacts/:id/code", "+++xxxxxL"},
	{"POST", "/contacts/:id/code/:code/revoke", "+++xxxxxL"},
	{"GET", "/contacts/:id/ask", "+++xxxxxL"},
	{"POST", "/contacts/:id/ask", "+++xxxxxL"},
	{"POST", "/contacts/:id/shared", "+++xxxxxL"},
	{"POST", "/contacts/:id/consent", "+++xxxxxL"},
	{"GET", "/merges/preview", "+++xxxxxL"},
	{"POST", "/merges", "+++xxxxxL"},
	{"GET", "/merges/:id", "+++xx+xxL"},
	{"POST", "/merges/:id/undo", "+++xxxxxL"},

	{"GET", "/prep", "++++++xxL"},
	{"POST", "/prep/nudge/:person", "++xxxxxxL"},
	{"GET", "/prep/poster", "++++++xxL"},
	{"GET", "/prep/briefing", "++xxxxxxL"},
	{"POST", "/prep/briefing", "++xxxxxxL"},
	{"POST", "/prep/briefing/:id/revoke", "++xxxxxxL"},
	{"GET", "/prep/escalations", "+++xxxxxL"},
	{"POST", "/prep/escalations", "+++xxxxxL"},
	{"POST", "/prep/escalations/:id", "+++xxxxxL"},
	{"GET", "/prep/items", "++xxxxxxL"},
	{"GET", "/prep/learn", "+++++xxxL"},
	{"GET", "/prep/learn/:lesson", "+++++xxxL"},
	{"POST", "/prep/learn/:lesson", "+++++xxxL"},
	{"POST", "/prep/quiz", "+++++xxxL"},
	{"GET", "/prep/quiz/:id", "+++++xxxL"},
	{"POST", "/prep/quiz/:id", "+++++xxxL"},
	{"GET", "/prep/drill/:id", "+++++xxxL"},
	{"POST", "/prep/drill/:id", "+++++xxxL"},
	{"GET", "/prep/drill/:id/:try", "+++++xxxL"},
	{"POST", "/prep/drill/:id/:try", "+++++xxxL"},

	{"GET", "/team", "++xxx+xxL"},
	{"POST", "/team", "++xxxxxxL"},
	{"POST", "/team/invitations/:id/withdraw", "++xxxxxxL"},
	{"POST", "/team/:id/role", "++xxxxxxL"},
	{"POST", "/team/:id/remove", "++xxxxxxL"},
	{"GET", "/team/roles", "++++++xxL"},
	{"GET", "/team/:id", "++xxx+xxL"},
	{"POST", "/team/:id/factor", "++xxxxxxL"},
	{"GET", "/privacy", "++xxxxxxL"},
	{"POST", "/privacy/requests", "++xxxxxxL"},
	{"POST", "/privacy/requests/take", "++xxxxxxL"},
	{"GET", "/privacy/record", "++xxxxxxL"},
	{"GET", "/privacy/record/file", "++xxxxxxL"},
	{"POST", "/privacy/keeping", "+xxxxxxxL"},
	{"GET", "/privacy/requests/:id", "++xxxxxxL"},
	{"POST", "/privacy/requests/:id/contact", "++xxxxxxL"},
	{"POST", "/privacy/requests/:id/proof", "++xxxxxxL"},
	{"POST", "/privacy/requests/:id/close", "++xxxxxxL"},
	{"POST", "/privacy/requests/:id/data", "++xxxxxxL"},
	{"POST", "/privacy/requests/:id/erase", "+xxxxxxxL"},
	{"GET", "/privacy/requests/:id/receipt", "++xxxxxxL"},
	{"GET", "/audit", "++++++xxL"},
	{"POST", "/audit/verify", "+xxxx+xxL"},
	{"POST", "/audit/export", "+xxxx+xxL"},
	{"GET", "/settings", "++++++++L"},
	{"POST", "/settings/me", "++++++++L"},
	{"POST", "/settings/password", "++++++++L"},
	{"GET", "/settings/security", "++++++++L"},
	{"POST", "/settings/security/app", "++++++++L"},
	{"POST", "/settings/security/app/code", "++++++++L"},
	{"POST", "/settings/security/app/remove", "++++++++L"},
	{"POST", "/settings/security/passkeys/new", "++++++++L"},
	{"POST", "/settings/security/passkeys", "++++++++L"},
	{"POST", "/settings/security/passkeys/:key/remove", "++++++++L"},
	{"POST", "/settings/security/email", "++++++++L"},
	{"POST", "/settings/security/codes", "++++++++L"},
	{"POST", "/settings/security/mails", "++++++++L"},
	{"POST", "/settings/business", "+xxxxxxxL"},
	{"POST", "/settings/mails", "+xxxxxxxL"},
	{"GET", "/support-access", "+xxxxxxxL"},
	{"POST", "/support-access/standing", "+xxxxxxxL"},
	{"POST", "/support-access/:id/allow", "+xxxxxxxL"},
	{"POST", "/support-access/:id/deny", "+xxxxxxxL"},
	{"POST", "/support-access/:id/end", "+xxxxxxxL"},
	{"GET", "/closing", "+xxxxxxxL"},
	{"POST", "/closing", "+xxxxxxxL"},
	{"POST", "/closing/cancel", "+xxxxxxxL"},
	{"GET", "/settings/links", "++xx++xxL"},
	{"GET", "/settings/links/:kind", "++xx++xxL"},
	{"POST", "/settings/links/:kind", "+xxxxxxxL"},
	{"GET", "/dev/keys", "+xxx++xxL"},
	{"POST", "/dev/keys", "+xxx+xxxL"},
	{"POST", "/dev/keys/:id/revoke", "+xxx+xxxL"},

	{"GET", "/api/v1/openapi.json", "+++++++++"},
	{"GET", "/api/v1/resolve", "KKKKKKKKK"},
	{"GET", "/api/v1/contacts", "KKKKKKKKK"},
	{"GET", "/api/v1/contacts/:id", "KKKKKKKKK"},
	{"PATCH", "/api/v1/contacts/:id", "KKKKKKKKK"},
	{"GET", "/api/v1/contacts/:id/messages", "KKKKKKKKK"},
	{"GET", "/api/v1/contacts/:id/links", "KKKKKKKKK"},
	{"POST", "/api/v1/links/:id/undo", "KKKKKKKKK"},
	{"GET", "/api/v1/cases", "KKKKKKKKK"},
	{"POST", "/api/v1/cases/:id/decision", "KKKKKKKKK"},
	{"GET", "/api/v1/merges/preview", "KKKKKKKKK"},
	{"POST", "/api/v1/merges", "KKKKKKKKK"},
	{"GET", "/api/v1/ingest", "KKKKKKKKK"},
	{"POST", "/api/v1/ingest/replay", "KKKKKKKKK"},
	{"GET", "/api/v1/jobs/:id", "KKKKKKKKK"},
	{"GET", "/api/v1/adoption", "KKKKKKKKK"},
	{"GET", "/api/v1/numbers", "KKKKKKKKK"},
	{"POST", "/api/v1/numbers", "KKKKKKKKK"},
}

func TestEveryRouteForEveryRole(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	for _, role := range columns[1:6] {
		st.member(t, st.clinic, role, role)
	}
	st.operator(t, "op-admin", "admin")
	st.operator(t, "op-support", "support")

	enter := func(column string) *browser {
		switch column {
		case "nobody":
			b := st.browser(t)
			b.get("/login")
			return b
		case "owner":
			column = "asha"
		}

		return st.signedIn(t, column)
	}
	browsers := make([]*browser, len(columns))
	for i, column := range columns {
		browsers[i] = enter(column)
	}

	rows := map[string]string{}
	for _, row := range routeTable {
		rows[row.method+" "+row.path] = row.cells
	}
	for _, r := range st.Routes() {
		name := r.Method + " " + r.Path
		cells, found := rows[name]
		if !found || len(cells) != len(columns) {
			t.Errorf("%s: want a row of %d cells in routeTable", name, len(columns))
			continue
		}
		delete(rows, name)

		for i, column := range columns {
			if got := cell(browsers[i], r.Method, r.Path); got != cells[i:i+1] {
				t.Errorf("%s as %s: want %c, got %s", name, column, cells[i], got)
			}
			if r.Path == "/logout" {
				browsers[i] = enter(column)
			}
		}
	}
	for name := range rows {
		t.Errorf("%s: want the route of this row", name)
	}
}

// cell asks for a route, with a valid form token and ids that nothing has.
func cell(b *browser, method, path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, ":") {
			parts[i] = uuid.NewString()
		}
	}
	path = strings.Join(parts, "/")

	var r answer
	switch method {
	case http.MethodGet:
		r = b.get(path)
	case http.MethodPost:
		r = b.post(path, url.Values{})
	default:
		r = b.do(method, path, nil)
	}

	switch {
	case r.status == http.StatusSeeOther && strings.HasPrefix(r.location, "/login"):
		return "L"
	case r.status == http.StatusForbidden:
		return "x"
	case r.status == http.StatusUnauthorized && strings.HasPrefix(path, "/api/"):
		return "K"
	case r.status >= http.StatusInternalServerError:
		return r.body
	}

	return "+"
}

// Tricks with the address must end where the plain address does, or nowhere.
func TestPathTricks(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.member(t, st.clinic, "meera", "agent")
	agent := st.signedIn(t, "meera")

	if r := agent.get("/team"); r.status != http.StatusForbidden {
		t.Fatalf("want an agent refused, got %d", r.status)
	}
	for _, path := range []string{"/TEAM", "/Team", "/team/", "//team", "/./team", "/team%2f", "/%74eam", "/%2574eam", "/team;x", "/help/../team", "/team?x", "/team%00", "/static/../team"} {
		if r := agent.get(path); r.status != http.StatusForbidden && r.status != http.StatusNotFound {
			t.Errorf("%s: want 403 or 404, got %d", path, r.status)
		}
	}
	for _, header := range []string{"X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override", "X-Forwarded-Prefix"} {
		agent.headers = map[string]string{header: "/team"}
		if r := agent.get("/help"); !strings.Contains(r.body, "data-testid") || r.status != http.StatusOK {
			t.Errorf("%s: want it ignored, got %d", header, r.status)
		}
	}
	if r := agent.do(http.MethodDelete, "/team", nil); r.status != http.StatusMethodNotAllowed {
		t.Errorf("want another method refused, got %d", r.status)
	}
}
