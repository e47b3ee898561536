package server_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/tenants/privacy"
	"github.com/pehchan/pehchan/tenants/sandbox"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Case 95: somebody is erased, and then Meta delivers once more what they wrote six days ago, as it was and in another wrapping. They do not
// come back, on no page and in no row; the number's other customers are as they were.
func TestTheErasedStayAwayWhenDeliveredAgain(t *testing.T) {
	t.Parallel()
	st := newMetaSite(t)
	number := sandbox.Known().Numbers[0]
	st.number(t, st.clinic, number)
	st.Server = st.open(t, config.Config{PublicURL: origin})
	mine := st.client(t, st.clinic, "read")
	const phone, bsuid, canary = "919811100077", "IN.7704418820077777", "canary-of-savitri-4711"
	old := time.Now().Add(-6 * 24 * time.Hour).Unix()
	wrote := func(wamid, words string, at int64) string {
		return fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":%q,"changes":[{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":%q,"phone_number_id":%q},
			"contacts":[{"profile":{"name":%q,"username":"savitri.4711"},"wa_id":%q,"user_id":%q}],
			"messages":[{"from":%q,"from_user_id":%q,"id":%q,"timestamp":"%d","type":"text","text":{"body":%q}}]}}]}]}`,
			number.WABAID, number.DisplayPhone, number.PhoneNumberID, canary, phone, bsuid, phone, bsuid, wamid, at, words)
	}
	deliver := func(bodies ...string) {
		t.Helper()
		for _, body := range bodies {
			if r := st.deliver(t, hook, body, signed(sandboxSecret, body)); r.status != http.StatusOK {
				t.Fatalf("deliver: %d %s", r.status, r.body)
			}
		}
		st.drain(t)
	}
	first := wrote("wamid.old", "hello "+canary, old)
	deliver(first)
	st.says(t, number, message{wamid: "wamid.other", phone: "919811100078", bsuid: "IN.7704418820077778", at: old})
	st.drain(t)

	asha := st.signedIn(t, "asha")
	asha.has(asha.get("/contacts"), http.StatusOK, canary)
	page := asha.asks("erase", bsuid)
	asha.want(asha.post(page+"/proof", url.Values{"proof": {"document"}, "code": {"yes"}}), http.StatusSeeOther, page)
	shown := asha.get(page).body
	word, accounts := confirmWord.FindStringSubmatch(shown), accountsSeen.FindStringSubmatch(shown)
	if word == nil || accounts == nil {
		t.Fatalf("no form to erase with: %s", shown)
	}
	asha.want(asha.post(page+"/erase", url.Values{"confirm": {word[1]}, "accounts": {accounts[1]}}), http.StatusSeeOther, page)
	stand := sandbox.NewGraph(sandbox.GraphOptions{AppSecret: []byte(sandboxSecret)})
	t.Cleanup(stand.Close)
	meta := httptest.NewServer(stand)
	t.Cleanup(meta.Close)
	w := privacy.NewWorker(st.DB, st.keys, whatsapp.NewGraph(meta.URL), st.deps(t).Log)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	asha.until(page, `data-testid="receipt"`)
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}

	above := st.above(t)
	gone := func(when string) {
		t.Helper()
		if err := w.CutReturned(t.Context()); err != nil {
			t.Fatal(err)
		}
		if left := dump(t, above, st.clinic.ID); strings.Contains(left, canary) || strings.Contains(left, bsuid) || strings.Contains(left, phone) {
			for line := range strings.Lines(left) {
				if strings.Contains(line, canary) || strings.Contains(line, bsuid) || strings.Contains(line, phone) {
					t.Errorf("%s a row is left: %.300s", when, line)
				}
			}
		}
		if r := asha.get("/contacts?q=" + phone); contactRow.MatchString(r.body) {
			t.Errorf("%s they are found by their phone", when)
		}
		for _, path := range []string{"/contacts", "/inbox", "/resolve", "/home", "/audit"} {
			asha.lacks(asha.get(path), canary, phone, "0077")
		}
		if r := mine.get("/resolve?phone=%2B" + phone); strings.Contains(r.body, `"contact_id":"`) {
			t.Errorf("%s the API knows them: %s", when, r.body)
		}
		if r := mine.get("/contacts"); len(r.items()) != 1 {
			t.Errorf("%s there are %d customers, want the other one", when, len(r.items()))
		}
	}
	gone("erased,")
	deliver(first)
	gone("delivered once more,")
	deliver(strings.Replace(first, `"entry":[`, `"entry": [`, 1), wrote("wamid.old", "hello "+canary, old), wrote("wamid.older", canary+" again", old-3600))
	gone("in another wrapping,")

	// Who writes anew is somebody nobody knows.
	deliver(strings.ReplaceAll(wrote("wamid.new", "good morning", time.Now().Add(2*time.Second).Unix()), canary, "Savitri"))
	asha.has(asha.get("/contacts"), http.StatusOK, "Savitri")
	if left := dump(t, above, st.clinic.ID); strings.Contains(left, canary) {
		t.Error("with the new message the old one came back")
	}
}
