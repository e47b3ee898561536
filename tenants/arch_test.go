package tenants_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/pehchan/pehchan/"

// source is one Go file of the repository, parsed.
type source struct {
	path string // from the top of the repository
	file *ast.File
}

func sources(t *testing.T) []source {
	t.Helper()

	var out []source
	root := ".."
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != root || d.Name() == "node_modules"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		out = append(out, source{filepath.ToSlash(rel), file})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 50 {
		t.Fatalf("found %d Go files, the walk is broken", len(out))
	}

	return out
}

// below lists, for each subject under tenants/, the subjects it may import. Everything may import tenants itself.
var below = map[string][]string{
	"access":        {"secrets"},
	"adoption":      {"whatsapp"},
	"answers":       {"facts", "training"},
	"conversations": {"erased", "identity", "phonefree", "whatsapp"},
	"erased":        {"secrets", "whatsapp"},
	"facts":         {"whatsapp"},
	"forward":       {"conversations", "identity", "ingest", "notices", "secrets", "whatsapp"},
	"handover":      {"access", "conversations", "identity", "training", "usernames"},
	"identity":      {"adoption", "erased", "phonefree", "secrets", "whatsapp"},
	"imports":       {"erased", "identity", "phonefree", "secrets", "whatsapp"},
	"ingest":        {"adoption", "conversations", "erased", "identity", "notices", "phonefree", "secrets", "whatsapp"},
	"lives":         {"access", "ingest"},
	"mail":          {"secrets"},
	"notices":       {"erased", "phonefree", "whatsapp"},
	"numbers":       {"conversations", "identity", "ingest", "notices", "phonefree", "secrets", "whatsapp"},
	"operator":      {"access", "ingest"},
	"outbox":        {"conversations", "numbers", "phonefree", "secrets", "whatsapp"},
	"phonefree":     {"secrets", "whatsapp"},
	"postgres":      {},
	"privacy":       {"adoption", "conversations", "erased", "forward", "identity", "imports", "ingest", "notices", "numbers", "phonefree", "secrets", "whatsapp"},
	"reports":       {"adoption"},
	"sandbox":       {"whatsapp"},
	"secrets":       {},
	"start":         {},
	"testdb":        {"postgres"},
	"training":      {"facts"},
	"trust":         {},
	"usernames":     {"notices", "numbers", "secrets", "whatsapp"},
	"whatsapp":      {},
}

// beside lists, for each package of pages under server/, what it may import of the others. Each stands on server/web, which knows none of
// them; routes.go knows all.
var beside = map[string][]string{
	"answers":   {"web"},
	"api":       {},
	"audit":     {"web"},
	"changes":   {"web"},
	"config":    {},
	"contacts":  {"inbox", "web"},
	"docs":      {"api", "web"},
	"front":     {"config", "signin", "web"},
	"home":      {"changes", "overview", "settings", "team", "web"},
	"inbox":     {"answers", "web"},
	"numbers":   {"config", "home", "web"},
	"operator":  {"audit", "teller", "web"},
	"overview":  {"changes", "web"},
	"prep":      {"answers", "changes", "overview", "teller", "web"},
	"privacy":   {"web"},
	"queue":     {"inbox", "web"},
	"settings":  {"teller", "web"},
	"signin":    {"config", "settings", "teller", "web"},
	"team":      {"teller", "web"},
	"teller":    {"config", "web"},
	"usernames": {"teller", "web"},
	"web":       {"api", "config"},
}

// drawn lists, for each package of pages under views/, whose parts its pages show. What everything is made of (components, layout, mails and
// the two languages) may stand in any.
var drawn = map[string][]string{
	"answers":    {"changes", "people"},
	"audit":      {},
	"changes":    {},
	"components": {},
	"contacts":   {"answers", "inbox", "people", "privacy", "queue"},
	"docs":       {},
	"front":      {"changes"},
	"home":       {"changes", "numbers", "overview", "settings", "team"},
	"i18n":       {},
	"inbox":      {"answers", "numbers", "people"},
	"layout":     {},
	"mails":      {},
	"numbers":    {},
	"operator":   {"answers", "audit", "changes", "numbers"},
	"overview":   {"numbers", "people"},
	"people":     {},
	"prep":       {"answers", "changes", "queue"},
	"privacy":    {"people"},
	"queue":      {"numbers", "people"},
	"settings":   {"signin"},
	"signin":     {},
	"team":       {},
	"usernames":  {"numbers"},
}

