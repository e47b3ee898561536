package server_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/tenants"
)

// calls is every call of the API with a body that it would take, by an id that nothing has.
func calls(id string) []struct{ method, path, body string } {
	return []struct{ method, path, body string }{
		{"GET", "/resolve?phone=919800003101", ""},
		{"GET", "/contacts", ""},
		{"GET", "/contacts/" + id, ""},
		{"PATCH", "/contacts/" + id, `{"notes":"x"}`},
		{"GET", "/contacts/" + id + "/messages", ""},
		{"GET", "/contacts/" + id + "/links", ""},
		{"POST", "/links/" + id + "/undo", ""},
		{"GET", "/cases", ""},
		{"POST", "/cases/" + id + "/decision", `{"decision":"unsure"}`},
		{"GET", "/merges/preview?keep=" + id + "&lose=" + id, ""},
		{"POST", "/merges", `{"keep":"` + id + `","lose":"` + id + `"}`},
		{"GET", "/ingest", ""},
		{"POST", "/ingest/replay", `{"item_ids":["` + id + `"]}`},
		{"GET", "/jobs/" + id, ""},
		{"GET", "/adoption", ""},
		{"GET", "/numbers", ""},
		{"POST", "/numbers", `{}`},
	}
}

func TestAPIWantsAKeyWithTheScope(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	nobody := client{t, st, ""}
	reads, writes := st.client(t, st.clinic, "read"), st.client(t, st.clinic, "write")

	covered := map[string]bool{}
	for _, call := range calls(missing()) {
		nobody.want(nobody.do(call.method, call.path, call.body), http.StatusUnauthorized, "unauthorized")
		refused, let := reads, writes
		if call.method == http.MethodGet {
			refused, let = writes, reads
		}
		refused.want(refused.do(call.method, call.path, call.body), http.StatusForbidden, "missing_scope")
		if r := let.do(call.method, call.path, call.body); r.status == http.StatusForbidden || r.status == http.StatusUnauthorized || r.status >= http.StatusInternalServerError {
			t.Errorf("%s %s: want it let through, got %d %s", call.method, call.path, r.status, r.body)
		}
		template, _ := operation(call.method, call.path)
		covered[call.method+" "+template] = true
	}
	param := regexp.MustCompile(`:(\w+)`)
	for _, route := range st.Routes() {
		path, ours := strings.CutPrefix(route.Path, v1)
		if ours && route.Permission != "public" && !covered[route.Method+" "+param.ReplaceAllString(path, "{$1}")] {
			t.Errorf("%s %s is not tried here", route.Method, route.Path)
		}
	}
}

