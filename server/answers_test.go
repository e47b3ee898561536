package server_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/trust"
	"github.com/pehchan/pehchan/tenants/usernames"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

var answered = url.Values{
	"version": {"0"}, "audience": {"customers"}, "question_en": {"Do you sell balloons?"}, "question_hi": {"क्या आप गुब्बारे बेचते हैं?"},
	"short_en": {"Yes, in five colours."}, "short_hi": {"हाँ, पाँच रंगों में।"}, "long_en": {"Yes, in five colours, on Fridays."}, "long_hi": {"हाँ, पाँच रंगों में, शुक्रवार को।"},
	"never_en": {"Promise red ones."}, "never_hi": {"लाल का वादा न करें।"}, "source": {"Our shop"}, "asks": {"balloons\r\ngubbare"},
}

func withChange(form url.Values, changes ...string) url.Values {
	out := url.Values{}
	for name, values := range form {
		if !strings.HasPrefix(name, "_") { // what a browser adds when it posts
			out[name] = values
		}
	}
	for i := 0; i < len(changes); i += 2 {
		out.Set(changes[i], changes[i+1])
	}

	return out
}

func TestAnswersAreFoundAndPassedOn(t *testing.T) {
	t.Parallel()
	st := newLedgerSite(t)
	st.member(t, st.clinic, "meera", "agent")
	meera := st.signedIn(t, "meera")

	meera.has(meera.get("/home"), http.StatusOK, `data-testid="to-answers"`)
	list := meera.get("/prep/faq")
	meera.has(list, http.StatusOK, "44 ready answers", `data-testid="answer-compulsory"`, "https://wa.me/?text=No.", "Verify again", `data-used="/prep/faq/compulsory/used"`)
	meera.lacks(list, `data-testid="to-new"`, `data-testid="to-questions"`)
	meera.has(meera.get("/prep/faq?from=12&q=&for="), http.StatusOK, `data-testid="answers"`)
	meera.has(meera.get("/prep/faq?q=number+dikhta"), http.StatusOK, `data-testid="answer-see_my_number"`)
	meera.post("/language", url.Values{"lang": {"hi"}, "next": {"/prep/faq"}})
	meera.has(meera.get("/prep/faq?q="+url.QueryEscape("नंबर दिखता है")), http.StatusOK, "क्या आपको मेरा नंबर अब भी दिखता है?", "WhatsApp पर भेजें", "हिन्दी जवाब कॉपी करें")

	// What a fact in doubt says is shown with why, and not passed on. The agent cannot vouch for it.
	india := meera.get("/prep/faq/india")
	meera.has(india, http.StatusOK, `data-testid="ribbon"`, "1 जुलाई 2026 को सरकार", `data-testid="held-back"`, "opindia.com")
	meera.lacks(india, `data-testid="share"`, `data-testid="check"`, `data-testid="edit"`)
	if r := meera.post("/prep/faq/india/check", url.Values{"version": {"0"}}); r.status != http.StatusForbidden {
		t.Errorf("an agent vouches: got %d, want 403", r.status)
	}
	// What lacks a value is not passed on either.
	really := meera.get("/prep/faq/really_you")
	meera.has(really, http.StatusOK, `data-testid="missing"`, "आपका यूज़रनेम (अभी तय नहीं)")
	meera.lacks(really, `data-testid="share"`)

	meera.want(meera.post("/prep/faq/compulsory/vote", url.Values{"helpful": {"yes"}}), http.StatusSeeOther, "/prep/faq/compulsory")
	if r := meera.post("/prep/faq/compulsory/used", nil); r.status != http.StatusNoContent {
		t.Errorf("a use: got %d, want 204", r.status)
	}
	meera.has(meera.get("/prep/faq/compulsory"), http.StatusOK, "काम आया 1", "तीस दिन में 1 बार", `aria-pressed="true"`)
	for _, path := range []string{"/prep/faq/nonsense", "/prep/faq?for=aliens", "/prep/faq?from=-1"} {
		if r := meera.get(path); r.status != http.StatusNotFound {
			t.Errorf("%s: got %d, want 404", path, r.status)
		}
	}
	if r := meera.post("/prep/faq/nonsense/used", nil); r.status != http.StatusNotFound {
		t.Errorf("a use of nothing: got %d, want 404", r.status)
	}
}

