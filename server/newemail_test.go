package server_test

import (
	"io"
	"mime/quotedprintable"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/pehchan/pehchan/server/config"
)

// textLink is the first link in the text of a mail that fits.
func textLink(t *testing.T, l letter, pattern string) string {
	t.Helper()
	_, part, _ := strings.Cut(l.whole, "text/plain")
	_, part, _ = strings.Cut(part, "\r\n\r\n")
	text, _ := io.ReadAll(quotedprintable.NewReader(strings.NewReader(part)))
	found := regexp.MustCompile(`https://pehchan\.example(` + pattern + `)`).FindSubmatch(text)
	if found == nil {
		t.Fatalf("no link %s in the mail to %s: %s", pattern, l.to, text)
	}

	return string(found[1])
}

// mailTo sends all mails, and returns that to somebody.
func (st *site) mailTo(t *testing.T, n int, to string) letter {
	t.Helper()
	st.quiet(t)
	for _, l := range st.letters(t, n) {
		if strings.Contains(l.to, to) {
			return l
		}
	}
	t.Fatalf("no mail to %s", to)

	return letter{}
}

func TestAnotherEmail(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	here, there := st.signedIn(t, "asha"), st.signedIn(t, "asha")
	ask := func(email string) answer {
		here.get("/settings/security")
		return here.post("/settings/security/email", url.Values{"email": {email}})
	}
	for _, bad := range []string{"", "x", "a@b.example,c@d.example", "a@b.example\r\nBcc: x@y.example", "asha@pehchan.example"} {
		if r := ask(bad); r.status != http.StatusUnprocessableEntity {
			t.Errorf("%q: got %d", bad, r.status)
		}
	}
	// One answer, whether anybody has it; whoever has it is asked, and cannot give it away.
	here.want(ask("ravi@pehchan.example"), http.StatusSeeOther, "/settings/security")
	taken := textLink(t, st.mailTo(t, 1, "ravi@"), `/email/[A-Za-z0-9_-]+`)
	stranger := st.browser(t)
	stranger.get(taken)
	if r := stranger.post(taken, nil); r.status != http.StatusConflict {
		t.Errorf("an e-mail that is taken: got %d", r.status)
	}
	here.want(ask("asha.new@pehchan.example"), http.StatusSeeOther, "/settings/security")
	if r := stranger.get(taken); r.status != http.StatusGone {
		t.Errorf("the older link: got %d", r.status)
	}
	link := textLink(t, st.mailTo(t, 1, "asha.new@"), `/email/[A-Za-z0-9_-]+`)
	st.asks(t, stranger, "asha@pehchan.example")
	forgotten := linkIn(t, st.mailTo(t, 1, "asha@"))
	if r := stranger.get(forgotten); r.status != http.StatusOK {
		t.Errorf("a link for a new password: got %d", r.status)
	}
	if r := stranger.get(link); r.status != http.StatusOK || r.header.Get("Referrer-Policy") != "no-referrer" || here.get("/home").status != http.StatusOK {
		t.Errorf("to look at the link changes nothing: got %d", r.status)
	}

	// Of many at once one makes the change, and everybody else is out.
	var all sync.WaitGroup
	done := make(chan int, 8)
	for range 8 {
		b := st.browser(t)
		b.get(link)
		all.Add(1)
		go func() {
			defer all.Done()
			done <- b.post(link, nil).status
		}()
	}
	all.Wait()
	close(done)
	count := map[int]int{}
	for status := range done {
		count[status]++
	}
	if count[http.StatusOK] != 1 || count[http.StatusGone] != 7 {
		t.Errorf("eight at once: %v", count)
	}
	for name, b := range map[string]*browser{"here": here, "there": there} {
		if r := b.get("/home"); r.status != http.StatusSeeOther {
			t.Errorf("%s: want signed out, got %d", name, r.status)
		}
	}
	if r := stranger.get(forgotten); r.status != http.StatusGone {
		t.Errorf("a link for a new password, sent to the old e-mail: got %d", r.status)
	}
	thief := st.browser(t)
	thief.get("/login")
	thief.want(thief.post("/login", url.Values{"email": {"asha.new@pehchan.example"}, "password": {password}}), http.StatusSeeOther, "/")

	// The old one takes it back: nobody is in, and the password, which was known, is good no more.
	undo := textLink(t, st.mailTo(t, 1, "asha@"), `/email/undo/[A-Za-z0-9_-]+`)
	owner := st.browser(t)
	if r := owner.get(undo); r.status != http.StatusOK || !strings.Contains(r.body, "asha.new@pehchan.example") {
		t.Fatalf("the way back: %d", r.status)
	}
	if r := owner.post(undo, nil); r.status != http.StatusOK || thief.get("/home").status != http.StatusSeeOther {
		t.Errorf("taken back: got %d, want the thief out", r.status)
	}
	owner.get("/login")
	for _, email := range []string{"asha@pehchan.example", "asha.new@pehchan.example"} {
		if r := owner.post("/login", url.Values{"email": {email}, "password": {password}}); r.status != http.StatusUnauthorized {
			t.Errorf("%s by the old password: got %d", email, r.status)
		}
	}
	if r := owner.get(undo); r.status != http.StatusGone {
		t.Errorf("the way back again: got %d", r.status)
	}
}

