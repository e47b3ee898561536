package mail_test

import (
	"errors"
	"maps"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/mail"
)

func (p place) failed(t *testing.T) (list []mail.Failure) {
	t.Helper()

	err := p.DB.System(t.Context(), func(tx *tenants.Tx) (err error) {
		list, err = mail.Failed(t.Context(), tx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	return list
}

func (p place) again(t *testing.T, id uuid.UUID) (n int64, err error) {
	t.Helper()

	err = p.DB.System(t.Context(), func(tx *tenants.Tx) (err error) {
		n, err = mail.Again(t.Context(), tx, tenants.Actor{Kind: "operator", Name: "Omar"}, id)
		return err
	})

	return n, err
}

// A mail that may have arrived, whose link is dead or whose words are forgotten is not sent again, and the operator is told why.
func TestMailThatIsNotSentAgain(t *testing.T) {
	t.Parallel()
	p, c := newPlace(t), newCatcher(t)
	c.mute = true
	by, err := mail.ByURL(c.url)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"greeting", "reset 1", "forgotten"} {
		if err := p.queue(t, key, greeting("asha@example.com")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.DB.SQL().Exec(`UPDATE mails SET state = 'failed', done_at = now() - make_interval(hours => CASE key WHEN 'forgotten' THEN 169 ELSE 1 END) WHERE key <> 'greeting'`); err != nil {
		t.Fatal(err)
	}
	p.run(t, by)
	p.until(t, "it was tried", func() bool { _, problem, _, _ := p.state(t, "greeting"); return problem != "" })
	if state, problem, _, _ := p.state(t, "greeting"); state != "waiting" || problem != mail.NoAnswer {
		t.Errorf("no answer: %s, %q", state, problem)
	}
	if _, err := p.DB.SQL().Exec(`UPDATE mails SET state = 'failed', done_at = now() WHERE key = 'greeting'`); err != nil {
		t.Fatal(err)
	}
	why := map[string]string{}
	for _, f := range p.failed(t) {
		why[f.Key] = f.Why
	}
	if want := map[string]string{"greeting": "doubtful", "reset 1": "asked", "forgotten": "gone"}; !maps.Equal(why, want) {
		t.Errorf("got %v, want %v", why, want)
	}
	if n, err := p.again(t, uuid.Nil); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("%d sent again (%v), want none", n, err)
	}
}
