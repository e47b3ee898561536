package server_test

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/tenants"
)

// Cases 1 to 6 and 18 of the attack list. The addresses come from the route table, the fields from the handlers and the ids from the
// other business's tables, so that whatever is added is attacked too.

// handle is one of a business's rows as an address or a field may name it.
type handle struct{ table, value string }

// handlesOf are one of each kind of row that a business has: what stands in the key of a table beside the tenant.
func handlesOf(t *testing.T, db *sqlx.DB, tenant uuid.UUID) (list []handle) {
	t.Helper()
	var keys []struct {
		Table  string `db:"table"`
		Column string `db:"column"`
	}
	if err := db.Select(&keys, `
		SELECT c.relname AS table, a.attname AS column
		FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid AND c.relnamespace = 'public'::regnamespace
		JOIN pg_attribute own ON own.attrelid = c.oid AND own.attname = 'tenant_id'
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY(i.indkey) AND a.attname <> 'tenant_id' AND a.atttypid IN ('uuid'::regtype, 'bigint'::regtype, 'text'::regtype)
		WHERE i.indisprimary ORDER BY 1, 2`); err != nil {
		t.Fatal(err)
	}
	for _, in := range []uuid.UUID{tenant, uuid.Nil} {
		within(t, db, in, func(tx *sqlx.Tx) {
			for _, k := range keys {
				var value []string
				if err := tx.Select(&value, `SELECT `+k.Column+`::text FROM public.`+k.Table+` WHERE tenant_id = $1 ORDER BY 1 DESC LIMIT 1`, tenant); err != nil {
					t.Fatal(err)
				}
				if len(value) > 0 && len(value[0]) > 1 && !slices.ContainsFunc(list, func(h handle) bool { return h.value == value[0] }) {
					list = append(list, handle{k.Table, value[0]})
				}
			}
		})
	}

	return list
}

// fieldsRead are the names of form fields and query parameters that handlers read, as they stand in the source.
func fieldsRead(t *testing.T) (names []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			called, at := "", -1
			switch fn := call.Fun.(type) {
			case *ast.Ident:
				called = fn.Name
			case *ast.SelectorExpr:
				called = fn.Sel.Name
			}
			switch called {
			case "field", "Field", "rawField", "RawField":
				at = 1
			case "Query", "PeekMulti":
				at = 0
			}
			if at >= 0 && len(call.Args) > at {
				if lit, ok := call.Args[at].(*ast.BasicLit); ok {
					if name, err := strconv.Unquote(lit.Value); err == nil && !slices.Contains(names, name) {
						names = append(names, name)
					}
				}
			}

			return true
		})

		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(names) < 40 {
		t.Fatalf("found %d fields, the reading of handlers is broken", len(names))
	}
	slices.Sort(names)

	return names
}

// differ tells whether two answers differ in more than in words so long that they are made anew each time: ids, tokens, nonces.
func differ(a, b string) bool {
	if a == b {
		return false
	}
	apart := func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r == '_' || r == '-')
	}
	words := func(text string) (kept []string) {
		for _, w := range strings.FieldsFunc(text, apart) {
			if len(w) < 16 {
				kept = append(kept, w)
			}
		}
		return kept
	}

	return !slices.Equal(words(a), words(b))
}

// alike is an answer without what differs between two of the same, and without what was asked for. Of what is no id a page may hold the
// letters for other reasons.
func alike(r answer, asked string) string {
	if _, err := uuid.Parse(asked); err != nil {
		return strconv.Itoa(r.status)
	}

	return fmt.Sprint(r.status, " ", strings.ReplaceAll(r.body, asked, "*"))
}

// noneLike is a value of the same form that names nothing.
func noneLike(value string) string {
	if _, err := uuid.Parse(value); err == nil {
		return uuid.NewString()
	}
	if _, err := strconv.ParseInt(value, 10, 64); err == nil {
		return "9123456789012"
	}

	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r < 'z', r >= 'A' && r < 'Z', r >= '0' && r < '9':
			return r + 1
		}
		return r
	}, value)
}

// named are the tables whose rows most addresses name.
var named = []string{"contacts", "cases", "numbers", "links", "memberships"}

var param = regexp.MustCompile(`:[a-z]+`)

// outside are routes whose addresses name nothing of a business, or a secret of their own; why stands beside each.
var outside = map[string]string{
	"/static/":      "files of the program",
	"/hooks/":       "names an app, and the signature counts",
	"/reset/":       "a secret of its own",
	"/invite/":      "a secret of its own",
	"/mails/leave/": "signed",
	"/op/":          "the platform's, for operators alone",
	"/logout":       "ends the session that attacks",
	"/login":        "has a limit of its own",
	"/confirm":      "asks for the password",
	"/settings/pas": "asks for the password",
	"/settings/sec": "asks for the password",
	"/closing":      "asks for the business's name",
	"/api/":         "wants a key: TestAPIHidesAnotherTenant",
}

func attacked(path string) bool {
	for prefix := range outside {
		if strings.HasPrefix(path, prefix) {
			return false
		}
	}

	return true
}

