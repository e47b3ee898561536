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
