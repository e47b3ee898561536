package server_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// chosen is a form that means these cases.
func chosen(decision, sign string, cases []identity.Case) url.Values {
	f := url.Values{"decision": {decision}, "tab": {"new"}, "sign": {sign}}
	if decision == "same" {
		f.Set("tab", "suggested")
	}
	for _, k := range cases {
		f.Add("case", k.ID.String())
	}

	return f
}

func TestManyNewAtOnceAndBack(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	for _, role := range []string{"agent", "auditor", "marketing"} {
		st.member(t, st.clinic, role, role)
	}
	st.member(t, st.clinic, "joseph", "agent")
	s := st.shop(t, st.clinic)
	s.writes(0, "919800000480", "", "Rajesh Kumar", "hello")
	for i := range 4 {
		s.writes(1, "", fmt.Sprint("IN.10", i), fmt.Sprint("Person ", i), "my order?")
	}
	s.writes(1, "", "IN.200", "राजेश", "my number is 98000 00480")
	b := st.signedIn(t, "agent")

	list := b.get("/resolve?tab=new")
	b.has(list, http.StatusOK, `data-testid="pick"`, `data-testid="bulk-new"`, `data-testid="pick-all"`, `data-testid="money"`)
	st.signedIn(t, "auditor").lacks(st.signedIn(t, "auditor").get("/resolve?tab=new"), `data-testid="pick"`)

	b.want(b.post("/resolve/many", url.Values{"decision": {"new"}, "tab": {"new"}}), http.StatusSeeOther, "/resolve?tab=new")
	motors := st.shop(t, st.motors)
	motors.writes(1, "", "IN.900", "Ravi's", "hello")
	b.has(b.post("/resolve/many", chosen("new", "", append(s.cases(identity.TabNew)[:1], motors.cases(identity.TabNew)...))), http.StatusNotFound)
	cases := append(s.cases(identity.TabNew)[:3], s.cases(identity.TabSuggested)...)
	r := b.post("/resolve/many", chosen("new", "", cases))
	path, _, _ := strings.Cut(r.location, "?")
	if r.status != http.StatusSeeOther || !strings.HasPrefix(path, "/resolve/many/") {
		t.Fatalf("got %d %q, want the preview", r.status, r.location)
	}
	preview := b.get(r.location)
	b.has(preview, http.StatusOK, "3 customers will be noted", `data-testid="run"`, `data-testid="skipped"`, "a sign names somebody you know", "Person 0")
	b.lacks(preview, "98000 00480")
	if n := len(s.cases(identity.TabNew)); n != 4 {
		t.Errorf("%d cases open after the preview, want all 4", n)
	}
	colleague := st.signedIn(t, "joseph")
	colleague.lacks(colleague.get(path), `data-testid="run"`)
	colleague.has(colleague.post(path, nil), http.StatusForbidden)

	b.want(b.post(path, url.Values{"tab": {"new"}}), http.StatusSeeOther, path+"?tab=new")
	b.has(b.get(path+"?tab=new"), http.StatusOK, "3 customers noted as new people", `data-testid="undo-bulk"`)
	if n := len(s.cases(identity.TabNew)); n != 1 {
		t.Errorf("%d cases left, want 1", n)
	}
	b.has(b.get("/resolve"), http.StatusOK, "You said of 3 customers: new people.", path+"/undo")
	owner := st.signedIn(t, "asha")
	owner.has(owner.get("/audit"), http.StatusOK, "Several cases decided at once", path)

	colleague.has(colleague.post(path+"/undo", nil), http.StatusForbidden)
	b.want(b.post(path+"/undo", url.Values{"tab": {"new"}}), http.StatusSeeOther, path+"?tab=new")
	b.has(b.get(path), http.StatusOK, "3 decisions taken back")
	if n := len(s.cases(identity.TabNew)); n != 4 {
		t.Errorf("%d cases open after taking back, want 4", n)
	}
	b.has(b.post(path+"/undo", nil), http.StatusConflict)

	b.post("/resolve/many", url.Values{"decision": {"new"}, "tab": {"new"}, "all": {"1"}})
	ravi := st.signedIn(t, "ravi")
	ravi.has(ravi.get(path), http.StatusNotFound)
	ravi.has(ravi.post(path, nil), http.StatusNotFound)
	ravi.has(ravi.post(path+"/undo", nil), http.StatusNotFound)
	ravi.has(ravi.post("/resolve/many", chosen("new", "", cases)), http.StatusNotFound)
}