func TestImportsPointOneWay(t *testing.T) {
	t.Parallel()

	for _, s := range sources(t) {
		test := strings.HasSuffix(s.path, "_test.go")
		for _, spec := range s.file.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			top := strings.SplitN(s.path, "/", 3)
			own := strings.TrimPrefix(path, module)
			switch {
			case top[0] == "tenants" && strings.Contains(path, "gofiber/"):
				t.Errorf("%s imports fiber: nothing under tenants/ knows of HTTP pages", s.path)
			case own == path:
			case top[0] == "tenants" && (strings.HasPrefix(own, "server") || strings.HasPrefix(own, "views") || strings.HasPrefix(own, "static")):
				t.Errorf("%s imports %s", s.path, own)
			case top[0] == "tenants" && len(top) == 3 && !test:
				allowed, known := below[top[1]]
				if !known {
					t.Errorf("%s: say in arch_test.go what the subject %s stands on", s.path, top[1])
				}
				subject, ok := strings.CutPrefix(own, "tenants/")
				subject, _, _ = strings.Cut(subject, "/")
				if ok && subject != top[1] && !slices.Contains(allowed, subject) && !(top[1] == "testdb" && own == "migrations") {
					t.Errorf("%s imports %s, which it does not stand on", s.path, own)
				}
			case top[0] == "tenants" && len(top) == 2 && !test:
				t.Errorf("%s imports %s: the wall stands on nothing", s.path, own)
			case top[0] == "server" && len(top) == 3 && top[1] != "cmd" && !test:
				allowed, known := beside[top[1]]
				if !known {
					t.Errorf("%s: say in arch_test.go what the pages of %s stand on", s.path, top[1])
				}
				if pages, ok := strings.CutPrefix(own, "server/"); ok && !slices.Contains(allowed, pages) || own == "server" {
					t.Errorf("%s imports %s, which it does not stand on", s.path, own)
				}
			case top[0] == "views" && !test && !strings.HasPrefix(own, "views/") && own != "static":
				t.Errorf("%s imports %s: views take plain structs", s.path, own)
			case top[0] == "views" && len(top) == 3 && !test && strings.HasPrefix(own, "views/"):
				allowed, known := drawn[top[1]]
				if !known {
					t.Errorf("%s: say in arch_test.go whose parts the pages of %s show", s.path, top[1])
				}
				part := strings.TrimPrefix(own, "views/")
				if !slices.Contains([]string{"components", "i18n", "layout", "mails"}, part) && !slices.Contains(allowed, part) {
					t.Errorf("%s imports %s, of which it shows nothing", s.path, own)
				}
			case (top[0] == "static" || top[0] == "migrations") && !test:
				t.Errorf("%s imports %s", s.path, own)
			}
		}
	}
}

// mayLeaveTheTenant are the places that work with no tenant set: they see the platform's tables and no customer of anybody.
var mayLeaveTheTenant = []string{
	"tenants/access/",             // people, sessions and keys exist before any tenant
	"server/api.go",               // an API key names its tenant
	"server/cmd/pehchan/",         // commands that make or look up tenants, people and apps
	"server/front/",               // whoever looks from outside is in no tenant
	"server/hooks.go",             // a webhook's app
	"server/server.go",            // readiness
	"server/operator/",            // the operators' pages
	"server/prep/bankitems.go",    // how questions do, counted without persons
	"server/prep/briefing.go",     // whoever comes by a link is in no tenant
	"server/settings/closing.go",  // the businesses that let a person in no more
	"server/settings/settings.go", // where a person is signed in
	"server/signin/",              // who somebody is, before it is known where they belong
	"server/team/roles.go",        // when a person was last here
	"server/team/team.go",         // a person's other tenants
	"server/teller/",              // who is to be told by mail, also of their own account
	"server/usernames/trust.go",   // whoever opens a trust page is in no tenant
	"server/web/live.go",          // is the session of an open stream still good
	"server/web/request.go",       // the session of a request, and a person's own settings
	"tenants/facts/",              // the ledger belongs to no tenant
	"tenants/forward/",            // whose target has something waiting
	"tenants/imports/",            // whose import is due
	"tenants/ingest/",             // the inbox is split before it is known whose it is
	"tenants/lives/",              // who is to be erased, and what the platform holds of them
	"tenants/mail/",               // mails are sent for all
	"tenants/numbers/",            // apps, and the directory of numbers
	"tenants/operator/",           // the operator's counts
	"tenants/outbox/",             // which number has something to send
	"tenants/privacy/",            // whom to erase next, and whose time has come
	"tenants/rota.go",             // whose turn it is
	"tenants/testdb/",             // the people of tests
}

func TestOnlyAFewPlacesLeaveTheTenant(t *testing.T) {
	t.Parallel()

	for _, s := range sources(t) {
		if strings.HasSuffix(s.path, "_test.go") || strings.HasPrefix(s.path, "e2e/") {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if ok && sel.Sel.Name == "System" && len(call.Args) == 2 &&
				!slices.ContainsFunc(mayLeaveTheTenant, func(p string) bool { return strings.HasPrefix(s.path, p) }) {
				t.Errorf("%s calls System", s.path)
			}
			return true
		})
	}
}

// topLevel is all that may stand at the top of the repository beside dotfiles.
var topLevel = []string{"server", "views", "static", "tenants", "migrations", "e2e", "go.mod", "go.sum", "Dockerfile", "Makefile", "README.md", "LICENSE"}

func TestTopLevelStaysAsDrawn(t *testing.T) {
	t.Parallel()

	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && e.Name() != "bin" && !slices.Contains(topLevel, e.Name()) {
			t.Errorf("%s stands at the top level", e.Name())
		}
	}
}
