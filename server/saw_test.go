package server_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/pehchan/pehchan/server"
	"github.com/pehchan/pehchan/server/config"
)

// listing are the routes that name people in a list, from which one goes on to a person. No other route names anybody, but for those
// that note who looked.
var listing = []string{
	"/home", "/contacts", "/inbox", "/resolve", "/resolve/many/:id", "/privacy", "/prep/escalations", "/contacts/import/:id",
	"/adoption/people", "/adoption/reach", "/reports/monthly/rows", "/audit",
}

// TestWhoSawThisPerson gets each route that shows one person, or two side by side: it leaves one look more for each. Then it follows every
// link: a page that names one of the two, who are called as nobody else is, must be one of these or of the lists.
func TestWhoSawThisPerson(t *testing.T) {
	t.Parallel()
	st := newAPISite(t)
	st.Server = st.open(t, config.Config{PublicURL: origin})
	db, b := st.above(t), st.signedIn(t, "asha")

	names := []string{"Canaryseen Qzxkone", "Canaryseen Qzxktwo"}
	var (
		people []string
		open   string
	)
	within(t, db, st.clinic.ID, func(tx *sqlx.Tx) {
		if err := tx.Get(&open, `
			SELECT k.id FROM cases k JOIN contacts c ON c.tenant_id = k.tenant_id AND c.id = k.contact_id
			WHERE k.tenant_id = $1 AND k.state = 'open' AND k.kind = 'unresolved' ORDER BY k.id LIMIT 1`, st.clinic.ID); err != nil {
			t.Fatal(err)
		}
		if err := tx.Select(&people, `
			SELECT c.id::text FROM contacts c WHERE c.tenant_id = $1 AND c.merged_into IS NULL
			ORDER BY c.id IN (SELECT contact_id FROM cases WHERE tenant_id = $1 AND id = $2) DESC, 
				EXISTS (SELECT 1 FROM identities i JOIN tenures t ON t.tenant_id = i.tenant_id AND t.identity_id = i.id JOIN identifiers d ON d.tenant_id = t.tenant_id AND d.id = t.identifier_id
					WHERE i.tenant_id = $1 AND i.contact_id = c.id AND d.kind = 'phone') DESC, c.id LIMIT 2`, st.clinic.ID, open); err != nil || len(people) != 2 {
			t.Fatalf("%d people: %v", len(people), err)
		}
		for i, id := range people {
			tx.MustExec(`UPDATE contacts SET display_name = $1 WHERE tenant_id = $2 AND id = $3`, names[i], st.clinic.ID, id)
		}
	})
	looks := func() (rows []int) {
		within(t, db, st.clinic.ID, func(tx *sqlx.Tx) {
			for _, id := range people {
				var n int
				if err := tx.Get(&n, `SELECT coalesce(sum(times), 0) FROM contact_views WHERE tenant_id = $1 AND contact_id = $2`, st.clinic.ID, id); err != nil {
					t.Fatal(err)
				}
				rows = append(rows, n)
			}
		})

		return rows
	}
	const first, second, both = "10", "01", "11"
	one, two := people[0], people[1]
	asked := b.post("/privacy/requests", url.Values{"kind": {"access"}, "contact": {one}})
	proof := regexp.MustCompile(`/contacts/[0-9a-f-]+/evidence/[0-9a-f-]+`)
	evidence, whose := proof.FindString(b.get("/contacts/"+one).body), first
	if evidence == "" {
		evidence, whose = proof.FindString(b.get("/contacts/"+two).body), second
	}

	watched := map[string][2]string{ // by route an address, and whom it shows
		"/contacts/:id":                {"/contacts/" + one, first},
		"/contacts/:id/evidence/:item": {evidence, whose},
		"/contacts/:id/code":           {"/contacts/" + two + "/code", second},
		"/contacts/:id/ask":            {"/contacts/" + one + "/ask", first},
		"/inbox/:id":                   {"/inbox/" + one, first},
		"/inbox/:id/live":              {"/inbox/" + two + "/live", second},
		"/resolve/:id":                 {"/resolve/" + open + "?who=" + two, both},
		"/resolve/:id/ask":             {"/resolve/" + open + "/ask", first},
		"/merges/preview":              {"/merges/preview?keep=" + two + "&lose=" + one, both},
		"/privacy/requests/:id":        {asked.location, first},
	}
	look := func(route, path, whom string) {
		t.Helper()
		before, r := looks(), b.get(path)
		if found := st.routeOf(strings.Split(path, "?")[0]); found != route || r.status != http.StatusOK {
			t.Errorf("%s: %q is of the route %q and answers %d %s", route, path, found, r.status, r.location)
			return
		}
		for i, n := range looks() {
			if want := before[i] + int(whom[i]-'0'); n != want {
				t.Errorf("%s: want %d looks at %s, got %d", path, want, names[i], n)
			}
		}
	}
	for _, route := range listing {
		if !slices.ContainsFunc(st.Routes(), func(r server.Route) bool { return r.Path == route }) {
			t.Errorf("%s is no route", route)
		}
	}
	for route, at := range watched {
		look(route, at[0], at[1])
	}
	look("/inbox/:id/live", "/inbox/"+two+"/live", "00") // the page only renews itself

	st.walk(b, []string{"/home", "/contacts", "/inbox", "/resolve", "/numbers", "/overview", "/audit", "/prep", "/more", "/settings", "/team", "/privacy"}, func(path string, r answer) {
		route := st.routeOf(strings.Split(path, "?")[0])
		if _, noted := watched[route]; noted || slices.Contains(listing, route) {
			return
		}
		for _, name := range names {
			if strings.Contains(r.body, name) {
				t.Errorf("%s (%s) names somebody: does it only list them, or must it say who looked?", path, route)
			}
		}
	})

	// The receipt stands for both, also after the one is part of the other.
	merged := b.post("/merges", url.Values{"keep": {two}, "lose": {one}, "reason": {"the same voice"}})
	watched["/merges/:id"] = [2]string{merged.location, both}
	look("/merges/:id", merged.location, both)
}