// An id of another business is answered, byte for byte but for the request's own id, like one that nobody has, and a
// malformed one too.
func TestAPIHidesAnotherTenant(t *testing.T) {
	t.Parallel()
	st := newAPISite(t)

	pair := st.theirs.mergeable()
	link := st.theirs.want(st.theirs.post("/merges", merging(pair[0], pair[1], "same voice")), http.StatusCreated, "").text("link_id")
	st.theirs.want(st.theirs.post("/links/"+link+"/undo", ""), http.StatusOK, "")
	job := st.theirs.want(st.theirs.post("/ingest/replay", `{"from":"2026-01-01T00:00:00Z","to":"2026-01-02T00:00:00Z"}`), http.StatusAccepted, "").text("id")
	before := st.theirs.get("/contacts?limit=200").body + st.theirs.get("/cases?limit=200").body
	ids := map[string]string{
		"contacts": st.theirs.get("/contacts").text("items", 0, "id"), "cases": st.theirs.get("/cases").text("items", 0, "id"), "links": link, "jobs": job,
	}
	own := st.mine.get("/contacts").text("items", 0, "id")

	requestID := regexp.MustCompile(`"request_id":"[^"]+"`)
	same := func(method, path, body, id string) {
		t.Helper()
		var answers []string
		for _, id := range []string{id, missing(), "not-an-id", "{" + missing() + "}"} {
			r := st.mine.do(method, strings.ReplaceAll(path, "ID", id), strings.ReplaceAll(body, "ID", id))
			st.mine.want(r, http.StatusNotFound, "not_found")
			answers = append(answers, requestID.ReplaceAllString(r.body, ""))
		}
		for _, a := range answers[1:] {
			if a != answers[0] {
				t.Errorf("%s %s: want one answer, got %s and %s", method, path, answers[0], a)
			}
		}
	}
	same("GET", "/contacts/ID", "", ids["contacts"])
	same("PATCH", "/contacts/ID", `{"notes":"x"}`, ids["contacts"])
	same("GET", "/contacts/ID/messages", "", ids["contacts"])
	same("GET", "/contacts/ID/links", "", ids["contacts"])
	same("POST", "/links/ID/undo", "", ids["links"])
	same("POST", "/cases/ID/decision", `{"decision":"new"}`, ids["cases"])
	same("GET", "/merges/preview?keep="+own+"&lose=ID", "", ids["contacts"])
	same("GET", "/merges/preview?keep=ID&lose="+own, "", ids["contacts"])
	same("POST", "/merges", `{"keep":"`+own+`","lose":"ID","reason":"x"}`, ids["contacts"])
	same("POST", "/merges", `{"keep":"ID","lose":"`+own+`","reason":"x"}`, ids["contacts"])
	same("POST", "/cases/"+st.mine.get("/cases").text("items", 0, "id")+"/decision", `{"decision":"same","contact_id":"ID","reason":"x"}`, ids["contacts"])
	same("GET", "/jobs/ID", "", ids["jobs"])

	if after := st.theirs.get("/contacts?limit=200").body + st.theirs.get("/cases?limit=200").body; after != before {
		t.Error("want nothing of theirs changed")
	}
	for _, row := range st.mine.get("/numbers").items() {
		if n, _ := row.(map[string]any); n["phone_number_id"] != "224466880013579" {
			t.Errorf("want own numbers only, got %v", n)
		}
	}
}

func TestAPIReadsParametersStrictly(t *testing.T) {
	t.Parallel()
	st := newAPISite(t)
	cursor := st.mine.get("/contacts?limit=2").text("next_cursor")
	theirs := st.theirs.get("/contacts?limit=2").text("next_cursor")
	if cursor == "" || theirs == "" {
		t.Fatal("want more than two contacts each")
	}
	edited := "A" + cursor[1:]
	if cursor[0] == 'A' {
		edited = "B" + cursor[1:]
	}

	for query, want := range map[string]string{
		"limit=0": "bad_limit", "limit=-1": "bad_limit", "limit=201": "bad_limit", "limit=1e9": "bad_limit", "limit=NaN": "bad_limit", "limit=": "bad_limit",
		"limit=99999999999999999999": "bad_limit", "cursor=x": "bad_cursor", "cursor=" + edited: "bad_cursor", "cursor=" + theirs: "bad_cursor",
		"q=a&cursor=" + cursor: "bad_cursor", "limit=2&limit=3": "repeated", "Limit=2": "unknown_parameter", "fields=*": "unknown_parameter",
		"filter[contact.tenant_id]=B": "unknown_parameter", "q=%00": "bad_character", "q=%ff": "bad_character", "q=" + strings.Repeat("a", 2001): "too_long",
		"tenant_id=" + st.motors.ID.String(): "unknown_parameter",
	} {
		if r := st.mine.want(st.mine.get("/contacts?"+query), http.StatusBadRequest, "invalid"); r.text("reason") != want {
			t.Errorf("%.60s: want %s, got %s", query, want, r.body)
		}
	}
	for _, q := range []string{"%25%25%25%25", "%5c", "'%20OR%201=1--", "%3Bselect%20pg_sleep(5)", "()+-", "@", "%20"} {
		st.mine.want(st.mine.get("/contacts?q="+q), http.StatusOK, "")
	}
	r := st.mine.do("GET", "/contacts?limit=200", "", "X-Tenant-ID", st.motors.ID.String(), "TENANT_ID", st.motors.ID.String())
	if r.body != st.mine.get("/contacts?limit=200").body {
		t.Error("want a tenant in a header ignored")
	}
}

