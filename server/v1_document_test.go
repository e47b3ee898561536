package server_test

import (
	"bytes"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// described is the OpenAPI document with every object of its schemas closed, so that an answer which holds more than it says
// fails as well as one which holds less.
var described = sync.OnceValues(func() (map[string]any, *jsonschema.Compiler) {
	raw, err := os.ReadFile("api/openapi.json")
	if err != nil {
		panic(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		panic(err)
	}
	root, _ := doc.(map[string]any)
	closeObjects(root["components"])
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	if err := compiler.AddResource("openapi.json", root); err != nil {
		panic(err)
	}

	return root, compiler
})

var compiling sync.Mutex

func closeObjects(v any) {
	switch v := v.(type) {
	case map[string]any:
		if _, open := v["additionalProperties"]; v["type"] == "object" && v["properties"] != nil && !open {
			v["additionalProperties"] = false
		}
		for _, inner := range v {
			closeObjects(inner)
		}
	case []any:
		for _, inner := range v {
			closeObjects(inner)
		}
	}
}

var uuidInPath = regexp.MustCompile(`^(/(?:contacts|cases|links|jobs)/)[^/]+`)

// operation is what the document says of a request, nil where it does not know it.
func operation(method, path string) (template string, op map[string]any) {
	path, _, _ = strings.Cut(path, "?")
	template = uuidInPath.ReplaceAllString(path, "${1}{id}")
	doc, _ := described()
	paths, _ := doc["paths"].(map[string]any)
	item, _ := paths[template].(map[string]any)
	op, _ = item[strings.ToLower(method)].(map[string]any)

	return template, op
}

// checkAnswer holds an answer against what the document says of it.
func checkAnswer(t *testing.T, r reply) {
	t.Helper()
	template, op := operation(r.method, r.path)
	if op == nil {
		return // nothing that the document speaks of
	}
	responses, _ := op["responses"].(map[string]any)
	response, _ := responses[strconv.Itoa(r.status)].(map[string]any)
	at := "/paths/" + escaped(template) + "/" + strings.ToLower(r.method) + "/responses/" + strconv.Itoa(r.status)
	if ref, ok := response["$ref"].(string); ok {
		name := ref[strings.LastIndex(ref, "/")+1:]
		doc, _ := described()
		components, _ := doc["components"].(map[string]any)
		shared, _ := components["responses"].(map[string]any)
		response, _ = shared[name].(map[string]any)
		at = "/components/responses/" + name
	}
	kind, _, _ := strings.Cut(r.header.Get("Content-Type"), ";")
	content, _ := response["content"].(map[string]any)
	if content[kind] == nil {
		t.Errorf("%s %s: want status %d as %s described, got %.200s", r.method, r.path, r.status, kind, r.body)
		return
	}

	_, compiler := described()
	compiling.Lock()
	schema, err := compiler.Compile("openapi.json#" + at + "/content/" + escaped(kind) + "/schema")
	compiling.Unlock()
	if err != nil {
		t.Fatalf("compile schema: %v", err)
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(r.body))
	if err != nil {
		t.Fatalf("%s %s: %v", r.method, r.path, err)
	}
	if err := schema.Validate(v); err != nil {
		t.Errorf("%s %s: %v\n%.600s", r.method, r.path, err, r.body)
	}
	for _, at := range timesIn(v) {
		if !strings.HasSuffix(at, "Z") {
			t.Errorf("%s %s: want times in UTC, got %s", r.method, r.path, at)
		}
	}
}

func escaped(part string) string {
	return strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(part)
}

var timeShape = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}T`)

func timesIn(v any) (times []string) {
	switch v := v.(type) {
	case string:
		if timeShape.MatchString(v) {
			times = append(times, v)
		}
	case map[string]any:
		for _, inner := range v {
			times = append(times, timesIn(inner)...)
		}
	case []any:
		for _, inner := range v {
			times = append(times, timesIn(inner)...)
		}
	}

	return times
}

// The document and the table of routes say the same: every call, and which scope it asks for.
func TestDocumentDescribesEveryRoute(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	r := client{t, st, ""}.get("/openapi.json")
	if r.status != http.StatusOK || r.text("openapi") != "3.1.0" {
		t.Fatalf("want the document for anybody, got %d", r.status)
	}

	documented := map[string]string{}
	paths, _ := r.at("paths").(map[string]any)
	for path, item := range paths {
		calls, _ := item.(map[string]any)
		for method := range calls {
			scope := "public"
			if s, ok := r.at("paths", path, method, "security", 0, "key", 0).(string); ok {
				scope = "key:" + s
			}
			documented[strings.ToUpper(method)+" "+path] = scope
		}
	}
	param := regexp.MustCompile(`:(\w+)`)
	for _, route := range st.Routes() {
		path, ours := strings.CutPrefix(route.Path, v1)
		if !ours {
			continue
		}
		name := route.Method + " " + param.ReplaceAllString(path, "{$1}")
		if got, found := documented[name]; !found || got != route.Permission {
			t.Errorf("%s asks for %s, the document says %q", name, route.Permission, got)
		}
		delete(documented, name)
	}
	for name := range documented {
		t.Errorf("%s is in the document and not in the table of routes", name)
	}
}

// Every field that the document offers is understood, and every parameter.
func TestDocumentedInputIsUnderstood(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	cl := st.client(t, st.clinic, "read", "write")
	doc := cl.get("/openapi.json")

	paths, _ := doc.at("paths").(map[string]any)
	for path, item := range paths {
		if path == "/openapi.json" {
			continue
		}
		calls, _ := item.(map[string]any)
		for method := range calls {
			method, path := strings.ToUpper(method), strings.ReplaceAll(path, "{id}", missing())
			body := ""
			if ref := doc.text("paths", strings.ReplaceAll(path, uuidOf(path), "{id}"), strings.ToLower(method), "requestBody", "content", "application/json", "schema", "$ref"); ref != "" {
				properties, _ := doc.at("components", "schemas", ref[strings.LastIndex(ref, "/")+1:], "properties").(map[string]any)
				body = "{}"
				for name := range properties {
					if r := cl.do(method, path, `{"`+name+`":[[]]}`); r.status != http.StatusBadRequest || r.text("reason") != "wrong_type" || r.text("field") != fieldOf(name) {
						t.Errorf("%s %s with %s: want the field known and its type refused, got %d %s", method, path, name, r.status, r.body)
					}
				}
				if r := cl.do(method, path, `{"tenant_id":"x"}`); r.status != http.StatusBadRequest || r.text("reason") != "unknown_field" {
					t.Errorf("%s %s: want an unknown field refused, got %d %s", method, path, r.status, r.body)
				}
			}
			if r := cl.do(method, path+"?sort=tenant_id", body); r.status != http.StatusBadRequest || r.text("reason") != "unknown_parameter" || r.text("field") != "sort" {
				t.Errorf("%s %s: want an unknown parameter refused, got %d %s", method, path, r.status, r.body)
			}
			parameters, _ := doc.at("paths", strings.ReplaceAll(path, uuidOf(path), "{id}"), strings.ToLower(method), "parameters").([]any)
			for _, p := range parameters {
				p, _ := p.(map[string]any)
				if ref, ok := p["$ref"].(string); ok {
					p, _ = doc.at("components", "parameters", ref[strings.LastIndex(ref, "/")+1:]).(map[string]any)
				}
				if p["in"] != "query" {
					continue
				}
				name, _ := p["name"].(string)
				if r := cl.do(method, path+"?"+name+"=x&"+name+"=y", body); r.text("reason") != "repeated" || r.text("field") != name {
					t.Errorf("%s %s: want the parameter %s known, got %d %s", method, path, name, r.status, r.body)
				}
			}
		}
	}
}

func uuidOf(path string) string {
	for part := range strings.SplitSeq(path, "/") {
		if len(part) == 36 {
			return part
		}
	}

	return "{id}"
}

// fieldOf is where the wrong type of a field shows: lists and objects say it deeper inside.
func fieldOf(name string) string {
	if name == "item_ids" {
		return name + ".0"
	}

	return name
}
