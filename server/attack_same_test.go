package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/tenants/access"
)

// effort is what answering somebody cost: passwords hashed, and rows written.
type effort struct {
	Hashed                                  int64
	Failures, Jobs, Mails, Signups, Changes int
}

func (st *site) effort(t *testing.T) (w effort) {
	t.Helper()
	w.Hashed = access.Hashed()
	if err := st.DB.SQL().QueryRow(`
		SELECT (SELECT count(*) FROM sign_in_failures), (SELECT count(*) FROM jobs), (SELECT count(*) FROM mails), (SELECT count(*) FROM signups),
		       (SELECT count(*) FROM email_changes)`).Scan(&w.Failures, &w.Jobs, &w.Mails, &w.Signups, &w.Changes); err != nil {
		t.Fatal(err)
	}

	return w
}

func (w effort) since(before effort) effort {
	return effort{
		w.Hashed - before.Hashed, w.Failures - before.Failures, w.Jobs - before.Jobs, w.Mails - before.Mails, w.Signups - before.Signups, w.Changes - before.Changes,
	}
}

// Case 36: whether an address has an account, is disabled or has a second factor shows in no answer, and answering costs the same either
// way. The work is counted, not timed: so it holds on a busy machine too.
func TestNoAnswerTellsWhoHasAnAccount(t *testing.T) { //nolint:paralleltest // it counts what the whole process hashes
	st := newSite(t)
	st.Server = st.open(t, config.Config{PublicURL: origin, Signup: "open"})
	st.member(t, st.clinic, "meera", "agent")
	st.member(t, st.clinic, "kamla", "agent")
	st.signedIn(t, "kamla").enrol()
	st.exec(t, `UPDATE people SET disabled_at = now() WHERE email_key = 'meera@pehchan.example'`)
	asha := st.signedIn(t, "asha")

	fresh := regexp.MustCompile(`(value|nonce)="[^"]*"|[a-z0-9.]+@pehchan\.example`)
	askers := map[string]struct {
		want int
		cost effort
		ask  func(email string) answer
	}{
		"sign-in": {http.StatusUnauthorized, effort{Hashed: 1, Failures: 2}, func(email string) answer {
			b := st.browser(t)
			b.get("/login")
			return b.post("/login", url.Values{"email": {email}, "password": {"not-the-password-7"}})
		}},
		"forgotten password": {http.StatusOK, effort{Failures: 2, Jobs: 1}, func(email string) answer {
			b := st.browser(t)
			b.get("/forgot")
			return b.post("/forgot", url.Values{"email": {email}})
		}},
		"sign-up": {http.StatusOK, effort{Failures: 2, Mails: 1, Signups: 1}, func(email string) answer {
			b := st.browser(t)
			b.get("/signup")
			return b.post("/signup", url.Values{"email": {email}, "business": {"Kamla Sweets"}, "lang": {"en"}})
		}},
		"another e-mail": {http.StatusSeeOther, effort{Failures: 2, Mails: 1, Changes: 1}, func(email string) answer {
			asha.get("/settings/security")
			r := asha.post("/settings/security/email", url.Values{"email": {email}})
			st.exec(t, `UPDATE sign_in_failures SET at = at - interval '1 day'`)
			if r.status == http.StatusSeeOther {
				r.body = asha.get(r.location).body
			}
			return r
		}},
	}
	for name, a := range askers {
		shown := ""
		for _, who := range []string{"nobody", "ravi", "meera", "kamla"} {
			before := st.effort(t)
			r := a.ask(who + "@pehchan.example")
			if cost := st.effort(t).since(before); cost != a.cost {
				t.Errorf("%s of %s cost %+v, want %+v as for everybody", name, who, cost, a.cost)
			}
			header := r.header.Clone()
			for _, varies := range []string{"Date", "X-Request-Id", "Set-Cookie", "Content-Length", "Content-Security-Policy"} {
				header.Del(varies)
			}
			got := fmt.Sprint(r.status, header, r.location, fresh.ReplaceAllString(r.body, ""))
			if r.status != a.want || shown != "" && got != shown {
				t.Errorf("%s of %s answers %d %.200s, want the same as for nobody:\n%.200s", name, who, r.status, got, shown)
			}
			shown = got
		}
	}
}
