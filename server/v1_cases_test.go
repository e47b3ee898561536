package server_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
)

// caseOf is the first open case of a kind.
func (cl client) caseOf(kind string) reply {
	cl.t.Helper()
	r := cl.want(cl.get("/cases?kind="+kind), http.StatusOK, "")
	if len(r.items()) == 0 {
		cl.t.Fatalf("want a case of kind %s in the story", kind)
	}

	return reply{json: r.at("items", 0).(map[string]any)}
}

func (cl client) decide(id, body string) reply {
	cl.t.Helper()
	return cl.post("/cases/"+id+"/decision", body)
}

func merging(keep, lose, reason string) string {
	return `{"keep":"` + keep + `","lose":"` + lose + `","reason":"` + reason + `"}`
}

// mergeable are two contacts with a name of their own.
func (cl client) mergeable() []string {
	cl.t.Helper()
	r := cl.get("/contacts?limit=2")

	return []string{r.text("items", 0, "id"), r.text("items", 1, "id")}
}

func TestAPICases(t *testing.T) {
	t.Parallel()
	st := newAPISite(t)

	all := st.mine.all("/cases")
	kinds := map[string]int{}
	for _, row := range all {
		kinds[row.(map[string]any)["kind"].(string)]++
	}
	total := 0
	for kind, n := range kinds {
		rows := st.mine.all("/cases?state=open&kind=" + kind)
		total += len(rows)
		if len(rows) != n {
			t.Errorf("%s: want %d, got %d", kind, n, len(rows))
		}
	}
	if total != len(all) || len(kinds) != 4 {
		t.Errorf("want every kind in the story, got %v", kinds)
	}
	suggested := st.mine.caseOf("suggested")
	if suggested.text("candidates", 0, "reasons", 0, "code") != "typed_number" || !strings.HasPrefix(suggested.text("candidates", 0, "reasons", 0, "text"), "Strong sign: on ") ||
		strings.ContainsAny(suggested.text("candidates", 0, "reasons", 0, "text"), "{}") {
		t.Errorf("want a reason in words, got %v", suggested.json)
	}
	if c := st.mine.caseOf("conflict"); c.text("contact_id") == "" {
		t.Errorf("want the contact of who has written, got %v", c.json)
	}
	hinted := slices.ContainsFunc(all, func(row any) bool {
		c := reply{json: row.(map[string]any)}
		return c.text("kind") == "unresolved" && c.text("candidates", 0, "tier") == "C"
	})
	if !hinted {
		t.Error("want names that sound alike beside an unresolved case")
	}

	for _, query := range []string{"state=closed", "kind=x", "state=", "tab=new"} {
		if query == "state=" {
			st.mine.want(st.mine.get("/cases?"+query), http.StatusOK, "")
			continue
		}
		st.mine.want(st.mine.get("/cases?"+query), http.StatusBadRequest, "invalid")
	}
}

func TestAPIDecideSame(t *testing.T) {
	t.Parallel()
	st := newAPISite(t)
	c := st.mine.caseOf("suggested")
	other := c.text("candidates", 0, "contact_id")

	r := st.mine.want(st.mine.decide(c.text("id"), `{"decision":"same","contact_id":"`+other+`"}`), http.StatusOK, "")
	if r.text("case", "state") != "done" || r.text("case", "outcome") != "same" || r.text("link_id") == "" || r.text("case", "link_id") != r.text("link_id") {
		t.Errorf("want it done with its link, got %s", r.body)
	}
	merged := st.mine.want(st.mine.get("/contacts/"+c.text("contact_id")), http.StatusOK, "")
	if merged.text("id") != other || merged.text("requested_id") != c.text("contact_id") {
		t.Errorf("want the old id to answer with the other, got %s", merged.body)
	}
	st.mine.want(st.mine.do("PATCH", "/contacts/"+c.text("contact_id"), `{"notes":"x"}`, "If-Match", "1"), http.StatusConflict, "merged_away")
	again := st.mine.want(st.mine.decide(c.text("id"), `{"decision":"new"}`), http.StatusConflict, "changed")
	if again.text("case", "state") != "done" {
		t.Errorf("want what changed, got %s", again.body)
	}

	st.mine.want(st.mine.post("/links/"+r.text("link_id")+"/undo", ""), http.StatusOK, "")
	if back := st.mine.get("/contacts/" + c.text("contact_id")); back.text("id") != c.text("contact_id") {
		t.Errorf("want them apart again, got %s", back.body)
	}
}

