package server_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/tenants"
)

// listener reads a stream of events of a server that runs at address, as somebody who signs in there.
func (st *site) listener(t *testing.T, address, name string) (client *http.Client, lines <-chan string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client = &http.Client{Jar: jar, Timeout: time.Minute}
	page, err := client.Get(address + "/login")
	if err != nil {
		t.Fatal(err)
	}
	token := tokenIn(t, page)
	in, err := client.PostForm(address+"/login", url.Values{"email": {name + "@pehchan.example"}, "password": {password}, "_csrf": {token}})
	if err != nil {
		t.Fatal(err)
	}
	_ = in.Body.Close()

	ask, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	ask.Header.Set("Accept", "text/event-stream")
	stream, err := client.Do(ask)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stream.Body.Close() })
	if stream.StatusCode != http.StatusOK || stream.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("want a stream, got %d %s", stream.StatusCode, stream.Header.Get("Content-Type"))
	}

	said := make(chan string, 100)
	go func() {
		defer close(said)
		for scan := bufio.NewScanner(stream.Body); scan.Scan(); {
			said <- scan.Text()
		}
	}()

	return client, said
}

func tokenIn(t *testing.T, page *http.Response) string {
	t.Helper()
	defer func() { _ = page.Body.Close() }()
	for scan := bufio.NewScanner(page.Body); scan.Scan(); {
		if found := tokenInPage.FindStringSubmatch(scan.Text()); found != nil {
			return found[1]
		}
	}
	t.Fatal("want a form on the page")

	return ""
}

// hear waits for a line and returns whether it came before the stream ended.
func hear(t *testing.T, lines <-chan string, want string) bool {
	t.Helper()
	limit := time.After(shown)
	for {
		select {
		case line, ok := <-lines:
			if !ok || line == want {
				return ok
			}
		case <-limit:
			t.Fatalf("want %q or the end of the stream", want)
		}
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.member(t, st.motors, "meera", "lead")
	st.member(t, st.motors, "joseph", "agent")
	address, stop := st.listen(t, config.Config{})
	count := func(tenant uuid.UUID) {
		st.exec(t, `INSERT INTO inbox_counters (tenant_id, number_id, slot, received, routed) VALUES ($1, $2, 0, 1, 1)`, tenant, uuid.New())
	}
	count(st.clinic.ID)

	client, asha := st.listener(t, address, "asha")
	_, ravi := st.listener(t, address, "ravi")
	_, meera := st.listener(t, address, "meera")
	_, joseph := st.listener(t, address, "joseph")
	for name, lines := range map[string]<-chan string{"asha": asha, "ravi": ravi} {
		if !hear(t, lines, "event: changed") || !hear(t, lines, ": beat") {
			t.Fatalf("want %s told at once, and the stream to stay", name)
		}
	}

	// By now both are watched. What comes for the one is not told to the other.
	count(st.clinic.ID)
	if !hear(t, asha, "event: changed") {
		t.Error("want a change told")
	}
	if !hear(t, ravi, ": beat") {
		t.Error("want another business's stream to stay")
	}
	select {
	case line := <-ravi:
		if strings.HasPrefix(line, "event:") {
			t.Error("want nothing told of another business's change")
		}
	default:
	}

	st.exec(t, `UPDATE memberships SET role = 'agent' WHERE person_id = (SELECT id FROM people WHERE email_key = 'meera@pehchan.example')`)
	st.exec(t, `DELETE FROM memberships WHERE person_id = (SELECT id FROM people WHERE email_key = 'joseph@pehchan.example')`)
	st.exec(t, `UPDATE sessions SET revoked_at = now() WHERE tenant_id = $1`, st.clinic.ID)
	ended := time.Now()
	if !hear(t, asha, "event: ended") || !hear(t, asha, "data: out") || hear(t, asha, "never said") || time.Since(ended) > 6*time.Second {
		t.Error("want the stream to say that the session is over and to end with it, within seconds")
	}
	for name, lines := range map[string]<-chan string{"of another role": meera, "of the team no more": joseph} {
		if !hear(t, lines, "event: ended") || hear(t, lines, "never said") || time.Since(ended) > 6*time.Second {
			t.Errorf("want the stream of somebody %s ended within seconds", name)
		}
	}
	st.exec(t, `UPDATE tenants SET state = 'suspended' WHERE id = $1`, st.motors.ID)
	if !hear(t, ravi, "event: ended") || !hear(t, ravi, "data: moved") {
		t.Error("want it said that a business lets nobody in any more")
	}
	again, err := http.NewRequestWithContext(context.Background(), http.MethodGet, address+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	again.Header.Set("Accept", "text/event-stream")
	res, err := client.Do(again)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		t.Error("want no stream without a session")
	}

	// A stream does not hold up the end of the server.
	st.exec(t, `UPDATE tenants SET state = 'active' WHERE id = $1`, st.motors.ID)
	_, ravi = st.listener(t, address, "ravi")
	if err := stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if hear(t, ravi, "never said") {
		t.Error("want the stream ended with the server")
	}
}

// What a page asks by itself does not keep a session awake.
func TestOpenPageLetsASessionEnd(t *testing.T) {
	t.Parallel()
	st := newGraphSite(t)
	asha := st.signedIn(t, "asha")
	seen := func() (idle bool) {
		err := st.DB.System(t.Context(), func(tx *tenants.Tx) error {
			return tx.Get(&idle, `SELECT bool_and(seen_at < now() - interval '5 minutes') FROM sessions`)
		})
		if err != nil {
			t.Fatal(err)
		}

		return idle
	}

	st.exec(t, `UPDATE sessions SET seen_at = now() - interval '10 minutes'`)
	for _, path := range []string{"/events", "/numbers/" + uuid.NewString() + "/live"} {
		if asha.get(path); !seen() {
			t.Errorf("%s: want the session to stay idle", path)
		}
	}
	asha.headers = map[string]string{"Live": "1"}
	if asha.get("/inbox"); !seen() {
		t.Error("a page that asks for itself again: want the session to stay idle")
	}
	if asha.get("/numbers"); seen() {
		t.Error("want a page that somebody opens to wake the session")
	}
}

// An open page whose session is over is not led away from: it is told, and keeps what was typed on it.
func TestOpenPageIsToldThatItIsOver(t *testing.T) {
	t.Parallel()
	st := newGraphSite(t)
	st.member(t, st.clinic, "meera", "agent")
	asha, meera := st.signedIn(t, "asha"), st.signedIn(t, "meera")
	ask := func(b *browser, path string) (int, string) {
		b.headers = map[string]string{"HX-Request": "true", "Live": "1"}
		r := b.get(path)
		return r.status, r.header.Get("HX-Trigger") + r.header.Get("HX-Redirect")
	}
	if status, _ := ask(meera, "/inbox"); status != http.StatusOK {
		t.Fatalf("the inbox: %d", status)
	}
	st.exec(t, `UPDATE memberships SET role = 'auditor' WHERE person_id = (SELECT id FROM people WHERE email_key = 'meera@pehchan.example')`)
	if status, told := ask(meera, "/numbers/new"); status != http.StatusUnauthorized || told != `{"ended":"moved"}` {
		t.Errorf("a page that is not hers any more: got %d %s", status, told)
	}
	st.exec(t, `UPDATE sessions SET revoked_at = now()`)
	for b, path := range map[*browser]string{asha: "/numbers/" + uuid.NewString() + "/live", meera: "/inbox"} {
		if status, told := ask(b, path); status != http.StatusUnauthorized || told != `{"ended":"out"}` {
			t.Errorf("%s without a session: got %d %s", path, status, told)
		}
	}
}
