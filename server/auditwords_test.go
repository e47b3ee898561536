package server_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	pagesaudit "github.com/pehchan/pehchan/server/audit"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/privacy"
	"github.com/pehchan/pehchan/views/audit"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/operator"
)

// journalled collects what the source writes into the details of acts: by key, the literal values it gives it and where. A detail that comes
// by a variable is followed to what fills the variable, one that comes by a parameter to the calls.
type journalled struct {
	files map[string][]*ast.File // by folder
	keys  map[string]map[string]string
	done  map[ast.Node]bool
	lost  []string // details that could not be followed
	set   *token.FileSet
}

func readJournalled(t *testing.T) *journalled {
	t.Helper()
	j := &journalled{files: map[string][]*ast.File{}, keys: map[string]map[string]string{}, done: map[ast.Node]bool{}, set: token.NewFileSet()}
	for _, root := range []string{"../tenants", "../server"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(j.set, path, nil, 0)
			j.files[filepath.Dir(path)] = append(j.files[filepath.Dir(path)], file)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for dir, files := range j.files {
		for _, file := range files {
			for _, decl := range file.Decls {
				fn, ok := decl.(*ast.FuncDecl)
				if !ok || fn.Body == nil {
					continue
				}
				ast.Inspect(fn.Body, func(n ast.Node) bool {
					if lit, ok := n.(*ast.CompositeLit); ok && strings.HasSuffix(name(lit.Type), "Act") {
						for _, element := range lit.Elts {
							if pair, ok := element.(*ast.KeyValueExpr); ok && name(pair.Key) == "Detail" {
								j.follow(dir, fn, pair.Value)
							}
						}
					}
					if set, ok := n.(*ast.AssignStmt); ok {
						for i, left := range set.Lhs {
							if field, ok := left.(*ast.SelectorExpr); ok && field.Sel.Name == "Detail" && name(field.X) == "act" && i < len(set.Rhs) {
								j.follow(dir, fn, set.Rhs[i])
							}
						}
					}
					return true
				})
			}
		}
	}

	return j
}

func name(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}

	return ""
}

func (j *journalled) add(pos token.Pos, key, value string) {
	if j.keys[key] == nil {
		j.keys[key] = map[string]string{}
	}
	j.keys[key][value] = j.set.Position(pos).String()
}

// follow adds the keys of a detail that fn, of a folder, gives to an act.
func (j *journalled) follow(dir string, fn *ast.FuncDecl, detail ast.Expr) {
	if name(detail) == "nil" || j.done[detail] {
		return
	}
	j.done[detail] = true
	switch detail := detail.(type) {
	case *ast.CompositeLit:
		j.literal(dir, fn, detail)
		return
	case *ast.CallExpr: // of a function that makes it
		if made := j.function(dir, name(detail.Fun)); made != nil {
			ast.Inspect(made.Body, func(n ast.Node) bool {
				if back, ok := n.(*ast.ReturnStmt); ok && len(back.Results) > 0 {
					j.follow(dir, made, back.Results[0])
				}
				return true
			})
			return
		}
	case *ast.Ident:
		if j.variable(dir, fn, detail.Name) {
			return
		}
	}
	j.lost = append(j.lost, j.set.Position(detail.Pos()).String())
}

// variable follows what fills a variable of fn; false where nothing was found.
func (j *journalled) variable(dir string, fn *ast.FuncDecl, of string) (found bool) {
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		set, ok := n.(*ast.AssignStmt)
		if !ok {
			return true
		}
		for i, left := range set.Lhs {
			right := set.Rhs[min(i, len(set.Rhs)-1)]
			if index, ok := left.(*ast.IndexExpr); ok && name(index.X) == of {
				found = true
				j.pair(dir, fn, index.Index, right)
			}
			if name(left) == of && left != right {
				found = true
				if call, made := right.(*ast.CallExpr); !made || name(call.Fun) != "make" {
					j.follow(dir, fn, right)
				}
			}
		}
		return true
	})
	at := -1
	for _, p := range fn.Type.Params.List {
		for _, n := range p.Names {
			if at++; n.Name == of {
				j.calls(dir, fn.Name.Name, at)
				return true
			}
		}
	}

	return found
}

// calls follows the argument that a function of a folder gets.
func (j *journalled) calls(dir, function string, argument int) {
	for _, file := range j.files[dir] {
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			ast.Inspect(fn.Body, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok && name(call.Fun) == function && argument < len(call.Args) {
					j.follow(dir, fn, call.Args[argument])
				}
				return true
			})
		}
	}
}

func (j *journalled) function(dir, called string) *ast.FuncDecl {
	for _, file := range j.files[dir] {
		for _, decl := range file.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Name.Name == called && fn.Body != nil {
				return fn
			}
		}
	}

	return nil
}

func (j *journalled) literal(dir string, fn *ast.FuncDecl, lit *ast.CompositeLit) {
	for _, element := range lit.Elts {
		if pair, ok := element.(*ast.KeyValueExpr); ok {
			j.pair(dir, fn, pair.Key, pair.Value)
		}
	}
}

