package server_test

import (
	"context"
	"log/slog"
	"mime"
	"net/http"
	netmail "net/mail"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/server/teller"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/lives"
	"github.com/pehchan/pehchan/tenants/mail"
	"github.com/pehchan/pehchan/tenants/notices"
	"github.com/pehchan/pehchan/tenants/sandbox"
)

// letter is a mail that went out.
type letter struct{ to, subject, leave, whole string }

// tellKinds are the kinds of jobs, besides that of notices, that mails come of.
var tellKinds = []string{access.KindReset, access.KindChanged, access.KindLife, access.KindFactor, access.KindSignIn, lives.KindErased, access.KindSupport}

// letters tells whoever is to be told, and returns the mails that came of it, once there are n of them.
func (st *site) letters(t *testing.T, n int) []letter {
	t.Helper()

	folder := t.TempDir()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	log := slog.New(slog.DiscardHandler)
	go func() {
		ended <- teller.New(config.Config{PublicURL: "https://pehchan.example"}, st.DB, st.keys, log).Run(ctx)
	}()
	// A sender looks only now and then, so it begins when there is something: the wait for its second look was most of the time of many tests.
	send := sync.OnceFunc(func() {
		go func() { ended <- mail.NewSender(st.DB, st.keys, mail.ToFolder(folder), log).Run(ctx) }()
	})
	var files []string
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		var untold, unsent int
		if err := st.DB.SQL().QueryRow(`
			SELECT (SELECT count(*) FROM jobs WHERE kind = $1 AND state <> 'done' OR kind = ANY($2) AND (state = 'running' OR state = 'waiting' AND run_at <= now())),
			       (SELECT count(*) FROM mails WHERE state = 'waiting')`, notices.KindTell, pq.Array(tellKinds)).Scan(&untold, &unsent); err != nil {
			t.Fatal(err)
		}
		if untold == 0 {
			send()
		}
		if files, _ = filepath.Glob(filepath.Join(folder, "*.eml")); untold+unsent == 0 && len(files) >= n {
			break
		}
		if time.Since(began) > time.Minute {
			t.Fatalf("%d mails came, want %d", len(files), n)
		}
	}
	stop()
	send() // where there was nothing to send at all
	for range 2 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}

	var list []letter
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		msg, err := netmail.ReadMessage(strings.NewReader(string(raw)))
		if err != nil {
			t.Fatal(err)
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, letter{msg.Header.Get("To"), subject, strings.Trim(msg.Header.Get("List-Unsubscribe"), "<>"), string(raw)})
	}

	return list
}

func (st *site) tellOf(t *testing.T, tenant, number uuid.UUID, at time.Time) {
	t.Helper()

	err := st.DB.As(t.Context(), tenant, func(tx *tenants.Tx) error {
		return notices.Tell(t.Context(), tx, notices.Own{
			Number: number, WABA: "1", Field: notices.FieldSilence, Event: notices.SilenceBegan, At: at, Facts: notices.Facts{"hours": "7"},
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestOwnersAreToldByMail(t *testing.T) {
	t.Parallel()
	st := newGraphSite(t)
	asha := st.signedIn(t, "asha")
	at := asha.connect(sandbox.Known().Numbers[0])
	number := uuid.MustParse(strings.TrimPrefix(at, "/numbers/"))
	st.member(t, st.clinic, "meera", "lead")
	began := time.Now().Add(-7 * time.Hour)
	for range 2 { // told twice is told once
		st.tellOf(t, st.clinic.ID, number, began)
	}

	got := st.letters(t, 1)
	if len(got) != 1 || !strings.Contains(got[0].to, "asha@pehchan.example") {
		t.Fatalf("got %+v, want one mail, to the owner", got)
	}
	if want := "asha-clinic: Nothing had come for 7 hours"; !strings.HasPrefix(got[0].subject, want) {
		t.Errorf("subject %q, want %q", got[0].subject, want)
	}
	if !strings.Contains(got[0].whole, "https://pehchan.example"+at+"/health") {
		t.Errorf("want a link to the number's health: %s", got[0].whole)
	}

	// Looking at the link changes nothing; the press of a mail program, without cookies or a form of ours, ends these mails.
	path := strings.TrimPrefix(got[0].leave, "https://pehchan.example")
	stranger := st.browser(t)
	if r := stranger.get(path); r.status != http.StatusOK || !strings.Contains(r.body, `data-testid="leave"`) {
		t.Fatalf("the page to leave: %d %s", r.status, r.body)
	}
	if r := asha.get("/settings"); !strings.Contains(r.body, `name="alerts" value="on" checked`) {
		t.Errorf("after looking: want alerts still wanted: %s", r.body)
	}
	program := st.browser(t)
	program.headers = map[string]string{"Origin": ""}
	if r := program.post(path, url.Values{"List-Unsubscribe": {"One-Click"}, "_csrf": {""}}); r.status != http.StatusOK || !strings.Contains(r.body, `data-testid="left"`) {
		t.Fatalf("leave: %d %s", r.status, r.body)
	}
	if r := asha.get("/settings"); strings.Contains(r.body, `name="alerts" value="on" checked`) || !strings.Contains(r.body, `name="digest" value="on" checked`) {
		t.Errorf("after leaving: want digests alone: %s", r.body)
	}
	st.tellOf(t, st.clinic.ID, number, began.Add(time.Hour))
	if got := st.letters(t, 0); len(got) != 0 {
		t.Errorf("after leaving: got %+v", got)
	}

	// And wanted again.
	asha.want(asha.post("/settings/mails", url.Values{"alerts": {"on"}, "digest": {"on"}}), http.StatusSeeOther, "/settings#mails")
	asha.want(asha.post("/language", url.Values{"lang": {"hi"}}), http.StatusSeeOther, "/")
	st.tellOf(t, st.clinic.ID, number, began.Add(2*time.Hour))
	if got := st.letters(t, 1); len(got) != 1 || !strings.Contains(got[0].subject, "घंटे से कुछ नहीं आया") {
		t.Errorf("in Hindi: got %+v", got)
	}

	for _, bad := range []string{path[:len(path)-2], path[:len(path)-2] + "AA", "/mails/leave/x"} {
		if r := program.post(bad, url.Values{"_csrf": {""}}); r.status != http.StatusNotFound {
			t.Errorf("%s: got %d, want 404", bad, r.status)
		}
	}
}
