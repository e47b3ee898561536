package numbers_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/notices"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/sandbox"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// works runs the worker until the test ends, and makes a number's jobs due whenever asked.
func (p place) works(t *testing.T, graph whatsapp.Graph) {
	t.Helper()

	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- numbers.NewWorker(p.DB, p.keys, graph, slog.New(slog.NewTextHandler(io.Discard, nil))).Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func (p place) due(t *testing.T, kind string) {
	t.Helper()

	err := p.as(uuid.Nil, func(ctx context.Context, tx *tenants.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE jobs SET state = 'waiting', run_at = now() WHERE kind = $1`, kind)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func until(t *testing.T, what string, done func() bool) {
	t.Helper()

	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-deadline:
			t.Fatalf("never came: %s", what)
		case <-tick.C:
		}
	}
}

// told lists what a number's owner was told of its token, newest first.
func (p place) told(t *testing.T, tenant uuid.UUID, n numbers.Number) (events []string) {
	t.Helper()

	err := p.as(tenant, func(ctx context.Context, tx *tenants.Tx) error {
		list, err := notices.About(ctx, tx, n.ID, n.WABAID, 50)
		for _, l := range list {
			if l.Field == notices.FieldToken {
				events = append(events, l.Event)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	return events
}

func tokenSays(body string) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, `{"data":`+body+`}`) }
}

const allScopes = `"scopes":["whatsapp_business_management","whatsapp_business_messaging"]`

func TestDailyLookAtTokens(t *testing.T) {
	t.Parallel()
	w := newWindow(t)
	_, fresh := sandbox.SignupNumbers()
	n, err := w.signup(w.asha, numbers.SignupInput{Code: w.choose(t, fresh, "", "finish")})
	if err != nil {
		t.Fatal(err)
	}
	w.works(t, w.graph)
	look := func(what string, done func(numbers.Number) bool) numbers.Number {
		t.Helper()
		var got numbers.Number
		w.due(t, "number_token")
		until(t, what, func() bool {
			if got, err = w.get(w.asha, n.ID); err != nil {
				t.Fatal(err)
			}
			return done(got)
		})
		return got
	}

	looked := look("first look", func(n numbers.Number) bool { return n.TokenCheckedAt != nil })
	if err := looked.MaySend(time.Now()); err != nil || len(w.told(t, w.asha, n)) != 0 {
		t.Errorf("a good token: got %v and notices %v, want nothing against it", err, w.told(t, w.asha, n))
	}

	// Two weeks before its end, then two days; each said once however often it is looked at.
	for i, left := range []time.Duration{10 * 24 * time.Hour, 47 * time.Hour} {
		ends := time.Now().Add(left)
		w.instead("/debug_token", tokenSays(fmt.Sprintf(`{"app_id":%q,"is_valid":true,"expires_at":%d,%s}`, appID, ends.Unix(), allScopes)))
		for range 2 {
			was := looked.TokenCheckedAt
			looked = look("look before the end", func(n numbers.Number) bool { return n.TokenCheckedAt.After(*was) })
		}
		if got := w.told(t, w.asha, n); len(got) != i+1 || got[0] != notices.TokenExpiring {
			t.Errorf("%s before the end: told %v, want %d warnings", left, got, i+1)
		}
	}
	if err := looked.MaySend(time.Now()); err != nil {
		t.Errorf("a token that ends in two days: %v, want it to send", err)
	}
	if err := looked.MaySend(time.Now().Add(50 * time.Hour)); tenants.ConflictCode(err) != "token_expired" {
		t.Errorf("after its end: got %v, want token_expired without anybody looking", err)
	}

	w.instead("/debug_token", tokenSays(`{"is_valid":false,"error":{"message":"revoked"}}`))
	looked = look("the revoked token is noticed", func(n numbers.Number) bool { return n.TokenProblem != "" })
	if err := looked.MaySend(time.Now()); tenants.ConflictCode(err) != "token_refused" {
		t.Errorf("revoked: got %v, want token_refused", err)
	}
	if looked.State == numbers.Disconnected {
		t.Error("a revoked token disconnected the number: receiving must go on")
	}
	if got := w.told(t, w.asha, n); !slices.Contains(got, notices.TokenRefused) {
		t.Errorf("told %v, want the revoked token told", got)
	}
	if got := w.auditOf(t, w.asha, "number.token_problem"); got != 1 {
		t.Errorf("audit entries of the problem: got %d, want 1", got)
	}

	// Meta takes it again, as when a person gave back what they had taken away.
	w.instead("/debug_token", nil)
	looked = look("the token is well again", func(n numbers.Number) bool { return n.TokenProblem == "" })
	if err := looked.MaySend(time.Now()); err != nil || w.auditOf(t, w.asha, "number.token_well") != 1 {
		t.Errorf("well again: got %v, want it to send", err)
	}

	// Where Meta does not answer, nothing is known against the token.
	calls := w.called("/debug_token")
	w.instead("/debug_token", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	w.due(t, "number_token")
	until(t, "Meta is asked while it is away", func() bool { return w.called("/debug_token") > calls })
	if got, err := w.get(w.asha, n.ID); err != nil || got.TokenProblem != "" {
		t.Errorf("Meta away: problem %q (%v), want none", got.TokenProblem, err)
	}
}

func TestTokenRefusedWhileSending(t *testing.T) {
	t.Parallel()
	p, m := newPlace(t), newMeta(t)
	p.addApp(t, uuid.Nil, "demo")
	n, err := p.connect(m, p.asha, m.input())
	if err != nil {
		t.Fatal(err)
	}
	sender := func(tenant uuid.UUID) (token string, err error) {
		err = p.as(tenant, func(ctx context.Context, tx *tenants.Tx) (err error) {
			_, token, err = numbers.Sender(ctx, tx, p.keys, n.ID, time.Now())
			return err
		})
		return token, err
	}
	refuse := func(tenant uuid.UUID) error {
		return p.as(tenant, func(ctx context.Context, tx *tenants.Tx) error { return numbers.TokenRefused(ctx, tx, n.ID) })
	}

	if token, err := sender(p.asha); err != nil || token != tokenOf(sandbox.TokenGood) {
		t.Errorf("sender: got a token of %d bytes (%v), want the number's", len(token), err)
	}
	if _, err := sender(p.ravi); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("another tenant's sender: got %v, want ErrNotFound", err)
	}
	if err := refuse(p.ravi); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("refused by another tenant: got %v, want ErrNotFound", err)
	}
	for range 2 {
		if err := refuse(p.asha); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := sender(p.asha); tenants.ConflictCode(err) != "token_refused" {
		t.Errorf("after a refusal: got %v, want token_refused", err)
	}
	if got := p.told(t, p.asha, n); !slices.Equal(got, []string{notices.TokenRefused}) {
		t.Errorf("told %v, want it told once", got)
	}
}

// A round of checks that somebody asks for tells of a token what a look at it would, and no more than it learned.
func TestCheckAgainToldOfTheToken(t *testing.T) {
	t.Parallel()
	w := newWindow(t)
	_, fresh := sandbox.SignupNumbers()
	n, err := w.signup(w.asha, numbers.SignupInput{Code: w.choose(t, fresh, "", "finish")})
	if err != nil {
		t.Fatal(err)
	}
	recheck := func(what, want string) {
		t.Helper()
		got, err := numbers.Recheck(context.Background(), w.DB, w.keys, w.graph, meera, w.asha, n.ID, w.callback)
		if err != nil || got.TokenProblem != want {
			t.Errorf("%s: problem %q (%v), want %q", what, got.TokenProblem, err, want)
		}
	}

	w.instead("/debug_token", tokenSays(`{"is_valid":false,"error":{"message":"revoked"}}`))
	recheck("revoked", "token_invalid")
	if got := w.told(t, w.asha, n); !slices.Equal(got, []string{notices.TokenRefused}) || w.auditOf(t, w.asha, "number.token_problem") != 1 {
		t.Errorf("told %v, %d entries in the audit, want it told and noted once", got, w.auditOf(t, w.asha, "number.token_problem"))
	}
	var next time.Time
	err = w.as(uuid.Nil, func(ctx context.Context, tx *tenants.Tx) error {
		return tx.GetContext(ctx, &next, `SELECT run_at FROM jobs WHERE kind = 'number_token'`)
	})
	if err != nil || time.Until(next) > time.Hour {
		t.Errorf("next look at %v (%v), want it soon", next, err)
	}

	w.instead("/debug_token", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	recheck("Meta away", "token_invalid")
	w.instead("/debug_token", nil)
	recheck("well again", "")
}