func TestManySameAtOnceAndBack(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	s := st.shop(t, st.clinic)
	for i := range 20 { // more than one step
		phone := fmt.Sprintf("9198000005%02d", i)
		s.writes(0, phone, "", fmt.Sprint("Known ", i), "hello")
		s.writes(1, "", fmt.Sprint("IN.30", i), fmt.Sprint("Asks ", i), "my number is "+phone[2:])
	}
	b := st.signedIn(t, "asha")
	b.lacks(b.get("/resolve?tab=suggested"), `data-testid="pick"`)
	b.has(b.get("/resolve?tab=suggested&sign=typed_number"), http.StatusOK, `data-testid="bulk-same"`, "all that match (20)")
	b.has(b.get("/resolve?tab=suggested&sign=%27x"), http.StatusOK)

	r := b.post("/resolve/many", url.Values{"decision": {"same"}, "sign": {"typed_number"}, "tab": {"suggested"}, "all": {"1"}})
	path, _, _ := strings.Cut(r.location, "?")
	b.has(b.get(r.location), http.StatusOK, "20 customers will each be linked", "a number they wrote")
	for i := 0; len(s.cases(identity.TabSuggested)) > 0 && i < 20; i++ { // as the page does by itself
		if r := b.post(path, nil); r.status != http.StatusSeeOther {
			t.Fatalf("got %d: %.300s", r.status, r.body)
		}
	}
	b.has(b.get(path), http.StatusOK, "20 customers linked", "Asks 0", "is <bdi>Known 0</bdi>")
	if s.whois(whatsapp.KindBSUID, "IN.3019").ID != s.whois(whatsapp.KindPhone, "919800000519").ID {
		t.Error("the last was not linked")
	}
	for i := 0; len(s.cases(identity.TabSuggested)) < 20 && i < 20; i++ {
		if r := b.post(path+"/undo", nil); r.status != http.StatusSeeOther {
			t.Fatalf("got %d: %.300s", r.status, r.body)
		}
	}
	b.has(b.get(path), http.StatusOK, "20 decisions taken back")
	b.has(b.post("/resolve/many", chosen("same", "", s.cases(identity.TabSuggested))), http.StatusUnprocessableEntity)
}

// What a request had no time for is done by the worker while the page looks on.
func TestManyGoOnWhileThePageLooksOn(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	s := st.shop(t, st.clinic)
	for i := range 16 { // more than one step
		phone := fmt.Sprintf("9198000005%02d", i)
		s.writes(0, phone, "", fmt.Sprint("Known ", i), "hello")
		s.writes(1, "", fmt.Sprint("IN.30", i), fmt.Sprint("Asks ", i), "my number is "+phone[2:])
	}
	joseph := tenants.Actor{Kind: "person", ID: uuid.NewString(), Name: "Joseph"}
	var id uuid.UUID
	err := st.DB.As(t.Context(), st.clinic.ID, func(tx *tenants.Tx) (err error) {
		in := identity.BulkInput{Decision: identity.DecideSame, Evidence: "typed_number", All: &identity.CaseFilter{}}
		if id, err = identity.StartBulk(t.Context(), tx, joseph, in); err != nil {
			return err
		}
		_, err = identity.RunBulk(t.Context(), tx, joseph, id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b, path := st.signedIn(t, "asha"), "/resolve/many/"+id.String()
	b.has(b.get(path), http.StatusOK, `data-state="running"`, `data-live="1"`, "It goes on by itself.", "15 of 16 done")

	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = ingest.NewWorker(st.DB, slog.New(slog.DiscardHandler)).Run(ctx)
	}()
	defer func() { stop(); <-ended }()
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		r := b.get(path)
		if strings.Contains(r.body, `data-state="done"`) {
			b.lacks(r, "data-live=")
			b.has(r, http.StatusOK, "16 customers linked", `data-testid="undo-bulk"`)
			return
		}
		if time.Since(began) > time.Minute {
			t.Fatalf("stays %.500s", r.body)
		}
	}
}

func TestASecondAgentAgrees(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.member(t, st.clinic, "meera", "agent")
	st.member(t, st.clinic, "joseph", "agent")
	s := st.shop(t, st.clinic)
	s.writes(0, "919800000480", "IN.1", "Rajesh Kumar", "hello")
	s.writes(1, "", "IN.2", "राजेश", "my number is 98000 00480")
	k := s.cases(identity.TabSuggested)[0]
	path := "/resolve/" + k.ID.String()
	meera, joseph := st.signedIn(t, "meera"), st.signedIn(t, "joseph")

	meera.has(meera.get(path), http.StatusOK, `data-testid="against"`, `data-testid="decide-same"`, "A second person must then agree")
	meera.has(meera.post(path, decision(k, "same")), http.StatusUnprocessableEntity, `data-testid="wrong-reason"`)
	meera.want(meera.post(path, decision(k, "same", "reason", "same voice")), http.StatusSeeOther, "/resolve")
	meera.has(meera.get("/resolve"), http.StatusOK, "A second person must agree.")

	joseph.has(joseph.get("/resolve?tab=approvals"), http.StatusOK, "meera</bdi> says: same person")
	k = s.cases(identity.TabApprovals)[0]
	joseph.has(joseph.get(path), http.StatusOK, `data-testid="proposal"`, "same voice", `data-testid="decide-same"`)
	r := joseph.post(path, decision(k, "same"))
	if r.status != http.StatusSeeOther || s.whois(whatsapp.KindBSUID, "IN.2").ID != k.Candidates[0].Contact.ID {
		t.Errorf("second person: %d, want the two linked", r.status)
	}
	meera.has(meera.get(path), http.StatusOK, `data-testid="outcome"`)
}
