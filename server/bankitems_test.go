package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/tenants/training/content"
)

// How questions do is told to those who lead, and to the operator over all businesses, and says nothing where few have answered.
func TestHowQuestionsDo(t *testing.T) {
	t.Parallel()
	st := newLedgerSite(t)
	st.operator(t, "omar", "admin")
	st.member(t, st.clinic, "meera", "agent")
	asha, omar, meera := st.signedIn(t, "asha"), st.signedIn(t, "omar"), st.signedIn(t, "meera")
	asha.has(asha.get("/prep/items"), http.StatusOK, "Nothing has been answered yet")
	asked := st.items(t, meera.passes(st, "quiz"))[0].ID
	asha.has(asha.get("/prep/items"), http.StatusOK, `data-testid="item-`+asked+`"`, "1 answer", "too few answers to tell")
	ravi := st.signedIn(t, "ravi")
	ravi.has(ravi.get("/prep/items"), http.StatusOK, "Nothing has been answered yet")
	omar.has(omar.get("/op/items"), http.StatusOK, `data-testid="item-`+asked+`"`, "1 answer")
	omar.has(omar.get("/op/facts"), http.StatusOK, `href="/op/items"`)
}

// A question that misleads is taken back by an operator's admin, with a reason, and brought back; who has it before them is told.
func TestAMisleadingQuestionIsTakenBack(t *testing.T) {
	t.Parallel()
	st := newLedgerSite(t)
	st.operator(t, "omar", "admin")
	st.operator(t, "olga", "support")
	st.member(t, st.clinic, "meera", "agent")
	asha, omar, olga, meera := st.signedIn(t, "asha"), st.signedIn(t, "omar"), st.signedIn(t, "olga"), st.signedIn(t, "meera")
	meera.get("/prep/learn")
	quiz := meera.post("/prep/quiz", url.Values{"kind": {"quiz"}}).header.Get("Location")
	asked := st.items(t, quiz)
	plain := slices.IndexFunc(asked, func(i content.Item) bool { return len(i.Tempts()) == 0 })
	asked[0], asked[plain] = asked[plain], asked[0] // one without which every gate is still asked of
	page := "/op/items/" + asked[0].ID

	omar.has(omar.get("/op/items"), http.StatusOK, `data-testid="items-unanswered"`, `href="`+page+`"`)
	omar.has(omar.get(page), http.StatusOK, asked[0].Options[0].Text.HI, asked[0].Explanation.HI, `data-testid="withdraw"`)
	omar.want(omar.get("/op/items/none"), http.StatusNotFound, "")
	olga.lacks(olga.get(page), `data-testid="item-form"`)
	omar.has(omar.post(page, url.Values{"do": {"withdraw"}, "version": {"0"}, "reason": {" "}}),
		http.StatusUnprocessableEntity, `data-testid="item-form"`)
	omar.want(omar.post(page, url.Values{"do": {"withdraw"}, "version": {"0"}, "reason": {"Two answers are right."}}), http.StatusSeeOther, page)
	omar.has(omar.get(page), http.StatusOK, "Taken back: asked nobody", "Two answers are right.", `data-testid="return"`)
	omar.has(omar.get("/op/items"), http.StatusOK, `data-testid="away-`+asked[0].ID+`"`, "1 question is taken back")
	omar.has(omar.post(page, url.Values{"do": {"withdraw"}, "version": {"0"}, "reason": {"Again."}}), http.StatusConflict, "A colleague was quicker")

	meera.has(meera.get(quiz), http.StatusOK, "This question was taken back.", `data-testid="away-`+asked[0].ID+`"`)
	meera.want(meera.post(quiz, answers(asked[1:])), http.StatusSeeOther, quiz)
	meera.has(meera.get(quiz), http.StatusOK, "10 of 10", "taken back while you had it, so it counts as right")
	asha.lacks(asha.get("/prep/items"), `data-testid="item-`+asked[0].ID+`"`)
	asha.has(asha.get("/prep/items"), http.StatusOK, `data-testid="item-`+asked[1].ID+`"`)
	asha.lacks(asha.get("/prep/items"), `href="/op/items/`)

	omar.want(omar.post(page, url.Values{"do": {"return"}, "version": {"1"}, "reason": {"It is right after all."}}), http.StatusSeeOther, page)
	omar.has(omar.get(page), http.StatusOK, "Asked again", "It is right after all.", `data-testid="withdraw"`)
	omar.has(omar.get("/op/audit"), http.StatusOK, "Question of the quiz taken back", "Question of the quiz asked again", "Two answers are right.")
}

// Of a quiz whose only question for a gate is taken back another takes the place, and says so; the answers to the others stay.
func TestAnotherQuestionTakesThePlace(t *testing.T) {
	t.Parallel()
	st := newLedgerSite(t)
	st.operator(t, "omar", "admin")
	omar := st.signedIn(t, "omar")
	var (
		meera *browser
		quiz  string
		asked []content.Item
	)
	at := -1
	for i := 0; at < 0; i++ { // most quizzes have a question that alone tempts at a gate
		if i == 20 {
			t.Fatal("of 20 quizzes none has a question that alone tempts at a gate")
		}
		name := fmt.Sprint("meera-", i)
		st.member(t, st.clinic, name, "agent")
		meera = st.signedIn(t, name)
		meera.get("/prep/learn")
		quiz = meera.post("/prep/quiz", url.Values{"kind": {"quiz"}}).header.Get("Location")
		asked = st.items(t, quiz)
		n := map[string]int{}
		for _, item := range asked {
			for _, gate := range item.Tempts() {
				n[gate]++
			}
		}
		at = slices.IndexFunc(asked, func(i content.Item) bool { return len(i.Tempts()) == 1 && n[i.Tempts()[0]] == 1 })
	}
	omar.want(omar.post("/op/items/"+asked[at].ID, url.Values{"do": {"withdraw"}, "version": {"0"}, "reason": {"Two answers are right."}}), http.StatusSeeOther, "/op/items/"+asked[at].ID)
	meera.has(meera.get(quiz), http.StatusOK, `data-testid="instead-`, "Please answer this one in its place")
	meera.lacks(meera.get(quiz), `data-item="`+asked[at].ID+`"`)
	first := asked[(at+1)%len(asked)]
	meera.has(meera.post(quiz, answers(asked)), http.StatusUnprocessableEntity, `data-testid="instead-`, `data-testid="wrong-`, `name="a_`+first.ID)
}

// The ladder's last rung within reach is the platform: it names how to get there, and who can let them in.
func TestTheLadderLeadsToThePlatform(t *testing.T) {
	t.Parallel()
	st := newLedgerSite(t)
	st.member(t, st.clinic, "meera", "agent")
	asha, meera := st.signedIn(t, "asha"), st.signedIn(t, "meera")
	const path = "/prep/escalations"
	asha.has(asha.get(path), http.StatusOK, `data-testid="platform"`, "Ask whoever set the program up", `href="/support-access"`)
	asha.lacks(asha.get(path), `value="L4"`)
	meera.has(meera.get(path), http.StatusOK, `data-testid="platform"`, "Only an owner lets them in")
	meera.lacks(meera.get(path), `href="/support-access"`)

	st.Server = st.open(t, config.Config{PublicURL: origin, SupportEmail: "help@pehchan.example"})
	meera = st.signedIn(t, "meera")
	meera.has(meera.get(path), http.StatusOK, `href="mailto:help@pehchan.example"`)
	meera.lacks(meera.get(path), "Ask whoever set the program up")
}
