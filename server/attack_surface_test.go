package server_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// tricks are other ways to write a path, for a reader that takes them to be the same.
func tricks(path string) []string {
	first := path[1:2]

	return []string{
		strings.ToUpper(path), path + "/", "/" + path, "/." + path, "/x/.." + path, path + "%2f", path + "%00", path + ";x", path + "/.", path + "%20", path + ".html", path + "%3fx",
		"/%" + fmt.Sprintf("%02x", first[0]) + path[2:], "/%25" + fmt.Sprintf("%02x", first[0]) + path[2:], "/%5c" + path[1:], "/%2e/" + path[1:], "/static/%2e%2e" + path, path + "?x", path + "#x",
	}
}

// Case 20 for every page that an agent may not open, and with every header by which proxies name another path or method.
func TestPathTricksOnEveryPage(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.member(t, st.clinic, "meera", "agent")
	meera := st.signedIn(t, "meera")
	closed := 0
	for _, route := range st.Routes() {
		if route.Method != http.MethodGet || strings.Contains(route.Path, ":") || len(route.Path) < 3 {
			continue
		}
		if route.Path == "/events" || meera.get(route.Path).status != http.StatusForbidden {
			continue
		}
		closed++
		for _, path := range tricks(route.Path) {
			if r := meera.get(path); r.status != http.StatusForbidden && r.status != http.StatusNotFound && r.status != http.StatusMethodNotAllowed {
				t.Errorf("%s as %s: want 403, 404 or 405, got %d", route.Path, path, r.status)
			}
		}
		for _, header := range []string{"X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Uri", "X-Forwarded-Path"} {
			meera.headers = map[string]string{header: route.Path}
			if r := meera.get("/nowhere"); r.status != http.StatusNotFound {
				t.Errorf("%s in %s: want 404, got %d", route.Path, header, r.status)
			}
		}
		for _, header := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
			meera.headers = map[string]string{header: http.MethodPost}
			if r := meera.get(route.Path + "?_method=POST"); r.status != http.StatusForbidden {
				t.Errorf("%s with %s: want 403, got %d", route.Path, header, r.status)
			}
		}
	}
	if closed < 10 {
		t.Errorf("an agent was refused %d pages, the walk is broken", closed)
	}
}

// Cases 53 and 101: there is nothing beside the table of routes, and no method that it does not name.
func TestNothingBesideTheTable(t *testing.T) {
	t.Parallel()
	st := newHookSite(t)
	asha := st.signedIn(t, "asha")
	for _, path := range []string{
		"/debug/pprof", "/debug/pprof/", "/debug/pprof/heap", "/debug/vars", "/metrics", "/.git", "/.git/config", "/.git/HEAD", "/.env", "/.data", "/master.key", "/go.mod", "/swagger", "/swagger/index.html", "/openapi.json", "/docs",
		"/graphql", "/admin", "/server-status", "/actuator", "/phpinfo.php", "/wp-login.php", "/static", "/static/", "/static/dist/", "/hooks", "/hooks/whatsapp", "/api", "/api/v1", "/backup.sql", "/.well-known/security.txt",
	} {
		for _, b := range []*browser{st.browser(t), asha} {
			if r := b.get(path); r.status != http.StatusNotFound {
				t.Errorf("%s: want 404, got %d", path, r.status)
			}
		}
	}

	known := map[string][]string{}
	for _, route := range st.Routes() {
		known[route.Path] = append(known[route.Path], route.Method)
	}
	for path, methods := range known {
		for i, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions, http.MethodTrace, http.MethodPost, "PROPFIND", "post"} {
			if slices.Contains(methods, method) || (i+len(path))%3 != 0 && method != http.MethodPost {
				continue
			}
			asha.headers = map[string]string{"Origin": origin, "X-CSRF-Token": asha.csrf, "X-Secret": "echo-me"}
			r := asha.do(method, param.ReplaceAllString(path, uuid.NewString()), nil)
			if (r.status < 400 || r.status > 499) && r.status != http.StatusNotImplemented || strings.Contains(r.body, "echo-me") {
				t.Errorf("%s %s: want it refused, got %d", method, path, r.status)
			}
		}
	}

	body := `{"object":"whatsapp_business_account","entry":[]}`
	for _, method := range []string{http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodTrace, http.MethodGet, http.MethodHead} {
		b := st.browser(t)
		b.headers = signed("app-secret-of-demo", body)
		if r := b.do(method, hook, strings.NewReader(body)); r.status < http.StatusBadRequest || r.location != "" {
			t.Errorf("%s of a signed delivery: want it refused, got %d", method, r.status)
		}
	}
	if n := st.stored(t); n != 0 {
		t.Errorf("%d deliveries stored, want none", n)
	}
}

