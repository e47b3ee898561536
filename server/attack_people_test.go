package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
)

// roles is who is what in a business, by name.
func (st *site) roles(t *testing.T, tenant tenants.Tenant) string {
	t.Helper()
	var list []string
	err := st.DB.As(t.Context(), tenant.ID, func(tx *tenants.Tx) error {
		return tx.Select(&list, `SELECT p.name || ' ' || m.role FROM memberships m JOIN people p ON p.id = m.person_id WHERE m.tenant_id = $1 ORDER BY p.name`, tx.Tenant)
	})
	if err != nil {
		t.Fatal(err)
	}

	return strings.Join(list, ", ")
}

// Case 19: nobody makes more of themselves than they are, nor of anybody else than they may, however the form is written; and the last owner
// stays one, whoever asks.
func TestNobodyRaisesThemselves(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	people := map[string]uuid.UUID{}
	for name, role := range map[string]string{"lata": access.Lead, "meera": access.Agent, "maya": access.Marketing, "dev": access.Developer, "arjun": access.Auditor} {
		people[name] = st.member(t, st.clinic, name, role)
	}
	for _, c := range []string{"asha", "ravi"} {
		var id uuid.UUID
		if err := st.DB.System(t.Context(), func(tx *tenants.Tx) error {
			return tx.Get(&id, `SELECT id FROM people WHERE email_key = $1`, c+"@pehchan.example")
		}); err != nil {
			t.Fatal(err)
		}
		people[c] = id
	}
	const before = "arjun auditor, asha owner, dev developer, lata lead, maya marketing, meera agent"
	yes := func(role string) url.Values { return url.Values{"role": {role}, "work": {"said"}, "confirm": {"yes"}} }

	for name := range people {
		if name == "asha" || name == "ravi" {
			continue
		}
		b := st.signedIn(t, name)
		itself := "/team/" + people[name].String()
		for what, form := range map[string]url.Values{
			"owner": yes(access.Owner), "lead": yes(access.Lead), "twice": {"role": {access.Agent, access.Owner}, "work": {"said"}}, "capitals": yes("OWNER"), "operator": yes("operator_admin"),
			"with more": {"role": {access.Owner}, "work": {"said"}, "person": {people["asha"].String()}, "by": {people["asha"].String()}, "tenant_id": {st.clinic.ID.String()}, "is_operator": {"true"}},
		} {
			b.get("/help")
			if r := b.post(itself+"/role?role=owner", form); r.status < 400 || r.status >= 500 {
				t.Errorf("%s makes themselves %s: %d %q", name, what, r.status, r.location)
			}
		}
		for _, path := range []string{"/role", "/remove", "/factor"} {
			if r := b.post("/team/"+people["asha"].String()+path, yes(access.Agent)); r.status != http.StatusForbidden {
				t.Errorf("%s on the owner's %s: %d, want 403", name, path, r.status)
			}
		}
		if r := b.post("/team", url.Values{"email": {"friend-of-" + name + "@pehchan.example"}, "role": {access.Owner}}); r.status != http.StatusForbidden {
			t.Errorf("%s invites an owner: %d, want 403", name, r.status)
		}
		// The settings of oneself hold no role either.
		b.post("/settings/me", url.Values{"name": {name}, "lang": {"en"}, "role": {access.Owner}, "operator_role": {"admin"}})
		if got := st.roles(t, st.clinic); got != before {
			t.Fatalf("after %s the team is %s, want %s", name, got, before)
		}
	}
	ravi := st.signedIn(t, "ravi")
	if r := ravi.post("/team/"+people["meera"].String()+"/role", yes(access.Owner)); r.status != http.StatusNotFound {
		t.Errorf("another business's owner: %d, want 404", r.status)
	}

	asha := st.signedIn(t, "asha")
	for path, form := range map[string]url.Values{"/role": yes(access.Agent), "/remove": yes("")} {
		if r := asha.post("/team/"+people["asha"].String()+path, form); r.status != http.StatusConflict || !strings.Contains(r.body, "at least one owner") {
			t.Errorf("the last owner's %s: %d, want 409 and why", path, r.status)
		}
	}
	// Two owners who demote each other at once: one of them stays.
	asha.want(asha.post("/team/"+people["lata"].String()+"/role", yes(access.Owner)), http.StatusSeeOther, "/team")
	lata := st.signedIn(t, "lata")
	var both sync.WaitGroup
	for b, whom := range map[*browser]string{asha: "lata", lata: "asha"} {
		both.Go(func() { b.post("/team/"+people[whom].String()+"/role", yes(access.Agent)) })
	}
	both.Wait()
	if n := strings.Count(st.roles(t, st.clinic), " owner"); n != 1 {
		t.Errorf("%d owners are left, want one: %s", n, st.roles(t, st.clinic))
	}
}

