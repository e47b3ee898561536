package server_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

const newcomer = "lata.sharma@pehchan.example"

var (
	sharedLink = regexp.MustCompile(`<code>https://pehchan\.example(/invite/by/[A-Za-z0-9_-]{43})</code>`)
	sharing    = regexp.MustCompile(`data-testid="share-([0-9a-f-]{36})"`)
)

// inviting has b invite somebody, and returns where a link to that is made and the link of the mail.
func (st *site) inviting(t *testing.T, b *browser, email, role string) (share, mailed string) {
	t.Helper()
	st.quiet(t)
	b.get("/team")
	b.want(b.post("/team", url.Values{"email": {email}, "role": {role}}), http.StatusSeeOther, "/team")
	mailed = st.invited(t)
	_, row, found := strings.Cut(b.get("/team").body, `<bdi class="block">`+email)
	id := sharing.FindStringSubmatch(row)
	if !found || id == nil {
		t.Fatalf("no way to share the invitation of %s", email)
	}

	return "/team/invitations/" + id[1] + "/share", mailed
}

// shares makes a link to pass on, as b.
func (b *browser) shares(at string) (link string) {
	b.t.Helper()
	r := b.post(at, nil)
	found := sharedLink.FindStringSubmatch(r.body)
	if r.status != http.StatusOK || found == nil {
		b.t.Fatalf("share: want a link, got %d %s", r.status, r.body)
	}
	if strings.Contains(b.get("/team").body, found[1]) {
		b.t.Error("the link is shown twice")
	}

	return found[1]
}

// gone tells of links that should be good no more, to whoever opens them and to whoever asks.
func (b *browser) gone(when string, links ...string) {
	b.t.Helper()
	for _, link := range links {
		if r := b.get(link); r.status != http.StatusGone || strings.Contains(r.body, "asha-clinic") {
			b.t.Errorf("%s, %s: got %d, want 410 and no word of the business", when, link, r.status)
		}
		if r := b.post(link, url.Values{"name": {"Lata"}, "password": {"correct-horse-battery-7"}}); r.status != http.StatusGone {
			b.t.Errorf("%s, post %s: got %d, want 410", when, link, r.status)
		}
	}
}

func (b *browser) good(when string, links ...string) {
	b.t.Helper()
	for _, link := range links {
		if r := b.get(link); r.status != http.StatusOK {
			b.t.Errorf("%s, %s: got %d, want it good", when, link, r.status)
		}
	}
}

func (st *site) count(t *testing.T, query string) (n int) {
	t.Helper()
	if err := st.DB.SQL().QueryRow(query).Scan(&n); err != nil {
		t.Fatal(err)
	}

	return n
}

// A link that is passed on lets nobody in: it has the invitation mailed again to whom it is for, so often and no oftener, and spoils no mail.
func TestSharedInvitation(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	asha, stranger := st.signedIn(t, "asha"), st.browser(t)
	at, mailed := st.inviting(t, asha, newcomer, "agent")
	asha.has(asha.get("/team"), http.StatusOK, "Share a link", "Did the mail not arrive?")
	asha.has(asha.post(at, nil), http.StatusOK, newcomer, `data-testid="share-whatsapp"`, `rel="noopener noreferrer"`, "Another link",
		"https://wa.me/?text=You%20are%20invited%20to%20join%20asha-clinic%20on%20Pehchan.", "https%3A%2F%2Fpehchan.example%2Finvite%2Fby%2F")
	link := asha.shares(at)

	// What whoever opens it sees is no way in, and not the e-mail.
	r := stranger.get(link)
	stranger.has(r, http.StatusOK, "asha-clinic", "l•••@pehchan.example", `data-testid="shared-ask"`)
	stranger.lacks(r, newcomer, "lata", `data-testid="join"`, `name="password"`)
	if r.header.Get("Referrer-Policy") != "same-origin" {
		t.Errorf("the address is told to others: %v", r.header)
	}
	stranger.gone("as if it were the mail's", strings.Replace(link, "/by/", "/", 1))
	stranger.get(link)
	people := st.count(t, `SELECT count(*) FROM people`)
	r = stranger.post(link, url.Values{"name": {"Lata"}, "password": {"correct-horse-battery-7"}, "email": {"evil@pehchan.example"}})
	stranger.has(r, http.StatusOK, `data-testid="shared-sent"`, "l•••@pehchan.example")
	stranger.lacks(r, newcomer, "lata")
	if n := st.count(t, `SELECT count(*) FROM people`); n != people {
		t.Errorf("%d people by a link that lets nobody in", n-people)
	}
	got := st.letters(t, 1)
	if len(got) != 1 || !strings.Contains(got[0].to, newcomer) {
		t.Fatalf("got %+v, want one mail, to whom the invitation is for", got)
	}

	// Asked again and again, every mail stays good, and from the fourth in a day on there is none.
	stranger.get(link)
	stranger.post(link, nil)
	again := st.invited(t)
	stranger.good("after that", mailed, again)
	stranger.get(link)
	stranger.post(link, nil)
	if third := st.invited(t); third != again {
		t.Errorf("the third mail has the link %s, want that of the second, %s", third, again)
	}
	for range 2 {
		r = stranger.post(link, nil)
		stranger.has(r, http.StatusTooManyRequests, "l•••@pehchan.example", "asked for several times", `data-testid="shared-ask"`)
		if r.header.Get("Retry-After") == "" || st.count(t, `SELECT count(*) FROM mails WHERE state = 'waiting'`) != 0 {
			t.Errorf("too often: want no mail and when it may be asked again, got %v", r.header)
		}
	}
	stranger.good("over the limit", link, mailed, again)
	asha.has(asha.get("/audit"), http.StatusOK, "Link to an invitation made to pass on", "Invitation mailed again, asked for by its shared link")

	// By either mail they come in, once, and with that every link is over.
	lata := st.browser(t)
	lata.get(again)
	lata.want(lata.post(again, url.Values{"name": {"Lata"}, "password": {"correct-horse-battery-7"}}), http.StatusSeeOther, "/")
	lata.good("at work", "/home")
	stranger.gone("accepted", link, mailed, again)
	asha.get("/team")
	asha.want(asha.post(at, nil), http.StatusNotFound, "")
}

