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

	"github.com/pehchan/pehchan/tenants/access"
)

var inviteLink = regexp.MustCompile(`(/invite/[A-Za-z0-9_-]+)`)

// invited is the link in the only mail that waits.
func (st *site) invited(t *testing.T) string {
	t.Helper()

	got := st.letters(t, 1)
	if len(got) != 1 {
		t.Fatalf("got %d mails, want one", len(got))
	}
	_, part, _ := strings.Cut(got[0].whole, "text/plain")
	_, part, _ = strings.Cut(part, "\r\n\r\n")
	text, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(part)))
	found := inviteLink.FindSubmatch(text)
	if found == nil {
		t.Fatalf("no link in the mail (%v): %s", err, got[0].whole)
	}

	return string(found[1])
}

func TestInvitation(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	asha := st.signedIn(t, "asha")
	asha.get("/team")
	ask := func(email, role string) answer {
		return asha.post("/team", url.Values{"email": {email}, "role": {role}})
	}

	asha.want(ask("meera@pehchan.example", "lead"), http.StatusSeeOther, "/team")
	first := st.invited(t)
	asha.want(ask("meera@pehchan.example", "lead"), http.StatusSeeOther, "/team") // again
	link := st.invited(t)
	if r := asha.get("/team"); strings.Count(r.body, `data-testid="asked-`) != 1 {
		t.Errorf("want one invitation waiting: %s", r.body)
	}

	meera := st.browser(t)
	if r := meera.get(first); r.status != http.StatusGone {
		t.Errorf("the older link: got %d, want 410", r.status)
	}
	r := meera.get(link)
	if r.status != http.StatusOK || !strings.Contains(r.body, "asha-clinic") || !strings.Contains(r.body, "Support lead") && !strings.Contains(r.body, "lead") ||
		r.header.Get("Referrer-Policy") != "same-origin" {
		t.Fatalf("the link: %d %s", r.status, r.body)
	}
	if r := meera.post(link, url.Values{"name": {"Meera"}, "password": {"meera123"}}); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, `value="Meera"`) {
		t.Errorf("a password that is none: %d", r.status)
	}

	// Of many at once one joins.
	var (
		all  sync.WaitGroup
		mu   sync.Mutex
		done = map[int]int{}
	)
	for range 6 {
		one := st.browser(t)
		one.get(link)
		all.Go(func() {
			r := one.post(link, url.Values{"name": {"Meera"}, "password": {"correct-horse-battery-7"}})
			mu.Lock()
			defer mu.Unlock()
			done[r.status]++
		})
	}
	all.Wait()
	if done[http.StatusSeeOther] != 1 || done[http.StatusGone]+done[http.StatusConflict] != 5 {
		t.Errorf("six at once: got %v, want one to join", done)
	}
	meera.get("/login")
	meera.want(meera.post("/login", url.Values{"email": {"meera@pehchan.example"}, "password": {"correct-horse-battery-7"}}), http.StatusSeeOther, "/")
	if r := meera.get("/home"); r.status != http.StatusOK {
		t.Errorf("Meera at work: got %d", r.status)
	}
	if r := ask("Meera@pehchan.example", "agent"); r.status != http.StatusConflict {
		t.Errorf("who is in the team already: got %d", r.status)
	}

	// A lead may invite agents alone, and withdraw no more than that.
	meera.get("/team")
	if r := meera.post("/team", url.Values{"email": {"x@pehchan.example"}, "role": {"owner"}}); r.status != http.StatusForbidden {
		t.Errorf("a lead invites an owner: got %d", r.status)
	}

	// Who is taken out of the team cannot come back by an invitation of their own.
	meera.want(meera.post("/team", url.Values{"email": {"friend@pehchan.example"}, "role": {"agent"}}), http.StatusSeeOther, "/team")
	st.quiet(t)
	own := st.invited(t)
	id := regexp.MustCompile(`href="/team/([0-9a-f-]{36})/leave"`).FindStringSubmatch(asha.get("/team").body)
	if id == nil {
		t.Fatal("nobody to remove")
	}
	asha.want(asha.post("/team/"+id[1]+"/remove", nil), http.StatusSeeOther, "/team")
	if r := st.browser(t).get(own); r.status != http.StatusGone {
		t.Errorf("the invitation of who is gone: got %d, want 410", r.status)
	}
}