func TestAPIReadsBodiesStrictly(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	cl := st.client(t, st.clinic, "read", "write")
	path := "/contacts/" + missing()

	for body, want := range map[string]string{
		`{"ROLE":"owner"}`: "unknown_field", `{"Notes":"x"}`: "unknown_field", `{"notes":"a","notes":"b"}`: "repeated", `{"notes":7}`: "wrong_type",
		`{"external_ids":{"a":"1","a":"2"}}`: "repeated", `{"notes":null}`: "wrong_type", `{"external_ids":{"a":1}}`: "wrong_type",
	} {
		if r := cl.want(cl.do("PATCH", path, body), http.StatusBadRequest, "invalid"); r.text("reason") != want {
			t.Errorf("%s: want %s, got %s", body, want, r.body)
		}
	}
	for _, body := range []string{"{", "[]", `"x"`, "null", "7", `{"notes":"x"} {}`, "{\"notes\":\"\xff\"}", strings.Repeat(`{"notes":`, 20000), "\x00"} {
		cl.want(cl.do("PATCH", path, body), http.StatusBadRequest, "bad_json")
	}
	for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/xml", "application/vnd.x+json", "multipart/form-data; boundary=x", "application/json; charset=utf-16"} {
		cl.want(cl.do("PATCH", path, `{"notes":"x"}`, "Content-Type", kind), http.StatusUnsupportedMediaType, "unsupported_media_type")
	}
	cl.want(cl.do("PATCH", path, `{"notes":"x"}`, "Content-Type", "application/json; charset=UTF-8"), http.StatusNotFound, "not_found")
	cl.want(cl.do("PATCH", path, `{"notes":"`+strings.Repeat("x", 256<<10)+`"}`), http.StatusRequestEntityTooLarge, "too_large")
	cl.want(cl.do("PATCH", path, `{}`), http.StatusUnprocessableEntity, "nothing_to_change")

	undo := "/links/" + missing() + "/undo"
	cl.want(cl.post(undo, ""), http.StatusNotFound, "not_found")
	cl.want(cl.post(undo, "{}"), http.StatusNotFound, "not_found")
	cl.want(cl.post(undo, `{"force":true}`), http.StatusBadRequest, "invalid")
	cl.want(cl.post(undo, "x=1", "Content-Type", "application/x-www-form-urlencoded"), http.StatusUnsupportedMediaType, "unsupported_media_type")

	for _, key := range []string{strings.Repeat("k", 201), "a b", "ключ"} {
		if r := cl.want(cl.post(undo, "", "Idempotency-Key", key), http.StatusBadRequest, "invalid"); r.text("field") != "Idempotency-Key" {
			t.Errorf("want the header named, got %s", r.body)
		}
	}
}

// Ten at once, with one key: one does it, and all say the same.
func TestAPIWritesOncePerKey(t *testing.T) {
	t.Parallel()
	st := newAPISite(t)
	contact := st.mine.get("/contacts").text("items", 0, "id")
	edit := func(key, body string) reply {
		return st.mine.do("PATCH", "/contacts/"+contact, body, "If-Match", "1", "Idempotency-Key", key)
	}

	replies := make([]reply, 10)
	var all sync.WaitGroup
	for i := range replies {
		all.Go(func() { replies[i] = edit("edit-1", `{"display_name":"Asha Verma"}`) })
	}
	all.Wait()
	for _, r := range replies {
		st.mine.want(r, http.StatusOK, "")
		if r.body != replies[0].body || r.number("version") != 2 {
			t.Errorf("want one edit and its answer for all, got %s", r.body)
		}
	}
	if r := edit("edit-1", `{"display_name":"Asha Verma"}`); r.body != replies[0].body {
		t.Errorf("want the same answer later, got %d %s", r.status, r.body)
	}
	st.mine.want(edit("edit-1", `{"display_name":"Asha"}`), http.StatusConflict, "key_reused")
	st.mine.want(st.mine.do("PATCH", "/contacts/"+contact, `{"display_name":"Asha Verma"}`, "If-Match", "2", "Idempotency-Key", "edit-1"), http.StatusConflict, "key_reused")

	// A refusal changed nothing and is not remembered; a key belongs to one API key alone.
	st.mine.want(edit("edit-2", `{"notes":"x"}`), http.StatusConflict, "stale")
	st.mine.want(st.mine.do("PATCH", "/contacts/"+contact, `{"notes":"x"}`, "If-Match", "2", "Idempotency-Key", "edit-2"), http.StatusOK, "")
	second := st.client(t, st.clinic, "write", "read")
	second.want(second.do("PATCH", "/contacts/"+contact, `{"notes":"y"}`, "If-Match", "3", "Idempotency-Key", "edit-1"), http.StatusOK, "")
	theirs := st.theirs.get("/contacts").text("items", 0, "id")
	st.theirs.want(st.theirs.do("PATCH", "/contacts/"+theirs, `{"notes":"x"}`, "If-Match", "1", "Idempotency-Key", "edit-1"), http.StatusOK, "")

	// Without a key the version decides: one of ten wins.
	won := 0
	for i := range replies {
		all.Go(func() {
			replies[i] = st.mine.do("PATCH", "/contacts/"+contact, fmt.Sprintf(`{"notes":"%d"}`, i), "If-Match", "4")
		})
	}
	all.Wait()
	for _, r := range replies {
		if r.status == http.StatusOK {
			won++
			continue
		}
		if st.mine.want(r, http.StatusConflict, "stale"); r.number("contact", "version") != 5 {
			t.Errorf("want the contact as it stands, got %s", r.body)
		}
	}
	if won != 1 {
		t.Errorf("want one edit of ten, got %d", won)
	}
}

