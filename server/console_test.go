package server_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/operator"
)

func TestOperatorSetsUpABusiness(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.operator(t, "nisha", "admin")
	nisha := st.signedIn(t, "nisha")

	nisha.get("/op/tenants/new")
	for name, form := range map[string]url.Values{
		"slug in use": {"slug": {"asha-clinic"}, "name": {"X"}, "lang": {"hi"}, "email": {"new@pehchan.example"}},
		"bad slug":    {"slug": {"A B"}, "name": {"X"}, "lang": {"hi"}, "email": {"new@pehchan.example"}},
		"no e-mail":   {"slug": {"new-shop"}, "name": {"X"}, "lang": {"hi"}, "email": {"new"}},
		"no language": {"slug": {"new-shop"}, "name": {"X"}, "lang": {"xx"}, "email": {"new@pehchan.example"}},
	} {
		if r := nisha.post("/op/tenants", form); r.status < 400 || r.status > 499 {
			t.Errorf("%s: want it refused, got %d", name, r.status)
		}
	}
	r := nisha.post("/op/tenants", url.Values{"slug": {"new-shop"}, "name": {"नई दुकान"}, "lang": {"hi"}, "email": {"new@pehchan.example"}})
	if r.status != http.StatusSeeOther || !strings.HasPrefix(r.location, "/op/tenants/") {
		t.Fatalf("set up: got %d %s %.300s", r.status, r.location, r.body)
	}
	if page := nisha.get(r.location); page.status != http.StatusOK || !strings.Contains(page.body, "नई दुकान") {
		t.Errorf("its page: got %d", page.status)
	}
	if page := nisha.get("/op/tenants?q=" + url.QueryEscape("दुकान")); !strings.Contains(page.body, `data-testid="tenant-new-shop"`) || strings.Contains(page.body, `data-testid="tenant-asha-clinic"`) {
		t.Error("want it found by a word of its name, and no other")
	}
	if page := nisha.get("/op/tenants?q=%25"); strings.Contains(page.body, `data-testid="tenant-asha-clinic"`) {
		t.Error("want a percent sign to be no pattern")
	}
	letters := st.letters(t, 1)
	if letters[0].to != "<new@pehchan.example>" {
		t.Errorf("the invitation went to %s", letters[0].to)
	}
	if page := nisha.get("/op/audit"); page.status != http.StatusOK || !strings.Contains(page.body, "नई दुकान") {
		t.Errorf("want it in the operators' audit, got %d", page.status)
	}
	if page := nisha.post("/op/audit/verify", nil); !strings.Contains(page.body, `data-testid="verified"`) {
		t.Error("want the chain checked")
	}
}

func TestOperatorSuspendsInThreeClicks(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.operator(t, "nisha", "admin")
	st.operator(t, "omar", "support")
	nisha, omar, asha := st.signedIn(t, "nisha"), st.signedIn(t, "omar"), st.signedIn(t, "asha")
	at := "/op/tenants/" + st.clinic.ID.String()

	if page := omar.get(at); page.status != http.StatusOK || strings.Contains(page.body, `data-testid="put-state"`) {
		t.Errorf("support: want to read and not to change, got %d", page.status)
	}
	page := nisha.get(at)
	if !strings.Contains(page.body, `data-testid="put-state"`) {
		t.Fatal("want the form")
	}
	if r := nisha.post(at+"/state", url.Values{"was": {"active"}, "state": {"suspended"}, "reason": {" "}}); r.status != http.StatusUnprocessableEntity {
		t.Errorf("without a reason: want 422, got %d", r.status)
	}
	nisha.want(nisha.post(at+"/state", url.Values{"was": {"active"}, "state": {"suspended"}, "reason": {"बिल बाकी है"}}), http.StatusSeeOther, at)
	asha.want(asha.get("/home"), http.StatusSeeOther, "/choose")
	if r := nisha.post(at+"/state", url.Values{"was": {"active"}, "state": {"limited"}, "reason": {"x"}}); r.status != http.StatusConflict {
		t.Errorf("from a state it is not in: want 409, got %d", r.status)
	}
	st.stale(t)
	if r := nisha.post(at+"/state", url.Values{"was": {"suspended"}, "state": {"active"}}); !strings.HasPrefix(r.location, "/confirm?") {
		t.Errorf("long after signing in: want to be asked who this is, got %d %s", r.status, r.location)
	}
	if r := nisha.get("/op/tenants/" + uuid.NewString()); r.status != http.StatusNotFound {
		t.Errorf("no such business: want 404, got %d", r.status)
	}
}

