package server_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/sandbox"
)

// named connects the clinic's first number and returns the address of its username.
func (st *site) named(t *testing.T, b *browser) string {
	t.Helper()
	n := sandbox.Known().Numbers[0]
	r := b.post("/numbers", url.Values{
		"app": {"demo"}, "waba_id": {n.WABAID}, "phone_number_id": {n.PhoneNumberID}, "display_phone_number": {n.DisplayPhone}, "access_token": {goodToken},
	})
	if r.status != http.StatusSeeOther {
		t.Fatalf("connect: %d %s", r.status, r.body)
	}
	id := regexp.MustCompile(`data-testid="username-([0-9a-f-]{36})"`).FindStringSubmatch(b.get("/usernames").body)
	if id == nil {
		t.Fatal("no number on the page of usernames")
	}

	return "/usernames/" + id[1]
}

func TestUsernamesFromPlanToPrint(t *testing.T) {
	t.Parallel()
	st := newGraphSite(t)
	asha := st.signedIn(t, "asha")
	if r := asha.get("/usernames"); !strings.Contains(r.body, `data-testid="empty"`) {
		t.Errorf("without a number: %s", r.body)
	}
	asha.get("/numbers/new/manual")
	at := st.named(t, asha)
	asha.get(at)

	// A name that may not be comes back with the reason, one that may is kept.
	r := asha.post(at+"/plan", url.Values{"wanted": {"asha..clinic"}, "alternatives": {"ashaclinic"}})
	if r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, "Two periods may not stand together") || !strings.Contains(r.body, "asha..clinic") {
		t.Errorf("two periods: %d", r.status)
	}
	asha.want(asha.post(at+"/plan", url.Values{"wanted": {"@Asha.Clinic"}, "alternatives": {"ashaclinic\r\nasha.bhopal"}, "due": {"2031-05-06"}}), http.StatusSeeOther, at)
	if r := asha.get(at); !strings.Contains(r.body, `data-testid="choice-asha.bhopal"`) || !strings.Contains(r.body, `value="2031-05-06"`) {
		t.Errorf("the plan is not on the page: %s", r.body)
	}
	if r := asha.post(at+"/plan", url.Values{"wanted": {"asha"}, "due": {"tomorrow"}}); r.status != http.StatusUnprocessableEntity {
		t.Errorf("a day that is none: %d", r.status)
	}
	if r := asha.post(at+"/plan", url.Values{"wanted": {"asha"}, "owner": {uuid.NewString()}}); r.status != http.StatusUnprocessableEntity {
		t.Errorf("an owner who is not in the team: %d", r.status)
	}

	// Each refusal of Meta's is a sentence with the next step.
	for end, want := range map[string]string{
		sandbox.NameTaken: "problem-147001", sandbox.NameLimit: "problem-147002", sandbox.NamePage: "problem-147003", sandbox.NameInsta: "problem-147004",
		sandbox.NameUnregistered: "problem-133010", sandbox.NamePermission: "problem-10", sandbox.NameGone: "problem-33", sandbox.NameBusy: "problem-4",
	} {
		asha.want(asha.post(at+"/claim", url.Values{"name": {"asha" + end}}), http.StatusSeeOther, at)
		r := asha.get(at)
		if !strings.Contains(r.body, `data-testid="`+want+`"`) || strings.Contains(r.body, "Meta refused with code") {
			t.Errorf("%s: want %s in words", end, want)
		}
	}
	asha.want(asha.post(at+"/claim", url.Values{"name": {"asha" + sandbox.NameBroken}}), http.StatusSeeOther, at)
	if r := asha.get(at); !strings.Contains(r.body, `data-testid="unsure"`) {
		t.Error("an outcome that nobody knows is not told as one")
	}
	if r := asha.post(at+"/claim", url.Values{"name": {"asha.clinic"}}); r.status != http.StatusConflict || !strings.Contains(r.body, "Look at Meta first") {
		t.Errorf("asked on while unsure: %d", r.status)
	}
	asha.want(asha.post(at+"/look", nil), http.StatusSeeOther, at)
	if r := asha.get(at); strings.Contains(r.body, `data-testid="unsure"`) || !strings.Contains(r.body, `data-testid="suggested"`) {
		t.Errorf("after a look: %s", r.body)
	}
	asha.want(asha.post(at+"/look", url.Values{"next": {"https://evil.example/"}}), http.StatusSeeOther, at)

	if r := asha.get(at + "/confirm?do=claim&name=asha.clinic"); r.status != http.StatusOK || !strings.Contains(r.body, "@asha.clinic") {
		t.Errorf("confirmation: %d", r.status)
	}
	for _, query := range []string{"do=burn&name=asha.clinic", "do=claim&name=a", "do=claim"} {
		if r := asha.get(at + "/confirm?" + query); r.status != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", query, r.status)
		}
	}

	// A second press of the same button asks once.
	form := url.Values{"name": {"asha.clinic"}, "_once": {"press-1"}}
	asha.want(asha.post(at+"/claim", form), http.StatusSeeOther, at)
	asha.want(asha.post(at+"/claim", form), http.StatusSeeOther, at)
	if r := asha.get(at); strings.Count(r.body, `data-testid="act-claim"`) != 10 || !strings.Contains(r.body, "@asha.clinic") {
		t.Errorf("want ten claims in the history, got %d", strings.Count(r.body, `data-testid="act-claim"`))
	}
	if r := asha.post(at+"/record", url.Values{"name": {"x.y"}, "status": {"approved"}}); r.status != http.StatusConflict {
		t.Errorf("by hand though Meta can be asked: %d", r.status)
	}

	if r := asha.get("/usernames/kit"); !strings.Contains(r.body, "@asha.clinic") || !strings.Contains(r.body, `lang="hi"`) || strings.Contains(r.body, `data-testid="card"`) {
		t.Error("the kit: want the name in both languages, and no card without a trust page")
	}
	if r := asha.get("/usernames/kit?number=" + uuid.NewString()); r.status != http.StatusNotFound {
		t.Errorf("the kit of no number: %d", r.status)
	}
	if r := asha.get("/usernames/watch"); !strings.Contains(r.body, `data-testid="alike-asha_clinic"`) {
		t.Error("no look-alikes")
	}
	asha.want(asha.post("/usernames/watch", url.Values{"of": {"asha.clinic"}, "name": {"asha_clinic"}, "state": {"reported"}, "note": {"asks for money"}}),
		http.StatusSeeOther, "/usernames/watch?of=asha.clinic")
	if r := asha.post("/usernames/watch", url.Values{"of": {"asha.clinic"}, "name": {"a"}, "state": {"fake"}}); r.status != http.StatusUnprocessableEntity {
		t.Errorf("a name that cannot be: %d", r.status)
	}
	if r := asha.get("/usernames/ideas?check=asha..clinic!"); !strings.Contains(r.body, "Two periods may not stand together") || !strings.Contains(r.body, "These may not be in it: !") {
		t.Error("a name is not checked in words")
	}

	// To give it up the name is typed.
	if r := asha.post(at+"/delete", url.Values{"name": {"asha.clinic"}, "confirm": {"yes"}}); r.status != http.StatusUnprocessableEntity {
		t.Errorf("delete without typing the name: %d", r.status)
	}
	asha.want(asha.post(at+"/delete", url.Values{"name": {"asha.clinic"}, "confirm": {"@asha.clinic"}}), http.StatusSeeOther, at)

	// Another business sees none of it.
	ravi := st.signedIn(t, "ravi")
	ravi.get("/usernames")
	for _, r := range []answer{ravi.get(at), ravi.get(at + "/confirm?do=claim&name=asha.clinic"), ravi.post(at+"/claim", url.Values{"name": {"asha.clinic"}}), ravi.post(at+"/plan", url.Values{"wanted": {"mine"}}), ravi.post("/usernames/ideas", url.Values{"number": {strings.TrimPrefix(at, "/usernames/")}, "name": {"mine"}})} {
		if r.status != http.StatusNotFound {
			t.Errorf("another business: %d, want 404", r.status)
		}
	}

	// Marketing may claim, a lead may look on, an agent neither; nobody is led to what they may not open.
	st.member(t, st.clinic, "mona", "marketing")
	st.member(t, st.clinic, "lela", "lead")
	mona, lela := st.signedIn(t, "mona"), st.signedIn(t, "lela")
	if r := mona.get(at); !strings.Contains(r.body, `data-testid="save-plan"`) {
		t.Error("marketing cannot plan")
	}
	if r := mona.get("/usernames"); strings.Contains(r.body, `href="/usernames/trust"`) {
		t.Error("marketing is led to the settings of the trust page")
	}
	if r := lela.get(at); strings.Contains(r.body, `action="`+at) {
		t.Error("a lead is shown a form that is not theirs to send")
	}
}