// An answer that had to be forgotten is not given again, and what it answered is not done again.
func TestAPIForgottenAnswersAreNoNewTries(t *testing.T) {
	t.Parallel()
	st := newAPISite(t)
	contact := st.mine.get("/contacts").text("items", 0, "id")
	edit := func() reply {
		return st.mine.do("PATCH", "/contacts/"+contact, `{"notes":"once"}`, "If-Match", "1", "Idempotency-Key", "edit-1")
	}
	st.mine.want(edit(), http.StatusOK, "")
	if err := st.DB.As(t.Context(), st.clinic.ID, func(tx *tenants.Tx) error { return tenants.ForgetAnswers(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
	st.mine.want(edit(), http.StatusConflict, "answer_gone")
	if r := st.mine.get("/contacts/" + contact); r.number("version") != 2 {
		t.Errorf("want one edit, got %s", r.body)
	}
}

// What a business wrote days ago is not remembered for ever.
func TestAPIForgetsOldAnswers(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	cl := st.client(t, st.clinic, "read", "write")
	replay := func(key string) {
		t.Helper()
		cl.want(cl.post("/ingest/replay", `{"from":"2026-01-01T00:00:00Z","to":"2026-01-02T00:00:00Z"}`, "Idempotency-Key", key), http.StatusAccepted, "")
	}
	for _, key := range []string{"a", "b", "c"} {
		replay(key)
	}
	kept := 0
	err := st.DB.As(t.Context(), st.clinic.ID, func(tx *tenants.Tx) error {
		_, err := tx.ExecContext(t.Context(), `UPDATE idempotency_keys SET created_at = now() - interval '49 hours' WHERE key <> 'c'`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	replay("d")
	err = st.DB.As(t.Context(), st.clinic.ID, func(tx *tenants.Tx) error {
		return tx.GetContext(t.Context(), &kept, `SELECT count(*) FROM idempotency_keys`)
	})
	if err != nil || kept != 2 {
		t.Errorf("want the two of today kept, got %d (%v)", kept, err)
	}
}

func TestAPIProblems(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	cl := st.client(t, st.clinic, "read")

	b := st.browser(t)
	for path, want := range map[string]int{"/api/v1/none": http.StatusNotFound, "/api/v2/contacts": http.StatusNotFound, "/api/v1/contacts/": http.StatusNotFound, "/api/v1/Contacts": http.StatusNotFound} {
		r := b.get(path)
		if r.status != want || r.header.Get(fiber.HeaderContentType) != "application/problem+json" {
			t.Errorf("%s: want %d as a problem, got %d %s", path, want, r.status, r.header.Get(fiber.HeaderContentType))
		}
	}
	r := cl.do(http.MethodDelete, "/contacts", "")
	cl.want(r, http.StatusMethodNotAllowed, "method_not_allowed")
	if r := cl.do(http.MethodGet, "/contacts", "", "Content-Encoding", "gzip"); r.status != http.StatusUnsupportedMediaType {
		t.Errorf("want an encoded body refused, got %d", r.status)
	}
}
