package mail_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"net"
	netmail "net/mail"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/mail"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/testdb"
)

// catcher is a mail server that keeps what it gets, and refuses what it is told to.
type catcher struct {
	mu     sync.Mutex
	got    []string
	refuse map[string]*smtp.SMTPError // by recipient
	hangUp bool                       // once it has taken a mail
	mute   bool                       // takes a mail, and drops the line without a word
	url    string
}

type session struct {
	*catcher

	conn *smtp.Conn
}

func (c *catcher) NewSession(conn *smtp.Conn) (smtp.Session, error) { return session{c, conn}, nil }

func (session) Mail(string, *smtp.MailOptions) error { return nil }
func (session) Logout() error                        { return nil }

func (s session) Reset() {
	if s.hangUp && len(s.mails()) > 0 {
		_ = s.conn.Conn().Close()
	}
}

func (s session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if refused := s.refuse[to]; refused != nil {
		return refused
	}

	return nil
}

func (s session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, string(raw))
	if s.mute {
		_ = s.conn.Conn().Close()
	}

	return err
}

func (c *catcher) mails() []string {
	c.mu.Lock()
	defer c.mu.Unlock()

	return append([]string(nil), c.got...)
}

func newCatcher(t *testing.T) *catcher {
	t.Helper()

	c := &catcher{refuse: map[string]*smtp.SMTPError{}}
	server := smtp.NewServer(c)
	server.Domain = "localhost"
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	c.url = "smtp://" + listener.Addr().String() + "?from=" + "Pehchan+%3Cno-reply@pehchan.example%3E"

	return c
}

// lines is a log that may be read while it is written.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()

	return l.buf.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()

	return l.buf.String()
}

type place struct {
	*testdb.Database

	keys   *secrets.Keyring
	tenant uuid.UUID
	log    *lines
}

func newPlace(t *testing.T) place {
	t.Helper()

	keys, err := secrets.Open(filepath.Join(t.TempDir(), "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	p := place{Database: testdb.New(t), keys: keys, tenant: uuid.New(), log: &lines{}}
	if _, err := p.DB.SQL().Exec(`INSERT INTO tenants (id, slug, name) VALUES ($1, 'asha-clinic', 'Asha Clinic')`, p.tenant); err != nil {
		t.Fatal(err)
	}

	return p
}

func (p place) queue(t *testing.T, key string, m mail.Message) error {
	t.Helper()

	return p.DB.As(t.Context(), p.tenant, func(tx *tenants.Tx) error { return mail.Queue(t.Context(), tx, p.keys, key, m) })
}

func (p place) run(t *testing.T, by mail.Carrier) {
	t.Helper()

	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mail.NewSender(p.DB, p.keys, by, slog.New(slog.NewTextHandler(p.log, nil))).Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func (p place) state(t *testing.T, key string) (state, problem string, tries int, kept bool) {
	t.Helper()

	if err := p.DB.SQL().QueryRow(`SELECT state, problem, tries, sealed IS NOT NULL FROM mails WHERE key = $1`, key).Scan(&state, &problem, &tries, &kept); err != nil {
		t.Fatal(err)
	}

	return state, problem, tries, kept
}

func (p place) until(t *testing.T, what string, done func() bool) {
	t.Helper()

	for began := time.Now(); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > time.Minute {
			t.Fatalf("never came: %s", what)
		}
	}
}

func greeting(to string) mail.Message {
	return mail.Message{To: to, Subject: "नमस्ते Asha", Text: "आपका नंबर ठीक है।\n", HTML: "<p>आपका नंबर ठीक है।</p>", Leave: "https://pehchan.example/leave/1"}
}

func TestMailArrivesOnceAndIsForgotten(t *testing.T) {
	t.Parallel()
	p, c := newPlace(t), newCatcher(t)
	by, err := mail.ByURL(c.url)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := p.queue(t, "hello", greeting("asha@example.com")); err != nil {
			t.Fatal(err)
		}
	}
	var sealed []byte
	if err := p.DB.SQL().QueryRow(`SELECT sealed FROM mails`).Scan(&sealed); err != nil || bytes.Contains(sealed, []byte("asha@example.com")) {
		t.Errorf("in the queue: %v, want it sealed", err)
	}
	p.run(t, by)
	p.run(t, by)
	p.until(t, "the mail is sent", func() bool { state, _, _, _ := p.state(t, "hello"); return state == "sent" })
	if _, _, tries, kept := p.state(t, "hello"); kept || tries != 1 {
		t.Errorf("after %d tries, still kept %v; want it sent at the first and forgotten", tries, kept)
	}
	if got := c.mails(); len(got) != 1 {
		t.Fatalf("%d mails arrived, want one", len(got))
	}

	msg, err := netmail.ReadMessage(strings.NewReader(c.mails()[0]))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
	if err != nil || subject != "नमस्ते Asha" {
		t.Errorf("subject %q (%v)", subject, err)
	}
	if got := msg.Header.Get("List-Unsubscribe"); got != "<https://pehchan.example/leave/1>" || msg.Header.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" {
		t.Errorf("unsubscribe: %q", got)
	}
	if from := msg.Header.Get("From"); !strings.Contains(from, "no-reply@pehchan.example") {
		t.Errorf("from %q", from)
	}
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("content is %s (%v), want text and html", kind, err)
	}
	parts := multipart.NewReader(msg.Body, params["boundary"])
	for _, want := range []string{"text/plain", "text/html"} {
		part, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(part)
		if err != nil || !strings.HasPrefix(part.Header.Get("Content-Type"), want) || !strings.Contains(string(body), "आपका नंबर ठीक है।") {
			t.Errorf("part %s: %q (%v), want %s", part.Header.Get("Content-Type"), body, err, want)
		}
	}
}

