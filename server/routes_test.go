package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
)

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
