package server_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/pehchan/pehchan/tenants/sandbox"
)

func TestFirstSteps(t *testing.T) {
	t.Parallel()
	st := newGraphSite(t)
	st.work(t)
	st.member(t, st.clinic, "meera", "agent")
	asha, known := st.signedIn(t, "asha"), sandbox.Known().Numbers

	asha.has(asha.get("/home"), http.StatusOK, `data-testid="task-start"`, "0 of 5", `data-testid="task-connect"`)
	st.signedIn(t, "meera").lacks(st.signedIn(t, "meera").get("/home"), `data-testid="task-start"`)
	asha.has(asha.get("/start"), http.StatusOK, `data-testid="start-look"`, "Step 1 of 5.")
	if r := asha.get("/start?step=nonsense"); r.status != http.StatusNotFound {
		t.Errorf("no such step: got %d", r.status)
	}

	asha.has(asha.post("/start/look", url.Values{"do": {"next"}, "lang": {"xx"}, "density": {"team"}}), http.StatusUnprocessableEntity)
	asha.want(asha.post("/start/look", url.Values{"do": {"next"}, "lang": {"hi"}, "density": {"team"}}), http.StatusSeeOther, "/start?step=connect")
	asha.has(asha.get("/start"), http.StatusOK, `<html lang="hi"`, `data-testid="start-connect"`, `href="/numbers/new"`)
	asha.has(asha.get("/home"), http.StatusOK, "5 में से 1")
	asha.has(asha.post("/start/connect", url.Values{"do": {"next"}}), http.StatusConflict, "अभी कोई नंबर नहीं जुड़ा")
	asha.post("/language", url.Values{"lang": {"en"}, "next": {"/start"}})

	// The doors lead back here while the steps are on.
	asha.get("/numbers/new/manual")
	asha.want(asha.post("/numbers", connectForm(known[0])), http.StatusSeeOther, "/start?step=event")
	asha.has(asha.get("/start?step=event"), http.StatusOK, `data-testid="start-event"`, `hx-get="/start/live"`, "Nothing has arrived yet.")
	st.send(t, delivery(known[0], textMessage("one")))
	live := asha.until("/start/live", `data-testid="explained"`)
	asha.has(live, http.StatusOK, "This is your customer&#39;s ID", "IN.1001", "+91 •••••• 0101", "Priya", `data-testid="quiz-hidden"`)
	asha.lacks(live, "9800000101", "hx-get=")

	asha.get("/start?step=event")
	asha.has(asha.post("/start/event", url.Values{"do": {"answer"}, "hidden": {"by_id"}}), http.StatusUnprocessableEntity, "Please choose one of the answers.")
	asha.want(asha.post("/start/event", url.Values{"do": {"answer"}, "hidden": {"by_id"}, "other": {"same"}, "change": {"new_id"}}), http.StatusSeeOther, "/start?step=event")
	asha.has(asha.get("/start?step=event"), http.StatusOK, `data-testid="result"`, "2 of 3 right.", "Another one: each business sees its own", `href="/start?step=invite"`)

	asha.has(asha.post("/start/invite", url.Values{"do": {"next"}, "email": {"nonsense"}, "role": {"agent"}}), http.StatusUnprocessableEntity, "nonsense")
	asha.want(asha.post("/start/invite", url.Values{"do": {"next"}, "email": {"joseph@pehchan.example"}, "role": {"agent"}}), http.StatusSeeOther, "/start?step=tasks")
	asha.has(asha.get("/start?step=tasks"), http.StatusOK, "An invitation is on its way to joseph@pehchan.example.", `href="/resolve"`)
	asha.want(asha.post("/start/tasks", url.Values{"do": {"skip"}}), http.StatusSeeOther, "/start")
	asha.has(asha.get("/start"), http.StatusOK, "All five steps are behind you.", "Skipped", "Done", `data-testid="start-home"`)
	asha.lacks(asha.get("/home"), `data-testid="task-start"`)
	asha.has(asha.get("/audit?about=settings"), http.StatusOK, "First step taken", "First step skipped", "Questions about the first event answered")
	asha.has(asha.get("/team"), http.StatusOK, "joseph@pehchan.example", "invited")

	// Connecting another number later leads to that number, and the other business has its own steps.
	asha.get("/numbers/new/manual")
	asha.connect(known[1])
	ravi := st.signedIn(t, "ravi")
	ravi.has(ravi.get("/start"), http.StatusOK, "Step 1 of 5.")
	ravi.lacks(ravi.get("/start?step=event"), "Priya", "IN.1001")
}
