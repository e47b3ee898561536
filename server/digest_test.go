package server_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"net/http"
	netmail "net/mail"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/server/teller"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/facts"
	"github.com/pehchan/pehchan/tenants/mail"
)

// digests runs what sends the weekly mails, as turns does.
func (st *site) digests(t *testing.T) map[string]string {
	t.Helper()

	return st.turns(t, facts.KindDigest, (*teller.Teller).RunDigests)
}

// turns runs what sends mails of a kind until all its jobs lie ahead and nothing waits, and returns the mails that came, text and HTML, by
// recipient.
func (st *site) turns(t *testing.T, kind string, run func(*teller.Teller, context.Context) error) map[string]string {
	t.Helper()

	folder := t.TempDir()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	log := slog.New(slog.DiscardHandler)
	go func() {
		ended <- run(teller.New(config.Config{PublicURL: origin}, st.DB, st.keys, log), ctx)
	}()
	go func() { ended <- mail.NewSender(st.DB, st.keys, mail.ToFolder(folder), log).Run(ctx) }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); ; <-tick.C {
		var open, planned int
		if err := st.DB.System(t.Context(), func(tx *tenants.Tx) error {
			if err := tx.Get(&planned, `SELECT count(*) FROM jobs WHERE kind = $1`, kind); err != nil {
				return err
			}

			return tx.Get(&open, `
				SELECT (SELECT count(*) FROM jobs WHERE kind = $1 AND (state = 'running' OR run_at <= now())) + (SELECT count(*) FROM mails WHERE state = 'waiting')`, kind)
		}); err != nil {
			t.Fatal(err)
		}
		if planned == 2 && open == 0 {
			break
		}
		if time.Since(began) > time.Minute {
			t.Fatalf("%d jobs are planned, %d open", planned, open)
		}
	}
	stop()
	for range 2 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}

	files, err := filepath.Glob(filepath.Join(folder, "*.eml"))
	if err != nil {
		t.Fatal(err)
	}
	came := map[string]string{}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		msg, err := netmail.ReadMessage(strings.NewReader(string(raw)))
		if err != nil {
			t.Fatal(err)
		}
		_, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
		if err != nil {
			t.Fatal(err)
		}
		to, parts := strings.Trim(msg.Header.Get("To"), "<>"), multipart.NewReader(msg.Body, params["boundary"])
		came[to] += msg.Header.Get("List-Unsubscribe") + "\n"
		for {
			part, err := parts.NextPart()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(part)
			if err != nil {
				t.Fatal(err)
			}
			came[to] += string(text)
		}
	}

	return came
}

// due makes the digests of all businesses due now.
func (st *site) digestsDue(t *testing.T) {
	t.Helper()
	st.exec(t, `UPDATE jobs SET run_at = now() WHERE kind = $1`, facts.KindDigest)
}

func TestTheWeeklyMail(t *testing.T) {
	t.Parallel()
	st := newLedgerSite(t)
	st.member(t, st.clinic, "meera", "agent")
	if came := st.digests(t); len(came) != 0 {
		t.Errorf("a new business: got %v, want no mail", came)
	}
	var days []time.Time
	if err := st.DB.System(t.Context(), func(tx *tenants.Tx) error {
		return tx.Select(&days, `SELECT run_at FROM jobs WHERE kind = $1`, facts.KindDigest)
	}); err != nil {
		t.Fatal(err)
	}
	for _, day := range days {
		if at := day.In(st.clinic.Location()); at.Weekday() != time.Monday || at.Hour() != 8 || !at.After(time.Now()) || time.Until(at) > 7*24*time.Hour {
			t.Errorf("the next is due on %s, want the coming Monday at 8 there", at)
		}
	}
	st.digestsDue(t)
	if came := st.digests(t); len(came) != 0 {
		t.Errorf("a week without news: got %v, want no mail", came)
	}

	// News: one owner has read it, the other gets it in their language, and nobody else does.
	asha, ravi := st.signedIn(t, "asha"), st.signedIn(t, "ravi")
	ravi.post("/language", url.Values{"lang": {"hi"}, "next": {"/home"}})
	st.news(t, "live")
	asha.get("/changes")
	asha.want(asha.post("/changes/read", url.Values{"seq": {"100000"}}), http.StatusSeeOther, "/changes")
	st.digestsDue(t)
	came := st.digests(t)
	if len(came) != 1 {
		t.Fatalf("got %v, want one mail to Ravi", came)
	}
	got := came["ravi@pehchan.example"]
	for _, want := range []string{"भारत: सरकार के कहने पर", "मंत्रालय मान गया।", origin + "/changes", origin + "/mails/leave/"} {
		if !strings.Contains(got, want) {
			t.Errorf("the mail lacks %q: %s", want, got)
		}
	}
	st.digestsDue(t)
	if came := st.digests(t); len(came) != 0 {
		t.Errorf("the same week again: got %v, want nothing told twice", came)
	}

	// One press ends it; the other owner goes on getting it.
	leave := got[strings.Index(got, origin)+len(origin) : strings.Index(got, ">")]
	if r := st.browser(t).get(leave); r.status != http.StatusOK {
		t.Fatalf("%s: got %d", leave, r.status)
	}
	mailProgram := st.browser(t)
	mailProgram.headers = map[string]string{"Origin": "", "Content-Type": "application/x-www-form-urlencoded"}
	if r := mailProgram.do(http.MethodPost, leave, strings.NewReader("List-Unsubscribe=One-Click")); r.status != http.StatusOK {
		t.Errorf("one press in a mail program: got %d", r.status)
	}
	st.exec(t, `DELETE FROM mails`)
	st.news(t, "paused")
	st.digestsDue(t)
	if came := st.digests(t); len(came) != 1 || !strings.Contains(came["asha@pehchan.example"], "India: Usernames") {
		t.Errorf("after Ravi left: got %v, want one mail to Asha", came)
	}
}

// news has an operator change what is said of India.
func (st *site) news(t *testing.T, value string) {
	t.Helper()
	err := st.DB.System(t.Context(), func(tx *tenants.Tx) error {
		f, err := facts.Get(t.Context(), tx, "usernames.in")
		if err != nil {
			return err
		}
		in := facts.Change{Key: f.Key, Version: f.Version, Content: f.Content}
		in.Value, in.TextEN, in.TextHI = value, "The ministry has spoken: "+value+".", "मंत्रालय मान गया।"
		_, err = facts.Edit(t.Context(), tx, tenants.Actor{Kind: "operator", Name: "Omar"}, in, time.Now())

		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
