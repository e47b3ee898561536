package server_test

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
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

	"github.com/pehchan/pehchan/server"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/sandbox"
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
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			at := -1
			switch fn := call.Fun.(type) {
			case *ast.Ident:
				if fn.Name == "field" || fn.Name == "fields" {
					at = 1
				}
			case *ast.SelectorExpr:
				if fn.Sel.Name == "Query" {
					at = 0
				}
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
	}
	if len(names) < 40 {
		t.Fatalf("found %d fields, the reading of handlers is broken", len(names))
	}
	slices.Sort(names)

	return names
}

// changing are parts of an answer that differ between two of the same.
var changing = regexp.MustCompile(`[A-Za-z0-9_-]{16,}|request_id[^,}]*`)

// alike is an answer without what differs between two of the same, and without what was asked for. Of what is no id a page may hold the
// letters for other reasons.
func alike(r answer, asked string) string {
	if _, err := uuid.Parse(asked); err != nil {
		return strconv.Itoa(r.status)
	}
	body := strings.ReplaceAll(r.body, asked, "*")

	return fmt.Sprint(r.status, " ", changing.ReplaceAllString(body, "*"))
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
	st.Server = st.open(t, server.Config{PublicURL: origin})
	db := st.above(t)
	ravi := st.signedIn(t, "ravi")
	for path, form := range map[string]url.Values{
		"/team":             {"email": {"canary-invited@pehchan.example"}, "role": {"agent"}},
		"/privacy/requests": {"kind": {"access"}, "who": {"@canary.customer"}, "how": {"phone"}},
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
				asha.headers = map[string]string{"X-Tenant-ID": st.motors.ID.String(), "X-HTTP-Method-Override": "DELETE"}
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
			if none := noneLike(h.value); len(params) > 0 {
				want := ask(none)
				if alike(got, h.value) != alike(want, none) { // what waits beside the navigation may have changed in between
					got, want = ask(h.value), ask(none)
				}
				if alike(got, h.value) != alike(want, none) {
					t.Errorf("%s %s tells a %s of another business (%d) from none (%d)", route.Method, route.Path, h.table, got.status, want.status)
				}
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

// Nothing that only the other business holds stands in any page that a reader of one reaches.
func TestNoPageHoldsAnothersWords(t *testing.T) {
	t.Parallel()
	st := newAPISite(t)
	st.Server = st.open(t, server.Config{PublicURL: origin})
	db := st.above(t)
	st.member(t, st.clinic, "meera", "agent")
	words := st.ownWords(t, db, st.motors.ID, st.clinic.ID)
	if len(words) < 60 {
		t.Fatalf("the other business has only %d words of its own", len(words))
	}
	for _, name := range []string{"asha", "meera"} {
		b := st.signedIn(t, name)
		n := b.crawl(t, []string{"/", "/home", "/contacts", "/inbox", "/resolve", "/numbers", "/overview", "/audit", "/prep", "/more"}, 70, func(path string, r answer) {
			for _, w := range words {
				if strings.Contains(r.body+r.location, w) {
					t.Errorf("%s: GET %s holds %q of another business", name, path, w)
				}
			}
		})
		if n < 50 {
			t.Errorf("%s crawled only %d pages", name, n)
		}
	}
}

// ownWords are some texts of each column that one business holds and another does not.
func (st *site) ownWords(t *testing.T, db *sqlx.DB, of, not uuid.UUID) (words []string) {
	t.Helper()
	var columns []struct{ Table, Column string }
	if err := db.Select(&columns, `
		SELECT c.relname AS table, a.attname AS column FROM pg_class c JOIN pg_attribute own ON own.attrelid = c.oid AND own.attname = 'tenant_id'
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid = 'text'::regtype
		WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace ORDER BY 1, 2`); err != nil {
		t.Fatal(err)
	}
	held := func(tenant uuid.UUID, table, column string) (values []string) {
		within(t, db, tenant, func(tx *sqlx.Tx) {
			if err := tx.Select(&values, `SELECT DISTINCT `+column+` FROM public.`+table+` WHERE tenant_id = $1 AND length(`+column+`) BETWEEN 10 AND 80 ORDER BY 1`, tenant); err != nil {
				t.Fatal(err)
			}
		})
		return values
	}
	mine := map[string]bool{}
	for _, c := range columns {
		for _, v := range held(not, c.Table, c.Column) {
			mine[v] = true
		}
	}
	for _, c := range columns {
		some := 0
		for _, v := range held(of, c.Table, c.Column) {
			if some < 5 && !mine[v] && !slices.Contains(words, v) && strings.ContainsAny(v, "0123456789") {
				words, some = append(words, v), some+1
			}
		}
	}

	return append(words, sandbox.Known().Numbers[2].DisplayPhone)
}
