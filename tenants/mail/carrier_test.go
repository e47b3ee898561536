package mail_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pehchan/pehchan/tenants/mail"
)

func TestNoMailServer(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	by, err := mail.ByURL("smtp://127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.queue(t, "hello", greeting("asha@example.com")); err != nil {
		t.Fatal(err)
	}
	if _, err := p.DB.SQL().Exec(`UPDATE mails SET tries = 6`); err != nil {
		t.Fatal(err)
	}
	p.run(t, by)
	p.until(t, "it was tried", func() bool { _, problem, _, _ := p.state(t, "hello"); return problem == "no mail server" })
	if state, _, tries, _ := p.state(t, "hello"); state != "waiting" || tries != 7 {
		t.Errorf("%s after %d tries, want it to wait", state, tries)
	}
	if _, err := p.DB.SQL().Exec(`UPDATE mails SET run_at = now()`); err != nil {
		t.Fatal(err)
	}
	p.until(t, "it is given up", func() bool { state, _, _, _ := p.state(t, "hello"); return state == "failed" })
	if log := p.log.String(); strings.Contains(log, "asha@example.com") {
		t.Errorf("the log holds an address: %s", log)
	}
}

func TestMailToFolder(t *testing.T) {
	t.Parallel()
	p, folder := newPlace(t), filepath.Join(t.TempDir(), "outbox")
	if err := p.queue(t, "hello", greeting("asha@example.com")); err != nil {
		t.Fatal(err)
	}
	p.run(t, mail.ToFolder(folder))
	p.until(t, "the mail is written", func() bool { state, _, _, _ := p.state(t, "hello"); return state == "sent" })
	files, err := filepath.Glob(filepath.Join(folder, "*.eml"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %v (%v), want one", files, err)
	}
	raw, err := os.ReadFile(files[0])
	if err != nil || !bytes.Contains(raw, []byte("To: <asha@example.com>")) {
		t.Errorf("%s (%v)", raw, err)
	}
}
