package server_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/privacy"
	"github.com/pehchan/pehchan/tenants/whatsapp"
	"github.com/pehchan/pehchan/views/i18n"
)

var incidentPath = regexp.MustCompile(`^/privacy/incidents/[0-9a-f-]{36}$`)

// typed is a moment as a form has it, in the zone of a business that chose none.
func typed(t time.Time) string {
	zone, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		panic(err)
	}

	return t.In(zone).Format("2006-01-02T15:04")
}

func happened(known, from, to time.Time, more ...string) url.Values {
	f := url.Values{"what": {"A list was mailed to the wrong address."}, "known": {typed(known)}, "from": {typed(from)}, "to": {typed(to)}}
	for n := 0; n+1 < len(more); n += 2 {
		f.Set(more[n], more[n+1])
	}

	return f
}

// happens opens an incident and returns the address of its page.
func (b *browser) happens(f url.Values) string {
	b.t.Helper()
	r := b.post("/privacy/incidents", f)
	if r.status != http.StatusSeeOther || !incidentPath.MatchString(r.location) {
		b.t.Fatalf("open an incident: %d %s %.300s", r.status, r.location, r.body)
	}

	return r.location
}

func TestIncident(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	s := st.shop(t, st.clinic)
	s.writes(1, "919800000480", "IN.77044188200355", "Rajesh Kumar", "hello")
	s.writes(1, "919800000481", "IN.77044188200356", "Lata", "hello")
	meera, joseph := uuid.NewString(), uuid.NewString()
	look := func(day time.Time, viewer, name string, kind whatsapp.Kind, value string) {
		contact := s.whois(kind, value).ID
		s.as(func(tx *tenants.Tx) error {
			_, err := tx.Exec(`
				INSERT INTO contact_views (tenant_id, contact_id, day, viewer, how, name, last_at)
				VALUES ($1, $2, ($3::timestamptz AT TIME ZONE 'UTC')::date, $4, 'page', $5, $3)`, st.clinic.ID, contact, day, "person:"+viewer, name)
			return err
		})
	}
	now := time.Now()
	long := now.AddDate(0, 0, -10)
	look(long, meera, "Meera", whatsapp.KindPhone, "919800000480")
	look(long.AddDate(0, 0, -3), meera, "Meera", whatsapp.KindPhone, "919800000481") // before it began
	look(long.Add(time.Minute), joseph, "Joseph", whatsapp.KindPhone, "919800000481")

	asha := st.signedIn(t, "asha")
	asha.has(asha.get("/privacy"), http.StatusOK, `data-testid="incidents"`, `href="/privacy/incidents/new"`)
	asha.has(asha.get("/privacy/incidents/new"), http.StatusOK, `name="known"`, `type="datetime-local"`)
	for field, f := range map[string]url.Values{
		"known": happened(now.Add(time.Hour), long, long),
		"to":    happened(now, long, long.Add(-time.Hour)),
		"from":  happened(now, long, long, "from", "yesterday"),
		"what":  happened(now, long, long, "what", " "),
	} {
		if r := asha.post("/privacy/incidents", f); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, `f-`+field+`-wrong`) {
			t.Errorf("a wrong %s: got %d", field, r.status)
		}
	}
	page := asha.happens(happened(now.Add(-time.Hour), long.Add(-time.Hour), long.Add(time.Hour), "what", "A list was mailed to <b>919811112222</b>."))
	r := asha.get(page)
	asha.has(r, http.StatusOK, ">2 customers</strong>", "Meera", "Joseph", "[still to be written]", "[अभी लिखना बाक़ी है]", "Clock runs")
	asha.lacks(r, "919811112222", "<b>", "Rajesh", "Lata")
	asha.has(asha.get("/privacy"), http.StatusOK, page, "Clock runs", "CERT-In, within 6 hours")

	// Whom it concerns by one of the team, and the letters with what was written.
	fields := happened(now.Add(-time.Hour), long.Add(-time.Hour), long.Add(time.Hour), "viewer", "person:"+meera, "consequences", "Strangers may write.",
		"measures", "The list was deleted.", "advice", "Give no code away.", "findings", "A slip of the hand.", "contact", "Asha, 080 4123 4567")
	asha.want(asha.post(page, fields), http.StatusSeeOther, page)
	r = asha.get(page)
	asha.has(r, http.StatusOK, ">1 customer</strong>")
	letters := regexp.MustCompile(`(?s)class="said-text" lang="(en|hi)">(.*?)</p>`).FindAllStringSubmatch(r.body, -1)
	if len(letters) != 4 {
		t.Fatalf("%d letters, want 4", len(letters))
	}
	for n, l := range letters {
		head := map[string][2]string{
			"en": {"What may follow from it", "What you found out"}, "hi": {"इससे क्या हो सकता है", "यह किससे हुआ"},
		}[l[1]]
		for _, want := range []string{"Strangers may write.", "The list was deleted.", "Give no code away.", "080 4123 4567", "A list was mailed", head[0]} {
			if !strings.Contains(l[2], want) {
				t.Errorf("letter %d in %s lacks %q: %s", n, l[1], want, l[2])
			}
		}
		if board := n >= 2; strings.Contains(l[2], "A slip of the hand.") != board || strings.Contains(l[2], head[1]) != board {
			t.Errorf("letter %d in %s: findings on who caused it are for the Board alone", n, l[1])
		}
	}
	if r := asha.post(page, happened(now, long, long, "viewer", "person:nobody")); r.status != http.StatusUnprocessableEntity {
		t.Errorf("seen by somebody the log does not know: got %d", r.status)
	}

	// The list names whom it concerns, and notes that they were seen.
	r = asha.post(page+"/people", nil)
	asha.has(r, http.StatusOK, "Rajesh Kumar", "IN.77044188200355", "Meera")
	asha.lacks(r, "Lata", "Joseph")
	var seen int
	s.as(func(tx *tenants.Tx) error {
		return tx.Get(&seen, `SELECT count(*) FROM contact_views WHERE tenant_id = $1 AND how = 'export'`, st.clinic.ID)
	})
	if seen != 1 {
		t.Errorf("%d noted as seen by the export, want 1", seen)
	}

	// What is owed is given once, and the incident closes with a lesson.
	asha.want(asha.post(page+"/mark", url.Values{"do": {"people"}}), http.StatusSeeOther, page)
	asha.want(asha.post(page+"/mark", url.Values{"do": {"no_cert"}}), http.StatusSeeOther, page)
	r = asha.get(page)
	asha.has(r, http.StatusOK, "Not needed", `data-testid="mark-board"`)
	asha.lacks(r, `data-testid="mark-people"`, `data-testid="mark-cert"`)
	if r := asha.post(page+"/mark", url.Values{"do": {"press"}}); r.status != http.StatusUnprocessableEntity {
		t.Errorf("mark something else: got %d", r.status)
	}
	if r := asha.post(page+"/close", url.Values{"done": {"All were told."}}); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, "Strangers may write.") {
		t.Errorf("close without a lesson: got %d", r.status)
	}
	asha.want(asha.post(page+"/close", url.Values{"done": {"All were told."}, "lesson": {"Two look at an address."}}), http.StatusSeeOther, page)
	r = asha.get(page)
	asha.has(r, http.StatusOK, "Two look at an address.", `data-testid="letters"`)
	asha.lacks(r, `data-testid="close-form"`, `data-testid="mark-board"`)
	for path, f := range map[string]url.Values{page: fields, page + "/mark": {"do": {"board"}}, page + "/close": {"done": {"more"}, "lesson": {"more"}}} {
		if r := asha.post(path, f); r.status != http.StatusConflict {
			t.Errorf("%s once it is closed: got %d, want 409", path, r.status)
		}
	}
	asha.has(asha.get("/audit?about=privacy"), http.StatusOK, "Incident written down", "Incident: what is known changed", "Incident: somebody was told",
		"Incident: list of whom it concerns taken out", "Incident closed", page)

	// Ravi's business knows nothing of it.
	ravi := st.signedIn(t, "ravi")
	fields.Del("_csrf") // which was asha's
	ravi.lacks(ravi.get("/privacy"), "A list was mailed")
	if r := ravi.get(page); r.status != http.StatusNotFound {
		t.Errorf("another business: got %d, want 404", r.status)
	}
	for path, f := range map[string]url.Values{"": fields, "/mark": {"do": {"board"}}, "/people": nil, "/close": {"done": {"done"}, "lesson": {"none"}}} {
		if r := ravi.post(page+path, f); r.status != http.StatusNotFound {
			t.Errorf("%s of another business: got %d, want 404", path, r.status)
		}
	}
}