func TestLimitsAndNotes(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.operator(t, "nisha", "admin")
	nisha, asha := st.signedIn(t, "nisha"), st.signedIn(t, "asha")
	at := "/op/tenants/" + st.clinic.ID.String()

	nisha.get(at)
	for name, form := range map[string]url.Values{
		"none":     {"plan": {"Small"}, "api_per_minute": {"0"}, "most_people": {"5"}},
		"a word":   {"plan": {"Small"}, "api_per_minute": {"many"}, "most_people": {"5"}},
		"too many": {"plan": {"Small"}, "api_per_minute": {"60001"}, "most_people": {"5"}},
	} {
		if r := nisha.post(at+"/limits", form); r.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: want 422, got %d", name, r.status)
		}
	}
	nisha.want(nisha.post(at+"/limits", url.Values{"plan": {"Small"}, "api_per_minute": {"4"}, "most_people": {"1"}}), http.StatusSeeOther, at)

	// The business has its owner, so nobody more; and its keys together two requests at once.
	asha.get("/team")
	if r := asha.post("/team", url.Values{"email": {"one@pehchan.example"}, "role": {"agent"}}); r.status != http.StatusConflict {
		t.Errorf("one more in the team: want 409, got %d", r.status)
	}
	one, two, other := st.client(t, st.clinic, "read"), st.client(t, st.clinic, "read"), st.client(t, st.motors, "read")
	one.want(one.get("/ingest"), http.StatusOK, "")
	two.want(two.get("/ingest"), http.StatusOK, "")
	for _, key := range []client{one, two} {
		if r := key.want(key.get("/ingest"), http.StatusTooManyRequests, "rate_limited"); r.header.Get("Retry-After") == "" {
			t.Error("want to be told when to come again")
		}
	}
	for range 5 {
		other.want(other.get("/ingest"), http.StatusOK, "")
	}

	nisha.get(at)
	nisha.want(nisha.post(at+"/notes", url.Values{"text": {"pays by cheque"}}), http.StatusSeeOther, at)
	if page := nisha.get(at); !strings.Contains(page.body, "pays by cheque") {
		t.Error("want the note on the operator's page")
	}
	var seen int
	err := st.DB.As(t.Context(), st.clinic.ID, func(tx *tenants.Tx) error {
		return tx.GetContext(t.Context(), &seen, `SELECT count(*) FROM operator_notes`)
	})
	if err != nil || seen != 0 {
		t.Errorf("the business sees %d notes about it (%v), want none", seen, err)
	}
}

func TestAnnouncements(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.operator(t, "nisha", "admin")
	st.member(t, st.clinic, "meera", access.Agent)
	nisha, asha, meera := st.signedIn(t, "nisha"), st.signedIn(t, "asha"), st.signedIn(t, "meera")

	nisha.get("/op/news")
	if r := nisha.post("/op/news", url.Values{"en": {"Only English"}, "hi": {" "}, "audience": {"everybody"}, "days": {"7"}}); r.status != http.StatusUnprocessableEntity {
		t.Errorf("in one language: want 422, got %d", r.status)
	}
	nisha.want(nisha.post("/op/news", url.Values{"en": {"We pause on Sunday"}, "hi": {"रविवार को रुकेंगे"}, "audience": {"owners"}, "days": {"7"}}), http.StatusSeeOther, "/op/news")
	home := asha.get("/home")
	if !strings.Contains(home.body, "We pause on Sunday") {
		t.Fatal("want it on the owner's start page")
	}
	if strings.Contains(meera.get("/home").body, "We pause on Sunday") {
		t.Error("want an agent not to see what is for owners")
	}
	_, rest, _ := strings.Cut(home.body, `action="/news/`)
	id, _, _ := strings.Cut(rest, "/")
	asha.want(asha.post("/news/"+id+"/read", nil), http.StatusSeeOther, "/home")
	if strings.Contains(asha.get("/home").body, "We pause on Sunday") {
		t.Error("want it put away")
	}
	ravi := st.signedIn(t, "ravi")
	if !strings.Contains(ravi.get("/home").body, "We pause on Sunday") {
		t.Error("want it to stand for another owner")
	}
	nisha.get("/op/news")
	nisha.want(nisha.post("/op/news/"+id+"/end", nil), http.StatusSeeOther, "/op/news")
	if strings.Contains(ravi.get("/home").body, "We pause on Sunday") {
		t.Error("want it gone once it is taken down")
	}
}