// Cases 33 and 102: every route's answer, whoever asks and from wherever, has all headers, and lets no other origin read it.
func TestHeadersOnEveryRoute(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.member(t, st.clinic, "meera", "agent")
	from := []string{"https://evil.example", "null", "https://pehchan.example.evil.example", "http://pehchan.example", "https://x.pehchan.example", origin}
	askers := []*browser{st.browser(t), st.signedIn(t, "meera")}
	for i, route := range st.Routes() {
		for who, b := range askers {
			if who == 1 && (route.Path == "/events" || route.Path == "/logout") {
				continue
			}
			b.headers = map[string]string{"Origin": from[(i+who)%len(from)], "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
			method := route.Method
			if i%3 == 0 {
				method = http.MethodOptions
			}
			r := b.do(method, param.ReplaceAllString(route.Path, uuid.NewString()), nil)
			for name, want := range map[string]string{
				"X-Content-Type-Options": "nosniff", "Cross-Origin-Opener-Policy": "same-origin", "X-Frame-Options": "DENY",
				"Strict-Transport-Security": "max-age=63072000; includeSubDomains", "Cross-Origin-Resource-Policy": "same-origin",
			} {
				if got := r.header.Get(name); got != want {
					t.Errorf("%s %s (%d): want %s %q, got %q", method, route.Path, r.status, name, want, got)
				}
			}
			if got := r.header.Get("Referrer-Policy"); got != "same-origin" && got != "no-referrer" {
				t.Errorf("%s %s: want nobody told where one comes from, got %q", method, route.Path, got)
			}
			csp := r.header.Get("Content-Security-Policy")
			if !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") {
				t.Errorf("%s %s: want the strict policy, got %q", method, route.Path, csp)
			}
			for name := range r.header {
				if strings.HasPrefix(name, "Access-Control-") || name == "Server" || name == "X-Powered-By" {
					t.Errorf("%s %s: want no %s", method, route.Path, name)
				}
			}
		}
	}
}