// By an API key or a person's account, an incident concerns whom it read, and whom it changed, to the minute; of what is not recorded the page
// says so.
func TestIncidentByAnAccount(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	s := st.shop(t, st.clinic)
	ids := map[string]string{}
	for i, name := range []string{"Rajesh", "Zoya", "Lata", "Imran"} {
		phone := "91980000048" + strconv.Itoa(i)
		s.writes(i, phone, "IN.7704418820035"+strconv.Itoa(i), name, "hello")
		ids[name] = s.whois(whatsapp.KindPhone, phone).ID.String()
	}
	meera := st.member(t, st.clinic, "meera", "agent")
	unused, _ := st.key(t, st.clinic, "read")
	used, secret := st.key(t, st.clinic, "read", "write")
	theirs, _ := st.key(t, st.motors, "read")
	crm := client{t, st, secret}
	crm.want(crm.get("/contacts/"+ids["Lata"]), http.StatusOK, "")
	merged := crm.want(crm.post("/merges", merging(ids["Rajesh"], ids["Zoya"], "same voice")), http.StatusCreated, "")
	crm.want(crm.post("/links/"+merged.text("link_id")+"/undo", ""), http.StatusOK, "")
	asha := st.signedIn(t, "asha")

	now := time.Now()
	at := func(viewer string, from, to time.Time) url.Values { return happened(now, from, to, "viewer", viewer) }
	day := now.Add(-time.Hour)
	page := asha.happens(at("", day.AddDate(0, 0, -2), day.AddDate(0, 0, -1)))
	r := asha.get(page)
	asha.has(r, http.StatusOK, ">0 customers</strong>", `data-testid="nobody"`, "What this count knows, and what it does not", "not from which device")

	// A form knows minutes, and all this happened within one.
	lasts := func() {
		s.as(func(tx *tenants.Tx) error {
			_, err := tx.Exec(`UPDATE incidents SET to_at = now() + interval '1 minute' WHERE tenant_id = $1`, tx.Tenant)
			return err
		})
	}
	asha.want(asha.post(page, at("", day, now)), http.StatusSeeOther, page)
	lasts()
	r = asha.get(page)
	asha.has(r, http.StatusOK, ">3 customers</strong>", "<bdi>API key “CRM”</bdi>: 3 customers", "meera (nobody in that time)", "API key “CRM” (nobody in that time)")
	asha.lacks(r, `data-testid="nobody"`)
	for viewer, people := range map[string]string{"api_key:" + used.String(): "3", "api_key:" + unused.String(): "0", "person:" + meera.String(): "0"} {
		asha.want(asha.post(page, at(viewer, day, now)), http.StatusSeeOther, page)
		lasts()
		asha.has(asha.get(page), http.StatusOK, ">"+people+" customers</strong>", `value="`+viewer+`" selected`)
	}
	for _, nobody := range []string{"api_key:" + theirs.String(), "person:" + uuid.NewString(), "api_key:", "person"} {
		if r := asha.post(page, at(nobody, day, now)); r.status != http.StatusUnprocessableEntity {
			t.Errorf("by %s: got %d, want 422", nobody, r.status)
		}
	}
	asha.want(asha.post(page, at("api_key:"+used.String(), day, now)), http.StatusSeeOther, page)
	lasts()
	list := asha.post(page+"/people", nil)
	asha.has(list, http.StatusOK, "Rajesh", "Zoya", "Lata", "CRM", "Changed or decided about", "Read by an API key")
	asha.lacks(list, "Imran")
	asha.post("/language", url.Values{"lang": {"hi"}, "next": {page}})
	asha.has(asha.get(page), http.StatusOK, "API कुंजी “CRM” (उस समय कोई नहीं)", "किस डिवाइस, पते या साइन-इन से, यह नहीं")
}