func TestUsernameOfANumberWithoutToken(t *testing.T) {
	t.Parallel()
	st := newGraphSite(t)
	asha := st.signedIn(t, "asha")
	asha.get("/numbers/new/manual")
	at := st.named(t, asha)
	err := st.DB.As(t.Context(), st.clinic.ID, func(tx *tenants.Tx) error {
		_, err := tx.Exec(`UPDATE numbers SET access_token = NULL WHERE tenant_id = $1`, tx.Tenant)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if r := asha.get(at); !strings.Contains(r.body, `data-testid="record"`) || strings.Contains(r.body, `data-testid="look"`) {
		t.Errorf("want it written down by hand: %s", r.body)
	}
	if r := asha.post(at+"/claim", url.Values{"name": {"asha.clinic"}}); r.status != http.StatusConflict {
		t.Errorf("claim without a token: %d", r.status)
	}
	if r := asha.post(at+"/record", url.Values{"name": {"a"}, "status": {"approved"}}); r.status != http.StatusUnprocessableEntity {
		t.Errorf("a name that cannot be: %d", r.status)
	}
	asha.want(asha.post(at+"/record", url.Values{"name": {"asha.clinic"}, "status": {"reserved"}}), http.StatusSeeOther, at)
	if r := asha.get("/usernames/kit"); !strings.Contains(r.body, "@asha.clinic is reserved") {
		t.Error("the kit does not say that customers do not see the name yet")
	}
	asha.want(asha.post(at+"/record", url.Values{"name": {""}, "status": {"none"}}), http.StatusSeeOther, at)
}
