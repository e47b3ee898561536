package e2e_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/sandbox"
)

// window presses the button that opens Meta's window, does what is to be done while it is open, presses in the window the button
// that ends it, and waits for the page that comes.
func (b *tab) window(outcome string, meanwhile ...func()) {
	b.t.Helper()

	b.when("Meta's script is there", find("signup")+`?.dataset.state === "ready"`)
	before, err := chromedp.Targets(b.ctx) // the window of the try before may still be closing
	if err != nil {
		b.t.Fatal(err)
	}
	opened := chromedp.WaitNewTarget(b.ctx, func(i *target.Info) bool {
		known := slices.ContainsFunc(before, func(old *target.Info) bool { return old.TargetID == i.TargetID })
		return !known && strings.Contains(i.URL, "/dialog")
	})
	b.leave()
	b.click("open-window")
	late, stop := context.WithTimeout(b.ctx, patience)
	defer stop()
	select {
	case id, ok := <-opened:
		if !ok {
			b.t.Fatal("no window opened")
		}
		for _, do := range meanwhile {
			do()
		}
		ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithTargetID(id))
		defer cancel()
		// A moment later: a window that closes at once takes the answer with it, that it was pressed.
		press := `(b => { if (b) setTimeout(() => b.click(), 50); return !!b })(document.querySelector("button[value=` + outcome + `]"))`
		if outcome == "close" {
			press = `(setTimeout(close, 50), true)`
		}
		until(b.t, "the window can be answered", func() bool {
			pressed, err := chromedp.Run(ctx, chromedp.Evaluate[bool](press))
			return err == nil && pressed
		})
		b.when("a new page has come", loaded)
	case <-late.Done():
		b.t.Fatal("no window opened")
	}
}

// An owner connects a new number in Meta's window, after every way in which the window can end without one.
func TestConnectInMetasWindow(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	b := st.tab(t, wide)

	b.signIn("Asha")
	b.submit("do-connect")
	b.see("door-keep", "door-fresh", "door-manual")
	b.submit("fresh")
	b.see("signup")
	for _, c := range []struct{ outcome, says string }{
		{"close", "closed before it was done"},
		{"cancel", "PHONE_NUMBER_SETUP"},
		{"error", "524126"},
		{"account", "no number yet"},
		{"late", "longer than 30 seconds"},
		{"used", "used already"},
	} {
		b.window(c.outcome)
		b.at("/numbers/new/embedded")
		if got := b.text("outcome"); !strings.Contains(got, c.says) {
			t.Errorf("%s: the page says %q, want %q in it", c.outcome, got, c.says)
		}
	}

	// The page sends what was said from the window's origin, and nobody else's words: with these the number would be refused.
	b.window("silent", func() {
		eval[bool](b, `(window.postMessage(JSON.stringify({type: "WA_EMBEDDED_SIGNUP", event: "FINISH", data: {waba_id: "1"}}), "*"), true)`)
		eval[bool](b, `new Promise(come => { addEventListener("message", e => e.data === "after" && come(true)); window.postMessage("after", "*") })`)
	})
	b.at("/numbers/*")
	b.see("toast", "first-event", "check-registered")
	_, fresh := sandbox.SignupNumbers()
	if got := b.text("setup"); !strings.Contains(got, fresh.PhoneNumberID) {
		t.Errorf("the number's page says %q, want the number chosen in the window", got)
	}
	if !st.meta.Registered(fresh.PhoneNumberID) {
		t.Error("the new number was not registered")
	}

	// Thirty days to change one's mind.
	b.click("disconnect-open")
	b.fill("field-confirm", fresh.DisplayPhone[len(fresh.DisplayPhone)-4:])
	b.submit("disconnect-go")
	b.see("toast", "grace")
	if got := b.text("grace"); !strings.Contains(got, "30 days left") {
		t.Errorf("the disconnected number says %q, want the days that are left", got)
	}
	b.submit("reconnect")
	b.see("toast", "first-event")
	b.gone("grace")
}

// A shop owner keeps the app, on a phone and in Hindi, and brings the saved names and the old chats along.
func TestKeepAppInHindi(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	b := st.tab(t, phone)
	inApp, _ := sandbox.SignupNumbers()

	b.open("/login")
	b.speak("hi")
	b.fill("field-email", email("Asha"))
	b.fill("field-password", password)
	b.submit("sign-in")
	b.speak("hi")
	b.submit("do-connect")
	b.fits()
	b.submit("keep")
	b.fits()
	b.window("cancel")
	b.fits()
	if got := b.text("outcome"); !strings.Contains(got, "बीच में") {
		t.Errorf("a window left half-way: %q, want it in plain Hindi", got)
	}
	b.window("finish")
	b.at("/numbers/*")
	b.see("sync")
	b.fits()
	if st.meta.Registered(inApp.PhoneNumberID) {
		t.Fatal("a number in the Business app was registered: it would lose the app")
	}

	b.submit("sync-go")
	b.fits()
	b.says("brought-history", "8")
	b.says("brought-history", "सब आ गया")
	b.says("brought-contacts", "4")
	b.open("/contacts?q=Meena")
	b.says("contacts", "Meena Joshi")
}

// signUp connects a number through the window without its page, and returns the address of the number's own.
func (st *site) signUp(t *testing.T, n sandbox.Number, feature string) string {
	t.Helper()

	resp, err := http.PostForm(st.graph.BaseURL+"/dialog", url.Values{"number": {n.PhoneNumberID}, "feature": {feature}, "outcome": {"finish"}, "opener": {st.url}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	page, err := goquery.NewDocumentFromReader(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	number, err := numbers.Signup(t.Context(), st.DB, st.keys, st.graph, byTest.Actor, st.clinic.ID, numbers.SignupInput{
		App: platformApp, Code: page.Find("#told").AttrOr("data-code", ""), OnApp: feature != "", WABAID: n.WABAID, PublicURL: st.url,
	})
	if err != nil {
		t.Fatalf("sign up: %v", err)
	}

	return "/numbers/" + number.ID.String()
}

// throughWindow connects the numbers of Meta's window: one in the Business app, whose chats can be asked for, and one that its owner
// then disconnects.
func (w *world) throughWindow(t *testing.T) {
	t.Helper()

	inApp, fresh := sandbox.SignupNumbers()
	w.numbers = append(w.numbers, w.signUp(t, inApp, "whatsapp_business_app_onboarding"))
	gone := w.signUp(t, fresh, "")
	w.numbers = append(w.numbers, gone)
	w.as(t, w.clinic, func(tx *tenants.Tx) error {
		return numbers.Disconnect(t.Context(), tx, byTest.Actor, uuid.MustParse(strings.TrimPrefix(gone, "/numbers/")))
	})
}

// The third door leads on where the first two are shut.
func TestDoorsWithoutMetasApp(t *testing.T) {
	t.Parallel()
	st := newSite(t, withoutWindow)
	b := st.tab(t, wide)

	b.signIn("Asha")
	b.submit("do-connect")
	if b.has("keep") || b.has("fresh") {
		t.Error("a door leads to a window that cannot open here")
	}
	if got := b.text("door-keep"); !strings.Contains(got, "has not been set up") {
		t.Errorf("the shut door says %q, want the reason", got)
	}
	b.open("/numbers/new/embedded?way=keep")
	b.at("/numbers/new")
	b.submit("manual")
	b.at("/numbers/new/manual")
}
