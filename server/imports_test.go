package server_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pehchan/pehchan/server"
	"github.com/pehchan/pehchan/tenants/imports"
)

// upload posts a list as a browser does: the hidden fields, then the file.
func (b *browser) upload(list string) answer {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	_ = form.WriteField("_csrf", b.csrf)
	_ = form.WriteField("_once", fmt.Sprint(time.Now().UnixNano()))
	file, err := form.CreateFormFile("file", `C:\lists\customers <b>.csv`)
	if err != nil {
		b.t.Fatal(err)
	}
	_, _ = file.Write([]byte(list))
	_ = form.Close()
	b.headers = map[string]string{"Content-Type": form.FormDataContentType(), "Origin": b.origin}

	return b.do(http.MethodPost, "/contacts/import", &body)
}

var importState = regexp.MustCompile(`data-testid="import" data-state="([a-z]+)"`)

// untilImport waits for a list's page to show a state.
func (b *browser) untilImport(path, state string) answer {
	b.t.Helper()
	var r answer
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		r = b.get(path + "/live")
		if found := importState.FindStringSubmatch(r.body); found != nil && found[1] == state {
			return b.get(path)
		}
	}
	b.t.Fatalf("%s stays %d %.500s, want %s", path, r.status, r.body, state)

	return r
}

func (st *site) importWorker(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = imports.NewWorker(st.DB, st.keys, slog.New(slog.DiscardHandler)).Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})
}

func columnsForm(uses ...string) url.Values {
	form := url.Values{"headed": {"yes"}, "country": {"IN"}}
	for i, use := range uses {
		form.Set(fmt.Sprint("column-", i), use)
	}

	return form
}

const dirtyList = "Name,Phone,WhatsApp ID,Customer ID\n" +
	"Asha Verma,+919812345601,,C-1\n" +
	"=HYPERLINK(\"http://evil\"),098123 45602,,C-2\n" +
	"\"Line\nbreak; -5\",,IN.7704418820035512,C-3\n" +
	"@Excel,9.19E+11,,C-4\n"

func TestAListComesInAndGoesBack(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.importWorker(t)
	asha := st.signedIn(t, "asha")
	asha.get("/contacts/import")

	r := asha.upload(dirtyList)
	if r.status != http.StatusSeeOther || !strings.HasPrefix(r.location, "/contacts/import/") {
		t.Fatalf("want 303 to the list, got %d %s %.300s", r.status, r.location, r.body)
	}
	list := r.location
	if r = asha.get(list); r.status != http.StatusOK || strings.Contains(r.body, "<b>.csv") || !strings.Contains(r.body, "customers &lt;b&gt;.csv") {
		t.Errorf("want the file's name as text, got %d %.300s", r.status, r.body)
	}
	for i, use := range []string{"name", "phone", "bsuid", "external"} {
		if !regexp.MustCompile(fmt.Sprintf(`(?s)name="column-%d".{0,400}<option value="%s" selected`, i, use)).MatchString(r.body) {
			t.Errorf("want column %d guessed as %s", i, use)
		}
	}
	if r = asha.post(list+"/columns", columnsForm("name", "phone", "phone")); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, "Two columns are said") {
		t.Errorf("want two phones refused in words, got %d", r.status)
	}
	asha.want(asha.post(list+"/columns", columnsForm("name", "phone", "bsuid", "external")), http.StatusSeeOther, list)

	r = asha.untilImport(list, "checked")
	if !strings.Contains(r.body, "Import 3 customers") || !strings.Contains(r.body, "9.19E+11") {
		t.Errorf("want three to import and the reason of the fourth, got %.2000s", r.body)
	}
	if found := asha.get("/contacts").body; strings.Contains(found, "Asha Verma") {
		t.Errorf("the trial made a contact")
	}
	problems := asha.get(list + "/problems")
	if !strings.Contains(problems.body, "'@Excel,9.19E+11,,C-4,5,") || !strings.HasPrefix(problems.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("want the fourth row, harmless, and why; got %s", problems.body)
	}

	asha.want(asha.post(list+"/run", nil), http.StatusSeeOther, list)
	asha.untilImport(list, "done")
	if found := asha.get("/contacts?q=C-2").body; !strings.Contains(found, "=HYPERLINK") {
		t.Errorf("want the second found by its customer number")
	}

	asha.want(asha.post(list+"/undo", nil), http.StatusSeeOther, list)
	undone := asha.untilImport(list, "undone")
	asha.has(undone, http.StatusOK, "Rows that are left out", "9.19E+11")
	asha.lacks(undone, "What has stayed")
	if found := asha.get("/contacts").body; strings.Contains(found, "Asha Verma") {
		t.Errorf("want nobody left after the undo")
	}
	if r := asha.get("/audit?about=contacts"); !strings.Contains(r.body, "List of customers taken back") {
		t.Errorf("want the undo in the audit")
	}
}