// Whoever changes an e-mail, and whoever had the account by the old one, are shown what else gets into it; a stranger with the link is not.
func TestAnotherEmailLeavesOtherWaysIn(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	asha := st.signedIn(t, "asha")
	st.exec(t, `INSERT INTO passkeys (id, person_id, name, credential, added_at) SELECT 'k', id, 'clinic desk', '{}', '2026-03-04' FROM people WHERE email_key = 'asha@pehchan.example'`)
	stranger := st.browser(t)
	for i, by := range []*browser{asha, stranger} {
		asha.get("/settings/security")
		email := []string{"asha.one@pehchan.example", "asha.two@pehchan.example"}[i]
		asha.want(asha.post("/settings/security/email", url.Values{"email": {email}}), http.StatusSeeOther, "/settings/security")
		link := textLink(t, st.mailTo(t, 1, email), `/email/[A-Za-z0-9_-]+`)
		by.get(link)
		r := by.post(link, nil)
		if told := strings.Contains(r.body, "clinic desk"); r.status != http.StatusOK || told != (by == asha) {
			t.Errorf("%s: got %d, told of the passkey %v", email, r.status, told)
		}
		if l := st.mailTo(t, 1, "asha"); !strings.Contains(strings.ReplaceAll(l.whole, "=\r\n", ""), "clinic desk") {
			t.Errorf("want the old e-mail told of the passkey, got %s", l.whole)
		}
	}
}

func TestSetUpABusiness(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	closed := st.browser(t)
	if r := closed.get("/signup"); strings.Contains(r.body, `data-testid="begin"`) {
		t.Error("want it closed unless it is opened")
	}
	st.Server = st.open(t, config.Config{PublicURL: origin, Signup: "open"})
	ask := func(email string) (*browser, answer) {
		b := st.browser(t)
		b.get("/signup")
		return b, b.post("/signup", url.Values{"email": {email}, "business": {"कमला Sweets"}, "lang": {"hi"}})
	}
	fresh := regexp.MustCompile(`(value|nonce)="[^"]*"`)
	b, unknown := ask("kamla@pehchan.example")
	_, known := ask("asha@pehchan.example")
	if unknown.status != http.StatusOK || fresh.ReplaceAllString(unknown.body, "") != fresh.ReplaceAllString(known.body, "") {
		t.Errorf("want one answer for both, got %d and %d", unknown.status, known.status)
	}
	got := st.letters(t, 2)
	if len(got) != 2 {
		t.Fatalf("%d mails, want 2", len(got))
	}
	link := ""
	for _, l := range got {
		switch {
		case strings.Contains(l.to, "asha@"):
			textLink(t, l, `/login`)
		default:
			link = textLink(t, l, `/signup/[A-Za-z0-9_-]+`)
		}
	}
	if r := b.get(link); r.status != http.StatusOK || r.header.Get("Referrer-Policy") != "no-referrer" {
		t.Fatalf("the link: %d", r.status)
	}
	if r := b.post(link, url.Values{"name": {"Kamla"}, "password": {"short"}}); r.status != http.StatusUnprocessableEntity {
		t.Errorf("a password that is none: %d", r.status)
	}
	form := url.Values{"name": {"Kamla"}, "password": {"four-mangoes-in-a-boat-9"}}
	b.want(b.post(link, form), http.StatusSeeOther, "/start")
	if r := b.get("/start"); r.status != http.StatusOK || !strings.Contains(r.body, `lang="hi"`) || !strings.Contains(r.body, "कमला Sweets") {
		t.Errorf("want the owner in their new business, in Hindi, got %d", r.status)
	}
	other := st.browser(t)
	if r := other.get(link); r.status != http.StatusGone {
		t.Errorf("the link again: %d", r.status)
	}

	// Asked for too often, whoever it is for, it has to wait.
	last := answer{}
	for range 5 {
		_, last = ask("kamla+x@pehchan.example")
	}
	if last.status != http.StatusTooManyRequests {
		t.Errorf("asked for too often: %d", last.status)
	}
}
