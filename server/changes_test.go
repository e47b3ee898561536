package server_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pehchan/pehchan/tenants/facts"
	"github.com/pehchan/pehchan/views/i18n"
)

// newLedgerSite is a site whose ledger holds what ships.
func newLedgerSite(t *testing.T) *site {
	t.Helper()
	st := newSite(t)
	if err := facts.Seed(t.Context(), st.DB); err != nil {
		t.Fatal(err)
	}

	return st
}

func TestWhatChanged(t *testing.T) {
	t.Parallel()
	st := newLedgerSite(t)
	asha := st.signedIn(t, "asha")

	home := asha.get("/home")
	asha.has(home, http.StatusOK, `data-testid="country-IN"`, "India: Usernames paused", "needs checking", `href="/changes?country=IN"`, `data-testid="bell"`)
	all := asha.get("/changes")
	asha.has(all, http.StatusOK, `data-testid="feed"`, "Needs checking", "Source unverified since", `rel="noopener noreferrer"`, `data-testid="panel"`)
	asha.lacks(all, `data-testid="fresh"`)
	if first, next := strings.Index(all.body, "documents.pricing"), strings.Index(all.body, "documents.0915"); first < 0 || next < first {
		t.Errorf("want the newest first, got 1 October at %d, 15 September at %d", first, next)
	}
	india := asha.get("/changes?country=IN")
	asha.has(india, http.StatusOK, "How far it is: India", "Usernames paused", "MeitY", "No later outcome was found")
	asha.lacks(india, "Nepal since")
	more := regexp.MustCompile(`href="([^"]*before=[^"]*)"`)
	found := false
	for page := asha.get("/changes?topic=rollout"); !found; {
		found = strings.Contains(page.body, "Originally announced: June") && strings.Contains(page.body, "That plan was replaced")
		next := more.FindStringSubmatch(page.body)
		if next == nil {
			break
		}
		page = asha.get(strings.ReplaceAll(next[1], "&amp;", "&"))
	}
	if !found {
		t.Error("want what was first announced told as past on one of the pages")
	}
	for _, path := range []string{"/changes?country=india", "/changes?topic=weather", "/changes?before=x"} {
		if r := asha.get(path); r.status != http.StatusNotFound {
			t.Errorf("%s: got %d, want 404", path, r.status)
		}
	}

	asha.post("/language", url.Values{"lang": {"hi"}, "next": {"/changes"}})
	asha.has(asha.get("/changes?country=IN"), http.StatusOK, "सरकार के कहने पर", "जाँचना बाक़ी")
}

// The home page tells of the countries that the business's customers are from.
func TestHomeTellsOfCustomersCountries(t *testing.T) {
	t.Parallel()
	st := newLedgerSite(t)
	st.shop(t, st.clinic).writes(29, "", "CO.77", "Valentina", "hola")
	asha, ravi := st.signedIn(t, "asha"), st.signedIn(t, "ravi")
	asha.has(asha.get("/home"), http.StatusOK, `data-testid="country-IN"`, `data-testid="country-CO"`, "Colombia: Usernames active")
	ravi.lacks(ravi.get("/home"), `data-testid="country-CO"`)
}

