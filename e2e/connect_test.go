package e2e_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pehchan/pehchan/tenants/sandbox"
)

// An owner connects a number on the page, is told why a wrong token will not do, and watches the first event arrive.
func TestConnectNumber(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	b := st.tab(t, wide)
	n := sandbox.Known().Numbers[0]

	b.signIn("Asha")
	b.see("task-connect")
	b.submit("do-connect")
	b.submit("manual")
	b.connect(n, "sandbox-token-lacks-scopes")
	b.see("check-scopes")
	if got := b.text("check-scopes"); !strings.Contains(got, "\n") {
		t.Errorf("a failed check says only %q, want a reason below it", got)
	}

	b.connect(n, goodToken())
	b.at("/numbers/*")
	b.see("toast", "first-event")
	if b.has("first-arrived") {
		t.Error("a number nobody wrote to yet says that its first event arrived")
	}

	// Somebody writes while the page is looked at: nobody presses anything.
	b.leave()
	st.deliver(t, sandbox.DemoStory(n, time.Now())[0].Body)
	b.see("first-arrived")
	b.gone("first-event")
	if !eval[bool](b, `window.leaving`) {
		t.Error("the page came anew, want it to keep itself up to date")
	}

	b.open("/numbers")
	b.see("number-*")
}

// connect fills the form on the page and sends it.
func (b *tab) connect(n sandbox.Number, token string) {
	b.t.Helper()
	b.choose("field-app", appName)
	b.fill("field-display_phone_number", "+"+n.DisplayPhone)
	b.fill("field-phone_number_id", n.PhoneNumberID)
	b.fill("field-waba_id", n.WABAID)
	b.fill("field-access_token", token)
	b.submit("verify")
}
