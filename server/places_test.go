package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

// Who is named for the username of a number or for a printed place hears of it by mail and on the start page, until it is done.
func TestWhoLooksAfterOurName(t *testing.T) {
	t.Parallel()
	st := newGraphSite(t)
	mohan := st.member(t, st.clinic, "mohan", "marketing")
	st.member(t, st.clinic, "meera", "agent")
	asha, m, meera, ravi := st.signedIn(t, "asha"), st.signedIn(t, "mohan"), st.signedIn(t, "meera"), st.signedIn(t, "ravi")
	asha.get("/numbers/new/manual")
	number := strings.TrimPrefix(st.named(t, asha), "/usernames/")
	const kit = "/usernames/kit"
	past, ahead := time.Now().AddDate(0, 0, -3).Format(time.DateOnly), time.Now().AddDate(0, 1, 0).Format(time.DateOnly)

	asha.has(asha.get(kit), http.StatusOK, `data-testid="place-board"`, `data-testid="place-qr"`, "0% updated: 0 of 6 places", `data-testid="save-board"`)
	place := func(name string, form url.Values) {
		t.Helper()
		asha.want(asha.post(kit+"/places/"+name, form), http.StatusSeeOther, kit+"#place-"+name)
	}
	place("board", url.Values{"state": {"todo"}, "owner": {mohan.String()}, "due": {past}})
	place("bill", url.Values{"state": {"done"}})
	place("packaging", url.Values{"state": {"none"}})
	asha.want(asha.post("/usernames/"+number+"/plan", url.Values{"wanted": {"asha.clinic"}, "owner": {mohan.String()}, "due": {ahead}}), http.StatusSeeOther, "/usernames/"+number)
	asha.want(asha.post("/usernames/"+number+"/plan", url.Values{"wanted": {"asha.bhopal"}, "owner": {mohan.String()}, "due": {ahead}}), http.StatusSeeOther, "/usernames/"+number)
	asha.has(asha.get(kit), http.StatusOK, "20% updated: 1 of 5 places", "The day has passed", "mohan")

	told := fmt.Sprint(st.letters(t, 2)) // once for each, though the plan was saved twice
	for _, want := range []string{"Counter board", "has named you for this", "the username of", kit + "#place-board", "/usernames/" + number} {
		if !strings.Contains(told, want) {
			t.Errorf("the mails lack %q: %s", want, told)
		}
	}
	m.has(m.get("/home"), http.StatusOK, `data-testid="mine"`, "Our name on: Counter board", "Overdue", "wanted: @asha.bhopal", `href="/usernames/`+number+`"`)
	asha.lacks(asha.get("/home"), `data-testid="mine"`)
	meera.lacks(meera.get("/home"), `data-testid="mine"`)
	place("board", url.Values{"state": {"done"}, "owner": {mohan.String()}, "due": {past}})
	m.lacks(m.get("/home"), "Counter board", "Overdue")

	for _, wrong := range []url.Values{{"state": {"half"}}, {"state": {"todo"}, "owner": {uuid.NewString()}}, {"state": {"todo"}, "due": {"soon"}}} {
		asha.has(asha.post(kit+"/places/qr", wrong), http.StatusUnprocessableEntity, `data-testid="wrong-`)
	}
	if r := asha.post(kit+"/places/roof", url.Values{"state": {"done"}}); r.status != http.StatusNotFound {
		t.Errorf("no place: got %d, want 404", r.status)
	}
	meera.get("/home")
	if r := meera.post(kit+"/places/qr", url.Values{"state": {"done"}}); r.status != http.StatusForbidden {
		t.Errorf("an agent: got %d, want 403", r.status)
	}
	ravi.has(ravi.get(kit), http.StatusOK, "0 of 6 places")
	asha.has(asha.get("/audit"), http.StatusOK, "Printed place planned", "Counter board", "Real name in place")
	m.post("/language", url.Values{"lang": {"hi"}, "next": {"/home"}})
	m.has(m.get("/home"), http.StatusOK, "आपके ज़िम्मे")
}
