package server_test

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// What an operator writes into the library reaches every business without words of its own, and is taken back again.
func TestOperatorsKeepTheLibrary(t *testing.T) {
	t.Parallel()
	st := newLedgerSite(t)
	st.operator(t, "omar", "admin")
	st.operator(t, "olga", "support")
	asha, ravi, omar, olga := st.signedIn(t, "asha"), st.signedIn(t, "ravi"), st.signedIn(t, "omar"), st.signedIn(t, "olga")
	const page = "/op/library/card/compulsory"
	asha.get("/prep/faq/compulsory/edit")
	asha.want(asha.post("/prep/faq/compulsory", withChange(answered)), http.StatusSeeOther, "/prep/faq/compulsory")

	omar.has(omar.get("/op/library?q=लेना&kind=card"), http.StatusOK, "Do I have to take a username?", `data-testid="entry-compulsory"`, "As shipped")
	omar.has(omar.get("/op/library?state=others"), http.StatusOK, "1 entry", `data-testid="entry-compulsory"`)
	omar.has(omar.get("/op/library?state=edited"), http.StatusOK, "Nothing like this")
	for _, path := range []string{"/op/library?kind=poem", "/op/library?state=lost", "/op/library?from=-1", "/op/library/card/no-such", "/op/library/poem/compulsory"} {
		if r := omar.get(path); r.status != http.StatusNotFound {
			t.Errorf("%s: got %d, want 404", path, r.status)
		}
	}
	olga.has(olga.get(page), http.StatusOK, "No. It is your choice.", "1 business has these words.", "1 business has words of its own")
	olga.lacks(olga.get(page), `data-testid="edit"`, `data-testid="verify"`)

	form := url.Values{
		"version": {"0"}, "question_en": {"Must I have a username?"}, "question_hi": {"क्या यूज़रनेम रखना ज़रूरी है?"}, "short_en": {"No, never."}, "short_hi": {"नहीं, कभी नहीं।"},
		"long_en": {"No. {fact:answers.02}"}, "long_hi": {"नहीं। {fact:answers.02}"}, "never_en": {"That it is a must."}, "never_hi": {"कि यह ज़रूरी है।"},
		"facts": {"answers.02"}, "asks": {"zaroori hai kya"}, "verified_on": {today()},
	}
	do := func(what string, changes ...string) url.Values {
		f := maps.Clone(form)
		f.Set("do", what)
		for i := 0; i < len(changes); i += 2 {
			f.Set(changes[i], changes[i+1])
		}

		return f
	}
	omar.get(page)
	wrong := omar.post(page, do("preview", "short_hi", "", "long_en", "Call {phone}.", "facts", "answers.none"))
	omar.has(wrong, http.StatusUnprocessableEntity, `data-testid="wrong-short_hi"`, `data-testid="wrong-long_en"`, `data-testid="wrong-facts"`, "Must I have a username?")
	preview := omar.post(page, do("preview"))
	omar.has(preview, http.StatusOK, `data-testid="will"`, `name="short_en" value="No, never."`, "1 business has these words.", "will not see a change", "The short answer, two lines (Hindi)", "No, never.", `data-testid="save"`)
	ravi.lacks(ravi.get("/prep/faq/compulsory"), "No, never.")

	omar.get(page)
	omar.want(omar.post(page, do("save")), http.StatusSeeOther, page)
	omar.has(omar.get(page), http.StatusOK, "Published.", "Version 1: changed", "What ships", "omar")
	omar.has(omar.post(page, do("save")), http.StatusConflict, "A colleague has changed")
	ravi.has(ravi.get("/prep/faq/compulsory"), http.StatusOK, "No, never.", "The platform&#39;s words since")
	ravi.has(ravi.get("/prep/faq?q=zaroori"), http.StatusOK, "Must I have a username?")
	asha.has(asha.get("/prep/faq/compulsory"), http.StatusOK, "Yes, in five colours.", `data-testid="moved"`, `data-testid="compare"`, "No, never.")
	asha.want(asha.post("/prep/faq/compulsory/check", url.Values{"version": {"1"}}), http.StatusSeeOther, "/prep/faq/compulsory")
	asha.lacks(asha.get("/prep/faq/compulsory"), `data-testid="moved"`)

	omar.get(page)
	omar.want(omar.post(page, url.Values{"do": {"verify"}, "version": {"1"}}), http.StatusSeeOther, page)
	omar.get(page)
	omar.want(omar.post(page, url.Values{"do": {"restore"}, "version": {"2"}, "to": {"0"}}), http.StatusSeeOther, page)
	ravi.lacks(ravi.get("/prep/faq/compulsory"), "No, never.")
	omar.has(omar.get(page), http.StatusOK, "earlier words taken back", `data-testid="restore-1"`)
	omar.has(omar.get("/op/audit"), http.StatusOK, "Card or macro of the library changed", "Card or macro of the library verified", "Earlier words of the library taken back")

	// A macro, in its three languages.
	const macro = "/op/library/macro/m01"
	said := url.Values{
		"do": {"save"}, "version": {"0"}, "title_en": {"Greet"}, "title_hi": {"नमस्ते"}, "when_en": {"First."}, "when_hi": {"पहले।"},
		"text_en": {"Welcome, {first}."}, "text_hi": {"स्वागत है, {first} जी।"}, "text_hinglish": {""}, "verified_on": {today()},
	}
	omar.get(macro)
	omar.has(omar.post(macro, said), http.StatusUnprocessableEntity, "Please write it in all three languages.", `data-testid="wrong-text_hinglish"`)
	said.Set("text_hinglish", "Swagat hai, {first} ji.")
	omar.get(macro)
	omar.want(omar.post(macro, said), http.StatusSeeOther, macro)
	asha.has(asha.get("/prep/macros?lang=hinglish"), http.StatusOK, "Swagat hai")
}