func TestInvitationOfSomebodyElse(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	asha, ravi := st.signedIn(t, "asha"), st.signedIn(t, "ravi")
	asha.get("/team")

	// Ravi has an account and another business: nothing says so until the link is in his hands, and only he can use it.
	known := asha.post("/team", url.Values{"email": {"ravi@pehchan.example"}, "role": {"agent"}})
	asha.want(known, http.StatusSeeOther, "/team")
	link := st.invited(t)
	stranger := st.browser(t)
	if r := stranger.get(link); r.status != http.StatusOK || !strings.Contains(r.body, `data-testid="sign-in-first"`) || strings.Contains(r.body, `name="password"`) {
		t.Errorf("a stranger with the link: %d %s", r.status, r.body)
	}
	for who, b := range map[string]*browser{"a stranger": stranger, "another": asha} {
		b.get(link)
		if r := b.post(link, url.Values{"name": {"Ravi"}, "password": {"correct-horse-battery-7"}}); r.status != http.StatusConflict {
			t.Errorf("%s joins in his place: got %d", who, r.status)
		}
	}
	ravi.get(link)
	ravi.want(ravi.post(link, nil), http.StatusSeeOther, "/choose")
	if r := ravi.get("/choose"); !strings.Contains(r.body, "asha-clinic") || !strings.Contains(r.body, "ravi-motors") {
		t.Errorf("want both businesses: %s", r.body)
	}

	// Case 70: in a mail too a name is a name.
	const name = "<img src=x onerror=alert(1)>\"\r\nBcc: evil@example.com"
	st.exec(t, `UPDATE tenants SET name = $1 WHERE id = $2`, name, st.clinic.ID)
	st.exec(t, `UPDATE people SET name = $1 WHERE email_key = 'asha@pehchan.example'`, name)
	st.quiet(t)
	asha.want(asha.post("/team", url.Values{"email": {"somebody@pehchan.example"}, "role": {"agent"}}), http.StatusSeeOther, "/team")
	mail := st.letters(t, 1)[0]
	head, body, _ := strings.Cut(mail.whole, "\r\n\r\n")
	_, part, _ := strings.Cut(body, "text/html")
	shown, _ := io.ReadAll(quotedprintable.NewReader(strings.NewReader(part)))
	if strings.Contains(head, "\nBcc") || strings.Contains(string(shown), "<img src=x") || !strings.Contains(string(shown), "&lt;img src=x") {
		t.Errorf("want the name as text in a mail to one, got %s\n%s", head, shown)
	}

	// Withdrawn, out of date, made up, another business's.
	asha.get("/team")
	asha.want(asha.post("/team", url.Values{"email": {"joseph@pehchan.example"}, "role": {"agent"}}), http.StatusSeeOther, "/team")
	link = st.invited(t)
	id := regexp.MustCompile(`data-testid="withdraw-([0-9a-f-]{36})"`).FindStringSubmatch(asha.get("/team").body)
	if id == nil {
		t.Fatal("no invitation to withdraw")
	}
	ravi.get("/team")
	if r := ravi.post("/team/invitations/"+id[1]+"/withdraw", nil); r.status != http.StatusNotFound {
		t.Errorf("another business withdraws it: got %d", r.status)
	}
	if r := stranger.get(link); r.status != http.StatusOK {
		t.Errorf("after that: got %d, want it good", r.status)
	}
	asha.get("/team")
	asha.want(asha.post("/team/invitations/"+id[1]+"/withdraw", nil), http.StatusSeeOther, "/team")
	for _, path := range []string{link, link + "x", "/invite/x"} {
		if r := stranger.get(path); r.status != http.StatusGone {
			t.Errorf("%s: got %d, want 410", path, r.status)
		}
		if r := stranger.post(path, url.Values{"name": {"Joseph"}, "password": {"correct-horse-battery-7"}}); r.status != http.StatusGone {
			t.Errorf("post %s: got %d, want 410", path, r.status)
		}
	}
	asha.get("/team")
	asha.want(asha.post("/team", url.Values{"email": {"joseph@pehchan.example"}, "role": {"agent"}}), http.StatusSeeOther, "/team")
	link = st.invited(t)
	st.exec(t, `UPDATE invitations SET expires_at = now() - interval '1 second'`)
	if r := stranger.get(link); r.status != http.StatusGone {
		t.Errorf("a week later: got %d, want 410", r.status)
	}
	if !access.SameMailbox("A@x.example", "a@X.example") {
		t.Error("one mailbox in two spellings")
	}
}