// A conflict's subject has written, so to decide about it makes no second contact.
func TestAPIDecideConflict(t *testing.T) {
	t.Parallel()
	st := newAPISite(t)
	before := len(st.mine.all("/contacts"))
	c := st.mine.caseOf("conflict")
	r := st.mine.want(st.mine.decide(c.text("id"), `{"decision":"not_same","contact_id":"`+c.text("candidates", 0, "contact_id")+`"}`), http.StatusOK, "")
	if r.text("case", "outcome") != "not_same" || r.at("link_id") != nil {
		t.Errorf("want it closed without a link, got %s", r.body)
	}
	if after := len(st.mine.all("/contacts")); after != before {
		t.Errorf("want %d contacts as before, got %d", before, after)
	}
}

func TestAPIDecisions(t *testing.T) {
	t.Parallel()
	st := newAPISite(t)
	c := st.mine.caseOf("unresolved")
	id, other := c.text("id"), st.mine.get("/contacts").text("items", 0, "id")
	if other == c.text("contact_id") {
		other = st.mine.get("/contacts").text("items", 1, "id")
	}

	for body, field := range map[string]string{
		`{}`: "decision", `{"decision":"maybe"}`: "decision", `{"decision":"same"}`: "contact_id", `{"decision":"not_same"}`: "contact_id",
		`{"decision":"new","contact_id":"` + other + `"}`: "contact_id", `{"decision":"hold"}`: "until", `{"decision":"hold","until":"2020-01-01T00:00:00Z"}`: "until",
		`{"decision":"hold","until":"2090-01-01T00:00:00Z"}`: "until", `{"decision":"unsure","until":"2030-01-01T00:00:00Z"}`: "until",
		`{"decision":"unsure","reason":"x"}`: "reason", `{"decision":"same","contact_id":"` + other + `"}`: "reason", `{"decision":"new","version":-1}`: "version",
	} {
		if r := st.mine.want(st.mine.decide(id, body), http.StatusUnprocessableEntity, "invalid"); r.text("field") != field {
			t.Errorf("%s: want %s refused, got %s", body, field, r.body)
		}
	}
	st.mine.want(st.mine.decide(id, `{"decision":"hold","until":"tomorrow"}`), http.StatusBadRequest, "invalid")
	st.mine.want(st.mine.decide(id, `{"decision":"same","contact_id":"x","reason":"y"}`), http.StatusNotFound, "not_found")
	st.mine.want(st.mine.decide(id, `{"decision":"same","contact_id":"`+c.text("contact_id")+`","reason":"y"}`), http.StatusConflict, "same_contact")
	st.mine.want(st.mine.decide(id, `{"decision":"new","version":99}`), http.StatusConflict, "changed")

	// A person who has it open goes first.
	err := st.DB.As(t.Context(), st.clinic.ID, func(tx *tenants.Tx) error {
		_, err := identity.Lease(t.Context(), tx, tenants.Actor{Kind: "person", ID: "meera", Name: "Meera"}, uuid.MustParse(id))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	st.mine.want(st.mine.decide(id, `{"decision":"new"}`), http.StatusConflict, "leased")
	err = st.DB.As(t.Context(), st.clinic.ID, func(tx *tenants.Tx) error {
		return identity.Release(t.Context(), tx, tenants.Actor{Kind: "person", ID: "meera"}, uuid.MustParse(id))
	})
	if err != nil {
		t.Fatal(err)
	}

	r := st.mine.want(st.mine.decide(id, `{"decision":"unsure"}`), http.StatusOK, "")
	if r.text("case", "state") != "open" || r.at("link_id") != nil {
		t.Errorf("want it open still, got %s", r.body)
	}
	until := "2027-03-01T09:00:00Z"
	if r := st.mine.want(st.mine.decide(id, `{"decision":"hold","until":"`+until+`"}`), http.StatusOK, ""); r.text("case", "hold_until") != until {
		t.Errorf("want it held, got %s", r.body)
	}
	if r := st.mine.want(st.mine.decide(id, `{"decision":"new"}`), http.StatusOK, ""); r.text("case", "outcome") != "new" {
		t.Errorf("want it closed as somebody new, got %s", r.body)
	}
	if done := st.mine.all("/cases?state=done"); len(done) != 1 {
		t.Errorf("want one done, got %d", len(done))
	}
}
