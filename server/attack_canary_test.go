package server_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/pehchan/pehchan/server"
	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/tenants/sandbox"
)

// Cases 1, 6, 24 and 87: what another business holds, what a role may not see and what nobody may see stands on no page, in no answer of
// the API, in no line of the log, and the secrets in no row of the database. The words are planted in whatever columns there are.

// kept are words of the business itself that only some of its people may read.
type kept struct {
	what    string
	words   []string
	readers []string
}

var spaces = strings.NewReplacer(" ", "", "-", "", "\u00a0", "", "&nbsp;", "", "(", "", ")", "")

// routeOf is the route that answers GET of an address, or "".
func (st *site) routeOf(path string) (found string) {
	asked := strings.Split(path, "/")
	for _, r := range st.table() {
		if r.Method != http.MethodGet || len(r.parts) != len(asked) || found != "" && !strings.Contains(found, ":") {
			continue
		}
		fits := true
		for i, part := range r.parts {
			fits = fits && (part == asked[i] || strings.HasPrefix(part, ":") && asked[i] != "")
		}
		if fits {
			found = r.Path
		}
	}

	return found
}

// cutRoute is a line of the table with its path cut at the slashes.
type cutRoute struct {
	server.Route
	parts []string
}

// table is the route table, put together once for a site: a walk asks it for each of thousands of links.
func (st *site) table() []cutRoute {
	st.cutOnce.Do(func() {
		for _, r := range st.Routes() {
			st.cut = append(st.cut, cutRoute{r, strings.Split(r.Path, "/")})
		}
	})

	return st.cut
}

// walk gets the pages that links lead to from some on, two of a route and one of each kind of question to it, and returns an address of
// each route that it met.
func (st *site) walk(b *browser, from []string, page func(path string, r answer)) (routes map[string]string) {
	b.t.Helper()
	seen, met, queue := map[string]bool{}, map[string]int{}, slices.Clone(from)
	routes = map[string]string{}
	for ; len(queue) > 0; queue = queue[1:] {
		path, query, _ := strings.Cut(queue[0], "?")
		route := st.routeOf(path)
		if seen[queue[0]] || route == "" || slices.Contains([]string{"/static/:version/:name", "/events", "/media/:message"}, route) {
			continue
		}
		if routes[route] == "" || query == "" {
			routes[route] = queue[0]
		}
		kind, most := route, 2
		if query != "" {
			given, _ := url.ParseQuery(query)
			kind, most = route+fmt.Sprint(slices.Sorted(maps.Keys(given))), 1
		}
		if met[kind] == most {
			continue
		}
		seen[queue[0]] = true
		met[kind]++
		r := b.get(queue[0])
		page(queue[0], r)
		if strings.HasPrefix(r.location, "/") {
			queue = append(queue, r.location)
		}
		queue = append(queue, linksIn(r.body)...)
	}

	return routes
}