func TestABusinessEditsAnAnswer(t *testing.T) {
	t.Parallel()
	st := newLedgerSite(t)
	st.member(t, st.clinic, "lata", "lead")
	asha, lata, ravi := st.signedIn(t, "asha"), st.signedIn(t, "lata"), st.signedIn(t, "ravi")

	asha.has(asha.get("/prep/faq/new"), http.StatusOK, `name="question_hi"`, `data-testid="save"`)
	wrong := asha.post("/prep/faq", withChange(answered, "short_hi", ""))
	asha.has(wrong, http.StatusUnprocessableEntity, "Please write it in both languages.", "Yes, in five colours.")
	made := asha.post("/prep/faq", withChange(answered))
	if made.status != http.StatusSeeOther || !strings.HasPrefix(made.location, "/prep/faq/own-") {
		t.Fatalf("save: %d %s %s", made.status, made.location, made.body)
	}
	lata.has(lata.get(made.location), http.StatusOK, "Nobody has checked these words yet.", `data-testid="check"`, "Our shop", "https://wa.me/?text=Yes")
	lata.want(lata.post(made.location+"/check", url.Values{"version": {"1"}}), http.StatusSeeOther, made.location)
	checked := asha.get(made.location)
	asha.has(checked, http.StatusOK, "by lata on")
	asha.lacks(checked, `data-testid="ribbon"`)
	asha.has(asha.get("/prep/faq?q=gubbare"), http.StatusOK, "Do you sell balloons?")
	ravi.lacks(ravi.get("/prep/faq?q=gubbare"), "Do you sell balloons?")
	if r := ravi.get(made.location); r.status != http.StatusNotFound {
		t.Errorf("another business: got %d, want 404", r.status)
	}
	ravi.get("/prep/faq/new")
	if r := ravi.post(made.location, withChange(answered, "version", "1")); r.status != http.StatusNotFound {
		t.Errorf("another business writes: got %d, want 404", r.status)
	}

	// The second of two colleagues is told, and loses nothing.
	lata.get(made.location + "/edit")
	asha.get(made.location + "/edit")
	lata.want(lata.post(made.location, withChange(answered, "version", "1", "short_en", "Yes, in six colours.")), http.StatusSeeOther, made.location)
	asha.has(asha.post(made.location, withChange(answered, "version", "1", "short_en", "No longer.")), http.StatusConflict, "A colleague has changed this answer meanwhile", "No longer.")
	page := asha.get(made.location)
	asha.has(page, http.StatusOK, "Yes, in six colours.", "Version 1: asha", "Version 2: lata", "/edit?from=1")
	asha.has(asha.get(made.location+"/edit?from=1"), http.StatusOK, "Yes, in five colours.", `name="version" value="2"`)
	asha.has(asha.post(made.location+"/restore", url.Values{"version": {"1"}}), http.StatusConflict, "A colleague has changed")
	asha.want(asha.post(made.location+"/restore", url.Values{"version": {"2"}}), http.StatusSeeOther, "/prep/faq")
	if r := asha.get(made.location); r.status != http.StatusNotFound {
		t.Errorf("removed: got %d, want 404", r.status)
	}

	// A built-in one, and back.
	asha.want(asha.post("/prep/faq/compulsory", withChange(answered, "question_en", "Is it a must?")), http.StatusSeeOther, "/prep/faq/compulsory")
	asha.has(asha.get("/prep/faq/compulsory"), http.StatusOK, "Is it a must?", "Use the built-in answer again")
	asha.want(asha.post("/prep/faq/compulsory/restore", url.Values{"version": {"1"}}), http.StatusSeeOther, "/prep/faq/compulsory")
	asha.has(asha.get("/prep/faq/compulsory"), http.StatusOK, "Do I have to take a username?", "Version 2: taken back by asha")
	asha.has(asha.get("/audit?about=answers"), http.StatusOK, "Answer written", "Answer checked", "Own answer taken back", `href="/prep/faq/compulsory"`)
}

// A fact that changes turns the cards that stand on it, on the next page that anybody opens.
func TestAChangedFactTurnsItsCards(t *testing.T) {
	t.Parallel()
	st := newLedgerSite(t)
	st.operator(t, "omar", "admin")
	asha, omar := st.signedIn(t, "asha"), st.signedIn(t, "omar")
	for _, key := range []string{"answers.07", "usernames.in"} {
		omar.get("/op/facts/" + key)
		omar.want(omar.post("/op/facts/"+key, url.Values{"do": {"verify"}, "version": {"1"}}), http.StatusSeeOther, "/op/facts/"+key)
	}
	page := asha.get("/prep/faq/india")
	asha.has(page, http.StatusOK, `data-testid="share"`)
	asha.lacks(page, `data-testid="ribbon"`)

	omar.get("/op/facts/answers.07")
	omar.want(omar.post("/op/facts/answers.07", url.Values{
		"do": {"save"}, "version": {"2"}, "topic": {"answers"}, "country": {"in"}, "kind": {"text"}, "title_en": {"And India?"}, "title_hi": {"और भारत में?"},
		"text_en": {"It may begin."}, "text_hi": {"शुरू हो सकता है।"}, "sources": {"A paper"}, "confidence": {"press"}, "verified_on": {today()},
	}), http.StatusSeeOther, "/op/facts/answers.07")
	asha.has(asha.get("/prep/faq/india"), http.StatusOK, `data-testid="ribbon"`, "“And India?” has changed", "It may begin.", `data-testid="held-back"`)
	asha.want(asha.post("/prep/faq/india/check", url.Values{"version": {"0"}}), http.StatusSeeOther, "/prep/faq/india")
	asha.has(asha.get("/prep/faq/india"), http.StatusOK, `data-testid="share"`, "It%20may%20begin.")
}

