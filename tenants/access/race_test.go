package access_test

import (
	"context"
	"net/netip"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
)

// amid holds a transaction open after first until each of then waits for a lock or is done, and returns what became of them.
func (h *house) amid(t *testing.T, first func(context.Context, *tenants.Tx) error, then ...func() error) []error {
	t.Helper()
	done := make(chan error, len(then))
	h.system(t, func(ctx context.Context, tx *tenants.Tx) error {
		if err := first(ctx, tx); err != nil {
			return err
		}
		for _, do := range then {
			go func() { done <- do() }()
		}
		for wait := 0; wait+len(done) < len(then); {
			if err := h.DB.SQL().QueryRowContext(ctx, `
				SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&wait); err != nil {
				return err
			}
		}

		return nil
	})
	errs := make([]error, len(then))
	for i := range errs {
		errs[i] = <-done
	}

	return errs
}

func (h *house) inSystem(fn func(context.Context, *tenants.Tx) error) func() error {
	ctx := context.Background()
	return func() error { return h.DB.System(ctx, func(tx *tenants.Tx) error { return fn(ctx, tx) }) }
}

func endOthers(m access.Member) func(context.Context, *tenants.Tx) error {
	return func(ctx context.Context, tx *tenants.Tx) error { return second(access.EndOthers(ctx, tx, m)) }
}

// Who ends every session ends the one too that another is just being exchanged for.
func TestNoSessionSlipsThroughItsEnd(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := context.Background()
	nisha, err := access.AddOperator(ctx, h.DB, command, person("nisha"), "support")
	if err != nil {
		t.Fatal(err)
	}
	h.add(t, h.motors, "meera", access.Agent)

	for name, end := range map[string]func(access.Member) func() error{
		"sign out elsewhere": func(m access.Member) func() error { return h.inSystem(endOthers(m)) },
		"new password": func(m access.Member) func() error {
			return func() error { return access.ChangePassword(ctx, h.DB, m, password, password) }
		},
		"reset of the second step": func(access.Member) func() error {
			return func() error { return second(access.ResetFactorOf(ctx, h.DB, command, mailOf("meera"))) }
		},
	} {
		theirs, own, token := h.memberOf(t, "meera"), h.memberOf(t, "meera"), ""
		errs := h.amid(t, func(ctx context.Context, tx *tenants.Tx) (err error) {
			token, err = h.sessions.Switch(ctx, tx, theirs, h.motors.ID, access.Origin{})
			return err
		}, end(own))
		if errs[0] != nil {
			t.Errorf("%s: %v", name, errs[0])
		}
		if _, err := h.check(t, token); err == nil {
			t.Errorf("%s: want the session that was switched to ended too", name)
		}
	}

	// Into a business by its leave, and out of it.
	h.exec(t, `UPDATE tenants SET standing_access = 'read' WHERE id = $1`, h.clinic.ID)
	own, inside := h.memberOf(t, "nisha"), ""
	enter := func(m access.Member) func(context.Context, *tenants.Tx) error {
		var id uuid.UUID
		h.system(t, func(ctx context.Context, tx *tenants.Tx) (err error) {
			id, err = access.AskAccess(ctx, tx, m, access.Wish{Slug: "asha-clinic", Reason: "a wrong merge", Ticket: "T-1", Scope: "read", Minutes: 5})
			return err
		})
		return func(ctx context.Context, tx *tenants.Tx) (err error) {
			inside, err = h.sessions.Enter(ctx, tx, m, id, access.Origin{})
			return err
		}
	}
	if errs := h.amid(t, enter(h.memberOf(t, "nisha")), h.inSystem(endOthers(own))); errs[0] != nil {
		t.Fatal(errs[0])
	}
	if _, err := h.check(t, inside); err == nil {
		t.Error("want the session that entered a business ended too")
	}
	h.system(t, enter(h.memberOf(t, "nisha")))
	in, err := h.check(t, inside)
	if err != nil || in.Person.ID != nisha || in.Grant == nil {
		t.Fatalf("want Nisha inside, got %+v, %v", in, err)
	}
	outside := ""
	if errs := h.amid(t, func(ctx context.Context, tx *tenants.Tx) (err error) {
		outside, err = h.sessions.Leave(ctx, tx, in, access.Origin{})
		return err
	}, h.inSystem(endOthers(own))); errs[0] != nil {
		t.Fatal(errs[0])
	}
	if _, err := h.check(t, outside); err == nil {
		t.Error("want the session that left a business ended too")
	}
}

// A request that was let in before its session ended leaves nothing behind by which to come back.
func TestEndedSessionPlantsNothing(t *testing.T) {
	t.Parallel()
	h, keys := newHouse(t), keyring(t)
	ctx := context.Background()
	theirs, own := h.memberOf(t, "asha"), h.memberOf(t, "asha")
	from := netip.MustParseAddr("192.0.2.7")
	party, err := access.NewParty("pehchan.example", "https://pehchan.example")
	if err != nil {
		t.Fatal(err)
	}
	link := ""
	h.system(t, func(ctx context.Context, tx *tenants.Tx) (err error) {
		_, link, err = access.AskEmail(ctx, tx, theirs, "thief@pehchan.example", from)
		return err
	})
	app := h.startApp(t, keys, theirs)

	// One arrives while the session ends.
	errs := h.amid(t, endOthers(own), func() error {
		return second(access.FinishApp(ctx, h.DB, keys, theirs, app.Secret, codeAt(t, app.Secret, 0)))
	})
	wantIs(t, errs[0], access.ErrNoSession)

	wantIs(t, second(access.FinishPasskey(ctx, h.DB, keys, party, theirs, "phone", "{}")), access.ErrNoSession)
	for name, do := range map[string]func(context.Context, *tenants.Tx) error{
		"app": func(ctx context.Context, tx *tenants.Tx) error { return second(access.StartApp(ctx, tx, keys, theirs)) },
		"passkey": func(ctx context.Context, tx *tenants.Tx) error {
			return second(access.StartPasskey(ctx, tx, party, theirs))
		},
		"codes": func(ctx context.Context, tx *tenants.Tx) error {
			return second(access.NewRecoveryCodes(ctx, tx, keys, theirs))
		},
		"email": func(ctx context.Context, tx *tenants.Tx) error {
			_, _, err := access.AskEmail(ctx, tx, theirs, "thief@pehchan.example", from)
			return err
		},
		"remove app": func(ctx context.Context, tx *tenants.Tx) error { return h.sessions.RemoveApp(ctx, tx, theirs) },
		"remove passkey": func(ctx context.Context, tx *tenants.Tx) error {
			return h.sessions.RemovePasskey(ctx, tx, theirs, "AA")
		},
		"end others": endOthers(theirs),
	} {
		t.Log(name)
		wantIs(t, h.inSystem(do)(), access.ErrNoSession)
	}
	// The link that was asked for before is over as well.
	wantIs(t, h.inSystem(func(ctx context.Context, tx *tenants.Tx) error { return second(access.EmailBy(ctx, tx, link)) })(), access.ErrBadEmailLink)
	if m, err := h.check(t, h.signIn(t, "asha").Token); err != nil || m.HasFactor {
		t.Errorf("want no second factor planted, got %v", err)
	}
}

// Two right sign-ins at once both get in, with and without a second step.
func TestSignInAtOnce(t *testing.T) {
	t.Parallel()
	h, keys := newHouse(t), keyring(t)
	hold := func(ctx context.Context, tx *tenants.Tx) error {
		_, err := tx.ExecContext(ctx, `LOCK TABLE sessions IN SHARE MODE`)
		return err
	}
	in := func() error { return second(h.trySignIn(credentials("joseph"))) }
	for _, err := range h.amid(t, hold, in, in) {
		if err != nil {
			t.Errorf("sign in: %v", err)
		}
	}

	_, codes := h.enrolled(t, keys, "meera")
	steps := []string{h.firstStep(t, "meera"), h.firstStep(t, "meera")}
	for _, err := range h.amid(t, hold,
		func() error { return second(h.secondStep(keys, steps[0], codes[0])) },
		func() error { return second(h.secondStep(keys, steps[1], codes[1])) }) {
		if err != nil {
			t.Errorf("second step: %v", err)
		}
	}
}