// Cases 44 and 51 with everything else in order: the right body and nearly the right signature, the right token and nearly the right question.
func TestNearlyRightIsRefused(t *testing.T) {
	t.Parallel()
	st := newHookSite(t)
	body := `{"object":"whatsapp_business_account","entry":[]}`
	good := whatsapp.Sign([]byte("app-secret-of-demo"), []byte(body))
	for what, signature := range map[string]string{
		"63 digits": good[:len(good)-1], "65 digits": good + "0", "a list": good + "," + good, "prefix in capitals": strings.Replace(good, "sha256", "SHA256", 1), "no prefix": strings.TrimPrefix(good, "sha256="),
		"sha1": strings.Replace(good, "sha256", "sha1", 1), "prefix only": "sha256=", "a space within": strings.Replace(good, "=", "= ", 1), "a tab within": strings.Replace(good, "=", "=\t", 1), "no hex": "sha256=" + strings.Repeat("z", 64), "a quote": `"` + good + `"`,
	} {
		if r := st.deliver(t, hook, body, map[string]string{"X-Hub-Signature-256": signature, "Content-Type": "application/json"}); r.status != http.StatusUnauthorized {
			t.Errorf("%s: want 401, got %d", what, r.status)
		}
	}
	if r := st.deliver(t, hook, body, map[string]string{"X-Hub-Signature": good, "X-Signature": good, "Authorization": good}); r.status != http.StatusUnauthorized {
		t.Errorf("under other names: want 401, got %d", r.status)
	}

	const right = "hub.mode=subscribe&hub.verify_token=verify-me&hub.challenge=7"
	b := st.browser(t)
	if r := b.get(hook + "?" + right); r.status != http.StatusOK || r.body != "7" || r.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Fatalf("the question itself: want 7, got %d %q", r.status, r.body)
	}
	for _, query := range []string{
		right + "&hub.challenge=8", strings.Replace(right, "challenge=7", "challenge[]=7", 1), strings.Replace(right, "hub.", "HUB.", 1), strings.Replace(right, "me&", "me%00&", 1), strings.Replace(right, "me&", "me%20&", 1),
		strings.Replace(right, "verify-me", "VERIFY-ME", 1), strings.Replace(right, "verify-me", "verify-m", 1), strings.Replace(right, "verify-me", "verify-me-", 1), strings.Replace(right, "=7", "=%0d%0aSet-Cookie:x=y", 1),
		strings.Replace(right, "=7", "=7%0a", 1), strings.Replace(right, "=7", "=<svg/onload=x>", 1), strings.Replace(right, "=7", "=", 1), strings.Replace(right, "=7", "=%e2%82%ac", 1), strings.ReplaceAll(right, "hub.", "hub_"),
	} {
		if r := b.get(hook + "?" + query); r.status != http.StatusForbidden {
			t.Errorf("%s: want 403, got %d %q", query, r.status, r.body)
		}
	}
	if n := st.stored(t); n != 0 {
		t.Errorf("%d deliveries stored, want none", n)
	}
}

// raw sends bytes as they are, and returns all that comes back within a moment.
func raw(t *testing.T, address, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(conn, strings.NewReader(request)) // the server may hang up before it has read everything
	var all bytes.Buffer
	_, _ = io.Copy(&all, conn)

	return all.String()
}