func TestSharedInvitationEnds(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	asha, stranger := st.signedIn(t, "asha"), st.browser(t)
	meera := st.member(t, st.clinic, "meera", "lead")
	lead := st.signedIn(t, "meera")
	stranger.get("/login")

	at, mailed := st.inviting(t, asha, newcomer, "agent")
	old := asha.shares(at)
	link := asha.shares(at)
	stranger.gone("another was made", old)
	stranger.gone("made up", link+"x", "/invite/by/x")
	stranger.good("the newest", link, mailed)

	st.exec(t, `UPDATE tenants SET state = 'suspended' WHERE id = $1`, st.clinic.ID)
	stranger.gone("suspended", link)
	st.exec(t, `UPDATE tenants SET state = 'active' WHERE id = $1`, st.clinic.ID)
	stranger.good("active again", link)

	st.exec(t, `UPDATE invitations SET expires_at = now() - interval '1 second'`)
	stranger.gone("a week later", link)
	if r := asha.get("/team"); sharing.MatchString(r.body) {
		t.Error("an invitation that is over is offered to be shared")
	}
	asha.want(asha.post(at, nil), http.StatusNotFound, "")
	st.exec(t, `UPDATE invitations SET expires_at = now() + interval '1 day'`)

	next, _ := st.inviting(t, asha, newcomer, "agent")
	stranger.gone("invited again", link)
	link = asha.shares(next)
	asha.want(asha.post(strings.TrimSuffix(next, "share")+"withdraw", nil), http.StatusSeeOther, "/team")
	stranger.gone("withdrawn", link)
	asha.want(asha.post(next, nil), http.StatusNotFound, "")

	// Who made a link takes it along, where they invited and where another did.
	at, mailed = st.inviting(t, asha, newcomer, "agent")
	link = lead.shares(at)
	own, ownMailed := st.inviting(t, lead, "joseph@pehchan.example", "agent")
	ownLink := asha.shares(own)
	stranger.get(ownLink)
	stranger.post(ownLink, nil)
	again := st.invited(t)
	stranger.good("before", link, ownLink, ownMailed, again)
	asha.get("/team")
	asha.want(asha.post("/team/"+meera.String()+"/role", url.Values{"role": {"agent"}}), http.StatusSeeOther, "/team")
	stranger.gone("whose inviter has another role", ownLink, ownMailed, again)
	stranger.gone("who shared it has another role", link)
	stranger.good("which another invited", mailed)
	asha.good("which may be shared again", asha.shares(at))
}

func TestSharedInvitationOfOthers(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	asha, ravi := st.signedIn(t, "asha"), st.signedIn(t, "ravi")
	st.member(t, st.clinic, "meera", "lead")
	lead := st.signedIn(t, "meera")

	at, _ := st.inviting(t, asha, newcomer, "auditor")
	ravi.get("/team")
	ravi.want(ravi.post(at, nil), http.StatusNotFound, "")
	if r := lead.get("/team"); sharing.MatchString(r.body) {
		t.Error("a lead is offered to share the invitation of an auditor")
	}
	lead.want(lead.post(at, nil), http.StatusForbidden, "")
	if n := st.count(t, `SELECT count(*) FROM invitations WHERE share_hash IS NOT NULL`); n != 0 {
		t.Errorf("%d links by those who may not", n)
	}

	// The page and its answer are the same whether the e-mail has an account, and so is the work.
	varies := regexp.MustCompile(`(value|nonce)="[^"]*"|/invite/by/[A-Za-z0-9_-]+|[a-z]•••@`)
	var page, answered string
	var cost effort
	for _, email := range []string{"nobody@pehchan.example", "ravi@pehchan.example"} {
		at, _ := st.inviting(t, asha, email, "agent")
		link := asha.shares(at)
		b := st.browser(t)
		opened := b.get(link)
		before := st.effort(t)
		r := b.post(link, nil)
		work := st.effort(t).since(before)
		work.Hashed = 0 // counts what every test of the process hashes
		if opened.status != http.StatusOK || r.status != http.StatusOK || work.Mails != 1 {
			t.Errorf("%s: got %d and %d, at %+v", email, opened.status, r.status, work)
		}
		got, told := varies.ReplaceAllString(opened.body, ""), varies.ReplaceAllString(r.body, "")
		if page != "" && (got != page || told != answered || work != cost) {
			t.Errorf("%s shows that it has an account, at %+v for %+v:\n%s\n%s", email, work, cost, got, told)
		}
		page, answered, cost = got, told, work
		st.letters(t, 1)
	}
}
