package server_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/sandbox"
)

// found is the id of the one contact that a search finds.
func (cl client) found(q string) string {
	cl.t.Helper()
	r := cl.want(cl.get("/contacts?q="+url.QueryEscape(q)), http.StatusOK, "")
	if len(r.items()) != 1 {
		cl.t.Fatalf("search %q: want one contact, got %d", q, len(r.items()))
	}

	return r.text("items", 0, "id")
}

func TestAPIResolve(t *testing.T) {
	t.Parallel()
	st := newAPISite(t)

	r := st.mine.want(st.mine.get("/contacts?limit=200"), http.StatusOK, "")
	both := slices.IndexFunc(r.items(), func(row any) bool {
		c := reply{json: row.(map[string]any)}
		return c.text("identities", 0, "identifiers", 0, "kind") == "phone" && c.text("identities", 0, "identifiers", 1, "kind") == "bsuid" && len(c.at("identities").([]any)) == 1
	})
	if both < 0 {
		t.Fatal("want somebody with a phone and a BSUID")
	}
	phone, bsuid := r.text("items", both, "identities", 0, "identifiers", 0, "value"), r.text("items", both, "identities", 0, "identifiers", 1, "value")
	for _, query := range []string{"phone=" + phone, "phone=%2B" + phone, "phone=+" + phone, "bsuid=" + bsuid, "bsuid=" + bsuid + "&portfolio=506914300000001"} {
		got := st.mine.want(st.mine.get("/resolve?"+query), http.StatusOK, "")
		if got.text("contact_id") != r.text("items", both, "id") || got.text("identity_id") != r.text("items", both, "identities", 0, "id") ||
			got.text("matched") != "current" || got.text("display_name") != r.text("items", both, "profile_name") {
			t.Errorf("%s: want %s, got %s", query, r.text("items", both, "id"), got.body)
		}
	}

	for _, query := range []string{"phone=919999999999", "bsuid=IN.1", "parent_bsuid=IN.ENT.1", "bsuid=" + bsuid + "&portfolio=1"} {
		st.mine.want(st.mine.get("/resolve?"+query), http.StatusNotFound, "unknown_identifier")
	}
	for _, query := range []string{
		"", "phone=", "phone=123", "phone=91 98000", "phone=abc", "phone=" + bsuid, "bsuid=" + phone, "parent_bsuid=" + bsuid, "phone=" + phone + "&bsuid=" + bsuid,
		"phone=" + phone + "&portfolio=x", "portfolio=1",
	} {
		st.mine.want(st.mine.get("/resolve?"+strings.ReplaceAll(query, " ", "%20")), http.StatusBadRequest, "invalid")
	}
	st.theirs.want(st.theirs.get("/resolve?bsuid="+bsuid), http.StatusNotFound, "unknown_identifier")
}

// Whoever moved off a number still answers for it, as history.
func TestAPIResolveOldIdentifier(t *testing.T) {
	t.Parallel()
	st := newAPISite(t)
	current := map[string]bool{}
	for _, row := range st.mine.all("/contacts") {
		identifiers, _ := reply{json: row.(map[string]any)}.at("identities", 0, "identifiers").([]any)
		for _, d := range identifiers {
			d := d.(map[string]any)
			current[d["value"].(string)] = current[d["value"].(string)] || d["current"] == true
		}
	}
	old := ""
	for value, held := range current {
		if !held && !strings.Contains(value, ".") {
			old = value
		}
	}
	if old == "" {
		t.Fatal("want somebody in the story who changed their number")
	}
	if r := st.mine.want(st.mine.get("/resolve?phone="+old), http.StatusOK, ""); r.text("matched") != "historic" || r.text("contact_id") == "" {
		t.Errorf("want the last holder, as history, got %s", r.body)
	}
}

// A second portfolio that knows the same phone makes a bare question ambiguous.
func TestAPIResolveAmbiguous(t *testing.T) {
	t.Parallel()
	st := newAPISite(t)
	second := sandbox.Known().Numbers[3]
	st.number(t, st.clinic, second)
	phone := ""
	for _, row := range st.mine.all("/contacts") {
		if c := (reply{json: row.(map[string]any)}); c.text("identities", 0, "identifiers", 0, "kind") == "phone" && c.at("identities", 0, "identifiers", 0, "current") == true {
			phone = c.text("identities", 0, "identifiers", 0, "value")
			break
		}
	}
	st.says(t, second, message{wamid: "wamid.second", phone: phone, at: 1795300000})
	st.drain(t)

	st.mine.want(st.mine.get("/resolve?phone="+phone), http.StatusConflict, "ambiguous")
	one := st.mine.want(st.mine.get("/resolve?phone="+phone+"&portfolio=506914300000001"), http.StatusOK, "")
	other := st.mine.want(st.mine.get("/resolve?phone="+phone+"&portfolio="+second.PortfolioID), http.StatusOK, "")
	if one.text("identity_id") == other.text("identity_id") {
		t.Errorf("want an account for each portfolio, got %s twice", one.text("identity_id"))
	}
}