// A card that an operator writes is on every business's shelf, is taken back by the undo of its toast, and comes back.
func TestOperatorsAddACard(t *testing.T) {
	t.Parallel()
	st := newLedgerSite(t)
	st.operator(t, "omar", "admin")
	st.operator(t, "olga", "support")
	asha, ravi, omar, olga := st.signedIn(t, "asha"), st.signedIn(t, "ravi"), st.signedIn(t, "omar"), st.signedIn(t, "olga")
	olga.lacks(olga.get("/op/library"), `data-testid="new-card"`)
	omar.has(omar.get("/op/library"), http.StatusOK, `data-testid="new-card"`)
	omar.has(omar.get("/op/library/new"), http.StatusOK, `name="audience"`, `name="short_hi"`, `name="verified_on"`, `name="expires_on"`, `name="country"`)

	form := url.Values{
		"audience": {"team"}, "question_en": {"Where do tankers park?"}, "question_hi": {"टैंकर कहाँ खड़े हों?"}, "short_en": {"Behind the shed."}, "short_hi": {"शेड के पीछे।"},
		"long_en": {"Behind the shed."}, "long_hi": {"शेड के पीछे।"}, "never_en": {"On the road."}, "never_hi": {"सड़क पर।"}, "source_en": {"Town rules"}, "source_hi": {"शहर के नियम"},
		"asks": {"tanker kahan"}, "verified_on": {today()},
	}
	do := func(what string, changes ...string) url.Values {
		f := maps.Clone(form)
		f.Set("do", what)
		for i := 0; i < len(changes); i += 2 {
			f.Set(changes[i], changes[i+1])
		}

		return f
	}
	omar.has(omar.post("/op/library", do("save", "short_hi", "", "source_en", "", "source_hi", "", "audience", "nobody", "verified_on", "2999-01-01")), http.StatusUnprocessableEntity,
		`data-testid="wrong-short_hi"`, `data-testid="wrong-source_en"`, `data-testid="wrong-audience"`, `data-testid="wrong-verified_on"`, "Where do tankers park?")
	omar.has(omar.post("/op/library", do("preview")), http.StatusOK, `data-testid="will"`, "2 businesses will have this card.", "A new card for the team.", "Behind the shed.", `data-testid="save"`, `name="audience" value="team"`, `name="short_hi" value="शेड के पीछे।"`)
	omar.has(omar.post("/op/library", do("edit")), http.StatusOK, `data-testid="edit"`, "Where do tankers park?", `value="team" selected`)
	ravi.lacks(ravi.get("/prep/faq?q=tanker"), "Where do tankers park?")

	saved := omar.post("/op/library", do("save"))
	page := saved.location
	if saved.status != http.StatusSeeOther || !strings.HasPrefix(page, "/op/library/card/added-") {
		t.Fatalf("saved: got %d to %q", saved.status, page)
	}
	key := strings.TrimPrefix(page, "/op/library/card/")
	omar.has(omar.get(page), http.StatusOK, "Published. Every business has the new card now.", "Undo", "Version 1: written", `data-testid="withdraw"`, "2 businesses have these words.")
	omar.lacks(omar.get(page), "What ships", `data-testid="restore-0"`)
	olga.has(olga.get(page), http.StatusOK, "Behind the shed.")
	olga.lacks(olga.get(page), `data-testid="withdraw"`)
	ravi.has(ravi.get("/prep/faq?q=tanker"), http.StatusOK, "Where do tankers park?")
	ravi.has(ravi.get("/prep/faq/"+key), http.StatusOK, "Behind the shed.", "Town rules")
	omar.has(omar.get("/op/library?state=added"), http.StatusOK, "1 entry", `data-testid="entry-`+key+`"`, "Added by operators")
	asha.has(asha.get("/prep/faq?for=team&q=tanker"), http.StatusOK, "Where do tankers park?")

	// The undo of the toast, and back.
	omar.get(page)
	omar.want(omar.post(page, url.Values{"do": {"withdraw"}, "version": {"1"}}), http.StatusSeeOther, page)
	gone := omar.get(page)
	omar.has(gone, http.StatusOK, `data-testid="gone"`, "What it said last", "Version 2: taken away", "2 businesses would have it again.", `data-testid="restore-1"`)
	omar.lacks(gone, `data-testid="edit"`, `data-testid="verify"`, `data-testid="withdraw"`)
	if r := ravi.get("/prep/faq/" + key); r.status != http.StatusNotFound {
		t.Errorf("taken away: Ravi gets %d", r.status)
	}
	omar.has(omar.get("/op/library?state=withdrawn"), http.StatusOK, "1 entry", "Taken away")
	omar.has(omar.post(page, url.Values{"do": {"verify"}, "version": {"2"}}), http.StatusConflict, "Bring it back first.")
	omar.get(page)
	omar.want(omar.post(page, url.Values{"do": {"restore"}, "version": {"2"}, "to": {"1"}}), http.StatusSeeOther, page)
	ravi.has(ravi.get("/prep/faq/"+key), http.StatusOK, "Behind the shed.")
	omar.has(omar.get("/op/audit"), http.StatusOK, "Card added to the library", "Card of the library taken away")
	if r := omar.post("/op/library/card/compulsory", url.Values{"do": {"withdraw"}, "version": {"0"}}); r.status != http.StatusNotFound {
		t.Errorf("what ships is taken away: got %d", r.status)
	}
}
