package server_test

import (
	"encoding/json"
	"html"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
)

// Every call of the document has its page, with what it takes, answers and refuses; who may not see keys does not see it.
func TestDocs(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	asha := st.signedIn(t, "asha")
	raw, err := os.ReadFile("api/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]struct {
			ID         string         `json:"operationId"`
			Summary    string         `json:"summary"`
			Parameters []any          `json:"parameters"`
			Body       any            `json:"requestBody"`
			Responses  map[string]any `json:"responses"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	index := asha.get("/dev/docs")
	asha.has(index, http.StatusOK, `data-testid="hook"`, "/hooks/whatsapp/APP", origin+"/api/v1", "request_id")
	pages := 0
	for path, calls := range doc.Paths {
		for method, call := range calls {
			pages++
			asha.has(index, http.StatusOK, `data-testid="call-`+call.ID+`"`)
			r := asha.get("/dev/docs/" + call.ID)
			asha.has(r, http.StatusOK, strings.ToUpper(method)+" /api/v1"+path, html.EscapeString(call.Summary), origin+"/api/v1")
			for status := range call.Responses {
				if !strings.Contains(r.body, status) {
					t.Errorf("%s: the page lacks the answer %s", call.ID, status)
				}
			}
			if (len(call.Parameters) > 0) != strings.Contains(r.body, `data-testid="params"`) || (call.Body != nil) != strings.Contains(r.body, `data-testid="body"`) {
				t.Errorf("%s: want a table of parameters and of the body where the document has them, and nowhere else", call.ID)
			}
		}
	}
	if pages < 15 {
		t.Errorf("found %d calls, the walk is broken", pages)
	}
	if r := asha.get("/dev/docs/nothing"); r.status != http.StatusNotFound {
		t.Errorf("want no page of a call that is none, got %d", r.status)
	}

	asha.has(asha.get("/dev/docs/contacts"), http.StatusOK, "items[].identities[].identifiers[].kind", "phone | bsuid | parent_bsuid")
	st.member(t, st.clinic, "meera", "agent")
	if r := st.signedIn(t, "meera").get("/dev/docs"); r.status != http.StatusForbidden {
		t.Errorf("want an agent refused, got %d", r.status)
	}
}

var curlQuery = regexp.MustCompile(`"` + regexp.QuoteMeta(origin) + `(/api/v1/resolve[^"]*)"`)

// The example is a call that the API takes.
func TestDocsExampleWorks(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	page := html.UnescapeString(st.signedIn(t, "asha").get("/dev/docs/resolve").body)
	found := curlQuery.FindStringSubmatch(page)
	if found == nil {
		t.Fatalf("no address in the example: %.500s", page)
	}
	_, secret := st.key(t, st.clinic, "read")
	b := st.browser(t)
	b.headers = map[string]string{"Authorization": "Bearer " + secret}
	if r := b.get(found[1]); r.status != http.StatusNotFound || !strings.Contains(r.body, "unknown_identifier") {
		t.Errorf("want nobody found by the example, got %d: %s", r.status, r.body)
	}
}
