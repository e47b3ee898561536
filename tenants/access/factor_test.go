package access_test

import (
	"context"
	"errors"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/pquerna/otp/totp"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/secrets"
)

const here = "browser-of-the-test"

func keyring(t *testing.T) *secrets.Keyring {
	t.Helper()
	keys, err := secrets.Open(filepath.Join(t.TempDir(), "master.key"))
	if err != nil {
		t.Fatal(err)
	}

	return keys
}

// codeAt is what an app shows some steps of 30 seconds from now.
func codeAt(t *testing.T, secret string, steps int) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, time.Now().Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		t.Fatal(err)
	}

	return code
}

// memberOf is somebody signed in.
func (h *house) memberOf(t *testing.T, name string) access.Member {
	t.Helper()
	m, err := h.check(t, h.signIn(t, name).Token)
	if err != nil {
		t.Fatal(err)
	}

	return m
}

func (h *house) startApp(t *testing.T, keys *secrets.Keyring, m access.Member) (app access.NewApp) {
	t.Helper()
	h.system(t, func(ctx context.Context, tx *tenants.Tx) (err error) {
		app, err = access.StartApp(ctx, tx, keys, m)
		return err
	})

	return app
}

// enrolled gives somebody an authenticator app, and returns its secret and the recovery codes.
func (h *house) enrolled(t *testing.T, keys *secrets.Keyring, name string) (string, []string) {
	t.Helper()
	m := h.memberOf(t, name)
	app := h.startApp(t, keys, m)
	codes, err := access.FinishApp(context.Background(), h.DB, keys, m, app.Secret, codeAt(t, app.Secret, -1))
	if err != nil {
		t.Fatalf("finish app: %v", err)
	}

	return app.Secret, codes
}

// firstStep gives the password.
func (h *house) firstStep(t *testing.T, name string) string {
	t.Helper()
	c := credentials(name)
	c.Browser = here
	in, err := h.trySignIn(c)
	if err != nil || in.Step == "" || in.Token != "" || in.Device != "" {
		t.Fatalf("want a second step asked for and nothing else, got %+v, %v", in, err)
	}

	return in.Step
}

func (h *house) secondStep(keys *secrets.Keyring, step, code string) (access.SignedIn, error) {
	return h.sessions.FinishSignIn(context.Background(), h.DB, keys, access.Second{
		Step: step, Code: code, Browser: here, Address: netip.MustParseAddr("192.0.2.7"), Agent: "test",
	})
}

func TestSecondStep(t *testing.T) {
	t.Parallel()
	h, keys := newHouse(t), keyring(t)
	secret, codes := h.enrolled(t, keys, "meera")
	if len(codes) != 10 {
		t.Fatalf("want ten recovery codes, got %d", len(codes))
	}

	in, err := h.secondStep(keys, h.firstStep(t, "meera"), codeAt(t, secret, 0))
	if err != nil {
		t.Fatalf("second step: %v", err)
	}
	m, err := h.check(t, in.Token)
	if err != nil || m.Person.ID != h.meera || !m.HasFactor || m.FactorAsked {
		t.Errorf("want Meera in, got %+v, %v", m, err)
	}

	// A code counts once, in whatever way it is typed; so does what came before it.
	for _, old := range []string{codeAt(t, secret, 0), codeAt(t, secret, -1)} {
		_, err = h.secondStep(keys, h.firstStep(t, "meera"), " "+old[:3]+" "+old[3:])
		wantInvalid(t, err, "code", "code_wrong")
	}
	// And so does a recovery code.
	if _, err = h.secondStep(keys, h.firstStep(t, "meera"), " "+strings.ToUpper(strings.ReplaceAll(codes[3], "-", " "))); err != nil {
		t.Errorf("recovery code: %v", err)
	}
	_, err = h.secondStep(keys, h.firstStep(t, "meera"), codes[3])
	wantInvalid(t, err, "code", "code_wrong")
}

// What a first step gives is no session, belongs to one browser, ends, and ends with the password it was for.
func TestFirstStepIsWorthLittle(t *testing.T) {
	t.Parallel()
	h, keys := newHouse(t), keyring(t)
	secret, _ := h.enrolled(t, keys, "meera")
	code := codeAt(t, secret, 0)

	step := h.firstStep(t, "meera")
	wantIs(t, second(h.check(t, step)), access.ErrNoSession)
	_, err := h.sessions.FinishSignIn(context.Background(), h.DB, keys, access.Second{Step: step, Code: code, Browser: "another", Address: netip.MustParseAddr("192.0.2.7")})
	wantIs(t, err, access.ErrBadStep)
	for _, none := range []string{"", "x", strings.Repeat("A", 43)} {
		_, err := h.secondStep(keys, none, code)
		wantIs(t, err, access.ErrBadStep)
	}

	h.exec(t, `UPDATE sign_in_steps SET expires_at = now()`)
	wantIs(t, second(h.secondStep(keys, step, code)), access.ErrBadStep)

	step = h.firstStep(t, "meera")
	h.exec(t, `UPDATE people SET password_hash = 'another' WHERE id = $1`, h.meera)
	wantIs(t, second(h.secondStep(keys, step, code)), access.ErrBadStep)
}