func TestMacrosGoIntoAReply(t *testing.T) {
	t.Parallel()
	st := newLedgerSite(t)
	st.member(t, st.clinic, "meera", "agent")
	s := st.shop(t, st.clinic)
	s.writes(30, "", "IN.77044188200355", "Savitri Devi", "नमस्ते, mera number 98765 43210 dikhta hai kya? Savitri")
	savitri := s.whois(whatsapp.KindBSUID, "IN.77044188200355").ID
	meera, asha := st.signedIn(t, "meera"), st.signedIn(t, "asha")
	path := "/inbox/" + savitri.String()

	meera.has(meera.get(path), http.StatusOK, `data-macros`, "macro=pick", `data-testid="log-asked"`)
	pick := meera.get(path + "?macro=pick")
	meera.has(pick, http.StatusOK, `data-testid="macro-pick"`, `value="m01"`)
	meera.lacks(pick, `value="m13"`) // a lead's
	asha.has(asha.get(path+"?macro=pick"), http.StatusOK, `value="m13"`)
	filled := meera.get(path + "?macro=m01&in=hi")
	meera.has(filled, http.StatusOK, "नमस्ते Savitri जी!", `name="macro" value="m01"`)
	meera.has(meera.get(path+"?macro=m06&in=en"), http.StatusOK, "it is not settled who this is") // an open case
	meera.lacks(meera.get(path+"?macro=m06&in=en"), "Your earlier orders are found")
	meera.has(meera.get(path+"?macro=m07&in=en"), http.StatusOK, "last checked on 3 Jul 2026")
	meera.has(meera.get(path+"?macro=m13&in=en&request=R7"), http.StatusOK, "Only a lead may send this.")
	meera.has(meera.get(path+"?macro=m18&in=en"), http.StatusOK, "Still missing:", `name="time"`)
	meera.has(meera.get(path+"?macro=m18&in=en&time=2+hours"), http.StatusOK, "You get an answer here within 2 hours.")
	meera.has(meera.get(path+"?macro=m08&in=en"), http.StatusOK, "your username (not set yet)")
	if r := meera.get(path + "?macro=m99"); r.status != http.StatusNotFound {
		t.Errorf("no such macro: got %d, want 404", r.status)
	}

	form := composed(filled, "नमस्ते Savitri जी!")
	form.Set("macro", "m01")
	meera.want(meera.post(path, form), http.StatusSeeOther, path)
	meera.has(meera.get("/prep/macros?lang=hinglish"), http.StatusOK, "Namaste {first} ji", "Sent 1 time in thirty days.")
	meera.has(meera.get("/prep/macros?find=savitri"), http.StatusOK, "for="+savitri.String())
	shown := meera.get("/prep/macros?lang=en&for=" + savitri.String())
	meera.has(shown, http.StatusOK, "Hi Savitri!", "It is not settled who this is", path+"?in=en&amp;macro=m01#write")

	// Once the business has its username and page, they are told.
	s.as(func(tx *tenants.Tx) error {
		ctx, by := context.Background(), tenants.Actor{Kind: "person", ID: "1", Name: "Asha"}
		if err := usernames.Record(ctx, tx, by, s.number, "asha.clinic", whatsapp.UsernameApproved); err != nil {
			return err
		}

		return trust.Set(ctx, tx, by, trust.Page{On: true, UseEN: "Only to answer."})
	})
	meera.has(meera.get(path+"?macro=m08&in=en"), http.StatusOK, "Our only WhatsApp username is @asha.clinic.", "/t/asha-clinic")
	meera.has(meera.get("/prep/faq/really_you"), http.StatusOK, "@asha.clinic", `data-testid="share"`)
	ravi := st.signedIn(t, "ravi")
	if r := ravi.get("/prep/macros?for=" + savitri.String()); r.status != http.StatusNotFound {
		t.Errorf("another business: got %d, want 404", r.status)
	}

	// What they asked is logged without who they are.
	logged := meera.post("/prep/questions", url.Values{"contact": {savitri.String()}, "next": {path}})
	meera.want(logged, http.StatusSeeOther, path)
	meera.has(meera.get(path), http.StatusOK, "Logged: “नमस्ते, mera number ••• dikhta hai kya? •••”", "/undo")
	questions := asha.get("/prep/questions")
	asha.has(questions, http.StatusOK, "asked 1 time", "Probably answered by", "Can you still see my number?")
	asha.lacks(questions, "98765", "Savitri")
	meera.has(meera.get("/prep/propose?contact="+savitri.String()+"&next="+path), http.StatusOK, "नमस्ते, mera number ••• dikhta hai kya? •••", `name="next" value="`+path)
	meera.want(meera.post("/prep/propose", url.Values{"contact": {savitri.String()}, "next": {path}, "question": {"Savitri: dikhta hai?"}, "lesson": {"Tell Savitri yes."}}), http.StatusSeeOther, path)
	learnt := asha.get("/prep/questions?show=learnt")
	asha.has(learnt, http.StatusOK, "Tell ••• yes.")
	asha.lacks(learnt, "Savitri")
	for _, at := range []string{"?contact=" + savitri.String(), "?contact=x", "?escalation=x"} {
		if r := ravi.get("/prep/propose" + at); r.status != http.StatusNotFound {
			t.Errorf("another business proposes from %s: got %d, want 404", at, r.status)
		}
	}
	if r := ravi.post("/prep/questions", url.Values{"contact": {savitri.String()}}); r.status != http.StatusNotFound {
		t.Errorf("another business logs: got %d, want 404", r.status)
	}
}