// Home tells who may act on it which clock of an incident ends when, until each is met.
func TestAnIncidentIsATaskAtHome(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.member(t, st.clinic, "meera", "agent")
	asha, meera, ravi := st.signedIn(t, "asha"), st.signedIn(t, "meera"), st.signedIn(t, "ravi")
	const card = `data-testid="task-incident"`
	asha.lacks(asha.get("/home"), card)

	zone, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	known := now.Add(-time.Hour).Truncate(time.Minute)
	page := asha.happens(happened(known, now.AddDate(0, 0, -1), now.Add(-time.Minute)))
	cert := i18n.DateTime(i18n.With(t.Context(), "en", zone), known.Add(6*time.Hour))
	board := i18n.DateTime(i18n.With(t.Context(), "en", zone), known.Add(72*time.Hour))
	for _, density := range []string{"shop", "team"} {
		asha.post("/settings/me", url.Values{"lang": {"en"}, "theme": {"system"}, "density": {density}, "shortcuts": {"on"}})
		r := asha.get("/home")
		asha.has(r, http.StatusOK, card, "Incident: tell CERT-In by "+cert, "A list was mailed to the wrong address.",
			"Also to be told: the people it concerns, without delay; the Data Protection Board, by "+board+".", `href="`+page+`"`, "A clock runs")
		if figures := strings.Contains(r.body, `data-testid="figures"`); figures != (density == "team") {
			t.Errorf("%s: figures %t", density, figures)
		}
	}
	meera.lacks(meera.get("/home"), card, "A list was mailed", "A clock runs")
	ravi.lacks(ravi.get("/home"), card)
	asha.post("/language", url.Values{"lang": {"hi"}, "next": {"/home"}})
	asha.has(asha.get("/home"), http.StatusOK, card, "तक CERT-In को बताएँ", "डेटा संरक्षण बोर्ड, ", "घटना खोलें", "घड़ी चल रही है")
	asha.post("/language", url.Values{"lang": {"en"}, "next": {"/home"}})

	// The next clock takes the place of one that is met, and one that ran out says so.
	asha.post(page+"/mark", url.Values{"do": {"no_cert"}})
	r := asha.get("/home")
	asha.has(r, http.StatusOK, "report to the Data Protection Board by "+board)
	asha.lacks(r, "CERT-In")
	late := asha.happens(happened(now.AddDate(0, 0, -4), now.AddDate(0, 0, -5), now.AddDate(0, 0, -4), "what", strings.Repeat("long ", 40)))
	asha.has(asha.get("/home"), http.StatusOK, "CERT-In should have been told by", "…", "1 more incident runs.", `href="/privacy#incidents"`,
		"somebody should have been told of an incident by now")
	for _, path := range []string{page, late} {
		for _, to := range []string{"cert", "board", "people"} {
			asha.has(asha.get("/home"), http.StatusOK, card)
			asha.post(path+"/mark", url.Values{"do": {to}})
		}
	}
	asha.lacks(asha.get("/home"), card, "A clock runs")
}