// Cases 28, 39, 44, 49 and 99 on the wire: two hosts, two signatures, two lengths. What is taken is what was signed, and never a part of it.
func TestOddRequestsOnTheWire(t *testing.T) {
	t.Parallel()
	st := newHookSite(t)
	address, stop := st.listen(t, config.Config{})
	defer func() { _ = stop() }()
	at := strings.TrimPrefix(address, "http://")
	const body = `{"object":"whatsapp_business_account","entry":[]}`
	sig := "X-Hub-Signature-256: " + whatsapp.Sign([]byte("app-secret-of-demo"), []byte(body)) + "\r\n"
	post := "POST " + hook + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
	length := fmt.Sprintf("Content-Length: %d\r\n", len(body))
	chunks := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body)

	for what, request := range map[string]string{
		"two hosts":       "GET /login HTTP/1.1\r\nHost: x\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
		"a whole address": "GET http://evil.example/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
		"another host":    "GET /team HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\nConnection: close\r\n\r\n",
	} {
		if got := raw(t, at, request); strings.Contains(got, "evil.example") || strings.HasPrefix(got, "HTTP/1.1 5") {
			t.Errorf("%s: the answer names it: %.300s", what, got)
		}
	}
	for what, request := range map[string]string{
		"two signatures":      post + sig + sig + length + "\r\n" + body,
		"folded signature":    post + strings.Replace(sig, ": ", ":\r\n ", 1) + strings.Replace(sig, "256", "1", 1) + length + "\r\n" + body + "x",
		"a shorter length":    post + sig + "Content-Length: 5\r\n\r\n" + body,
		"a longer length":     post + sig + "Content-Length: 500\r\n\r\n" + body,
		"a negative length":   post + sig + "Content-Length: -1\r\n\r\n" + body,
		"no number":           post + sig + "Content-Length: 0x31\r\n\r\n" + body,
		"no length":           post + sig + "\r\n" + body,
		"other expectations":  post + sig + length + "Expect: 200-ok, teapot\r\n\r\n" + body[:5],
		"two lengths":         post + sig + "Content-Length: 3\r\n" + length + "\r\n" + body[:3] + "GET /smuggled HTTP/1.1\r\n",
		"chunks cut off":      post + sig + "Transfer-Encoding: chunked\r\n\r\n" + chunks[:20],
		"chunks of no number": post + sig + "Transfer-Encoding: chunked\r\n\r\nzz\r\n" + body + "\r\n0\r\n\r\n",
	} {
		got := raw(t, at, request)
		if strings.HasPrefix(got, "HTTP/1.1 2") || strings.HasPrefix(got, "HTTP/1.1 5") || strings.Count(got, "HTTP/1.1 ") > 1 {
			t.Errorf("%s: want it refused, got %.200s", what, got)
		}
	}
	if n := st.stored(t); n != 0 {
		t.Fatalf("%d deliveries stored of those, want none", n)
	}
	// Chunks are the same bytes, with a length beside them or not; whatever follows is no part of them, nor is it another request.
	for what, request := range map[string]string{
		"chunks":                    post + sig + "Transfer-Encoding: chunked\r\n\r\n" + chunks,
		"chunks and a length":       post + sig + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
		"a length and what follows": post + sig + length + "\r\n" + body + "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		if got := raw(t, at, request); strings.HasPrefix(got, "HTTP/1.1 5") || strings.Count(got, "HTTP/1.1 ") > 1 {
			t.Errorf("%s: want one answer, got %.200s", what, got)
		}
	}
	if n := st.stored(t); n > 1 {
		t.Errorf("%d deliveries stored, want the one that was signed at most", n)
	}
	// Who asks first whether to go on is told so, and then answered as everybody.
	for signature, want := range map[string]string{sig: "HTTP/1.1 200", strings.Replace(sig, "=", "=0", 1): "HTTP/1.1 401"} {
		got := raw(t, at, post+signature+length+"Expect: 100-continue\r\n\r\n"+body)
		if !strings.HasPrefix(strings.TrimPrefix(got, "HTTP/1.1 100 Continue\r\n\r\n"), want) {
			t.Errorf("100-continue: want %s, got %.200s", want, got)
		}
	}
	if n := st.stored(t); n != 1 {
		t.Errorf("%d deliveries stored, want the one that was signed", n)
	}
}

// Case 100: names of fields that a parser of trees would build a world from are only names.
func TestOddFieldNames(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	asha := st.signedIn(t, "asha")
	many, deep := url.Values{}, strings.Repeat("/a", 60)
	for i := range 10_000 {
		many.Set(fmt.Sprint("k", i), "1")
	}
	for what, form := range map[string]url.Values{
		"a far index": {"name[999999999]": {"x"}, "a[999999999]": {"1"}}, "below nothing": {"name[-1]": {"x"}}, "nested": {"name" + strings.Repeat("[a]", 2000): {"x"}}, "prototype": {"__proto__[role]": {"owner"}, "constructor.prototype.role": {"owner"}},
		"many": many, "no name": {"": {"x"}}, "dots": {"name.role": {"owner"}},
	} {
		form.Set("_csrf", asha.csrf)
		if r := asha.post("/settings/business", form); r.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: want 422, got %d", what, r.status)
		}
	}
	for _, path := range []string{deep, "/contacts" + deep, "/resolve/" + strings.Repeat("x/", 40), "/numbers/" + strings.Repeat(":id/", 40)} {
		if r := asha.get(path); r.status != http.StatusNotFound {
			t.Errorf("%.40s: want 404, got %d", path, r.status)
		}
	}
}