// What is given out can be taken in by another business and given out again, byte for byte.
func TestExportSurvivesTheRoundTrip(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.importWorker(t)
	take := func(b *browser, list string, uses ...string) {
		b.get("/contacts/import")
		path := b.upload(list).location
		b.get(path)
		b.post(path+"/columns", columnsForm(uses...))
		b.untilImport(path, "checked")
		b.post(path+"/run", nil)
		b.untilImport(path, "done")
	}
	export := func(b *browser) string {
		b.get("/contacts/export")
		r := b.post("/contacts/export", url.Values{"purpose": {"moving house"}})
		if r.status != http.StatusOK || !strings.HasPrefix(r.header.Get("Content-Type"), "text/csv") {
			t.Fatalf("want a file, got %d %.300s", r.status, r.body)
		}
		return r.body
	}
	asha, ravi := st.signedIn(t, "asha"), st.signedIn(t, "ravi")
	take(asha, dirtyList, "name", "phone", "bsuid", "external")
	first := export(asha)
	take(ravi, first, "name", "phone", "bsuid", "", "", "external")
	if second := export(ravi); second != first {
		t.Errorf("want the same file, got\n%s\nfirst it was\n%s", second, first)
	}

	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(first, "\uFEFF"))).ReadAll()
	if err != nil || len(rows) != 4 {
		t.Fatalf("want a heading and three rows, got %v %v", rows, err)
	}
	if rows[1][1] != "'+919812345601" || rows[2][0] != `'=HYPERLINK("http://evil")` || rows[3][0] != "Line break;' -5" {
		t.Errorf("want phones whole and formulas harmless, got %q", rows)
	}
	for _, row := range rows {
		for _, cell := range row {
			if strings.IndexAny(cell, "=+-@\t\r") == 0 {
				t.Errorf("%q is a formula", cell)
			}
		}
	}
}

func TestExportMasksPhonesAndIsWrittenDown(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.importWorker(t)
	st.member(t, st.clinic, "dev", "developer")
	asha, dev := st.signedIn(t, "asha"), st.signedIn(t, "dev")
	asha.get("/contacts/import")
	path := asha.upload("name,phone\nAsha 9812345601,+919812345601\n").location
	asha.get(path)
	asha.post(path+"/columns", columnsForm("name", "phone"))
	asha.untilImport(path, "checked")
	asha.post(path+"/run", nil)
	asha.untilImport(path, "done")

	dev.get("/contacts/export")
	if r := dev.post("/contacts/export", nil); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, "few words") {
		t.Errorf("want a purpose asked for, got %d", r.status)
	}
	r := dev.post("/contacts/export", url.Values{"purpose": {"call 9812345601"}})
	if strings.Contains(r.body, "981234") || !strings.Contains(r.body, "•5601") {
		t.Errorf("want only the last four digits, got %s", r.body)
	}
	if body := dev.get(path).body; strings.Contains(body, "981234") {
		t.Errorf("want the rows of a colleague's list masked")
	}
	audit := asha.get("/audit").body
	if !strings.Contains(audit, "Contacts exported") || strings.Contains(audit, "call 98") {
		t.Errorf("want the export in the audit, without a phone")
	}

	// What was masked is no phone when it comes back.
	dev.get("/contacts/import")
	path = dev.upload(r.body).location
	dev.get(path)
	dev.post(path+"/columns", columnsForm("name", "phone"))
	if r := dev.untilImport(path, "checked"); !strings.Contains(r.body, "Digits of this number are hidden") {
		t.Errorf("want masked phones refused")
	}
}

