package server_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

var (
	postsTo = regexp.MustCompile(`<form[^>]*>`)
	actsAt  = regexp.MustCompile(` action="([^"?#]*)`)
	leadsTo = regexp.MustCompile(`<a [^>]*href="(/[^"?#]*)`)
)

// asksFor is what the route of a method and address wants of its caller; empty where nothing or everybody.
func (st *site) asksFor(method, path string) string {
	asked, found, best := strings.Split(path, "/"), "", -1
	for _, r := range st.table() {
		if r.Method != method || len(r.parts) != len(asked) {
			continue
		}
		plain, fits := 0, true
		for i, part := range r.parts {
			if part == asked[i] {
				plain++
			} else if !strings.HasPrefix(part, ":") || asked[i] == "" {
				fits = false
			}
		}
		if fits && plain > best {
			found, best = r.Permission, plain
		}
	}
	permission, _, _ := strings.Cut(found, " ")
	if !strings.Contains(permission, ":") {
		return ""
	}

	return permission
}

// What a page offers, its reader may use: no button and no link leads into a refusal, for any role, on any page it reaches.
func TestNoPageOffersWhatIsRefused(t *testing.T) {
	t.Parallel()
	st := newLedgerSite(t)
	s := st.shop(t, st.clinic)
	s.rajesh()
	s.writes(28, "919800000481", "IN.77044188200399", "Savitri", "when do you open?")
	asha := st.signedIn(t, "asha")
	asha.asks("erase", "+91 98000 00481")
	savitri := s.whois(whatsapp.KindPhone, "919800000481").ID.String()
	for _, role := range access.Roles() {
		name := "asha"
		if role != access.Owner {
			name = role
			st.member(t, st.clinic, role, role)
		}
		b, pages := st.signedIn(t, name), 0
		st.walk(b, []string{"/home", "/more", "/settings", "/contacts/" + savitri}, func(path string, r answer) {
			if r.status != http.StatusOK {
				return
			}
			pages++
			for _, form := range postsTo.FindAllString(r.body, -1) {
				method := http.MethodGet
				if strings.Contains(form, `method="post"`) {
					method = http.MethodPost
				}
				if action := actsAt.FindStringSubmatch(form); action != nil {
					if want := st.asksFor(method, action[1]); want != "" && !access.Can(role, want) {
						t.Errorf("%s: %s offers %s %s, which wants %s", role, path, method, action[1], want)
					}
				}
			}
			for _, link := range leadsTo.FindAllStringSubmatch(r.body, -1) {
				if want := st.asksFor(http.MethodGet, link[1]); want != "" && !access.Can(role, want) {
					t.Errorf("%s: %s links to %s, which wants %s", role, path, link[1], want)
				}
			}
		})
		if pages < 15 {
			t.Errorf("%s: %d pages met, want more", role, pages)
		}
	}
}

// Who reads without phones reads none on the pages that the matrix opens to them.
func TestReadersSeeNoPhone(t *testing.T) {
	t.Parallel()
	st := newLedgerSite(t)
	s := st.shop(t, st.clinic)
	s.writes(28, "919800000480", "IN.77044188200355", "Savitri", "call 98000 00480")
	request := st.signedIn(t, "asha").asks("erase", "+91 98000 00480")
	id := s.whois(whatsapp.KindPhone, "919800000480").ID.String()
	for role, pages := range map[string][]string{
		"agent":     {"/privacy", request, "/overview", "/adoption/people"},
		"marketing": {"/inbox", "/inbox/" + id, "/inbox/" + id + "/live", "/prep/macros?for=" + id, "/prep/macros?find=savitri"},
		"developer": {"/inbox", "/inbox/" + id, "/adoption/forecast", "/adoption/forecast?within=30", "/adoption/reach", "/prep/macros?for=" + id},
		"auditor":   {"/privacy", request, "/adoption/forecast", "/adoption/reach", "/prep/macros?for=" + id, "/prep/learn", "/inbox/" + id},
	} {
		st.member(t, st.clinic, role, role)
		b := st.signedIn(t, role)
		for _, path := range pages {
			r := b.get(path)
			if r.status != http.StatusOK {
				t.Errorf("%s %s: %d", role, path, r.status)
			}
			b.lacks(r, "98000 00480", "9800000480", `data-testid="open-request"`, `data-testid="prove"`, `data-testid="close-done"`, `data-testid="insert"`)
		}
	}
	auditor, owner := st.signedIn(t, "auditor"), st.signedIn(t, "asha")
	auditor.has(auditor.get("/prep"), http.StatusOK, `href="/prep/learn"`)
	auditor.has(auditor.get("/prep/learn"), http.StatusOK, "takes no quiz", `data-testid="lessons"`, `href="/prep/learn/`)
	auditor.lacks(auditor.get("/prep/learn"), `data-testid="start-quiz"`, `href="/prep/drill/`)
	auditor.has(auditor.get(request), http.StatusOK, "Savitri")
	st.member(t, st.motors, "reader", "auditor")
	reader := st.signedIn(t, "reader")
	empty := reader.get("/privacy")
	reader.has(empty, http.StatusOK, "is listed here, with its time limit")
	reader.lacks(empty, "open a request here")
	owner.has(owner.get(request), http.StatusOK, `data-testid="prove"`, `data-testid="close-refused"`)
	if r := auditor.post("/privacy/requests", nil); r.status != http.StatusForbidden {
		t.Errorf("an auditor opens a request: %d", r.status)
	}
}