// Of many at once with one code, one gets in; wrong codes end the step, and then the account's tries.
func TestSecondStepAtOnce(t *testing.T) {
	t.Parallel()
	h, keys := newHouse(t), keyring(t)
	secret, codes := h.enrolled(t, keys, "meera")
	steps := []string{h.firstStep(t, "meera"), h.firstStep(t, "meera"), h.firstStep(t, "meera")}
	code := codeAt(t, secret, 0)

	var (
		all sync.WaitGroup
		mu  sync.Mutex
		in  int
	)
	for _, step := range steps {
		all.Add(1)
		go func() {
			defer all.Done()
			if _, err := h.secondStep(keys, step, code); err == nil {
				mu.Lock()
				in++
				mu.Unlock()
			}
		}()
	}
	all.Wait()
	if in != 1 {
		t.Errorf("%d got in with one code, want 1", in)
	}

	h.exec(t, `DELETE FROM sign_in_failures`)
	step, tried := h.firstStep(t, "meera"), 0
	for ; tried < 20; tried++ {
		_, err := h.secondStep(keys, step, "000000")
		h.exec(t, `UPDATE sign_in_failures SET at = at - interval '10 minutes' WHERE at > now() - interval '1 minute'`)
		if errors.Is(err, access.ErrBadStep) {
			break
		}
	}
	if tried != 5 {
		t.Errorf("a step was good for %d wrong codes, want 5", tried)
	}
	_, err := h.secondStep(keys, step, codes[0])
	wantIs(t, err, access.ErrBadStep)
	// A thousand guesses are not made: with ever new first steps, the person's tries run out.
	h.exec(t, `UPDATE sign_in_failures SET at = now() - interval '1 minute'`)
	h.exec(t, `INSERT INTO sign_in_failures (bucket, at) SELECT bucket, now() - interval '2 minutes' FROM sign_in_failures, generate_series(1, 40)`)
	var wait *access.TooMany
	if _, err = h.secondStep(keys, h.firstStep(t, "meera"), codeAt(t, secret, 1)); !errors.As(err, &wait) {
		t.Errorf("after forty wrong codes in a day: want to wait, got %v", err)
	}
}

func TestEnrolAtOnce(t *testing.T) {
	t.Parallel()
	h, keys := newHouse(t), keyring(t)
	a, b := h.memberOf(t, "asha"), h.memberOf(t, "asha")
	first := h.startApp(t, keys, a)
	later := h.startApp(t, keys, b)

	_, err := access.FinishApp(context.Background(), h.DB, keys, a, first.Secret, codeAt(t, first.Secret, 0))
	wantConflict(t, err, "factor_changed")
	wantInvalid(t, second(access.FinishApp(context.Background(), h.DB, keys, b, later.Secret, "123")), "code", "code_wrong")
	if _, err = access.FinishApp(context.Background(), h.DB, keys, b, later.Secret, codeAt(t, later.Secret, 0)); err != nil {
		t.Fatalf("the later one: %v", err)
	}
	_, err = access.FinishApp(context.Background(), h.DB, keys, b, later.Secret, codeAt(t, later.Secret, 1))
	wantConflict(t, err, "factor_changed")
	// The other session, which may be somebody else's, is over.
	h.system(t, func(ctx context.Context, tx *tenants.Tx) error {
		list, err := access.Devices(ctx, tx, a)
		if len(list) != 1 || list[0].Here {
			t.Errorf("want one session left, that which enrolled, got %d", len(list))
		}
		return err
	})
}