// Case 104: whoever can write to the database past the program cannot change what the audit says without it being found.
func TestAuditFindsWhatWasChanged(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	for _, name := range []string{"meera", "joseph", "lata", "dev"} {
		st.member(t, st.clinic, name, "agent")
		st.member(t, st.motors, "m"+name, "agent")
	}
	db := st.above(t)
	check := func() (n int64, fault *tenants.AuditFault) {
		err := st.DB.As(context.Background(), st.clinic.ID, func(tx *tenants.Tx) (err error) {
			n, fault, err = tenants.VerifyAudit(context.Background(), tx)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n, fault
	}
	all, fault := check()
	if fault != nil || all < 5 {
		t.Fatalf("before: %d entries, fault %v", all, fault)
	}
	// The program's own role may add, and nothing else.
	for _, query := range []string{`UPDATE audit_entries SET action = 'x'`, `DELETE FROM audit_entries`, `TRUNCATE audit_entries`} {
		err := st.DB.As(context.Background(), st.clinic.ID, func(tx *tenants.Tx) error {
			_, err := tx.Exec(query)
			return err
		})
		if err == nil {
			t.Errorf("%s: want it refused", query)
		}
	}
	head := func() (hash []byte) {
		_ = st.DB.As(context.Background(), st.clinic.ID, func(tx *tenants.Tx) (err error) {
			hash, err = tenants.AuditHash(context.Background(), tx, all)
			return err
		})
		return hash
	}
	if head() == nil {
		t.Fatal("want the last entry's hash")
	}
	within(t, db, st.motors.ID, func(tx *sqlx.Tx) { tx.MustExec(`CREATE TABLE strangers AS TABLE audit_entries`) })
	for _, c := range []struct {
		what, change string
		seq          int64
	}{
		{"a word changed", `UPDATE audit_entries SET actor_name = actor_name || 'x' WHERE tenant_id = $1 AND seq = 2`, 2},
		{"an entry gone", `DELETE FROM audit_entries WHERE tenant_id = $1 AND seq = 3`, 3},
		{"two in another order", `UPDATE audit_entries a SET actor_id = b.actor_id, actor_name = b.actor_name, action = b.action, object_id = b.object_id, hash = b.hash FROM audit_entries b
			WHERE a.tenant_id = $1 AND b.tenant_id = $1 AND a.seq = 2 AND b.seq = 4`, 2},
		{"another business's chain", `UPDATE audit_entries a SET at = s.at, actor_kind = s.actor_kind, actor_id = s.actor_id, actor_name = s.actor_name, action = s.action, object_kind = s.object_kind, object_id = s.object_id,
			detail = s.detail, prev_hash = s.prev_hash, hash = s.hash FROM strangers s WHERE a.tenant_id = $1 AND a.seq = s.seq`, 1},
		{"the end gone", `DELETE FROM audit_entries WHERE tenant_id = $1 AND seq = (SELECT max(seq) FROM audit_entries)`, 0},
	} {
		tampered := func() {
			n, fault := check()
			switch {
			case c.seq == 0 && (fault != nil || n != all-1 || head() != nil):
				t.Errorf("%s: want the head that was kept elsewhere to be missing, got %d entries and %v", c.what, n, fault)
			case c.seq > 0 && (fault == nil || fault.Seq != c.seq):
				t.Errorf("%s: want entry %d named, got %v", c.what, c.seq, fault)
			}
		}
		within(t, db, st.clinic.ID, func(tx *sqlx.Tx) {
			tx.MustExec(`CREATE TABLE IF NOT EXISTS kept AS TABLE audit_entries`)
			tx.MustExec(c.change, st.clinic.ID)
		})
		tampered()
		within(t, db, st.clinic.ID, func(tx *sqlx.Tx) {
			tx.MustExec(`DELETE FROM audit_entries WHERE tenant_id = $1`, st.clinic.ID)
			tx.MustExec(`INSERT INTO audit_entries SELECT * FROM kept WHERE tenant_id = $1`, st.clinic.ID)
		})
	}
}