func (j *journalled) pair(dir string, fn *ast.FuncDecl, key, value ast.Expr) {
	k, ok := key.(*ast.BasicLit)
	if !ok {
		j.lost = append(j.lost, j.set.Position(key.Pos()).String())
		return
	}
	of, _ := strconv.Unquote(k.Value)
	if of == "before" || of == "after" {
		if inner, ok := value.(*ast.CompositeLit); ok {
			if _, isMap := inner.Type.(*ast.MapType); isMap {
				j.literal(dir, fn, inner)
			}
		}
		return
	}
	given := ""
	if v, ok := value.(*ast.BasicLit); ok && v.Kind == token.STRING {
		given, _ = strconv.Unquote(v.Value)
	}
	j.add(key.Pos(), of, given)
}

// Every key of an act's detail has words in both languages.
func TestEveryDetailOfTheAuditHasWords(t *testing.T) {
	t.Parallel()
	j := readJournalled(t)
	if len(j.keys) < 60 {
		t.Fatalf("found %d keys, want all of them", len(j.keys))
	}
	for key, given := range j.keys {
		if words := audit.Words("", key); words == "" {
			t.Errorf("%v writes %q, which has no words: want audit.field_%s", given, key, key)
		}
	}
	for _, where := range j.lost {
		if !slices.ContainsFunc(unfollowed, func(file string) bool { return strings.Contains(where, file) }) {
			t.Errorf("%s: a detail whose keys this test cannot see: write it as a map with plain keys", where)
		}
	}
	for _, class := range privacy.Classes {
		if audit.Words("privacy.keep", class.Name) == "" {
			t.Errorf("how long %s is kept has no words", class.Name)
		}
	}
	for _, settings := range []any{access.TenantSettings{}, tenants.Quiet{}} {
		for _, field := range reflect.VisibleFields(reflect.TypeOf(settings)) {
			if audit.Words("tenant.change", field.Name) == "" {
				t.Errorf("%T: %s has no words", settings, field.Name)
			}
		}
	}
}

// unfollowed are files whose keys are classes of things kept, looked at above.
var unfollowed = []string{"privacy/retention.go"}

// Each page that an operator may open by leave is called by its name where the owner sees what was opened.
func TestEveryPageOpenToOperatorsHasAName(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	for _, r := range st.Routes() {
		permission, _, _ := strings.Cut(r.Permission, " ")
		if r.Method != http.MethodGet || strings.HasSuffix(r.Path, "/live") || strings.HasSuffix(r.Path, "/export") || r.Path == "/events" {
			continue
		}
		if access.Can(access.OperatorReads, permission) || access.Can(access.OperatorActs, permission) {
			if key := operator.PageWords(r.Path); !i18n.Known(key) {
				t.Errorf("%s has no name: want %s", r.Path, key)
			}
		}
	}
}

// An owner reads what operators did in words, in Hindi as in English.
func TestSupportIsToldInWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lang, action, detail, want string
	}{
		{"hi", "support.allow", `{"minutes": 30, "ticket": "T-1", "scope": "act", "operator": "Olga"}`, "मिनट: 30 | ऑपरेटर: Olga | ऑपरेटर क्या कर सकता है: देखना, और ग्राहक व जोड़ ठीक करना | टिकट: T-1"},
		{"en", "support.standing", `{"before": "", "after": "read"}`, "Operators may without asking: Look"},
		{"en", "number.connect", `{"scope": "portfolio:900"}`, "Belongs to: portfolio:900"},
		{"hi", "privacy.prove", `{"proof": "in_person", "code": false}`, "हमारा कोड वापस आया: नहीं | सबूत: "},
		{"hi", "privacy.data", `{"format": "html"}`, "फ़ाइल का प्रकार: पढ़ने के लिए"},
		{"en", "contact.edit", `{"fields": ["display_name", "notes"]}`, "What was edited: Name, Notes"},
		{"en", "tenant.quiet", `{"before": {"From": 0, "Until": 0}, "after": {"From": 1320, "Until": 435}}`, "From: 00:00 → 22:00 | Until: 00:00 → 07:15"},
		{"en", "privacy.keep", `{"before": {"messages": 0}, "after": {"messages": 90}}`, "Messages: kept for good → 90 days"},
		{"en", "member.change_role", `{"before": "agent", "after": "lead"}`, "Role: Agent → "},
		{"hi", "number.disconnect", `{"was": "connected", "until": "2026-12-24T10:00:00Z"}`, "कब तक: 24 दिस॰ 2026 | पहले: "},
		{"en", "tenant.state", `{"before": "active", "after": "suspended"}`, "State: Open → Suspended"},
	} {
		var detail map[string]any
		if err := json.Unmarshal([]byte(c.detail), &detail); err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		entry := audit.Entry{Action: c.action, Detail: pagesaudit.Detail(detail)}
		if err := audit.Detail(entry).Render(i18n.With(t.Context(), c.lang, time.UTC), &out); err != nil {
			t.Fatal(err)
		}
		got := strings.Join(strings.Fields(betweenTags.ReplaceAllString(strings.NewReplacer("</dt>", ": ", "</dd>", " | ").Replace(out.String()), " ")), " ")
		got = strings.ReplaceAll(got, " : ", ": ")
		if !strings.Contains(got, strings.TrimSpace(c.want)) {
			t.Errorf("%s %s: got %q, want %q in it", c.lang, c.action, got, c.want)
		}
	}
}

var betweenTags = regexp.MustCompile(`<[^>]*>`)
