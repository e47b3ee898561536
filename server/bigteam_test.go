package server_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
)

// crowd adds 600 agents to asha-clinic: Agent 001 to Agent 600. Two more are both called Twin.
func (st *site) crowd(t *testing.T) {
	t.Helper()
	st.exec(t, `UPDATE tenants SET most_people = 5000 WHERE id = $1`, st.clinic.ID)
	if err := st.DB.System(context.Background(), func(tx *tenants.Tx) error {
		var ids []string
		if err := tx.Select(&ids, `
			INSERT INTO people (id, email, email_key, name, password_hash)
			SELECT gen_random_uuid(), e, e, CASE WHEN n > 600 THEN 'Twin' ELSE 'Agent ' || lpad(n::text, 3, '0') END, 'none'
			FROM (SELECT n, 'agent' || lpad(n::text, 3, '0') || '@pehchan.example' AS e FROM generate_series(1, 602) n) x RETURNING id`); err != nil {
			return err
		}
		tx, err := tx.Enter(context.Background(), st.clinic.ID)
		if err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO memberships (tenant_id, person_id, role) SELECT $1, id::uuid, 'agent' FROM unnest($2::text[]) id`, st.clinic.ID, pq.Array(ids))

		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// who is the id of somebody of the clinic's by e-mail.
func (st *site) who(t *testing.T, email string) (id uuid.UUID) {
	t.Helper()
	if err := st.DB.As(context.Background(), st.clinic.ID, func(tx *tenants.Tx) error {
		found, err := access.Called(context.Background(), tx, "person", email)
		id = found.ID
		return err
	}); err != nil {
		t.Fatal(err)
	}

	return id
}

// A team of 603 is shown in parts, all of it, and somebody is found in it by a part of the name or e-mail and by role.
func TestLargeTeamInParts(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.crowd(t)
	st.member(t, st.clinic, "joseph", "lead")
	asha := st.signedIn(t, "asha")

	member := regexp.MustCompile(`data-testid="member-([0-9a-f-]{36})"`)
	more := regexp.MustCompile(`id="team-more"><a[^>]*href="([^"]*)"`)
	seen := map[string]bool{}
	path, parts := "/team", 0
	for path != "" {
		r := asha.get(path)
		asha.has(r, http.StatusOK, "604 people work here", `data-testid="team-search"`)
		rows := member.FindAllStringSubmatch(r.body, -1)
		if parts++; len(rows) > 25 || parts > 30 {
			t.Fatalf("part %d holds %d", parts, len(rows))
		}
		for _, row := range rows {
			seen[row[1]] = true
		}
		path = ""
		if next := more.FindStringSubmatch(r.body); next != nil {
			path = strings.ReplaceAll(next[1], "&amp;", "&")
		}
	}
	if len(seen) != 604 || parts != 25 {
		t.Errorf("saw %d people in %d parts, want 604 in 25", len(seen), parts)
	}

	for query, want := range map[string]int{"q=agent+599": 1, "q=AGENT599%40": 1, "q=twin": 2, "role=lead": 1, "role=owner": 1, "q=agent+59&role=agent": 10, "q=agent+59&role=lead": 0, "q=%25": 0} {
		r := asha.get("/team?" + query)
		if got := len(member.FindAllString(r.body, -1)); got != want || r.status != http.StatusOK || !strings.Contains(r.body, "604 people work here") {
			t.Errorf("%s: got %d, status %d, want %d, and the count whole", query, got, r.status, want)
		}
	}
	if r := asha.get("/team?q=nobody-at-all"); !strings.Contains(r.body, "Nobody of the team is like that") {
		t.Error("want it said that nobody is found")
	}
	for _, after := range []string{"x", "!!", "AAAA"} {
		if r := asha.get("/team?after=" + after); r.status != http.StatusNotFound {
			t.Errorf("after %s: got %d", after, r.status)
		}
	}
	if r := asha.get("/team?role=lead"); strings.Contains(r.body, "the only owner") || strings.Contains(asha.get("/team?role=owner").body, "/leave") {
		t.Error("want the only owner known as such on every part")
	}
	ravi := st.signedIn(t, "ravi")
	if r := ravi.get("/team?q=agent"); strings.Contains(r.body, "Agent 001") {
		t.Error("another business finds them")
	}
	if r := ravi.get("/team"); strings.Contains(r.body, "team-search") {
		t.Error("want nothing to search by in a team of one")
	}
}

// Work goes to anybody of a large team: to one of the first by a list, to another by e-mail or name.
func TestWorkForALargeTeam(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.crowd(t)
	meera := st.member(t, st.clinic, "meera", "agent")
	st.member(t, st.clinic, "ledger", "auditor")
	st.looksAfter(t, meera, 2)
	last := st.who(t, "agent599@pehchan.example")
	asha := st.signedIn(t, "asha")
	path := "/team/" + meera.String()

	page := asha.get(path + "/leave")
	asha.has(page, http.StatusOK, `name="conversations_typed"`, "603 in all", "Agent 001")
	if n := strings.Count(page.body, "<option"); n > 60 || strings.Contains(page.body, "Agent 599") {
		t.Errorf("want a list of the first, got %d", n)
	}
	for typed, says := range map[string]string{"nobody": "Nobody of the team has this e-mail", "twin": "Several of the team", "ledger@pehchan.example": "", "meera@pehchan.example": ""} {
		r := asha.post(path+"/remove", url.Values{"work": {"1"}, "conversations_typed": {typed}})
		asha.has(r, http.StatusUnprocessableEntity, `data-testid="wrong-conversations_typed"`, says, `value="`+typed+`"`)
	}
	asha.want(asha.post(path+"/remove", url.Values{"work": {"1"}, "conversations_typed": {"  agent  599 "}}), http.StatusSeeOther, "/team")
	if n := st.held(t, last); n != 2 {
		t.Errorf("Agent 599 looks after %d, want 2", n)
	}
	asha.has(asha.get("/audit"), http.StatusOK, "Agent 599")
	asha.has(asha.get("/team/"+last.String()), http.StatusOK, "Agent 599", "2 customers")
}

// How ready a large team is, and how well it works, is shown in parts; one press reminds so many that a request can carry it.
func TestLargeTeamsReadiness(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.crowd(t)
	asha := st.signedIn(t, "asha")
	page := asha.get("/prep")
	asha.has(page, http.StatusOK, `href="/prep?from=25"`)
	if n := strings.Count(page.body, `data-testid="pupil-`); n != 25 {
		t.Errorf("the first part holds %d", n)
	}
	if !regexp.MustCompile(`(?s)data-testid="count-not-ready".{0,200}603`).MatchString(page.body) {
		t.Error("want all counted")
	}
	if r := asha.get("/prep?from=600"); strings.Count(r.body, `data-testid="pupil-`) != 3 || strings.Contains(r.body, `href="/prep?from=`) {
		t.Error("want the last part short, and nothing after it")
	}
	asha.want(asha.post("/prep/nudge/all", nil), http.StatusSeeOther, web.PrepPath)
	asha.has(asha.get("/prep"), http.StatusOK, "Mails sent: 300. Press again")
	for _, want := range []string{"Mails sent: 300. Press again", "Mails sent: 2."} {
		asha.post("/prep/nudge/all", nil)
		asha.has(asha.get("/prep"), http.StatusOK, want)
	}
}
