package server_test

import (
	"bufio"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// writtenFiles reads every file of the program itself, tests and generated ones left out, with its path below the top folder.
func writtenFiles(t *testing.T, look func(path string, file *ast.File)) {
	t.Helper()
	read := 0
	for _, folder := range []string{"server", "tenants"} {
		err := filepath.WalkDir(filepath.Join("..", folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			read++
			below, err := filepath.Rel("..", path)
			look(filepath.ToSlash(below), file)

			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if read < 300 {
		t.Fatalf("read %d files, the walk is broken", read)
	}
}

// Cases 79 and 80: an address that somebody typed is asked from tenants/forward alone, which shows these cases, for there are only these places
// from which anything is asked at all. Whoever adds one has to show them for it.
func TestAddressesTypedAreAskedFromOnePlace(t *testing.T) {
	t.Parallel()
	asking := map[string]string{
		"tenants/whatsapp/graph.go":       "Graph, at the configured address",
		"tenants/whatsapp/graph_media.go": "files, from Meta's hosts alone",
		"tenants/numbers/check.go":        "the program itself, at its configured public address",
		"tenants/mail/carrier.go":         "the configured mail server",
		"tenants/forward/call.go":         "a business's own systems, through the guard of address.go",
		"tenants/sandbox/":                "the stand-in for Meta, of the demonstration",
		"tenants/postgres/":               "the programs of the embedded database",
		"tenants/testdb/":                 "the tests' own database",
		"tenants/leash.go":                "the configured database",
		"server/cmd/pehchan/":             "what whoever starts the command names",
	}
	calls := map[string][]string{
		"http": {"Client", "DefaultClient", "Get", "Head", "Post", "PostForm", "NewRequest", "NewRequestWithContext", "Transport", "DefaultTransport"},
		"net":  {"Dial", "DialTimeout", "Dialer", "DialTCP", "DialUDP"}, "tls": {"Dial", "DialWithDialer", "Dialer"}, "smtp": {"Dial", "SendMail", "NewClient"},
		"gomail": {"NewClient"}, "websocket": {"Dial"}, "exec": {"Command", "CommandContext"}, "fasthttp": {"Do", "Get", "Post", "Client"}, "fiber": {"AcquireAgent", "Get", "Post"}, "proxy": {"Do", "Forward"},
	}
	met := map[string]bool{}
	writtenFiles(t, func(path string, file *ast.File) {
		ast.Inspect(file, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			from, ok := s.X.(*ast.Ident)
			if !ok || !slices.Contains(calls[from.Name], s.Sel.Name) {
				return true
			}
			for known := range asking {
				if strings.HasPrefix(path, known) {
					met[known] = true
					return true
				}
			}
			t.Errorf("%s uses %s.%s: what does it ask, and of whom?", path, from.Name, s.Sel.Name)

			return true
		})
	})
	for path := range asking {
		if !met[path] {
			t.Errorf("%s asks nothing of anybody, strike it off", path)
		}
	}
}

// Case 73: files that customers send are handed on as they came. Nothing that takes files apart is near them, so a picture of a thousand
// million dots and a file packed a thousand times over are so many bytes.
func TestFilesOfCustomersAreNotOpened(t *testing.T) {
	t.Parallel()
	openers := []string{"image", "archive/", "compress/", "encoding/xml", "html", "debug/", "golang.org/x/image", "text/template", "os/exec"}
	writtenFiles(t, func(path string, file *ast.File) {
		if !strings.HasPrefix(path, "server/inbox/") && !strings.HasPrefix(path, "tenants/whatsapp/") && !strings.HasPrefix(path, "tenants/conversations/") {
			return
		}
		for _, imported := range file.Imports {
			name := strings.Trim(imported.Path.Value, `"`)
			if slices.ContainsFunc(openers, func(o string) bool {
				return name == strings.TrimSuffix(o, "/") || strings.HasPrefix(name, strings.TrimSuffix(o, "/")+"/")
			}) {
				t.Errorf("%s imports %s, which takes files apart", path, name)
			}
		}
	})
}

// Case 103: there is no address that takes a signed_request of Meta's, and one that is posted changes nothing.
func TestNobodyTakesASignedRequest(t *testing.T) {
	t.Parallel()
	st := newHookSite(t)
	for _, route := range st.Routes() {
		if strings.Contains(route.Path, "deletion") || strings.Contains(route.Path, "deauthorize") {
			t.Errorf("%s looks as if it took one: show case 103 for it", route.Path)
		}
	}
	const body = "signed_request=c2ln.eyJ1c2VyX2lkIjoiMSIsImFsZ29yaXRobSI6IkhNQUMtU0hBMjU2In0"
	for path, want := range map[string]int{
		hook: http.StatusUnauthorized, "/data-deletion": http.StatusNotFound, "/deauthorize": http.StatusNotFound, "/facebook/deletion": http.StatusNotFound, "/hooks/whatsapp/demo/deletion": http.StatusNotFound,
	} {
		b := st.browser(t)
		b.headers = map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
		if r := b.do(http.MethodPost, path, strings.NewReader(body)); r.status != want || strings.Contains(r.body, "confirmation") {
			t.Errorf("%s: want %d, got %d %.100s", path, want, r.status, r.body)
		}
	}
	if n := st.stored(t); n != 0 {
		t.Errorf("%d deliveries stored, want none", n)
	}
}

// Case 99: behind a proxy the server sees as many requests as the proxy passed on, whatever is made of lengths, chunks and lines: none is
// smuggled in another.
func TestNothingIsSmuggledThroughAProxy(t *testing.T) {
	t.Parallel()
	st := newHookSite(t)
	metrics := freePort(t)
	address, stop := st.listen(t, config.Config{MetricsListen: metrics})
	defer func() { _ = stop() }()
	behind, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	pass := httputil.NewSingleHostReverseProxy(behind)
	pass.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	var passed atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		passed.Add(1)
		pass.ServeHTTP(w, r)
	}))
	defer proxy.Close()
	at := strings.TrimPrefix(proxy.URL, "http://")

	const body, within = `{"object":"whatsapp_business_account","entry":[]}`, "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
	sig := "X-Hub-Signature-256: " + whatsapp.Sign([]byte("app-secret-of-demo"), []byte(body)) + "\r\n"
	post := "POST " + hook + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + sig
	chunks := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body)
	for what, request := range map[string]string{
		"a length and chunks":     post + fmt.Sprintf("Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n", len(within)) + "0\r\n\r\n" + within,
		"chunks and a length":     post + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n" + chunks + within,
		"two lengths":             post + fmt.Sprintf("Content-Length: 3\r\nContent-Length: %d\r\n\r\n", len(body)) + body + within,
		"a folded line":           post + "Transfer-Encoding:\r\n chunked\r\n\r\n" + chunks + within,
		"a space before":          post + "Transfer-Encoding : chunked\r\n\r\n" + chunks + within,
		"another coding":          post + "Transfer-Encoding: xchunked\r\n\r\n" + chunks + within,
		"codings twice":           post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + chunks + within,
		"bare line feeds":         strings.ReplaceAll(post, "\r\n", "\n") + fmt.Sprintf("Content-Length: %d\n\n", len(body)) + body + within,
		"a return within a line":  post + "X-Odd: a\rTransfer-Encoding: chunked\r\n\r\n" + chunks + within,
		"an extension of a chunk": post + "Transfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x;a=\"\r\n", len(body)) + body + "\r\n0\r\n\r\n" + within,
		"a chunk too long":        post + "Transfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n", len(body)+500) + body + "\r\n0\r\n\r\n" + within,
	} {
		before := passed.Load()
		got := raw(t, at, request)
		if on, answers := passed.Load()-before, strings.Count(got, "HTTP/1.1 "); int64(answers) > on+1 { // one more is the proxy's own refusal
			t.Errorf("%s: the proxy passed on %d and %d answers came: %.300s", what, on, answers, got)
		}
		// The connections to the server that the proxy keeps hold nothing over: who asks next is answered what they asked.
		res, err := http.Get(proxy.URL + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		first, _ := bufio.NewReader(res.Body).ReadString('\n')
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK || first != "ok\n" {
			t.Errorf("%s: who asks next: want ok, got %d %q", what, res.StatusCode, first)
		}
	}
	res, err := http.Get("http://" + metrics + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	told, err := io.ReadAll(res.Body)
	counted := int64(0)
	for _, line := range regexp.MustCompile(`(?m)^pehchan_http_requests_total\{.*\} (\d+)$`).FindAllSubmatch(told, -1) {
		n, _ := strconv.ParseInt(string(line[1]), 10, 64)
		counted += n
	}
	if err != nil || counted < 11 || counted > passed.Load() {
		t.Errorf("the server counted %d requests of the %d that the proxy passed on (%v)", counted, passed.Load(), err)
	}
	if n := st.stored(t); n > 1 {
		t.Errorf("%d deliveries stored, want the one that was signed at most", n)
	}
}
