package server_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
)

var aLeave = regexp.MustCompile(`/(?:support-access|op/access)/([0-9a-f-]{36})/(?:allow|enter|end)`)

// wish is a form of an operator who wants into asha-clinic.
func wish(scope string) url.Values {
	return url.Values{"slug": {"asha-clinic"}, "reason": {"The queue does not open for her"}, "ticket": {"T-4711"}, "scope": {scope}, "minutes": {"30"}}
}

// letIn has Nisha ask, Asha allow, and Nisha enter. It returns the id of the leave.
func (st *site) letIn(t *testing.T, nisha, asha *browser, scope string) string {
	t.Helper()
	nisha.get("/op/access")
	nisha.want(nisha.post("/op/access", wish(scope)), http.StatusSeeOther, "/op/access")
	page := asha.get("/support-access")
	found := aLeave.FindStringSubmatch(page.body)
	if found == nil {
		t.Fatalf("want the wish on Asha's page, got %d %.300s", page.status, page.body)
	}
	asha.want(asha.post("/support-access/"+found[1]+"/allow", nil), http.StatusSeeOther, "/support-access")
	nisha.get("/op/access")
	nisha.want(nisha.post("/op/access/"+found[1]+"/enter", nil), http.StatusSeeOther, "/home")

	return found[1]
}

// An operator without leave is shown nothing of any business.
func TestOperatorsWithoutLeaveSeeNothing(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.operator(t, "nisha", "admin")
	nisha := st.signedIn(t, "nisha")

	for _, r := range st.Routes() {
		if r.Method != http.MethodGet || strings.HasPrefix(r.Path, "/op") || strings.Contains(r.Path, "*") {
			continue
		}
		switch strings.TrimSuffix(r.Permission, " fresh") {
		case "public", "anyone", "signed-in", "key:read", "key:write", "preferences:edit":
			continue
		}
		path := strings.NewReplacer(":id", uuid.NewString(), ":item", "1", ":kind", "x", ":message", uuid.NewString(), ":code", "x", ":step", "look").Replace(r.Path)
		if a := nisha.get(path); a.status != http.StatusForbidden && a.status != http.StatusNotFound {
			t.Errorf("GET %s without leave: want 403 or 404, got %d %s", r.Path, a.status, a.location)
		}
	}

	// Asking alone opens nothing, and neither does another operator's leave.
	nisha.get("/op/access")
	nisha.post("/op/access", wish("read"))
	found := aLeave.FindStringSubmatch(st.signedIn(t, "asha").get("/support-access").body)
	if found == nil {
		t.Fatal("want the wish on the owner's page")
	}
	nisha.get("/op/access")
	if r := nisha.post("/op/access/"+found[1]+"/enter", nil); r.status != http.StatusConflict {
		t.Errorf("enter before the answer: want 409, got %d", r.status)
	}
	st.operator(t, "omar", "support")
	omar := st.signedIn(t, "omar")
	omar.get("/op/access")
	if r := omar.post("/op/access/"+found[1]+"/enter", nil); r.status != http.StatusNotFound {
		t.Errorf("another operator's wish: want 404, got %d", r.status)
	}
	// Another business's owner neither sees nor answers it.
	ravi := st.signedIn(t, "ravi")
	if r := ravi.get("/support-access"); strings.Contains(r.body, "T-4711") {
		t.Error("want another business's owner to see nothing of it")
	}
	for _, do := range []string{"allow", "deny", "end"} {
		if r := ravi.post("/support-access/"+found[1]+"/"+do, nil); r.status != http.StatusNotFound {
			t.Errorf("%s by another business's owner: want 404, got %d", do, r.status)
		}
	}
}