func TestRefusedMail(t *testing.T) {
	t.Parallel()
	p, c := newPlace(t), newCatcher(t)
	c.refuse["gone@example.com"] = &smtp.SMTPError{Code: 550, Message: "no such user gone@example.com"}
	c.refuse["full@example.com"] = &smtp.SMTPError{Code: 452, Message: "try later"}
	by, err := mail.ByURL(c.url)
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{"gone@example.com", "full@example.com", "well@example.com"} {
		if err := p.queue(t, to, greeting(to)); err != nil {
			t.Fatal(err)
		}
	}
	p.run(t, by)
	p.until(t, "all were tried", func() bool {
		gone, _, _, _ := p.state(t, "gone@example.com")
		_, problem, _, _ := p.state(t, "full@example.com")
		well, _, _, _ := p.state(t, "well@example.com")
		return gone != "waiting" && problem != "" && well == "sent" // a try is counted before it is made
	})
	if state, problem, _, kept := p.state(t, "gone@example.com"); state != "failed" || problem != "refused 550" || !kept {
		t.Errorf("refused for good: %s, %q, kept %v", state, problem, kept)
	}
	if state, problem, _, kept := p.state(t, "full@example.com"); state != "waiting" || problem != "refused 452" || !kept {
		t.Errorf("refused for now: %s, %q, kept %v; want it to wait", state, problem, kept)
	}
	if f, err := mail.Count(t.Context(), p.DB); err != nil || f.Waiting != 1 || f.Failed != 1 || f.Oldest == nil {
		t.Errorf("counted %+v (%v)", f, err)
	}

	// By and by it goes through, or is given up, until an operator has it sent again.
	c.mu.Lock()
	clear(c.refuse)
	c.mu.Unlock()
	if list := p.failed(t); len(list) != 1 || list[0].Why != "" || list[0].Key != "gone@example.com" || list[0].Business != "Asha Clinic" {
		t.Errorf("failed %+v", list)
	}
	if n, err := p.again(t, uuid.Nil); n != 1 || err != nil {
		t.Errorf("%d sent again (%v), want one", n, err)
	}
	if _, err := p.again(t, uuid.Nil); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("none left to send again: got %v", err)
	}
	if _, err := p.DB.SQL().Exec(`UPDATE mails SET run_at = now()`); err != nil {
		t.Fatal(err)
	}
	p.until(t, "both are sent at last", func() bool {
		full, _, _, _ := p.state(t, "full@example.com")
		gone, _, _, kept := p.state(t, "gone@example.com")
		return full == "sent" && gone == "sent" && !kept
	})
	if got := c.mails(); len(got) != 3 {
		t.Errorf("%d mails arrived, want three", len(got))
	}
}

// A server that drops the line once it has taken a mail has taken it: it is not sent again.
func TestServerThatHangsUpAfterTheMail(t *testing.T) {
	t.Parallel()
	p, c := newPlace(t), newCatcher(t)
	c.hangUp = true
	if err := p.queue(t, "greeting", greeting("asha@example.com")); err != nil {
		t.Fatal(err)
	}
	by, err := mail.ByURL(c.url)
	if err != nil {
		t.Fatal(err)
	}
	p.run(t, by)
	p.until(t, "it is sent", func() bool { state, _, _, _ := p.state(t, "greeting"); return state != "waiting" })
	if state, problem, tries, _ := p.state(t, "greeting"); state != "sent" || tries != 1 || len(c.mails()) != 1 {
		t.Errorf("got %s %q after %d tries, %d mails", state, problem, tries, len(c.mails()))
	}
}

// Nothing that people type makes a second recipient or header.
func TestMailThatIsNone(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	for name, change := range map[string]func(*mail.Message){
		"two recipients":      func(m *mail.Message) { m.To = "a@example.com,b@example.com" },
		"a header in the to":  func(m *mail.Message) { m.To = "a@example.com\r\nBcc: b@example.com" },
		"a header in subject": func(m *mail.Message) { m.Subject = "x\nBcc: b@example.com" },
		"nobody":              func(m *mail.Message) { m.To = "" },
		"no text":             func(m *mail.Message) { m.Text = "" },
	} {
		m := greeting("asha@example.com")
		change(&m)
		if err := p.queue(t, name, m); err == nil {
			t.Errorf("%s: queued", name)
		}
	}
	for _, raw := range []string{"smtp://mail.example:x", "smtp://u:p%zz@mail.example", "smtp://mail.example?from=nobody"} {
		_, err := mail.ByURL(raw)
		if err == nil || strings.Contains(err.Error(), "p%zz") {
			t.Errorf("%s: got %v, want it refused without its password", raw, err)
		}
	}
}

// A tenant sees its own mails in the queue at most.
func TestMailsOfAnotherTenant(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	if err := p.queue(t, "hello", greeting("asha@example.com")); err != nil {
		t.Fatal(err)
	}
	var n int
	err := p.DB.As(t.Context(), uuid.New(), func(tx *tenants.Tx) error { return tx.GetContext(t.Context(), &n, `SELECT count(*) FROM mails`) })
	if err != nil && !errors.Is(err, tenants.ErrNotFound) || n != 0 {
		t.Errorf("another tenant sees %d (%v)", n, err)
	}
}
