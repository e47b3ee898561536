package server_test

import (
	"net/http"
	"net/url"
	"regexp"
	"testing"
	"time"
)

// Figures of single people are for those who lead, and for the person alone; of a team that did nothing there are none.
func TestHowWellWeAnswer(t *testing.T) {
	t.Parallel()
	st := newLedgerSite(t)
	for name, role := range map[string]string{"meera": "agent", "joseph": "agent", "lata": "lead", "mohan": "marketing", "anil": "auditor"} {
		st.member(t, st.clinic, name, role)
	}
	meera, joseph, lata, mohan, anil := st.signedIn(t, "meera"), st.signedIn(t, "joseph"), st.signedIn(t, "lata"), st.signedIn(t, "mohan"), st.signedIn(t, "anil")

	meera.has(meera.get("/prep"), http.StatusOK, `data-testid="to-quality"`)
	meera.has(meera.get("/prep/quality"), http.StatusOK, "Nothing to measure yet")
	meera.passes(st, "quiz")
	meera.post("/prep/faq/india/vote", url.Values{"helpful": {"no"}})
	joseph.get("/prep/faq")
	joseph.post("/prep/questions", url.Values{"text": {"Balloons in red?"}})

	mine := meera.get("/prep/quality")
	meera.has(mine, http.StatusOK, `data-testid="agreement"`, "Known cases, right", "Agrees with others", "With fewer than 20 of them nothing is said.")
	meera.has(mine, http.StatusOK, `data-testid="my-quality"`, `data-testid="learning"`, "100%", "helped 0, did not 1", "0, shown from 20 on")
	meera.has(mine, http.StatusOK, `data-testid="no-answers"`) // rather than charts of nothing
	meera.lacks(mine, "Answers, by week")
	zone := st.clinic.Location()
	monday := time.Now().In(zone)
	for monday.Weekday() != time.Monday {
		monday = monday.AddDate(0, 0, -1)
	}
	meera.has(mine, http.StatusOK, monday.Format("2 Jan 2006"))
	meera.lacks(mine, `data-testid="workers"`, `data-testid="gaps"`, "joseph")
	lead := lata.get("/prep/quality")
	lata.has(lead, http.StatusOK, `data-testid="worker-meera"`, `data-testid="gaps"`, "Balloons in red?", `href="/prep/questions?show=open"`)
	lata.lacks(lead, `data-testid="worker-joseph"`) // did nothing that is counted by person
	mohan.lacks(mohan.get("/prep/quality"), "meera")
	anil.lacks(anil.get("/prep/quality"), "meera", `data-testid="my-quality"`)
	ravi := st.signedIn(t, "ravi")
	ravi.has(ravi.get("/prep/quality"), http.StatusOK, "Nothing to measure yet")
	meera.post("/language", url.Values{"lang": {"hi"}, "next": {"/prep"}})
	meera.has(meera.get("/prep/quality"), http.StatusOK, "हम कैसा जवाब देते हैं", "क्विज़ में सही")
}

var escalationID = regexp.MustCompile(`data-testid="escalation-([0-9a-f-]{36})"`)

// What came of an escalation is proposed by whoever learnt it, and written as a card by whoever looks after the answers.
func TestALessonBecomesACard(t *testing.T) {
	t.Parallel()
	st := newLedgerSite(t)
	st.member(t, st.clinic, "meera", "agent")
	st.member(t, st.clinic, "anil", "auditor")
	meera, asha, ravi, anil := st.signedIn(t, "meera"), st.signedIn(t, "asha"), st.signedIn(t, "ravi"), st.signedIn(t, "anil")

	meera.get("/prep/escalations")
	meera.want(meera.post("/prep/escalations", url.Values{"kind": {"angry"}, "level": {"L1"}, "reason": {"Wants red balloons."}}), http.StatusSeeOther, "/prep/escalations")
	id := escalationID.FindStringSubmatch(meera.get("/prep/escalations").body)[1]
	at := "/prep/propose?escalation=" + id
	if r := meera.get(at); r.status != http.StatusNotFound {
		t.Errorf("while it is open: got %d, want 404", r.status)
	}
	meera.want(meera.post("/prep/escalations/"+id, url.Values{"do": {"close"}, "outcome": {"Sent."}, "lesson": {"Red ones come on Friday, call 98765 43210."}}), http.StatusSeeOther, "/prep/escalations")
	meera.has(meera.get("/prep/escalations"), http.StatusOK, `data-testid="propose"`, at)
	meera.has(meera.get(at), http.StatusOK, "Red ones come on Friday, call •••.")
	if r := ravi.get(at); r.status != http.StatusNotFound {
		t.Errorf("another business: got %d, want 404", r.status)
	}
	anil.get("/prep")
	if r := anil.post("/prep/propose", url.Values{"question": {"a"}, "lesson": {"b"}}); r.status != http.StatusForbidden {
		t.Errorf("an auditor: got %d, want 403", r.status)
	}

	form := url.Values{"escalation": {id}, "question": {"क्या लाल गुब्बारे हैं?"}, "lesson": {""}}
	meera.has(meera.post("/prep/propose", form), http.StatusUnprocessableEntity, "Please write something here.", "क्या लाल गुब्बारे हैं?")
	form.Set("lesson", "Red ones come on Friday.")
	meera.want(meera.post("/prep/propose", form), http.StatusSeeOther, "/prep/faq")

	page := asha.get("/prep/questions?show=learnt")
	asha.has(page, http.StatusOK, "Red ones come on Friday.", "meera", `data-testid="turn"`)
	group := groupID.FindStringSubmatch(page.body)[1]
	asha.has(asha.get("/prep/faq/new?question="+group), http.StatusOK, `>Red ones come on Friday.</textarea>`, `>क्या लाल गुब्बारे हैं?</textarea>`)
	made := asha.post("/prep/faq", withChange(answered, "question", group))
	if made.status != http.StatusSeeOther {
		t.Fatalf("save: %d %s", made.status, made.body)
	}
	asha.has(asha.get(made.location), http.StatusOK, "Nobody has checked these words yet.")
	asha.lacks(asha.get("/prep/questions?show=learnt"), `data-testid="turn"`)
	asha.has(asha.get("/audit?about=answers"), http.StatusOK, "Card proposed")
}
