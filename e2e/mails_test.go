package e2e_test

import (
	"context"
	"log/slog"
	netmail "net/mail"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/server/teller"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/mail"
	"github.com/pehchan/pehchan/tenants/notices"
)

// toldByMail has the owner told of a silence, and returns the page that the mail offers for wanting no more.
func (w *world) toldByMail(t *testing.T) (leave string) {
	t.Helper()

	w.as(t, w.clinic, func(tx *tenants.Tx) error {
		return notices.Tell(t.Context(), tx, notices.Own{
			Number: uuid.MustParse(strings.TrimPrefix(w.numbers[0], "/numbers/")), WABA: "1", Field: notices.FieldSilence, Event: notices.SilenceBegan,
			At: time.Now().Add(-7 * time.Hour), Facts: notices.Facts{"hours": "7"},
		})
	})
	folder, log := t.TempDir(), slog.New(slog.DiscardHandler)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	const origin = "https://pehchan.example"
	for _, run := range []func(context.Context) error{
		teller.New(config.Config{PublicURL: origin}, w.DB, w.keys, log).Run, mail.NewSender(w.DB, w.keys, mail.ToFolder(folder), log).Run,
	} {
		go func() { _ = run(ctx) }()
	}
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		if time.Since(began) > 30*time.Second {
			t.Fatal("no mail came")
		}
		files, err := filepath.Glob(filepath.Join(folder, "*.eml"))
		if err != nil || len(files) == 0 {
			continue
		}
		f, err := os.Open(files[0])
		if err != nil {
			t.Fatal(err)
		}
		msg, err := netmail.ReadMessage(f)
		if err != nil {
			t.Fatal(err)
		}
		_ = f.Close()

		return strings.TrimPrefix(strings.Trim(msg.Header.Get("List-Unsubscribe"), "<>"), origin)
	}
}

// forgotten has a link made for the owner, who forgot the password, and returns its page.
func (w *world) forgotten(t *testing.T) string {
	t.Helper()

	if err := access.AskReset(t.Context(), w.DB, w.keys, email(filled), "en", netip.MustParseAddr("192.0.2.7")); err != nil {
		t.Fatal(err)
	}
	var token string
	err := w.DB.System(t.Context(), func(tx *tenants.Tx) error {
		var whose string
		if err := tx.GetContext(t.Context(), &whose, `SELECT args->>'whose' FROM jobs WHERE kind = $1`, access.KindReset); err != nil {
			return err
		}
		r, ok, err := access.StartReset(t.Context(), tx, w.keys, whose)
		if !ok {
			t.Error("nobody has the owner's e-mail")
		}
		token = r.Token
		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	return "/reset/" + token
}

// invited asks somebody new to join the team, and returns the page that asks them, and the one behind a link that is passed on.
func (w *world) invited(t *testing.T) (mailed, shared string) {
	t.Helper()

	w.as(t, w.clinic, func(tx *tenants.Tx) (err error) {
		var in access.Invitation
		if in, mailed, err = access.Invite(t.Context(), tx, byTest, "new@pehchan.example", access.Agent); err != nil {
			return err
		}
		_, shared, err = access.Share(t.Context(), tx, byTest, in.ID)

		return err
	})

	return "/invite/" + mailed, "/invite/by/" + shared
}

// signedIn is a person with a session.
func (w *world) signedIn(t *testing.T, name string, from netip.Addr) (m access.Member) {
	t.Helper()

	sessions := access.NewSessions(w.keys.Derive("session"))
	in, err := sessions.SignIn(t.Context(), w.DB, access.Credentials{Email: email(name), Password: password, Address: from})
	if err != nil {
		t.Fatal(err)
	}
	err = w.DB.System(t.Context(), func(tx *tenants.Tx) error {
		m, err = sessions.Check(t.Context(), tx, in.Token)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	return m
}

// linked asks for a new business and for another e-mail, and changes one.
func (w *world) linked(t *testing.T) {
	t.Helper()

	from := netip.MustParseAddr("192.0.2.7")
	change := func(tx *tenants.Tx, olga access.Member, email string) (token string, err error) {
		_, token, err = access.AskEmail(t.Context(), tx, olga, email, from)
		return token, err
	}
	olga := w.signedIn(t, operator, from)
	err := w.DB.System(t.Context(), func(tx *tenants.Tx) error {
		_, token, err := access.AskSignup(t.Context(), tx, access.Signup{Email: "kamla@pehchan.example", Business: "Kamla Sweets", Lang: "en"}, from)
		if err != nil {
			return err
		}
		w.signup = "/signup/" + token
		if token, err = change(tx, olga, "elsewhere@pehchan.example"); err != nil {
			return err
		}
		_, back, err := access.FinishEmail(t.Context(), tx, access.Member{}, token)
		if err != nil {
			return err
		}
		w.emailBack = "/email/undo/" + back
		// She goes on signing in as before; only the link back stays.
		_, err = tx.ExecContext(t.Context(), `UPDATE people SET email = $2, email_key = lower($2) WHERE id = $1`, olga.Person.ID, olga.Person.Email)

		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	olga = w.signedIn(t, operator, from)
	err = w.DB.System(t.Context(), func(tx *tenants.Tx) error {
		token, err := change(tx, olga, "third@pehchan.example")
		w.email = "/email/" + token

		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