func TestOperatorByLeave(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.operator(t, "nisha", "support")
	nisha, asha := st.signedIn(t, "nisha"), st.signedIn(t, "asha")

	for name, bad := range map[string]url.Values{"reason": {"reason": {"help"}}, "minutes": {"minutes": {"61"}}, "scope": {"scope": {"all"}}, "ticket": {"ticket": {" "}}, "slug": {"slug": {"nobody"}}} {
		form := wish("read")
		form[name] = bad[name]
		nisha.get("/op/access")
		if r := nisha.post("/op/access", form); r.status != http.StatusUnprocessableEntity {
			t.Errorf("%s %v: want 422, got %d", name, bad[name], r.status)
		}
	}

	id := st.letIn(t, nisha, asha, "read")
	for _, path := range []string{"/home", "/contacts", "/resolve", "/numbers", "/more", "/help"} {
		if r := nisha.get(path); r.status != http.StatusOK || !strings.Contains(r.body, `data-testid="support-bar"`) {
			t.Errorf("%s: want the page with its bar, got %d", path, r.status)
		}
	}
	for _, path := range []string{"/team", "/audit", "/dev/keys", "/apps", "/settings", "/support-access", "/closing", "/contacts/export", "/contacts/import", "/adoption/export", "/numbers/new", "/op", "/op/access"} {
		if r := nisha.get(path); r.status != http.StatusForbidden {
			t.Errorf("%s by leave: want 403, got %d", path, r.status)
		}
	}
	for _, r := range st.Routes() {
		permission := strings.TrimSuffix(r.Permission, " fresh")
		if r.Method != http.MethodPost || permission == "public" || permission == "anyone" || permission == "signed-in" || strings.HasPrefix(permission, "key:") {
			continue
		}
		path := strings.NewReplacer(":id", uuid.NewString(), ":kind", "x", ":code", "x", ":step", "look", ":name", "x", ":key", "x").Replace(r.Path)
		nisha.get("/help")
		if a := nisha.post(path, nil); a.status != http.StatusForbidden {
			t.Errorf("POST %s, to look only: want 403, got %d", r.Path, a.status)
		}
	}

	if r := asha.get("/support-access"); !strings.Contains(r.body, "/contacts") || !strings.Contains(r.body, `data-testid="seen"`) {
		t.Error("want the owner to see what was opened")
	}
	if r := asha.get("/audit"); !strings.Contains(r.body, "nisha · T-4711") && !strings.Contains(r.body, "nisha") {
		t.Error("want the operator in the business's audit")
	}

	// The owner ends it, and that bites at once.
	asha.get("/support-access")
	asha.want(asha.post("/support-access/"+id+"/end", nil), http.StatusSeeOther, "/support-access")
	nisha.want(nisha.get("/contacts"), http.StatusSeeOther, "/op/access?over=1")
	if r := nisha.get("/op/access?over=1"); r.status != http.StatusOK || !strings.Contains(r.body, `data-testid="over"`) {
		t.Errorf("want to be told that it is over, got %d", r.status)
	}
	nisha.get("/op/access")
	if r := nisha.post("/op/access/"+id+"/enter", nil); r.status != http.StatusConflict {
		t.Errorf("enter again: want 409, got %d", r.status)
	}
}

func TestLeaveRunsOutAndIsLeft(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.operator(t, "nisha", "support")
	nisha, asha := st.signedIn(t, "nisha"), st.signedIn(t, "asha")

	// To act is more than to look, and still neither messages nor exports.
	st.letIn(t, nisha, asha, "act")
	nisha.get("/help")
	if r := nisha.post("/contacts/"+uuid.NewString(), url.Values{"display_name": {"x"}}); r.status != http.StatusNotFound {
		t.Errorf("mend a contact: want it looked for, got %d", r.status)
	}
	for _, path := range []string{"/inbox/" + uuid.NewString(), "/resolve/" + uuid.NewString() + "/ask", "/contacts/" + uuid.NewString() + "/reveal", "/contacts/export", "/settings/business", "/team"} {
		if r := nisha.post(path, nil); r.status != http.StatusForbidden {
			t.Errorf("POST %s by leave to act: want 403, got %d", path, r.status)
		}
	}
	// By itself.
	st.exec(t, `UPDATE support_grants SET expires_at = now()`)
	nisha.want(nisha.get("/home"), http.StatusSeeOther, "/op/access?over=1")

	// By the operator, who is out at once and stays signed in.
	asha.get("/support-access")
	asha.post("/support-access/standing", url.Values{"standing": {"read"}})
	nisha.get("/op/access")
	nisha.want(nisha.post("/op/access", wish("read")), http.StatusSeeOther, "/op/access")
	var id string
	if err := st.DB.SQL().QueryRow(`SELECT id FROM support_grants WHERE standing AND allowed`).Scan(&id); err != nil {
		t.Fatalf("want the wish allowed by standing leave: %v", err)
	}
	nisha.get("/op/access")
	nisha.want(nisha.post("/op/access/"+id+"/enter", nil), http.StatusSeeOther, "/home")
	nisha.get("/home")
	nisha.want(nisha.post("/op/access/leave", nil), http.StatusSeeOther, "/op/access")
	if r := nisha.get("/home"); r.status != http.StatusForbidden {
		t.Errorf("after leaving: want 403, got %d", r.status)
	}
	if r := nisha.get("/op"); r.status != http.StatusOK {
		t.Errorf("after leaving: want the operator's pages, got %d", r.status)
	}
	// Standing leave to look is none to act.
	nisha.get("/op/access")
	nisha.post("/op/access", wish("act"))
	var open int
	if err := st.DB.SQL().QueryRow(`SELECT count(*) FROM support_grants WHERE scope = 'act' AND allowed IS NULL`).Scan(&open); err != nil || open != 1 {
		t.Errorf("%d wishes to act wait for an answer (%v), want one", open, err)
	}

	// A suspended business lets no operator in either.
	st.put(t, st.clinic, tenants.Active, tenants.Suspended, "late")
	if r := nisha.post("/op/access", wish("read")); r.status != http.StatusConflict {
		t.Errorf("ask a suspended business: want 409, got %d", r.status)
	}
	if time.Duration(access.MostMinutes)*time.Minute > time.Hour {
		t.Error("want an hour at most")
	}
}