// Case 34: one account is tried from fifty addresses, and a thousand accounts from one. Few tries count, and who has signed in with their
// browser before gets in meanwhile.
func TestAStormOfPasswords(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.Server = st.open(t, config.Config{PublicURL: origin, TrustedProxies: []string{"0.0.0.0/32"}}) // where the tests' requests come from
	st.member(t, st.clinic, "meera", access.Agent)
	at := func(b *browser, address, email, pass string) answer {
		b.headers = map[string]string{"X-Forwarded-For": address}
		return b.post("/login", url.Values{"email": {email}, "password": {pass}})
	}
	hers := st.browser(t)
	hers.get("/login")
	hers.want(at(hers, "203.0.113.200", "asha@pehchan.example", password), http.StatusSeeOther, "/")
	hers.get("/help")
	hers.want(hers.post("/logout", nil), http.StatusSeeOther, "/login")

	tried, refused := 0, 0
	for i := range 50 {
		b := st.browser(t)
		b.get("/login")
		r := at(b, fmt.Sprintf("192.0.2.%d", i+1), []string{"asha@pehchan.example", " ASHA@pehchan.example", "a.sha@pehchan.example", "asha+x@pehchan.example"}[i%4], "wrong")
		switch r.status {
		case http.StatusUnauthorized:
			tried++
		case http.StatusTooManyRequests:
			refused++
			if wait, err := strconv.Atoi(r.header.Get("Retry-After")); err != nil || wait < 1 || wait > 15*60 {
				t.Errorf("refused without when to come back: %q", r.header.Get("Retry-After"))
			} else if wait < 180 { // the growing delay passes, which is shorter than the window
				st.exec(t, `UPDATE sign_in_failures SET at = at - interval '70 seconds'`)
			}
		default:
			t.Fatalf("try %d: %d", i, r.status)
		}
	}
	if tried > 10 || refused < 40 {
		t.Errorf("%d of 50 tries counted, want 10 at most", tried)
	}
	strange := st.browser(t)
	strange.get("/login")
	if r := at(strange, "192.0.2.99", "asha@pehchan.example", password); r.status != http.StatusTooManyRequests {
		t.Errorf("the right password from a strange browser in the storm: %d, want 429", r.status)
	}
	hers.get("/login")
	hers.want(at(hers, "192.0.2.98", "asha@pehchan.example", password), http.StatusSeeOther, "/")

	// One address, many accounts: the first are told that they are wrong, and all others nothing.
	counted, sprayer := 0, st.browser(t)
	st.exec(t, `DELETE FROM sign_in_failures`)
	sprayer.get("/login")
	for i := range 1000 {
		if i == 1 { // what sixty cost is known; each would have its password hashed
			st.exec(t, `INSERT INTO sign_in_failures (bucket, at) SELECT bucket, at - n * interval '1 second' FROM sign_in_failures, generate_series(1, 57) n WHERE bucket LIKE 'address %'`)
		}
		switch r := at(sprayer, "198.51.100.7", fmt.Sprintf("account-%d@pehchan.example", i), "lotus-river-1"); r.status {
		case http.StatusUnauthorized:
			counted++
		case http.StatusTooManyRequests:
		default:
			t.Fatalf("account %d: %d", i, r.status)
		}
	}
	if counted != 3 { // with the 57, sixty
		t.Errorf("of a thousand accounts %d were tried after 57, want 3", counted)
	}
	if r := at(strange, "198.51.100.7", "meera@pehchan.example", password); r.status != http.StatusTooManyRequests {
		t.Errorf("the right password from there: %d, want 429", r.status)
	}
	strange.want(at(strange, "198.51.100.8", "meera@pehchan.example", password), http.StatusSeeOther, "/")
}
