package server_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/privacy"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

var requestPath = regexp.MustCompile(`/privacy/requests/[0-9a-f-]{36}`)

// asks opens a request and returns the address of its page.
func (b *browser) asks(kind, subject string) string {
	b.t.Helper()
	b.get("/privacy")
	r := b.post("/privacy/requests", url.Values{"kind": {kind}, "subject": {subject}, "note": {"at the counter"}})
	if r.status != http.StatusSeeOther || !requestPath.MatchString(r.location) {
		b.t.Fatalf("open a request: %d %s %s", r.status, r.location, r.body)
	}

	return r.location
}

var confirmWord = regexp.MustCompile(`data-confirm-word="([0-9]{4})"`)

var accountsSeen = regexp.MustCompile(`name="accounts" value="([0-9a-f]{64})"`)

func TestEraseRequest(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	s := st.shop(t, st.clinic)
	s.writes(1, "919800000480", "IN.77044188200355", "Rajesh Kumar", "hello")
	asha := st.signedIn(t, "asha")

	asha.has(asha.get("/privacy"), http.StatusOK, "No requests yet")
	if r := asha.post("/privacy/requests", url.Values{"kind": {"erase"}}); r.status != http.StatusUnprocessableEntity {
		t.Errorf("a request of nobody: got %d", r.status)
	}
	page := asha.asks("erase", "+91 98000 00480")
	r := asha.get(page)
	asha.has(r, http.StatusOK, "Rajesh Kumar", `data-testid="proof-first"`)
	asha.lacks(r, `data-testid="erase-go"`)

	// Neither without a proof nor by a code alone.
	word := func() string {
		if found := confirmWord.FindStringSubmatch(asha.get(page).body); found != nil {
			return found[1]
		}
		return ""
	}
	accounts := func() string {
		if found := accountsSeen.FindStringSubmatch(asha.get(page).body); found != nil {
			return found[1]
		}
		return ""
	}
	if r := asha.post(page+"/erase", url.Values{"confirm": {"0000"}}); r.status != http.StatusUnprocessableEntity {
		t.Errorf("erase unproved: got %d", r.status)
	}
	if r := asha.post(page+"/proof", url.Values{"code": {"yes"}}); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, "not enough") {
		t.Errorf("a code alone: got %d", r.status)
	}
	asha.want(asha.post(page+"/proof", url.Values{"proof": {"document"}, "code": {"yes"}}), http.StatusSeeOther, page)
	if r := asha.post(page+"/erase", url.Values{"confirm": {"wrong"}}); r.status != http.StatusUnprocessableEntity {
		t.Errorf("erase without the word: got %d", r.status)
	}
	// Confirmed of other accounts than the page shows now: refused. The proof is of the ones of now, and stays.
	if r := asha.post(page+"/erase", url.Values{"confirm": {word()}, "accounts": {"of before"}}); r.status != http.StatusConflict || !strings.Contains(r.body, "accounts have changed") {
		t.Errorf("erase other accounts: got %d", r.status)
	}
	// The contact changes after the proof: refused, and the proof is taken back.
	seen := accounts()
	if err := st.DB.As(t.Context(), st.clinic.ID, func(tx *tenants.Tx) error {
		_, err := tx.Exec(`UPDATE contacts SET version = version + 1 WHERE tenant_id = $1`, st.clinic.ID)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if r := asha.post(page+"/erase", url.Values{"confirm": {word()}, "accounts": {seen}}); r.status != http.StatusConflict || !strings.Contains(r.body, `data-testid="proof-first"`) {
		t.Errorf("erase what changed: got %d", r.status)
	}
	asha.want(asha.post(page+"/proof", url.Values{"proof": {"document"}, "code": {"yes"}}), http.StatusSeeOther, page)
	asha.want(asha.post(page+"/erase", url.Values{"confirm": {word()}, "accounts": {accounts()}}), http.StatusSeeOther, page)
	asha.has(asha.get(page), http.StatusOK, `data-testid="erasing"`)
	if r := asha.post(page+"/close", url.Values{"state": {"refused"}, "reason": {"changed our mind"}}); r.status != http.StatusConflict {
		t.Errorf("refuse what is being done: got %d", r.status)
	}

	w := privacy.NewWorker(st.DB, st.keys, whatsapp.Graph{}, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	asha.until(page, `data-testid="receipt"`)
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}

	asha.lacks(asha.get("/contacts"), "Rajesh")
	asha.lacks(asha.get(page), "Rajesh", "98000")
	file := asha.get(page + "/receipt")
	asha.has(file, http.StatusOK, "Receipt", "They showed an identity document")
	if got := file.header.Get("Content-Disposition"); !strings.HasPrefix(got, "attachment;") {
		t.Errorf("the receipt comes as %q", got)
	}
	asha.has(asha.get(page+"/receipt?format=json"), http.StatusOK, `"removed"`, `"sha256"`)
	asha.has(asha.get("/audit?about=privacy"), http.StatusOK, "Customer erased", "Erasing a customer begun")

	// Ravi's business knows nothing of the request.
	ravi := st.signedIn(t, "ravi")
	for _, path := range []string{page, page + "/receipt"} {
		if r := ravi.get(path); r.status != http.StatusNotFound {
			t.Errorf("%s of another business: got %d, want 404", path, r.status)
		}
	}
	ravi.get("/privacy")
	if r := ravi.post(page+"/erase", url.Values{"confirm": {"0000"}}); r.status != http.StatusUnprocessableEntity && r.status != http.StatusNotFound {
		t.Errorf("erase in another business: got %d", r.status)
	}
}

func TestAccessRequest(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	s := st.shop(t, st.clinic)
	s.writes(1, "919800000480", "IN.77044188200355", "Rajesh Kumar", "my order? ask 919811112222")
	s.writes(1, "919800000481", "IN.77044188200356", "Ravi", "somebody else's words")
	asha := st.signedIn(t, "asha")
	page := asha.asks("access", "IN.77044188200355")
	if r := asha.post(page+"/data", url.Values{"format": {"json"}}); r.status != http.StatusConflict {
		t.Errorf("data unproved: got %d", r.status)
	}
	asha.want(asha.post(page+"/proof", url.Values{"proof": {"wrote_from_it"}}), http.StatusSeeOther, page)
	for _, format := range []string{"json", "html"} {
		r := asha.post(page+"/data", url.Values{"format": {format}})
		asha.has(r, http.StatusOK, "my order?", "Rajesh Kumar", "919800000480", "IN.77044188200355")
		asha.lacks(r, "919811112222", "somebody else")
	}
	asha.want(asha.post(page+"/close", url.Values{"state": {"done"}}), http.StatusSeeOther, page)
	asha.has(asha.get(page), http.StatusOK, `data-testid="receipt"`)
	asha.has(asha.get("/audit?about=privacy"), http.StatusOK, "Data handed out to a customer")
}
