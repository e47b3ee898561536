package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/pehchan/pehchan/tenants/sandbox"
)

func connecting(n sandbox.Number, token string) string {
	return `{"app":"demo","waba_id":"` + n.WABAID + `","phone_number_id":"` + n.PhoneNumberID + `","display_phone_number":"+` + n.DisplayPhone + `","access_token":"` + token + `"}`
}

func TestAPIConnectNumber(t *testing.T) {
	t.Parallel()
	st := newMetaSite(t)
	mine, theirs := st.client(t, st.clinic, "read", "write"), st.client(t, st.motors, "read", "write")
	number := sandbox.Known().Numbers[0]

	// Two failed checks are both listed, with words.
	r := mine.want(mine.post("/numbers", strings.Replace(connecting(number, "sandbox-token-good"), number.DisplayPhone, "15550100000", 1)), http.StatusUnprocessableEntity, "checks_failed")
	if r.text("checks", 0, "code") != "display_phone" || r.text("checks", 0, "reason") != "phone_differs" || !strings.Contains(r.text("checks", 0, "text"), "WhatsApp says") {
		t.Errorf("want the check that failed, in words, got %s", r.body)
	}
	r = mine.want(mine.post("/numbers", connecting(number, "sandbox-token-lacks-scopes")), http.StatusUnprocessableEntity, "checks_failed")
	if checks, _ := r.at("checks").([]any); len(checks) < 2 {
		t.Errorf("want each failed check, got %s", r.body)
	}
	mine.want(mine.post("/numbers", connecting(number, "sandbox-token-expired")), http.StatusUnprocessableEntity, "checks_failed")
	if rows := mine.all("/numbers"); len(rows) != 0 {
		t.Errorf("want nothing half done, got %v", rows)
	}
	for from, to := range map[string][2]string{
		`"app":"demo"`: {`"app":"none"`, "app"}, `"waba_id":"` + number.WABAID: {`"waba_id":"x`, "waba_id"}, `"demo"`: {`"a\u0000b"`, "app"},
		number.PhoneNumberID: {"", "phone_number_id"}, "+" + number.DisplayPhone: {"abc", "display_phone_number"}, "sandbox-token-good": {"short", "access_token"},
	} {
		if r := mine.want(mine.post("/numbers", strings.Replace(connecting(number, "sandbox-token-good"), from, to[0], 1)), http.StatusUnprocessableEntity, "invalid"); r.text("field") != to[1] {
			t.Errorf("want %s refused, got %s", to[1], r.body)
		}
	}

	// Pressed five times at once, with one key.
	replies := make([]reply, 5)
	var all sync.WaitGroup
	for i := range replies {
		all.Go(func() {
			replies[i] = mine.post("/numbers", connecting(number, "sandbox-token-good"), "Idempotency-Key", "connect-1")
		})
	}
	all.Wait()
	for _, r := range replies {
		if mine.want(r, http.StatusCreated, ""); r.body != replies[0].body {
			t.Errorf("want one answer, got %s", r.body)
		}
	}
	n := replies[0]
	if n.text("state") != "waiting" || n.text("portfolio_id") != number.PortfolioID || n.text("display_phone_number") != number.DisplayPhone || n.at("last_event_at") != nil ||
		strings.Contains(n.body, "sandbox-token") {
		t.Errorf("want the number waiting for its first event, got %s", n.body)
	}
	checks, _ := n.at("checks").([]any)
	for _, c := range checks {
		if c := c.(map[string]any); c["ok"] != true {
			t.Errorf("want every check passed, got %v", c)
		}
	}

	mine.want(mine.post("/numbers", connecting(number, "sandbox-token-good")), http.StatusConflict, "number_connected")
	mine.want(mine.post("/numbers", connecting(number, "sandbox-token-expired"), "Idempotency-Key", "connect-1"), http.StatusConflict, "key_reused")
	if r := theirs.want(theirs.post("/numbers", connecting(number, "sandbox-token-good")), http.StatusConflict, "number_taken"); r.text("detail") == "" {
		t.Errorf("want a sentence, got %s", r.body)
	}
	// Case 8: who cannot prove a number learns no more of one that another business has than of one that nobody has.
	free := sandbox.Known().Numbers[1]
	for _, token := range []string{"no-such-token-at-all", "sandbox-token-expired", "sandbox-token-lacks-scopes"} {
		taken := theirs.want(theirs.post("/numbers", connecting(number, token)), http.StatusUnprocessableEntity, "checks_failed")
		nobodys := theirs.want(theirs.post("/numbers", connecting(free, token)), http.StatusUnprocessableEntity, "checks_failed")
		same := strings.NewReplacer(free.PhoneNumberID, number.PhoneNumberID, free.DisplayPhone, number.DisplayPhone, free.WABAID, number.WABAID, free.PortfolioID, number.PortfolioID)
		if a, b := fmt.Sprint(taken.at("checks")), same.Replace(fmt.Sprint(nobodys.at("checks"))); a != b || len(taken.body) != len(nobodys.body) {
			t.Errorf("with %s: a number that is taken is told as\n%s and a free one as\n%s", token, a, b)
		}
	}
	if rows := theirs.all("/numbers"); len(rows) != 0 {
		t.Errorf("want nothing of another's, got %v", rows)
	}

	mine.want(mine.post("/numbers", connecting(sandbox.Known().Numbers[1], "sandbox-token-good")), http.StatusCreated, "")
	page := mine.want(mine.get("/numbers?limit=1"), http.StatusOK, "")
	next := mine.want(mine.get("/numbers?limit=1&cursor="+page.text("next_cursor")), http.StatusOK, "")
	if page.text("items", 0, "id") != n.text("id") || next.text("items", 0, "phone_number_id") != sandbox.Known().Numbers[1].PhoneNumberID || next.text("next_cursor") != "" {
		t.Errorf("want two pages of one, got %s and %s", page.body, next.body)
	}
}