func TestRedThingsAndFailedWork(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.operator(t, "nisha", "admin")
	nisha := st.signedIn(t, "nisha")
	if page := nisha.get("/op"); strings.Contains(page.body, `data-testid="red"`) {
		t.Error("want nothing red on a quiet day")
	}
	job := uuid.New()
	st.exec(t, `INSERT INTO inbox_counters (tenant_id, number_id, slot, received, set_aside) VALUES ($1, $2, 0, 3, 3)`, st.clinic.ID, uuid.New())
	st.exec(t, `INSERT INTO jobs (id, tenant_id, kind, args, state, problem, tries) VALUES ($1, $2, 'replay', '{}', 'dead', 'timeout', 5)`, job, st.motors.ID)
	st.exec(t, `INSERT INTO drift (tenant_id, field, what, first_at, last_at, times, sample) VALUES ($1, 'messages', 'unknown_field:x', now(), now(), 2, '{}'), ($2, 'messages', 'unknown_field:x', now(), now(), 1, '')`, st.clinic.ID, st.motors.ID)
	page := nisha.get("/op")
	for _, want := range []string{`href="/op/tenants/` + st.clinic.ID.String() + `"`, `href="/op/jobs"`, `href="/op/drift"`} {
		if !strings.Contains(page.body, want) {
			t.Errorf("want %s among the red things", want)
		}
	}
	if page := nisha.get("/op/drift"); !strings.Contains(page.body, "unknown_field:x") {
		t.Error("want the drift listed")
	}
	if page := nisha.get("/op/jobs"); !strings.Contains(page.body, job.String()) || !strings.Contains(page.body, "timeout") {
		t.Error("want the failed job with its problem")
	}
	// Of mails one may be sent again; of imports one that says where it was.
	st.exec(t, `INSERT INTO jobs (id, tenant_id, kind, args, state, problem) VALUES ($1, $3, 'import', '{"step": "running"}', 'dead', 'import_failed'), ($2, $3, 'import', '{}', 'dead', 'import_failed')`, uuid.New(), uuid.New(), st.motors.ID)
	st.exec(t, `INSERT INTO mails (id, tenant_id, key, sealed, state, problem, doubtful, done_at) VALUES
		($1, $4, 'digest 1', 'x', 'failed', 'refused 550', false, now()), ($2, $4, 'notice 1', 'x', 'failed', 'no answer', true, now()), ($3, NULL, 'reset 1', 'x', 'failed', 'no mail server', false, now())`,
		uuid.New(), uuid.New(), uuid.New(), st.clinic.ID)
	nisha.has(nisha.get("/op/jobs"), http.StatusOK, "It failed before it could be tried again here.", "What changed this week", "The mail server refused it (550)",
		`data-testid="why-doubtful"`, `data-testid="why-asked"`, `data-testid="resend-all"`)
	nisha.want(nisha.post("/op/jobs/retry", url.Values{"mail": {"all"}}), http.StatusSeeOther, "/op/jobs")
	nisha.has(nisha.get("/op/jobs"), http.StatusOK, "Sent again: 1", "Mails: 1 waiting, 2 failed")
	nisha.want(nisha.post("/op/jobs/retry", url.Values{"job": {"all"}}), http.StatusSeeOther, "/op/jobs")
	nisha.has(nisha.get("/op/jobs"), http.StatusOK, "Tried again: 2", "import_failed")
	var state string
	if err := st.DB.SQL().QueryRow(`SELECT state FROM jobs WHERE id = $1`, job).Scan(&state); err != nil || state != "waiting" {
		t.Errorf("the job is %s (%v), want it to wait", state, err)
	}
	nisha.get("/op/jobs")
	for _, what := range []string{"job", "mail", "neither"} {
		if r := nisha.post("/op/jobs/retry", url.Values{what: {uuid.NewString()}}); r.status != http.StatusNotFound {
			t.Errorf("no such %s: want 404, got %d", what, r.status)
		}
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	st := newAPISite(t)
	st.Server = st.open(t, config.Config{PublicURL: origin})
	st.operator(t, "nisha", "support")
	ctx := context.Background()
	if _, err := operator.CountCalls(ctx, st.DB, map[uuid.UUID]int64{st.clinic.ID: 41}); err != nil {
		t.Fatal(err)
	}
	if err := operator.NewCounter(st.DB, nil).Step(ctx); err != nil {
		t.Fatal(err)
	}
	var want, contacts int64
	err := st.DB.As(ctx, st.clinic.ID, func(tx *tenants.Tx) error {
		if err := tx.Get(&want, `SELECT count(*) FROM messages WHERE direction = 'in' AND NOT imported`); err != nil {
			return err
		}
		return tx.Get(&contacts, `SELECT count(*) FROM contacts WHERE merged_into IS NULL`)
	})
	if err != nil {
		t.Fatal(err)
	}
	var list []operator.Usage
	if err := st.DB.System(ctx, func(tx *tenants.Tx) (err error) { list, err = operator.UsageBy(ctx, tx, st.clinic.ID); return err }); err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 || list[0].Heard != want || list[0].API != 41 || list[0].Contacts != contacts || want == 0 {
		t.Errorf("got %+v, want %d messages in, 41 requests and %d contacts", list, want, contacts)
	}

	nisha := st.signedIn(t, "nisha")
	if page := nisha.get("/op/usage"); page.status != http.StatusOK || !strings.Contains(page.body, `data-testid="used-asha-clinic"`) || !strings.Contains(page.body, `data-testid="used-ravi-motors"`) {
		t.Errorf("want both businesses, got %d", page.status)
	}
	file := nisha.get("/op/usage/export")
	if file.status != http.StatusOK || !strings.HasPrefix(file.header.Get("Content-Type"), "text/csv") || !strings.Contains(file.body, ",asha-clinic,") {
		t.Errorf("want a table, got %d %.200s", file.status, file.body)
	}
	if r := nisha.get("/op/usage?month=abc"); r.status != http.StatusNotFound {
		t.Errorf("no such month: want 404, got %d", r.status)
	}
}
