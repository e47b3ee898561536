package server_test

import (
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/sandbox"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Cases 7, 15, 32, 43, 70, 71, 78, 98 and 100 of the attack list, over the route table.

// odd are values that no page asks for.
var odd = map[string]string{
	"quotes":         `' OR 1=1--`,
	"a second query": `1; SELECT pg_sleep(5)--`,
	"an operator":    `{"$ne":null}`,
	"a wildcard":     strings.Repeat("%_", 40) + `\`,
	"a regex bomb":   strings.Repeat("(a+)+", 30) + "$",
	"a NUL":          "a\x00b",
	"bad UTF-8":      "a\xff\xfe\xc0\xafb",
	"a line break":   "a\r\nSet-Cookie: evil=1\r\n\r\n<script>",
	"a long one":     strings.Repeat("क", 500),
	"below nothing":  "-1",
	"very much":      "99999999999999999999",
	"no number":      "NaN",
	"a foreign key":  "tenant_id",
}

// secretsOfTheProgram are what an error page would say that said too much.
var secretsOfTheProgram = []string{"pq:", "SQLSTATE", "goroutine ", ".go:", "panic", "/tenants/"}

// Whatever stands in whatever parameter or field of whatever page: an answer, in words, and never a failure.
func TestOddValuesEverywhere(t *testing.T) {
	t.Parallel()
	st := newAPISite(t)
	st.Server = st.open(t, config.Config{PublicURL: origin})
	asha, names := st.signedIn(t, "asha"), fieldsRead(t)
	kinds := slices.Sorted(maps.Keys(odd))
	for n, route := range st.Routes() {
		if !attacked(route.Path) || strings.HasSuffix(route.Path, "/live") || route.Path == "/events" {
			continue
		}
		for i, what := range kinds {
			if (i+n)%4 != 0 { // by turns
				continue
			}
			value := odd[what]
			given := url.Values{}
			for _, name := range names {
				given.Set(name, value)
			}
			path := param.ReplaceAllString(route.Path, url.PathEscape(value))
			if len(path) > 2000 { // an address has its length
				path = param.ReplaceAllString(route.Path, uuid.NewString())
			}
			var r answer
			if route.Method == http.MethodGet {
				query := given.Encode()
				if len(path)+len(query) > 3000 {
					query = url.Values{"q": {value[:min(len(value), 900)]}}.Encode()
				}
				asha.headers = map[string]string{"Range": "bytes=0-10", "If-None-Match": "*", "If-Modified-Since": "Fri, 01 Jan 2027 00:00:00 GMT"}
				if r = asha.get(path + "?" + query); r.status == http.StatusPartialContent || r.status == http.StatusNotModified || r.header.Get("ETag") != "" {
					t.Errorf("%s: want it whole and anew each time, got %d and ETag %q", route.Path, r.status, r.header.Get("ETag"))
				}
			} else {
				given.Set("_csrf", asha.csrf)
				given.Del("_once")
				r = asha.post(path, given)
			}
			if r.status >= http.StatusInternalServerError {
				t.Errorf("%s %s with %s: %d %.200s", route.Method, route.Path, what, r.status, r.body)
			}
			if r.header.Get("Cache-Control") != "no-store" && strings.HasPrefix(r.header.Get("Content-Type"), "text/html") {
				t.Errorf("%s %s may be kept: %q", route.Method, route.Path, r.header.Get("Cache-Control"))
			}
			if strings.Contains(strings.Join(r.header.Values("Set-Cookie"), ";"), "evil") || strings.ContainsAny(r.location, "\r\n") {
				t.Errorf("%s %s with %s writes a header: %v", route.Method, route.Path, what, r.header)
			}
			if r.status < http.StatusBadRequest {
				continue
			}
			for _, secret := range secretsOfTheProgram {
				if strings.Contains(r.body, secret) {
					t.Errorf("%s %s with %s answers %d and says %q", route.Method, route.Path, what, r.status, secret)
				}
			}
		}
	}
}

// Every write of a page wants its token, and no read does what a write does.
func TestEveryWriteWantsItsToken(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.operator(t, "op-admin", "admin")
	asha, boss := st.signedIn(t, "asha"), st.signedIn(t, "op-admin")
	// Its address is its proof; a mail program presses it.
	free := map[string]bool{"/hooks/whatsapp/:app": true, "/mails/leave/:token": true}
	writes := 0
	for _, route := range st.Routes() {
		if route.Method != http.MethodPost || free[route.Path] || strings.HasPrefix(route.Path, "/api/") {
			continue
		}
		writes++
		b := asha
		if strings.HasPrefix(route.Path, "/op") {
			b = boss
		}
		path := param.ReplaceAllString(route.Path, uuid.NewString())
		for what, forge := range map[string]func(url.Values){
			"no token":  func(f url.Values) { f.Set("_csrf", "") },
			"another's": func(f url.Values) { f.Set("_csrf", strings.Repeat("A", 43)) },
			"another site": func(f url.Values) {
				f.Set("_csrf", b.csrf)
				b.headers = map[string]string{"Sec-Fetch-Site": "cross-site"}
			},
			"a null Origin": func(f url.Values) { f.Set("_csrf", b.csrf); b.headers = map[string]string{"Origin": "null"} },
		} {
			form := url.Values{}
			forge(form)
			if r := b.post(path, form); r.status != http.StatusForbidden && r.status != http.StatusUnsupportedMediaType {
				t.Errorf("POST %s with %s: want 403, got %d", route.Path, what, r.status)
			}
		}
	}
	if writes < 80 {
		t.Errorf("found %d writes, the walk is broken", writes)
	}
}

// hostileTexts are texts that would be more than text in a page that did not take care, as the browser's test has them too.
func hostileTexts(t *testing.T) (texts []string) {
	t.Helper()
	raw, err := os.ReadFile("../e2e/testdata/hostile.txt")
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSpace(string(raw)), "\n") {
		if quoted, ok := strings.CutPrefix(line, "go:"); ok {
			if line, err = strconv.Unquote(quoted); err != nil {
				t.Fatal(err)
			}
		}
		texts = append(texts, strings.ReplaceAll(line, "%d", strconv.Itoa(i)))
	}

	return texts
}

// What customers call themselves and say is text in every page, whatever it looks like.
func TestHostileTextStaysText(t *testing.T) {
	t.Parallel()
	st := newAPISite(t)
	st.Server = st.open(t, config.Config{PublicURL: origin})
	n := sandbox.Known().Numbers[0]
	var sent []string
	for i, words := range hostileTexts(t) {
		if i%4 > 0 && !strings.ContainsAny(words, "\r\n\x00\u202e") || !strings.ContainsAny(words, "<\"\r") { // all of them are the browser's test's
			continue
		}
		sent = append(sent, words)
		quoted, err := json.Marshal(words)
		if err != nil {
			t.Fatal(err)
		}
		bsuid, at := fmt.Sprintf("IN.66%014d", i), time.Now().Unix()-60
		body := fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":%q,"changes":[{"field":"messages","value":{"messaging_product":"whatsapp",
			"metadata":{"display_phone_number":%q,"phone_number_id":%q},"contacts":[{"profile":{"name":%[4]s,"username":%[4]s},"user_id":%[5]q}],
			"messages":[{"from_user_id":%[5]q,"id":"wamid.t%[6]d","timestamp":"%[7]d","type":"text","text":{"body":%[4]s}},
			{"from_user_id":%[5]q,"id":"wamid.d%[6]d","timestamp":"%[7]d","type":"document","document":{"id":"1","mime_type":"text/html","filename":%[4]s,"caption":%[4]s}},
			{"from_user_id":%[5]q,"id":"wamid.l%[6]d","timestamp":"%[7]d","type":"location","location":{"latitude":1,"longitude":1,"name":%[4]s,"address":%[4]s}},
			{"from_user_id":%[5]q,"id":"wamid.b%[6]d","timestamp":"%[7]d","type":"button","button":{"text":%[4]s,"payload":%[4]s}},
			{"from_user_id":%[5]q,"id":"wamid.x%[6]d","timestamp":"%[7]d","type":%[4]s}]}}]}]}`, n.WABAID, n.DisplayPhone, n.PhoneNumberID, quoted, bsuid, i, at)
		if r := st.deliver(t, hook, body, signed(sandboxSecret, body)); r.status != http.StatusOK {
			t.Fatalf("deliver: %d %s", r.status, r.body)
		}
	}
	for i, name := range []string{"../../x", `..\..\x`, "con.txt", strings.Repeat("n", 300) + ".html", "picture.svg"} { // case 73
		named, err := json.Marshal(name)
		if err != nil {
			t.Fatal(err)
		}
		body := fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":%q,"changes":[{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":%q,"phone_number_id":%q},
			"contacts":[{"user_id":"IN.6700000000000001"}],"messages":[{"from_user_id":"IN.6700000000000001","id":"wamid.dn%d","timestamp":"%d","type":"document","document":{"id":"1","mime_type":"image/svg+xml","filename":%s}}]}}]}]}`,
			n.WABAID, n.DisplayPhone, n.PhoneNumberID, i, time.Now().Unix()-60, named)
		if r := st.deliver(t, hook, body, signed(sandboxSecret, body)); r.status != http.StatusOK {
			t.Fatalf("deliver: %d %s", r.status, r.body)
		}
	}
	st.drain(t)

	asha := st.signedIn(t, "asha")
	shown := 0
	asha.crawl(t, []string{"/inbox", "/contacts", "/resolve", "/home"}, 70, func(path string, r answer) {
		if !strings.HasPrefix(r.header.Get("Content-Type"), "text/html") {
			return
		}
		for _, words := range sent {
			if strings.Contains(r.body, words) {
				t.Errorf("GET %s holds %q as it came", path, words)
			}
			if strings.Contains(r.body, html.EscapeString(strings.Trim(strings.ReplaceAll(words, "\x00", "\uFFFD"), " ")[:10])) {
				shown++
			}
		}
	})
	if shown < 120 { // some 200, by what stands on the first pages
		t.Errorf("the texts were met %d times, the walk is broken", shown)
	}

	// Case 43: the name of a file that somebody sends is a name in the header too.
	var files []string
	if err := st.DB.As(t.Context(), st.clinic.ID, func(tx *tenants.Tx) error {
		return tx.Select(&files, `SELECT id FROM messages WHERE tenant_id = $1 AND wamid LIKE 'wamid.d%' AND type = 'document'`, tx.Tenant)
	}); err != nil || len(files) < len(sent)+5 {
		t.Errorf("%d files of %d: %v", len(files), len(sent)+5, err)
	}
	named := regexp.MustCompile(`^attachment; filename\*=UTF-8''whatsapp-(?:[A-Za-z0-9._-]|%[0-9A-F]{2})+$`)
	for _, id := range files {
		r := asha.do(http.MethodHead, "/media/"+id, nil)
		if r.status != http.StatusOK || !named.MatchString(r.header.Get("Content-Disposition")) || r.header.Get("Content-Type") != "application/octet-stream" || strings.Contains(r.header.Get("Content-Disposition"), "whatsapp-..") || len(r.header.Get("Content-Disposition")) > 1200 || len(r.header["Set-Cookie"]) > 0 {
			t.Errorf("a file: got %d %v", r.status, r.header)
		}
	}
}

// Case 72: a name that could pass for somebody official is said to be one wherever it is met; one like any other, and one that the business
// gave, is not. What was sent stays what it was.
func TestNamesThatPoseAreFlagged(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	s := st.shop(t, st.clinic)
	names := map[string]bool{"Ѕuррort": true, "asha-clinic helpdesk": true, "\u202ezzz": true, "Rajesh": false}
	owner := st.signedIn(t, "asha")
	n := 0
	for name, want := range names {
		bsuid := fmt.Sprintf("IN.6800000000000%03d", n)
		n++
		s.writes(20, "", bsuid, name, "hello")
		id := s.whois(whatsapp.KindBSUID, bsuid).ID.String()
		for _, path := range []string{"/inbox/" + id, "/contacts/" + id} {
			r := owner.get(path)
			if got := strings.Contains(r.body, `data-testid="posing"`); r.status != http.StatusOK || got != want || !strings.Contains(r.body, "<bdi>"+html.EscapeString(name)+"</bdi>") {
				t.Errorf("%s of %q: got %d, flagged %v, want %v with the name as it is", path, name, r.status, got, want)
			}
		}
		if want {
			owner.get("/contacts/" + id)
			if r := owner.post("/contacts/"+id, url.Values{"version": {"1"}, "display_name": {"Our helpdesk colleague"}}); r.status != http.StatusSeeOther {
				t.Fatalf("named by the business: %d", r.status)
			}
			owner.lacks(owner.get("/contacts/"+id), `data-testid="posing"`)
		}
	}
}

// Case 77: whatever stands in what is logged, it is one line, and none that a reader of logs takes for another or a screen for a command.
func TestALogLineStaysOne(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.App().Get("/breaks/:what", st.Guard("anyone", func(c *fiber.Ctx) error {
		return fmt.Errorf("read %s of %s by %s", c.Params("what"), c.Query("q"), c.Get("User-Agent"))
	}))
	b := st.browser(t)
	for i, odd := range []string{"a\r\ntime=2026-01-01 level=ERROR msg=forged", "a\n{\"level\":\"ERROR\"}", "a\x1b[2J\x1b]0;x\a", "a\u2028\u2029\u0085b", "a\x00\x08b\x7f", "\" level=ERROR msg=\"forged", "a\u202etxt.exe"} {
		b.headers = map[string]string{"User-Agent": strings.Map(func(r rune) rune { // a header's value cannot hold all
			if r < ' ' && r != '\t' || r == 0x7f {
				return -1
			}
			return r
		}, odd), "X-Forwarded-For": "203.0.113.7", "Referer": "https://pehchan.example/" + url.QueryEscape(odd)}
		if r := b.get("/breaks/" + url.PathEscape(odd) + "?q=" + url.QueryEscape(odd)); r.status != http.StatusInternalServerError && (r.status != http.StatusUnprocessableEntity || !strings.Contains(odd, "\x00")) {
			t.Errorf("line %d: want a failure, got %d", i, r.status)
		}
		b.get("/" + url.PathEscape(odd))
	}
	line := regexp.MustCompile(`^time=\S+ level=[A-Z]+ msg=("[^"]*"|\S+)( [a-z_]+=("([^"\\]|\\.)*"|[^\s"]+))*$`)
	lines := strings.Split(strings.TrimRight(st.log.String(), "\n"), "\n")
	if len(lines) != 6 {
		t.Errorf("%d lines were logged, want one of each failure: %q", len(lines), lines)
	}
	for _, l := range lines {
		if !line.MatchString(l) || strings.ContainsFunc(l, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("want one line of words alone, got %q", l)
		}
	}
}