func TestAPIContacts(t *testing.T) {
	t.Parallel()
	st := newAPISite(t)

	whole := st.mine.want(st.mine.get("/contacts?limit=200"), http.StatusOK, "").items()
	paged := st.mine.all("/contacts")
	if len(paged) != len(whole) || len(whole) < 20 {
		t.Errorf("want the same contacts a page at a time, got %d and %d", len(paged), len(whole))
	}
	for i := range min(len(whole), len(paged)) {
		if whole[i].(map[string]any)["id"] != paged[i].(map[string]any)["id"] {
			t.Fatalf("row %d: want the order kept over pages", i)
		}
	}

	id := st.mine.found("@zoya_k")
	r := st.mine.want(st.mine.get("/contacts/"+id), http.StatusOK, "")
	if r.text("profile_name") != "ज़ोया" || r.text("identities", 0, "username") != "zoya_k" || r.at("identities", 0, "phone_visible") != false ||
		r.at("requested_id") != nil || r.text("identities", 0, "portfolio_id") != "506914300000001" {
		t.Errorf("want Zoya, got %s", r.body)
	}

	messages := st.mine.all("/contacts/" + id + "/messages")
	if len(messages) == 0 || messages[0].(map[string]any)["text"] != "Report ka link bhej dijiye" || messages[0].(map[string]any)["identity_id"] != r.text("identities", 0, "id") {
		t.Errorf("want what she wrote, got %v", messages)
	}
	for _, row := range whole {
		contact := row.(map[string]any)["id"].(string)
		at := "9999"
		for _, m := range st.mine.all("/contacts/" + contact + "/messages") {
			m := m.(map[string]any)
			if m["type"] == "system" || m["at"].(string) > at {
				t.Errorf("%s: want newest first and no system messages, got %v after %s", contact, m, at)
			}
			at = m["at"].(string)
		}
	}
}

func TestAPIEditContact(t *testing.T) {
	t.Parallel()
	st := newAPISite(t)
	id := st.mine.found("@zoya_k")
	edit := func(match, body string) reply { return st.mine.do("PATCH", "/contacts/"+id, body, "If-Match", match) }

	r := st.mine.want(edit("1", `{"display_name":"Zoya Khan","external_ids":{"crm":"C-17"}}`), http.StatusOK, "")
	if r.text("display_name") != "Zoya Khan" || r.text("external_ids", "crm") != "C-17" || r.number("version") != 2 || r.text("profile_name") != "ज़ोया" {
		t.Errorf("want the edit, got %s", r.body)
	}
	for _, match := range []string{"", "1", "0", "-1", "3", "*", "x"} {
		if r := st.mine.want(edit(match, `{"notes":"late"}`), http.StatusConflict, "stale"); r.text("contact", "display_name") != "Zoya Khan" || r.text("detail") == "" {
			t.Errorf("If-Match %q: want the contact as it stands, got %s", match, r.body)
		}
	}
	r = st.mine.want(edit(`"2"`, `{"notes":"likes mornings"}`), http.StatusOK, "")
	if r.text("notes") != "likes mornings" || r.text("display_name") != "Zoya Khan" || r.number("version") != 3 {
		t.Errorf("want what was left out kept, got %s", r.body)
	}
	for body, field := range map[string]string{
		`{"display_name":"` + strings.Repeat("x", 201) + `"}`: "display_name", `{"display_name":"a\u0000b"}`: "display_name",
		`{"notes":"` + strings.Repeat("x", 10001) + `"}`: "notes", `{"external_ids":{"":"x"}}`: "external_ids",
	} {
		if r := st.mine.want(edit("3", body), http.StatusUnprocessableEntity, "invalid"); r.text("field") != field {
			t.Errorf("%.40s: want %s refused, got %s", body, field, r.body)
		}
	}
	if r := st.mine.get("/contacts/" + st.mine.found("Zoya Khan")); r.text("id") != id {
		t.Errorf("want her found by her new name, got %s", r.body)
	}
}

// Who asks by a key has seen the contact, under the key's name, however they asked; a call that is refused has seen nobody.
func TestAPIReadsCountAsSeen(t *testing.T) {
	t.Parallel()
	st := newAPISite(t)
	r := st.mine.want(st.mine.get("/contacts?limit=200"), http.StatusOK, "")
	one, phone := r.text("items", 0, "id"), ""
	for i := range r.items() {
		if r.text("items", i, "identities", 0, "identifiers", 0, "kind") == "phone" {
			one, phone = r.text("items", i, "id"), r.text("items", i, "identities", 0, "identifiers", 0, "value")
			break
		}
	}
	seen := func(tenant uuid.UUID) (times int) {
		var names []string
		if err := st.DB.As(t.Context(), tenant, func(tx *tenants.Tx) error {
			if err := tx.Get(&times, `SELECT coalesce(sum(times), 0) FROM contact_views WHERE tenant_id = $1 AND contact_id = $2 AND how = 'program'`, tenant, one); err != nil {
				return err
			}
			return tx.Select(&names, `SELECT DISTINCT name FROM contact_views WHERE tenant_id = $1`, tenant)
		}); err != nil {
			t.Fatal(err)
		}
		if len(names) > 1 || times > 0 && (len(names) == 0 || names[0] == "") {
			t.Errorf("seen by %q, want the key's name", names)
		}
		return times
	}
	was := seen(st.clinic.ID)
	if was != 1 {
		t.Errorf("listed once and seen %d times", was)
	}
	for _, path := range []string{"/contacts/" + one, "/contacts/" + one + "/messages", "/contacts/" + one + "/links", "/resolve?phone=" + phone} {
		st.mine.want(st.mine.get(path), http.StatusOK, "")
		if now := seen(st.clinic.ID); now != was+1 {
			t.Errorf("%s: seen %d times, want %d", path, now, was+1)
		} else {
			was = now
		}
		if !strings.HasPrefix(path, "/resolve") {
			st.theirs.want(st.theirs.get(path), http.StatusNotFound, "not_found")
		}
	}
	if n := seen(st.motors.ID); n != 0 {
		t.Errorf("the other business has seen them %d times", n)
	}
}