func TestUploadsThatAreRefused(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	asha := st.signedIn(t, "asha")
	asha.get("/contacts/import")
	for list, want := range map[string]string{
		"":                    "This file is empty",
		"PK\x03\x04 workbook": "This is an Excel workbook",
		"name,phone\n":        "no customer in this list",
		"a,b\n\"open" + strings.Repeat(",long\n", 30_000): "opened and not closed",
	} {
		if r := asha.upload(list); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, want) {
			t.Errorf("%.20q: want 422 %s, got %d", list, want, r.status)
		}
	}
	if r := asha.post("/contacts/import", nil); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, "choose a file") {
		t.Errorf("want a file asked for, got %d", r.status)
	}

	token := asha.csrf
	asha.csrf = "forged"
	if r := asha.upload("name,phone\nA,9812345601"); r.status != http.StatusForbidden {
		t.Errorf("want a forged token refused, got %d", r.status)
	}
	asha.csrf = token
	asha.headers = map[string]string{"Content-Type": "multipart/form-data; boundary=x", "Origin": asha.origin}
	if r := asha.do(http.MethodPost, "/settings/me", strings.NewReader("--x--\r\n")); r.status != http.StatusUnsupportedMediaType {
		t.Errorf("want multipart refused everywhere else, got %d", r.status)
	}
}

// Only the page that takes a file, and only with a session, takes a body larger than others.
func TestOnlyUploadsMayBeLarge(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	asha := st.signedIn(t, "asha")
	asha.get("/contacts/import")
	large := "name,phone,note\n" + strings.Repeat("Asha,9812345601,"+strings.Repeat("x", 1000)+"\n", 6000)
	if r := asha.upload(large); r.status != http.StatusSeeOther {
		t.Errorf("want 6 MB taken, got %d %.200s", r.status, r.body)
	}
	stranger := st.browser(t)
	stranger.get("/login")
	if status := tooLarge(t, st.Server, stranger, large); status != http.StatusRequestEntityTooLarge {
		t.Errorf("want 413 without a session, got %d", status)
	}
}

func tooLarge(t *testing.T, s *server.Server, b *browser, list string) int {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, "http://pehchan.example/contacts/import", strings.NewReader(list))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	req.Header.Set("Origin", b.origin)
	res, err := s.App().Test(req, -1)
	if err != nil {
		return http.StatusRequestEntityTooLarge // the connection was closed on it
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.Copy(io.Discard, res.Body)

	return res.StatusCode
}

// Another business's list is not there, whatever is asked of it.
func TestListsOfOthersAreNotThere(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	asha, ravi := st.signedIn(t, "asha"), st.signedIn(t, "ravi")
	asha.get("/contacts/import")
	path := asha.upload("name,phone,tenant_id,consent,id\nAsha,9812345601," + st.motors.ID.String() + ",yes,7").location
	asha.get(path)
	for _, use := range []string{"tenant_id", "id", "consent", "opt_in", "contact_id"} { // a list says nothing of those, whatever it has columns for
		if r := asha.post(path+"/columns", columnsForm("name", "phone", use)); r.status != http.StatusUnprocessableEntity {
			t.Errorf("a column taken for %s: want 422, got %d", use, r.status)
		}
	}
	for _, page := range []string{"", "/live", "/problems"} {
		if r := ravi.get(path + page); r.status != http.StatusNotFound {
			t.Errorf("GET %s: want 404, got %d", page, r.status)
		}
	}
	for _, step := range []string{"/columns", "/run", "/undo", "/discard"} {
		if r := ravi.post(path+step, nil); r.status != http.StatusNotFound {
			t.Errorf("POST %s: want 404, got %d", step, r.status)
		}
	}
}
