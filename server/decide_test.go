package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
)

// fromScript makes the next request one of the page's scripts.
func (b *browser) fromScript() *browser {
	if b.headers == nil {
		b.headers = map[string]string{}
	}
	b.headers["HX-Request"] = "true"

	return b
}

func TestTheNextCaseComesWithTheAnswer(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	s := st.shop(t, st.clinic)
	s.writes(0, "", "IN.1", "Farida", "first")
	s.writes(1, "", "IN.2", "Gopal", "second")
	waiting := s.cases(identity.TabNew)
	first, second := waiting[0], waiting[1]
	b := st.signedIn(t, "asha")

	page := b.get("/resolve/" + first.ID.String() + "?tab=new")
	b.has(page, http.StatusOK, `hx-post="/resolve/`+first.ID.String()+`"`, "Who is Farida?")
	form := decision(first, "new", "tab", "new", "_once", "one press")
	next := b.fromScript().post("/resolve/"+first.ID.String(), form)
	b.has(next, http.StatusOK, "Who is Gopal?", `data-testid="toast"`, `data-testid="lease"`, `data-testid="decide"`)
	to := "/resolve/" + second.ID.String() + "?tab=new"
	if got := next.header.Get("HX-Push-Url"); got != to {
		t.Errorf("the address becomes %q, want %q", got, to)
	}
	if by := s.cases(identity.TabNew)[0].LeaseBy; by == "" {
		t.Error("the next case is shown and not taken")
	}
	if again := b.fromScript().post("/resolve/"+first.ID.String(), form); again.header.Get("HX-Redirect") != to {
		t.Errorf("a second press of the button leads to %q, want %q", again.header.Get("HX-Redirect"), to)
	}

	stale := b.fromScript().post("/resolve/"+first.ID.String(), decision(first, "same", "tab", "new", "contact", second.ContactID.String()))
	b.has(stale, http.StatusConflict, `data-testid="changed"`)
	if stale.header.Get("HX-Retarget") != ".frame" || stale.header.Get("HX-Push-Url") != "false" {
		t.Errorf("a refusal goes to %q and pushes %q, want it in the page's place", stale.header.Get("HX-Retarget"), stale.header.Get("HX-Push-Url"))
	}

	b.want(b.fromScript().post("/resolve/"+second.ID.String(), decision(second, "new", "tab", "new")), http.StatusSeeOther, "/resolve")
}

func TestTwoWhoGoOnGetTwoCases(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.member(t, st.clinic, "meera", "agent")
	st.member(t, st.clinic, "auditor", "auditor")
	s := st.shop(t, st.clinic)
	s.writes(0, "", "IN.1", "Farida", "first")
	s.writes(1, "", "IN.2", "Gopal", "second")
	asha, meera := st.signedIn(t, "asha"), st.signedIn(t, "meera")

	// Neither has opened the page that they were led to.
	first, second := asha.get("/resolve/next?tab=new"), meera.get("/resolve/next?tab=new")
	if first.location == second.location || !strings.HasPrefix(second.location, "/resolve/0") {
		t.Errorf("two were led to %s and %s, want two cases", first.location, second.location)
	}
	asha.want(asha.get("/resolve/next?tab=new&after="+strings.TrimSuffix(strings.TrimPrefix(first.location, "/resolve/"), "?tab=new")), http.StatusSeeOther, "/resolve")

	meera.has(meera.get(first.location), http.StatusConflict, `data-testid="take-next"`)
	auditor := st.signedIn(t, "auditor")
	looked := auditor.get(first.location)
	auditor.has(looked, http.StatusOK, `data-testid="leased"`)
	auditor.lacks(looked, `data-testid="take-next"`)
}

func TestStartLooksInEachTabAndSaysWhoHasTheLast(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.member(t, st.clinic, "meera", "agent")
	s := st.shop(t, st.clinic)
	held := s.rajesh()
	asha, meera := st.signedIn(t, "asha"), st.signedIn(t, "meera")
	asha.has(asha.get("/resolve/"+held.ID.String()), http.StatusOK, `data-testid="lease"`)

	meera.want(meera.get("/resolve/next"), http.StatusSeeOther, "/resolve")
	said := meera.get("/resolve")
	meera.has(said, http.StatusOK, "asha has what is left open, until", `href="/resolve/next"`)
	meera.want(meera.get("/resolve/next?tab=conflicts"), http.StatusSeeOther, "/resolve")
	meera.lacks(meera.get("/resolve"), "has what is left open")

	s.writes(5, "", "IN.99", "Farida", "hello")
	free := s.cases(identity.TabNew)[0]
	meera.want(meera.get("/resolve/next"), http.StatusSeeOther, "/resolve/"+free.ID.String()+"?tab=new")
	meera.want(meera.get("/resolve/next?tab=suggested"), http.StatusSeeOther, "/resolve")
	meera.has(meera.get("/resolve?tab=new"), http.StatusOK, `href="/resolve/next?tab=new"`)
}

func TestADecisionIsToldWithWhomItIsAbout(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.member(t, st.clinic, "meera", "agent")
	s := st.shop(t, st.clinic)
	k := s.rajesh()
	meera := st.signedIn(t, "meera")
	page := meera.get("/resolve/" + k.ID.String() + "?tab=suggested")
	meera.has(page, http.StatusOK, `data-testid="perhaps"`)
	thumbs, others, _ := strings.Cut(page.body[strings.Index(page.body, `class="keys"`):], `class="others"`)
	for _, id := range []string{"decide-same", "decide-not_same", "to-ask"} {
		if !strings.Contains(thumbs, `data-testid="`+id+`"`) {
			t.Errorf("%s is not under the thumb", id)
		}
	}
	if !strings.Contains(others, `data-testid="decide-new"`) {
		t.Error("a new person cannot be said")
	}

	said := func(kind, want string, more ...string) {
		t.Helper()
		var now identity.Case
		s.as(func(tx *tenants.Tx) (err error) {
			now, err = identity.GetCase(t.Context(), tx, k.ID)
			return err
		})
		form := decision(now, kind, more...)
		meera.want(meera.post("/resolve/"+k.ID.String(), form), http.StatusSeeOther, "/resolve")
		meera.has(meera.get("/resolve"), http.StatusOK, `data-testid="toast"`, want)
		if kind != "same" {
			meera.want(meera.post("/resolve/"+k.ID.String()+"/undo", nil), http.StatusSeeOther, "/resolve/"+k.ID.String())
		}
	}
	said("hold", "राजेश: put off until tomorrow.", "days", "1")
	said("unsure", "राजेश: a second person will look.")
	said("new", "राजेश: noted as somebody new.")
	said("same", "राजेश: linked with Rajesh Kumar.")
}