// A clock has run out the moment after it is due, and not before.
func TestIncidentClocks(t *testing.T) {
	t.Parallel()
	known := time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		after time.Duration
		over  string
	}{
		{6 * time.Hour, ""}, {6*time.Hour + time.Second, "cert"}, {72 * time.Hour, "cert"}, {72*time.Hour + time.Second, "cert board"},
	} {
		var over []string
		for _, o := range (privacy.Incident{KnownAt: known}).Owed() {
			if o.Over(known.Add(c.after)) {
				over = append(over, o.To)
			}
		}
		if got := strings.Join(over, " "); got != c.over {
			t.Errorf("%s after it is known: %q over, want %q", c.after, got, c.over)
		}
	}
	if told := known.Add(time.Hour); (privacy.Owed{Due: known, At: &told}).Over(told) {
		t.Error("what was given is over")
	}
}

// Whoever handles requests opens an incident of what was passed on to the top, with its text.
func TestIncidentOfWhatWasPassedOn(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	asha := st.signedIn(t, "asha")
	asha.post("/prep/escalations", url.Values{"kind": {"wrong_link"}, "level": {"L3"}, "reason": {"Lata read what Rajesh wrote."}})
	asha.post("/prep/escalations", url.Values{"kind": {"angry"}, "level": {"L2"}, "reason": {"He shouted."}})
	r := asha.get("/prep/escalations")
	links := regexp.MustCompile(`/privacy/incidents/new\?escalation=[0-9a-f-]{36}`).FindAllString(r.body, -1)
	if len(links) != 1 {
		t.Fatalf("%d links to an incident, want one: %v", len(links), links)
	}
	asha.has(asha.get(links[0]), http.StatusOK, "Lata read what Rajesh wrote.</textarea>")
	ravi := st.signedIn(t, "ravi")
	if r := ravi.get(links[0]); r.status != http.StatusNotFound {
		t.Errorf("with another business's: got %d, want 404", r.status)
	}
}