// An operator's edit is on every business's pages with the next page they open, in both languages.
func TestAFactReachesEverybody(t *testing.T) {
	t.Parallel()
	st := newLedgerSite(t)
	st.operator(t, "omar", "admin")
	st.operator(t, "olga", "support")
	asha, ravi, omar, olga := st.signedIn(t, "asha"), st.signedIn(t, "ravi"), st.signedIn(t, "omar"), st.signedIn(t, "olga")

	list := omar.get("/op/facts")
	omar.has(list, http.StatusOK, "facts need checking", `data-testid="facts"`, `href="/op/facts/new"`)
	page := omar.get("/op/facts/usernames.in")
	omar.has(page, http.StatusOK, "Usernames paused", `data-testid="verify"`, `data-testid="preview"`, "shipped with the product")
	olga.has(olga.get("/op/facts/usernames.in"), http.StatusOK, "Usernames paused")
	olga.lacks(olga.get("/op/facts/usernames.in"), `data-testid="verify"`, `data-testid="preview"`)
	if r := olga.post("/op/facts/usernames.in", url.Values{"do": {"verify"}, "version": {"1"}}); r.status != http.StatusForbidden {
		t.Errorf("support edits: got %d, want 403", r.status)
	}
	if r := omar.get("/op/facts/no.such"); r.status != http.StatusNotFound {
		t.Errorf("no such fact: got %d", r.status)
	}

	form := url.Values{
		"version": {"1"}, "topic": {"rollout"}, "country": {"in"}, "aspect": {"usernames"}, "kind": {"status"}, "value": {"live"},
		"title_en": {"Usernames allowed"}, "title_hi": {"यूज़रनेम की अनुमति"}, "text_en": {"The ministry has agreed."}, "text_hi": {"मंत्रालय मान गया।"},
		"sources": {"A paper https://paper.example/1\nAnother, on paper"}, "confidence": {"press"}, "verified_on": {today()}, "expires_on": {""},
	}
	with := func(do string, changes ...string) url.Values {
		f := url.Values{"do": {do}}
		for k, v := range form {
			f[k] = v
		}
		for i := 0; i < len(changes); i += 2 {
			f.Set(changes[i], changes[i+1])
		}

		return f
	}
	preview := omar.post("/op/facts/usernames.in", with("preview"))
	omar.has(preview, http.StatusOK, `data-testid="will"`, "2 businesses see this at once.", "2 people find it unread.", "The ministry has agreed.", "मंत्रालय मान गया।", `data-testid="save"`)
	asha.lacks(asha.get("/home"), "Usernames allowed")
	wrong := omar.post("/op/facts/usernames.in", with("preview", "text_hi", ""))
	omar.has(wrong, http.StatusUnprocessableEntity, "Please write it in both languages.", "The ministry has agreed.")

	omar.get("/op/facts/usernames.in")
	omar.want(omar.post("/op/facts/usernames.in", with("save")), http.StatusSeeOther, "/op/facts/usernames.in")
	omar.has(omar.get("/op/facts/usernames.in"), http.StatusOK, "Published.", "omar", "Version 2")
	stale := omar.post("/op/facts/usernames.in", with("save"))
	omar.has(stale, http.StatusConflict, "Somebody changed this fact after you opened it")

	for _, b := range []*browser{asha, ravi} {
		b.has(b.get("/home"), http.StatusOK, "India: Usernames allowed", `count-changes">1`)
		b.lacks(b.get("/home"), "Usernames paused", "needs checking")
		b.has(b.get("/changes"), http.StatusOK, `data-testid="fresh"`, "The ministry has agreed.", "Before: On 1 July", `data-testid="mark-read"`)
	}
	seq := regexp.MustCompile(`name="seq" value="(\d+)"`).FindStringSubmatch(asha.get("/changes").body)
	asha.want(asha.post("/changes/read", url.Values{"seq": {seq[1]}}), http.StatusSeeOther, "/changes")
	asha.lacks(asha.get("/changes"), `data-testid="fresh"`)
	ravi.has(ravi.get("/changes"), http.StatusOK, `data-testid="fresh"`)
	ravi.post("/language", url.Values{"lang": {i18n.Hindi}, "next": {"/home"}})
	ravi.has(ravi.get("/home"), http.StatusOK, "भारत: यूज़रनेम की अनुमति")

	// Looking at the source again is no news to anybody.
	omar.get("/op/facts/usernames.np")
	omar.want(omar.post("/op/facts/usernames.np", url.Values{"do": {"verify"}, "version": {"1"}}), http.StatusSeeOther, "/op/facts/usernames.np")
	omar.has(omar.get("/op/facts/usernames.np"), http.StatusOK, "Noted: the source was read today.", "Source checked on")
	asha.lacks(asha.get("/changes"), `data-testid="fresh"`)
	nepal := asha.get("/changes?country=NP")
	asha.has(nepal, http.StatusOK, "Source checked on")

	// A new fact, and one whose key is taken.
	omar.get("/op/facts/new")
	omar.want(omar.post("/op/facts", with("save", "version", "0", "key", "usernames.fr", "country", "FR")), http.StatusSeeOther, "/op/facts/usernames.fr")
	omar.has(omar.post("/op/facts", with("save", "version", "0", "key", "usernames.fr")), http.StatusConflict, "There is a fact with this key already.")
	asha.has(asha.get("/changes?country=FR"), http.StatusOK, "How far it is: France", "Usernames allowed")
}

func today() string { return time.Now().UTC().Format(time.DateOnly) }