func TestAnothersRowsAreAsIfTheyWereNot(t *testing.T) {
	t.Parallel()
	st := newAPISite(t)
	st.Server = st.open(t, config.Config{PublicURL: origin})
	db := st.above(t)
	ravi := st.signedIn(t, "ravi")
	for path, form := range map[string]url.Values{
		"/team":             {"email": {"canary-invited@pehchan.example"}, "role": {"agent"}},
		"/privacy/requests": {"kind": {"access"}, "subject": {"@canary.customer"}, "note": {"at the counter"}},
		"/prep/quiz":        {},
		"/prep/briefing":    {"role": {"owner"}, "lang": {"hi"}, "days": {"7"}},
	} {
		if r := ravi.post(path, form); r.status >= http.StatusInternalServerError {
			t.Errorf("Ravi's %s: %d %.200s", path, r.status, r.body)
		}
	}

	asha := st.signedIn(t, "asha")
	theirs, fields := handlesOf(t, db, st.motors.ID), fieldsRead(t)
	if len(theirs) < 30 {
		t.Errorf("the other business has %d kinds of handles to try, want 30", len(theirs))
	}
	for _, name := range []string{"tenant_id", "TENANT_ID", "tenant", "__Host-tenant"} {
		asha.cookies[name] = st.motors.ID.String()
	}
	before := st.rowsAs(t, db, st.motors.ID)
	powers := st.powers(t, "asha")

	tried := 0
	for n, route := range st.Routes() {
		params := param.FindAllString(route.Path, -1)
		if !attacked(route.Path) || route.Path == "/tenant" {
			continue
		}
		handles := theirs
		if len(params) == 0 {
			if route.Method == http.MethodGet {
				continue
			}
			handles = slices.DeleteFunc(slices.Clone(theirs), func(h handle) bool { return !slices.Contains([]string{"contacts", "cases", "numbers"}, h.table) })
		}
		nones := map[string]string{}
		for i, h := range handles {
			// What an address of this kind may name is tried with each, the rest by turns.
			if len(params) > 0 && !slices.Contains(named, h.table) && (i+n)%6 != 0 {
				continue
			}
			ask := func(value string) answer {
				form := url.Values{"role": {"owner"}, "ROLE": {"owner"}, "tenant_id": {st.motors.ID.String()}, "is_operator": {"true"}, "permissions": {"*"}}
				for _, name := range fields {
					form.Set(name, value)
				}
				path := param.ReplaceAllString(route.Path, url.PathEscape(value))
				asha.headers = map[string]string{"X-Tenant-ID": st.motors.ID.String(), "X-HTTP-Method-Override": "DELETE", "Host": "ravi-motors.pehchan.example", "X-Forwarded-Host": "ravi-motors.pehchan.example"}
				if route.Method == http.MethodGet {
					return asha.get(path + "?" + url.Values{"tenant_id": {st.motors.ID.String()}}.Encode())
				}
				form.Set("_csrf", asha.csrf)
				form.Del("_once")
				return asha.post(path, form)
			}
			tried++
			got := ask(h.value)
			if got.status >= http.StatusInternalServerError {
				t.Errorf("%s %s with a %s of another business: %d %.200s", route.Method, route.Path, h.table, got.status, got.body)
			}
			if len(params) == 0 {
				continue
			}
			none := noneLike(h.value)
			form := none
			if _, err := uuid.Parse(none); err == nil {
				form = "an id" // of all that are none it is answered alike
			}
			if _, asked := nones[form]; !asked {
				nones[form] = alike(ask(none), none)
			}
			if differ(alike(got, h.value), nones[form]) { // what waits beside the navigation may have changed in between
				got, nones[form] = ask(h.value), alike(ask(none), none)
			}
			if differ(alike(got, h.value), nones[form]) {
				t.Errorf("%s %s tells a %s of another business (%d) from none: %.200s", route.Method, route.Path, h.table, got.status, nones[form])
			}
		}
	}
	t.Logf("%d addresses tried with %d handles", tried, len(theirs))

	for table, rows := range st.rowsAs(t, db, st.motors.ID) {
		if before[table] != rows {
			t.Errorf("the other business's %s have changed", table)
		}
	}
	if got := st.powers(t, "asha"); got != powers {
		t.Errorf("Asha is now %s, was %s", got, powers)
	}
}

// rowsAs is a digest of a business's rows by table.
func (st *site) rowsAs(t *testing.T, db *sqlx.DB, tenant uuid.UUID) map[string]string {
	t.Helper()
	digests := map[string]string{}
	for table := range rowsOf(t, db, tenant) {
		for _, in := range []uuid.UUID{tenant, uuid.Nil} {
			within(t, db, in, func(tx *sqlx.Tx) {
				var digest string
				if err := tx.Get(&digest, `SELECT coalesce(md5(string_agg(x::text, '|' ORDER BY x::text)), '') FROM public.`+table+` x WHERE tenant_id = $1`, tenant); err != nil {
					t.Fatal(err)
				}
				digests[table] += digest
			})
		}
	}

	return digests
}

// powers are a person's roles everywhere.
func (st *site) powers(t *testing.T, name string) (powers string) {
	t.Helper()
	err := st.DB.System(context.Background(), func(tx *tenants.Tx) error {
		return tx.Get(&powers, `
			SELECT coalesce(p.operator_role, 'no operator') || coalesce((SELECT string_agg(m.tenant_id || ' ' || m.role, ', ' ORDER BY m.tenant_id) FROM memberships m WHERE m.person_id = p.id), '')
			FROM people p WHERE p.email = $1`, name+"@pehchan.example")
	})
	if err != nil {
		t.Fatal(err)
	}

	return powers
}
