package server_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/server/teller"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/usernames"
)

// overdue runs what tells whose day has passed as of a new day, and returns the mails that came.
func (st *site) overdue(t *testing.T) map[string]string {
	t.Helper()
	st.exec(t, `UPDATE jobs SET run_at = now() WHERE kind = $1`, usernames.KindOverdue)

	return st.turns(t, usernames.KindOverdue, (*teller.Teller).RunOverdue)
}

// Whoever looks after a username or a printed place hears once by mail that its day has passed, in their language, until they want no more.
func TestSomebodyHearsThatTheirDayHasPassed(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	meera := st.member(t, st.clinic, "meera", "marketing")
	s := st.shop(t, st.clinic)
	asha, reader := st.signedIn(t, "asha"), st.signedIn(t, "meera")
	reader.post("/language", url.Values{"lang": {"hi"}, "next": {"/home"}})
	day := func(days int) string {
		return time.Now().In(st.clinic.Location()).AddDate(0, 0, days).Format(time.DateOnly)
	}
	place := func(key, state string, due int) {
		t.Helper()
		form := url.Values{"state": {state}, "owner": {meera.String()}, "due": {day(due)}}
		asha.want(asha.post("/usernames/kit/places/"+key, form), http.StatusSeeOther, "/usernames/kit#place-"+key)
	}
	place("board", "todo", -1)
	place("bill", "todo", 0) // is due today
	place("card", "done", -3)
	st.exec(t, `DELETE FROM mails`) // that she was named

	if came := st.turns(t, usernames.KindOverdue, (*teller.Teller).RunOverdue); len(came) != 0 {
		t.Errorf("a new business: got %v, want no mail before its first morning", came)
	}
	came := st.overdue(t)
	got := came["meera@pehchan.example"]
	if len(came) != 1 {
		t.Fatalf("got %v, want one mail to Meera", came)
	}
	for _, want := range []string{
		"यह काम आपके ज़िम्मे था", "यहाँ हमारा नाम लगाना है", origin + "/usernames/kit#place-board", "तक करना था", origin + "/mails/leave/", "<html", "asha-clinic",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the mail lacks %q: %s", want, got)
		}
	}
	for _, other := range []string{"place-bill", "place-card"} {
		if strings.Contains(got, other) {
			t.Errorf("the mail tells of %s, which is not overdue", other)
		}
	}
	if came := st.overdue(t); len(came) != 0 {
		t.Errorf("told again: %v", came)
	}

	// Another day that passes is told, a username with a place in one mail, in English by now.
	reader.post("/language", url.Values{"lang": {"en"}, "next": {"/home"}})
	place("board", "todo", -2)
	s.as(func(tx *tenants.Tx) error {
		_, err := tx.Exec(`
			INSERT INTO number_usernames (tenant_id, number_id, wanted, owner_id, due_on) SELECT tenant_id, id, 'asha.clinic', $2, now()::date - 9 FROM numbers WHERE tenant_id = $1 LIMIT 1`,
			st.clinic.ID, meera)
		return err
	})
	st.exec(t, `DELETE FROM mails`)
	got = st.overdue(t)["meera@pehchan.example"]
	for _, want := range []string{"You were to see to these", "Username for", "Our name on: ", "It was due by", "/usernames/kit#place-board"} {
		if !strings.Contains(got, want) {
			t.Errorf("the mail lacks %q: %s", want, got)
		}
	}

	// By the link in it she wants no more, and takes that back.
	leave := regexp.MustCompile(`/mails/leave/[\w-]+`).FindString(got)
	b := st.browser(t)
	b.has(b.get(leave), http.StatusOK, "look after has passed")
	b.has(b.post(leave, nil), http.StatusOK, `data-testid="left"`, `name="again"`)
	place("board", "todo", -4)
	st.exec(t, `DELETE FROM mails`)
	if came := st.overdue(t); len(came) != 0 {
		t.Errorf("who wants none: got %v", came)
	}
	b.has(b.post(leave, url.Values{"again": {"yes"}}), http.StatusOK, `data-testid="again"`, "come again")
	if came := st.overdue(t); len(came) != 1 {
		t.Errorf("who wants them again: got %v, want one mail", came)
	}

	// The settings say the same, also to somebody who is no owner, and ask them nothing that comes to owners alone.
	page := reader.get("/settings")
	reader.has(page, http.StatusOK, `name="tasks"`)
	if strings.Contains(page.body, `name="alerts"`) {
		t.Error("somebody of marketing is asked whether she wants what comes to owners alone")
	}
	wants := func() (w access.MailWishes) {
		t.Helper()
		s.as(func(tx *tenants.Tx) (err error) {
			w, err = access.Wishes(t.Context(), tx, meera)
			return err
		})

		return w
	}
	before := wants()
	reader.want(reader.post("/settings/mails", url.Values{"digest": {"on"}}), http.StatusSeeOther, "/settings#mails")
	if got := wants(); got.Tasks || !before.Tasks || got.Alerts != before.Alerts || got.Digest != before.Digest {
		t.Errorf("who wants none: got %+v, was %+v", got, before)
	}
	reader.want(reader.post("/settings/mails", url.Values{"tasks": {"on"}}), http.StatusSeeOther, "/settings#mails")
	if got := wants(); got != before {
		t.Errorf("who wants them again: got %+v, was %+v", got, before)
	}

	// In the quiet hours of the business it waits for their end.
	place("board", "todo", -5)
	st.exec(t, `DELETE FROM mails`)
	clock := func(d time.Duration) string { return time.Now().In(st.clinic.Location()).Add(d).Format("15:04") }
	asha.want(asha.post("/settings/quiet", url.Values{"on": {"yes"}, "from": {clock(-2 * time.Hour)}, "until": {clock(2 * time.Hour)}}), http.StatusSeeOther, "/settings#quiet")
	st.exec(t, `UPDATE jobs SET run_at = now() WHERE kind = $1`, usernames.KindOverdue)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		ended <- teller.New(config.Config{PublicURL: origin}, st.DB, st.keys, slog.New(slog.DiscardHandler)).RunOverdue(ctx)
	}()
	var minutes []float64
	for began := time.Now(); len(minutes) == 0 && time.Since(began) < time.Minute; time.Sleep(20 * time.Millisecond) {
		s.as(func(tx *tenants.Tx) error {
			return tx.Select(&minutes, `SELECT extract(epoch FROM run_at - now()) / 60 FROM mails WHERE tenant_id = $1 AND key LIKE 'overdue %'`, tx.Tenant)
		})
	}
	stop()
	if err := <-ended; err != nil || len(minutes) != 1 || minutes[0] < 100 || minutes[0] > 121 {
		t.Errorf("in quiet hours: mails in %.0f minutes (%v), want one at their end", minutes, err)
	}
	asha.has(asha.get("/audit"), http.StatusOK, "Mails about what is overdue")
}