var groupID = regexp.MustCompile(`/prep/questions/([0-9a-f-]{36})/remove`)

func TestAQuestionBecomesACard(t *testing.T) {
	t.Parallel()
	st := newLedgerSite(t)
	st.member(t, st.clinic, "meera", "agent")
	st.member(t, st.clinic, "mira", "marketing")
	meera, mira, ravi := st.signedIn(t, "meera"), st.signedIn(t, "mira"), st.signedIn(t, "ravi")

	empty := meera.get("/prep/faq?q=balloons+in+red")
	meera.has(empty, http.StatusOK, "No answer to this yet", `data-testid="log-question"`)
	meera.want(meera.post("/prep/questions", url.Values{"text": {"Balloons in red?"}}), http.StatusSeeOther, "/prep/faq")
	meera.want(meera.post("/prep/questions", url.Values{"text": {"red balloons"}}), http.StatusSeeOther, "/prep/faq")
	meera.want(meera.post("/prep/questions", url.Values{"text": {"98765 43210"}}), http.StatusSeeOther, "/prep/faq")
	meera.has(meera.get("/prep/faq"), http.StatusOK, "They have written nothing to log.")

	mira.has(mira.get("/prep"), http.StatusOK, `data-testid="prep-answers"`, "red balloons", "No card answers this")
	page := mira.get("/prep/questions?show=open")
	mira.has(page, http.StatusOK, "red balloons", "asked 2 times", "1 other way it was asked", "No card answers this", `data-testid="turn"`)
	id := groupID.FindStringSubmatch(page.body)[1]
	if r := ravi.post("/prep/questions/"+id+"/remove", nil); r.status != http.StatusNotFound {
		t.Errorf("another business removes: got %d, want 404", r.status)
	}
	if r := ravi.post("/prep/questions/"+id+"/card", url.Values{"card": {"india"}}); r.status != http.StatusNotFound {
		t.Errorf("another business answers: got %d, want 404", r.status)
	}
	if r := ravi.get("/prep/faq/new?question=" + id); r.status != http.StatusNotFound {
		t.Errorf("another business turns it: got %d, want 404", r.status)
	}
	mira.has(mira.get("/prep/faq/new?question="+id), http.StatusOK, "red balloons", "Balloons in red?", `name="question" value="`+id)
	made := mira.post("/prep/faq", withChange(answered, "question", id))
	if made.status != http.StatusSeeOther {
		t.Fatalf("save: %d %s", made.status, made.body)
	}
	mira.has(mira.get("/prep/questions?show=open"), http.StatusOK, "Every question has an answer")
	mira.has(mira.get("/prep/questions"), http.StatusOK, "Answered by", `href="`+made.location+`"`)

	mira.want(mira.post("/prep/questions/"+id+"/card", url.Values{"card": {""}}), http.StatusSeeOther, "/prep/questions")
	mira.want(mira.post("/prep/questions/"+id+"/remove", nil), http.StatusSeeOther, "/prep/questions")
	mira.has(mira.get("/prep/questions"), http.StatusOK, "No question logged yet")
}
