package server_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/pehchan/pehchan/tenants/sandbox"
)

func TestAPIMergeAndUndo(t *testing.T) {
	t.Parallel()
	st := newAPISite(t)
	keep, lose := st.mine.found("@zoya_k"), st.mine.found("@sbanerjee.01")
	before := st.mine.get("/contacts/"+keep).body + st.mine.get("/contacts/"+lose).body
	messages := len(st.mine.all("/contacts/"+keep+"/messages")) + len(st.mine.all("/contacts/"+lose+"/messages"))

	p := st.mine.want(st.mine.get("/merges/preview?keep="+keep+"&lose="+lose), http.StatusOK, "")
	if p.at("allowed") != true || p.number("moves", "identities") != 1 || p.text("warnings", 0, "code") != "two_live_accounts" || p.text("warnings", 0, "text") == "" ||
		p.at("reason_needed") != true || len(p.at("replies_go_to").([]any)) != 2 || p.text("replies_go_to", 0, "kind") != "bsuid" || p.number("versions", "keep") != 1 {
		t.Errorf("want what a merge would do, got %s", p.body)
	}
	same := st.mine.want(st.mine.get("/merges/preview?keep="+keep+"&lose="+keep), http.StatusOK, "")
	if same.at("allowed") != false || same.text("blocked", 0, "code") != "same_contact" || same.text("blocked", 0, "text") == "" {
		t.Errorf("want it blocked, got %s", same.body)
	}
	for _, query := range []string{"", "keep=" + keep, "lose=" + lose, "keep=" + keep + "&lose="} {
		st.mine.want(st.mine.get("/merges/preview?"+query), http.StatusBadRequest, "invalid")
	}

	for _, body := range []string{`{}`, `{"keep":"` + keep + `"}`, `{"lose":"` + lose + `"}`, merging(keep, lose, ""), merging(keep, lose, strings.Repeat("x", 501))} {
		st.mine.want(st.mine.post("/merges", body), http.StatusUnprocessableEntity, "invalid")
	}
	st.mine.want(st.mine.post("/merges", merging(keep, keep, "x")), http.StatusConflict, "same_contact")
	moved := st.mine.want(st.mine.post("/merges", `{"keep":"`+keep+`","lose":"`+lose+`","reason":"x","versions":{"keep":1,"lose":9}}`), http.StatusConflict, "changed")
	if moved.number("preview", "versions", "lose") != 1 {
		t.Errorf("want a fresh preview, got %s", moved.body)
	}

	// Twenty at once are one merge.
	replies := make([]reply, 20)
	var all sync.WaitGroup
	for i := range replies {
		all.Go(func() { replies[i] = st.mine.post("/merges", merging(keep, lose, "same voice")) })
	}
	all.Wait()
	link := ""
	for _, r := range replies {
		if r.status == http.StatusCreated {
			if link != "" {
				t.Error("want one merge, got two")
			}
			link = r.text("link_id")
			continue
		}
		st.mine.want(r, http.StatusConflict, "merged_away")
	}
	merged := st.mine.get("/contacts/" + lose)
	if merged.text("id") != keep || len(merged.at("identities").([]any)) != 2 || len(st.mine.all("/contacts/"+lose+"/messages")) != messages {
		t.Errorf("want one contact with both accounts and every message, got %s", merged.body)
	}

	journal := st.mine.want(st.mine.get("/contacts/"+keep+"/links"), http.StatusOK, "")
	if journal.text("items", 0, "id") != link || journal.text("items", 0, "kind") != "merged" || journal.text("items", 0, "actor", "kind") != "api_key" ||
		journal.text("items", 0, "evidence", "reason") != "same voice" || journal.at("items", 0, "undone_at") != nil {
		t.Errorf("want the merge in the journal, got %s", journal.body)
	}

	first := st.mine.want(st.mine.post("/links/"+link+"/undo", "", "Idempotency-Key", "undo-1"), http.StatusOK, "")
	if first.text("undone_at") == "" {
		t.Errorf("want the link undone, got %s", first.body)
	}
	if again := st.mine.post("/links/"+link+"/undo", "", "Idempotency-Key", "undo-1"); again.body != first.body || again.status != http.StatusOK {
		t.Errorf("want the same answer again, got %d %s", again.status, again.body)
	}
	st.mine.want(st.mine.post("/links/"+link+"/undo", ""), http.StatusConflict, "already_undone")
	after := st.mine.get("/contacts/"+keep).body + st.mine.get("/contacts/"+lose).body
	if unversioned(after) != unversioned(before) {
		t.Errorf("want both as they were, got\n%s\nwant\n%s", after, before)
	}
}

// unversioned leaves out what counts changes.
func unversioned(contacts string) string {
	for _, v := range []string{"1", "2", "3", "4", "5"} {
		contacts = strings.ReplaceAll(contacts, `"version":`+v, "")
	}

	return contacts
}

// The journal tells what WhatsApp itself joined, with what it brought, and that too can be undone.
func TestAPIUndoOfProof(t *testing.T) {
	t.Parallel()
	st := newAPISite(t)
	number := sandbox.Known().Numbers[0]
	const phone, bsuid = "919800009001", "IN.7000000000009001"
	st.says(t, number, message{wamid: "wamid.one", phone: phone, at: 1795300000})
	st.drain(t)
	st.says(t, number, message{wamid: "wamid.two", phone: phone, bsuid: bsuid, at: 1795300600})
	st.drain(t)

	who := st.mine.want(st.mine.get("/resolve?bsuid="+bsuid), http.StatusOK, "")
	journal := st.mine.all("/contacts/" + who.text("contact_id") + "/links")
	if len(journal) != 1 {
		t.Fatalf("want one link, got %v", journal)
	}
	l := reply{json: journal[0].(map[string]any)}
	if l.text("kind") != "attested" || l.text("actor", "kind") != "system" || l.text("evidence", "identifiers", 0, "value") != bsuid {
		t.Errorf("want the BSUID joined by what WhatsApp showed, got %v", l.json)
	}

	st.mine.want(st.mine.post("/links/"+l.text("id")+"/undo", ""), http.StatusOK, "")
	one, two := st.mine.get("/resolve?phone="+phone), st.mine.get("/resolve?bsuid="+bsuid)
	if one.status != http.StatusOK || one.text("identity_id") == two.text("identity_id") {
		t.Errorf("want two accounts, got %s and %s", one.body, two.body)
	}
}
