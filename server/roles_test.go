package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/i18n"
)

func TestEveryPermissionHasWords(t *testing.T) {
	t.Parallel()
	for _, p := range access.AllPermissions() {
		if key := "may." + strings.ReplaceAll(p, ":", "_"); !i18n.Known(key) {
			t.Errorf("the permission %s has no words: add %s to locales/may", p, key)
		}
	}
}

func TestWhatAPersonMayDo(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	id := st.member(t, st.clinic, "meera", "agent")
	asha, meera, ravi := st.signedIn(t, "asha"), st.signedIn(t, "meera"), st.signedIn(t, "ravi")

	page := asha.get("/team/" + id.String())
	may, mayNot, _ := strings.Cut(page.body, `data-testid="may-not"`)
	if page.status != http.StatusOK || !strings.Contains(may, "decide who somebody is") || strings.Contains(may, "make and end API keys") || !strings.Contains(mayNot, "make and end API keys") {
		t.Errorf("want an agent's rights, got %d", page.status)
	}
	if strings.Contains(page.body, `data-testid="reset-factor"`) {
		t.Error("want no second step to reset where there is none")
	}
	meera.enrol()
	if page := asha.get("/team/" + id.String()); !strings.Contains(page.body, `data-testid="reset-factor"`) {
		t.Error("want the second step to be reset here")
	}
	for name, b := range map[string]*browser{"ravi": ravi, "asha": asha} {
		if r := b.get("/team/" + uuid.NewString()); r.status != http.StatusNotFound {
			t.Errorf("%s: nobody: got %d", name, r.status)
		}
	}
	if r := ravi.get("/team/" + id.String()); r.status != http.StatusNotFound {
		t.Errorf("somebody of another business: got %d", r.status)
	}
	if r := meera.get("/team/" + id.String()); r.status != http.StatusForbidden {
		t.Errorf("an agent: got %d", r.status)
	}
	if page := meera.get("/team/roles"); page.status != http.StatusOK || strings.Count(page.body, `data-testid="role-`) != len(access.Roles()) || strings.Contains(page.body, `href="/team"`) {
		t.Errorf("want every role explained to an agent, and no way to the team, got %d", page.status)
	}
}

// What is said of a role is what the policy gives it.
func TestRolesAreToldTruly(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	id := st.member(t, st.clinic, "lata", "lead")
	asha := st.signedIn(t, "asha")
	_, mayNot, _ := strings.Cut(asha.get("/team/"+id.String()).body, `data-testid="may-not"`)
	if strings.Contains(mayNot, "show a hidden phone number") || !strings.Contains(mayNot, "make and end API keys") {
		t.Error("want nothing to reveal where phones are seen in clear")
	}
	roles := asha.get("/team/roles")
	asha.has(roles, http.StatusOK, "claims the business’s usernames", "requests about data, the team and all of the record", "lists of customers in and out")
	asha.lacks(roles, "Reads everything")
	for role, claims := range map[string][]string{
		access.Marketing: {"usernames:claim", "answers:edit", "reach:save", "contacts:read", "conversations:read"},
		access.Developer: {"numbers:connect", "apikeys:manage", "contacts:import", "contacts:export", "contacts:read", "conversations:read"},
		access.Auditor:   {"contacts:read", "conversations:read", "queue:read", "privacy:read", "team:read", "audit:read_all"},
	} {
		for _, p := range append(claims, "preferences:edit") {
			if !access.Can(role, p) {
				t.Errorf("%s: told to %s, but may not", role, p)
			}
		}
		if access.Can(role, "phones:clear") {
			t.Errorf("%s: told that phones are hidden", role)
		}
	}
	for _, p := range access.Permissions(access.Auditor) {
		if !strings.Contains(p, ":read") && p != "training:board" && p != "preferences:edit" {
			t.Errorf("an auditor is told to change nothing, and may %s", p)
		}
	}
}