func TestCanariesStayWhereTheyAre(t *testing.T) {
	t.Parallel()
	st := newAPISite(t)
	st.Server = st.open(t, config.Config{PublicURL: origin})
	db, roles := st.above(t), append([]string{"asha"}, columns[1:6]...)
	browsers := map[string]*browser{"asha": st.signedIn(t, "asha")}
	for _, role := range columns[1:6] {
		st.member(t, st.clinic, role, role)
		browsers[role] = st.signedIn(t, role)
	}
	st.operator(t, "op-admin", "admin")

	// What the business has of its own, in the ways it comes in.
	asha, number := browsers["asha"], sandbox.Known().Numbers[0]
	seed, codes := browsers["lead"].enrol()
	raw := `{"object":"whatsapp_business_account","entry":[` + strings.Replace(textTo(number, "wamid.raw", "said to all who read"), `"type":"text"`, `"type":"text","odd_field":"canaryoddqzxkvwj"`, 1) + `]}`
	if r := st.deliver(t, hook, raw, signed(sandboxSecret, raw)); r.status != http.StatusOK || !strings.Contains(raw, "canaryodd") {
		t.Fatalf("deliver: %d", r.status)
	}
	st.drain(t)
	for path, form := range map[string]url.Values{
		"/team":             {"email": {"canaryinvited@pehchan.example"}, "role": {"agent"}},
		"/privacy/requests": {"kind": {"access"}, "subject": {"@canary.customer"}, "note": {"at the counter"}},
	} {
		if r := asha.post(path, form); r.status >= http.StatusBadRequest {
			t.Errorf("%s: %d %.200s", path, r.status, r.body)
		}
	}
	var (
		phones []string
		item   struct {
			ID     int64
			Number string
		}
	)
	within(t, db, st.clinic.ID, func(tx *sqlx.Tx) {
		if err := tx.Get(&item, `SELECT id, number_id AS number FROM inbox_items WHERE tenant_id = $1 ORDER BY id DESC LIMIT 1`, st.clinic.ID); err != nil {
			t.Fatal(err)
		}
		if err := tx.Select(&phones, `SELECT right(value, 10) FROM identifiers WHERE kind = 'phone' AND length(value) > 10`); err != nil || len(phones) < 5 {
			t.Fatalf("%d phones: %v", len(phones), err)
		}
	})
	secrets := append(codes, seed, sandboxSecret, sandboxVerify, "sandbox-token-good", password, "$argon2", st.mine.key, st.theirs.key)
	for _, b := range browsers {
		secrets = append(secrets, b.cookies[sessionCookie])
	}
	keeps := []kept{
		{"a secret", secrets, nil},
		{"a customer's number", phones, []string{"asha", "lead"}},
		{"a delivery as it came", []string{"canaryoddqzxkvwj"}, []string{"asha", "lead"}},
		{"a colleague's address", []string{"marketing@pehchan.example", "canaryinvited@pehchan.example"}, []string{"asha", "lead", "auditor", "marketing"}},
		{"a customer's request", []string{"canary.customer"}, []string{"asha", "lead", "agent", "auditor"}},
	}
	rows := strings.ReplaceAll(dump(t, db, st.clinic.ID, st.motors.ID), "$argon2", "")
	for i, secret := range secrets {
		if strings.Contains(rows, secret) && secret != "$argon2" {
			t.Errorf("the database holds secret %d as it is", i)
		}
	}

	theirs := plant(t, db, st.motors.ID)
	st.exec(t, `UPDATE people SET name = $1 WHERE email_key = 'ravi@pehchan.example'`, mark(998))
	st.exec(t, `UPDATE tenants SET name = $1, state_reason = $1 WHERE id = $2`, mark(999), st.motors.ID)
	theirs.marks[mark(998)], theirs.marks[mark(999)] = column{Table: "people", Name: "name"}, column{Table: "tenants", Name: "name"}
	if len(theirs.marks) < 2*200 || len(theirs.bare) > 80 {
		t.Errorf("planted in %d columns and not in %v, the planting is broken", len(theirs.marks)/2, theirs.bare)
	}

	var (
		mu   sync.Mutex
		seen = map[string]bool{}
	)
	look := func(who, path string, r answer) {
		body := r.body + r.location
		dense := spaces.Replace(body)
		if found := planted.FindString(dense); found != "" {
			t.Errorf("%s: %s holds %s.%s of another business", who, path, theirs.marks[found].Table, theirs.marks[found].Name)
		}
		for _, k := range keeps {
			for i, w := range k.words {
				if !strings.Contains(dense, w) {
					continue
				}
				if !slices.Contains(k.readers, who) {
					t.Errorf("%s: %s holds %s (%d)", who, path, k.what, i)
				}
				mu.Lock()
				seen[k.what] = true
				mu.Unlock()
			}
		}
	}
	paths := st.walk(asha, []string{"/numbers/" + item.Number + "/items/" + st.itemID(st.clinic, item.ID), "/home", "/contacts", "/inbox", "/resolve", "/numbers", "/overview", "/audit", "/prep", "/more", "/settings", "/dev/keys", "/team"}, func(path string, r answer) { look("asha", path, r) })
	if len(paths) < 75 {
		t.Errorf("walked to %d kinds of pages: %v", len(paths), paths)
	}
	var all sync.WaitGroup
	for _, role := range roles[1:] {
		all.Go(func() {
			for _, path := range paths {
				look(role, path, browsers[role].get(path))
			}
		})
	}
	all.Wait()
	contact := st.mine.get("/contacts").text("items", 0, "id")
	for _, call := range calls(contact) {
		if call.method == http.MethodGet {
			look("asha", "the API's "+call.path, st.mine.get(call.path).answer)
		}
	}
	look("the log", "a line", answer{body: st.log.String()})
	for _, k := range keeps[1:] {
		if !seen[k.what] {
			t.Errorf("%s was seen by nobody: the words are none", k.what)
		}
	}

	// The platform's people without leave read nothing from behind the wall of any business.
	st.walk(st.signedIn(t, "op-admin"), []string{"/op"}, func(path string, r answer) {
		for _, found := range planted.FindAllString(spaces.Replace(r.body), -1) {
			if c := theirs.marks[found]; c.Walled {
				t.Errorf("an operator: %s holds %s.%s of a business", path, c.Table, c.Name)
			}
		}
	})
}