func TestGrace(t *testing.T) {
	t.Parallel()
	h, keys := newHouse(t), keyring(t)

	asha, meera := h.signIn(t, "asha"), h.signIn(t, "meera")
	if m, _ := h.check(t, meera.Token); m.FactorAsked || m.MustAddFactor {
		t.Error("an agent is asked for a second factor")
	}
	if m, _ := h.check(t, asha.Token); !m.FactorAsked || m.MustAddFactor || m.FactorLeft < access.FactorGrace-time.Minute {
		t.Errorf("want an owner asked, with a week to go, got %+v", m)
	}
	h.exec(t, `UPDATE people SET factor_from = now() - interval '8 days' WHERE id = $1`, h.asha)
	m, _ := h.check(t, asha.Token)
	if !m.MustAddFactor {
		t.Error("want nothing else open after a week")
	}
	lenient := access.NewSessions(make([]byte, 32))
	lenient.FactorOptional = true
	h.system(t, func(ctx context.Context, tx *tenants.Tx) error {
		got, err := lenient.Check(ctx, tx, asha.Token)
		if got.FactorAsked || got.MustAddFactor {
			t.Error("want nobody asked where it is optional")
		}
		return err
	})

	app := h.startApp(t, keys, m)
	if _, err := access.FinishApp(context.Background(), h.DB, keys, m, app.Secret, codeAt(t, app.Secret, 0)); err != nil {
		t.Fatal(err)
	}
	if m, _ = h.check(t, asha.Token); m.MustAddFactor || m.FactorAsked {
		t.Error("want everything open once it is added")
	}
	// Whose role needs one cannot do without again.
	err := h.DB.System(context.Background(), func(tx *tenants.Tx) error { return h.sessions.RemoveApp(context.Background(), tx, m) })
	wantConflict(t, err, "factor_needed")
	err = h.DB.System(context.Background(), func(tx *tenants.Tx) error { return lenient.RemoveApp(context.Background(), tx, m) })
	if err != nil {
		t.Errorf("where it is optional: %v", err)
	}
}

func TestResetFactor(t *testing.T) {
	t.Parallel()
	h, keys := newHouse(t), keyring(t)
	ctx := context.Background()
	h.enrolled(t, keys, "meera")
	asha := h.memberOf(t, "asha")

	// Not by somebody of another business, not one's own, not of who works elsewhere too.
	ravi := h.memberOf(t, "ravi")
	wantIs(t, second(access.ResetFactor(ctx, h.DB, ravi, h.meera)), tenants.ErrNotFound)
	wantIs(t, second(access.ResetFactor(ctx, h.DB, asha, h.asha)), tenants.ErrForbidden)
	wantIs(t, second(access.ResetFactor(ctx, h.DB, asha, uuid.New())), tenants.ErrNotFound)
	h.add(t, h.motors, "meera", access.Agent)
	wantConflict(t, second(access.ResetFactor(ctx, h.DB, asha, h.meera)), "factor_elsewhere")
	h.firstStep(t, "meera")

	h.as(t, h.motors, func(ctx context.Context, tx *tenants.Tx) error {
		_, err := access.RemoveMember(ctx, tx, command, h.meera)
		return err
	})
	if _, err := access.ResetFactor(ctx, h.DB, asha, h.meera); err != nil {
		t.Fatalf("reset: %v", err)
	}
	if in := h.signIn(t, "meera"); in.Step != "" {
		t.Error("want no second step after the reset")
	}

	// By the command line, and without a new week of grace.
	h.enrolled(t, keys, "ravi")
	if _, err := access.ResetFactorOf(ctx, h.DB, command, mailOf("ravi")); err != nil {
		t.Fatal(err)
	}
	wantIs(t, second(access.ResetFactorOf(ctx, h.DB, command, mailOf("stranger"))), tenants.ErrNotFound)
	if m := h.memberOf(t, "ravi"); !m.MustAddFactor {
		t.Error("want an owner to add a new one at once")
	}
}

// A new password does not take the place of the second step.
func TestResetPasswordKeepsSecondStep(t *testing.T) {
	t.Parallel()
	h, keys := newHouse(t), keyring(t)
	h.enrolled(t, keys, "meera")
	ctx := context.Background()
	if err := access.AskReset(ctx, h.DB, keys, mailOf("meera"), "en", netip.MustParseAddr("192.0.2.7")); err != nil {
		t.Fatal(err)
	}
	var token string
	h.system(t, func(ctx context.Context, tx *tenants.Tx) error {
		var whose string
		if err := tx.GetContext(ctx, &whose, `SELECT args->>'whose' FROM jobs WHERE kind = $1`, access.KindReset); err != nil {
			return err
		}
		r, _, err := access.StartReset(ctx, tx, keys, whose)
		token = r.Token
		return err
	})
	if err := access.FinishReset(ctx, h.DB, token, "quite-another-river-77"); err != nil {
		t.Fatal(err)
	}
	c := credentials("meera")
	c.Password, c.Browser = "quite-another-river-77", here
	if in, err := h.trySignIn(c); err != nil || in.Step == "" || in.Token != "" {
		t.Errorf("want the second step still asked for, got %+v, %v", in, err)
	}
}
