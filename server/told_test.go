package server_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/pehchan/pehchan/tenants"
)

// TestPagesSayWhatWhatsAppTold: what came besides messages stands on the page where its reader looks for it, in both languages.
func TestPagesSayWhatWhatsAppTold(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	clinic := tenants.Tenant{ID: in.tenant}
	in.member(t, clinic, "asha", "owner")
	in.operator(t, "priya", "admin")
	for _, n := range []string{"001", "080", "102", "124", "125", "091", "131", "134", "135", "136", "037", "138"} {
		in.post(t, payload(t, n))
	}
	asha, cl := in.signedIn(t, "asha"), in.client(t, clinic, "read")

	found := cl.want(cl.get("/resolve?phone=919800000101"), http.StatusOK, "")
	contact := found.text("contact_id")
	person := cl.want(cl.get("/contacts/"+contact), http.StatusOK, "")
	if got := person.text("saved_name") + " " + person.text("marketing") + " " + person.text("preferences", 0, "value"); got != "Asha Verma stop stop" {
		t.Errorf("the API says %q", got)
	}
	said := cl.want(cl.get("/contacts/"+contact+"/messages"), http.StatusOK, "")
	if got := said.text("items", 0, "type"); got != "call" || said.number("items", 0, "call_seconds") != 60 {
		t.Errorf("the newest message is %q of %d s, want a call of 60", got, said.number("items", 0, "call_seconds"))
	}

	number := "/numbers/" + in.numbers[ownNumber].String()
	asha.has(asha.get("/contacts/"+contact), http.StatusOK, "Marketing messages", "stopped", "In your phone’s contacts", "Call, 1", "from before", "old question")
	asha.has(asha.get(number), http.StatusOK, "@acme.support", "cut off", "registered anew on a phone", "The name “Acme Support” was approved",
		"The template “ask_for_number” was approved", "Rate limit hit", "TIER_2K")
	asha.has(asha.get("/numbers/"+in.numbers[otherNumber].String()), http.StatusOK, "about the whole account", "cut off")
	asha.lacks(asha.get("/numbers/"+in.numbers[otherNumber].String()), "@acme.support")

	asha.post("/language", url.Values{"lang": {"hi"}, "next": {"/home"}})
	asha.has(asha.get("/contacts/"+contact), http.StatusOK, "प्रचार वाले मैसेज", "आपके फ़ोन में इस नाम से सेव", "पहले का")
	asha.has(asha.get(number), http.StatusOK, "यह खाता अलग कर दिया गया", "अपना यूज़रनेम")

	priya := in.signedIn(t, "priya")
	page := priya.get("/op/drift")
	priya.has(page, http.StatusOK, "consumer_profile", "unknown_field")
	priya.lacks(page, "not published", "mateo")

	in.post(t, []byte(`{"object":"whatsapp_business_account","entry":[{"id":"`+ownWABA+`","time":1790000150,"changes":[
		{"field":"account_update","value":{"event":"ACCOUNT_RECONNECTED"}}]}]}`))
	asha.lacks(asha.get(number), "यह खाता कट गया है")
}

// TestNoticesNotIfAnotherTenant: what WhatsApp told one business is no other's to see.
func TestNoticesNotIfAnotherTenant(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	mine, theirs := h.open(t), h.open(t)
	for _, n := range []string{"001", "080", "124", "125", "131", "100", "138"} {
		mine.post(t, payload(t, n))
	}
	if got := theirs.state(t); got != "" {
		t.Errorf("the neighbour sees\n%s", got)
	}
}
