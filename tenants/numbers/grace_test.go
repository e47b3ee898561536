package numbers_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/sandbox"
)

func (p place) reconnect(m meta, tenant, id uuid.UUID) (numbers.Number, error) {
	return numbers.Reconnect(context.Background(), p.DB, p.keys, m.graph, meera, tenant, id, m.callback)
}

// endGrace lets the thirty days of a number pass.
func (p place) endGrace(t *testing.T, tenant, id uuid.UUID) {
	t.Helper()

	err := p.as(tenant, func(ctx context.Context, tx *tenants.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE numbers SET grace_until = now() - interval '1 second' WHERE id = $1`, id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	p.due(t, "number_forget")
}

func TestDisconnectedNumberComesBackWithinItsGrace(t *testing.T) {
	t.Parallel()
	p, m := newPlace(t), newMeta(t)
	p.addApp(t, uuid.Nil, "demo")
	n, err := p.connect(m, p.asha, m.input())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.reconnect(m, p.asha, n.ID); tenants.ConflictCode(err) != "number_connected" {
		t.Errorf("reconnect what is connected: got %v, want number_connected", err)
	}
	if err := p.disconnect(p.asha, n.ID); err != nil {
		t.Fatal(err)
	}

	gone, err := p.get(p.asha, n.ID)
	if err != nil || gone.State != numbers.Disconnected || gone.GraceUntil == nil {
		t.Fatalf("disconnected: got %+v (%v), want it in its grace", gone, err)
	}
	if left := time.Until(*gone.GraceUntil); left > numbers.Grace || left < numbers.Grace-time.Minute {
		t.Errorf("grace: %s left, want %s", left, numbers.Grace)
	}
	if err := gone.MaySend(time.Now()); tenants.ConflictCode(err) != "number_disconnected" {
		t.Errorf("sending in the grace: got %v, want number_disconnected", err)
	}
	if _, err := p.reconnect(m, p.ravi, n.ID); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("reconnect another tenant's: got %v, want ErrNotFound", err)
	}

	back, err := p.reconnect(m, p.asha, n.ID)
	if err != nil || back.ID != n.ID || back.State != numbers.Waiting || back.GraceUntil != nil || back.DisconnectedAt != nil || len(back.Checks) != 8 {
		t.Errorf("reconnect: got %+v (%v), want the number as it was", back, err)
	}
	if _, err := p.connect(m, p.ravi, m.input()); tenants.ConflictCode(err) != "number_taken" {
		t.Errorf("another tenant after the return: got %v, want number_taken", err)
	}
	if got := p.auditOf(t, p.asha, "number.reconnect"); got != 1 {
		t.Errorf("audit entries of the return: got %d, want 1", got)
	}
}

func TestNumberTakenByAnotherInItsGrace(t *testing.T) {
	t.Parallel()
	p, m := newPlace(t), newMeta(t)
	p.addApp(t, uuid.Nil, "demo")
	n, err := p.connect(m, p.asha, m.input())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.disconnect(p.asha, n.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := p.connect(m, p.ravi, m.input()); err != nil {
		t.Fatalf("who proves control of it may connect it: %v", err)
	}
	if _, err := p.reconnect(m, p.asha, n.ID); tenants.ConflictCode(err) != "number_taken" {
		t.Errorf("reconnect what another has: got %v, want number_taken", err)
	}
}

func TestTokenIsForgottenAfterTheGrace(t *testing.T) {
	t.Parallel()
	p, m := newPlace(t), newMeta(t)
	p.addApp(t, uuid.Nil, "demo")
	n, err := p.connect(m, p.asha, m.input())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.disconnect(p.asha, n.ID); err != nil {
		t.Fatal(err)
	}
	p.endGrace(t, p.asha, n.ID)
	if _, err := p.reconnect(m, p.asha, n.ID); tenants.ConflictCode(err) != "number_gone" {
		t.Errorf("reconnect after the grace: got %v, want number_gone", err)
	}

	p.works(t, m.graph)
	until(t, "the token is forgotten", func() bool {
		n, err := p.get(p.asha, n.ID)
		return err == nil && !n.HasToken && n.GraceUntil == nil
	})
	if got := p.auditOf(t, p.asha, "number.forget"); got != 1 {
		t.Errorf("audit entries of the end: got %d, want 1", got)
	}

	// It can still be connected as on the first day, and is the same number.
	in := m.input()
	in.AccessToken = tokenOf(sandbox.TokenGood)
	if again, err := p.connect(m, p.asha, in); err != nil || again.ID != n.ID {
		t.Errorf("connect anew: got %s (%v), want number %s", again.ID, err, n.ID)
	}
}

func (w *metaWindow) reconnect(id uuid.UUID) (numbers.Number, error) {
	return numbers.Reconnect(context.Background(), w.DB, w.keys, w.graph, meera, w.asha, id, w.callback)
}

// While a number was away its WABA's others came to stand in the portfolio's scope: it comes back to them.
func TestReturnToTheScopeOfItsAccount(t *testing.T) {
	t.Parallel()
	w := newWindow(t)
	_, fresh := sandbox.SignupNumbers()
	w.hidePortfolio(fresh)
	n, err := w.signup(w.asha, numbers.SignupInput{Code: w.choose(t, fresh, "", "finish")})
	if err != nil || n.Scope != "waba:"+fresh.WABAID {
		t.Fatalf("got scope %s (%v), want the WABA's own", n.Scope, err)
	}
	if err := w.disconnect(w.asha, n.ID); err != nil {
		t.Fatal(err)
	}
	beside, err := numbers.Connect(context.Background(), w.DB, w.keys, w.graph, meera, w.asha, numbers.ConnectInput{
		App: "platform", WABAID: fresh.WABAID, PhoneNumberID: "801", DisplayPhone: "919800000101", PortfolioID: "5", AccessToken: "some-token", Unconfirmed: true,
	})
	if err != nil || beside.Scope != "portfolio:5" {
		t.Fatalf("got scope %s (%v), want the portfolio's", beside.Scope, err)
	}

	if n, err = w.reconnect(n.ID); err != nil || n.Scope != beside.Scope || n.PortfolioID != "5" {
		t.Errorf("came back to %s, portfolio %q (%v), want %s", n.Scope, n.PortfolioID, err, beside.Scope)
	}
}

// A number comes back to the portfolio it was known in, and takes those of its WABA along.
func TestReturnWithItsPortfolio(t *testing.T) {
	t.Parallel()
	w := newWindow(t)
	_, fresh := sandbox.SignupNumbers()
	n, err := w.signup(w.asha, numbers.SignupInput{Code: w.choose(t, fresh, "", "finish")})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.disconnect(w.asha, n.ID); err != nil {
		t.Fatal(err)
	}
	w.hidePortfolio(fresh)
	beside, err := numbers.Connect(context.Background(), w.DB, w.keys, w.graph, meera, w.asha, numbers.ConnectInput{
		App: "platform", WABAID: fresh.WABAID, PhoneNumberID: "801", DisplayPhone: "919800000101", AccessToken: "some-token", Unconfirmed: true,
	})
	if err != nil || beside.Scope != "waba:"+fresh.WABAID {
		t.Fatalf("got scope %s (%v), want the WABA's own", beside.Scope, err)
	}

	back, err := w.reconnect(n.ID)
	if err != nil || back.Scope != n.Scope {
		t.Errorf("came back to %s (%v), want %s", back.Scope, err, n.Scope)
	}
	if beside, err = w.get(w.asha, beside.ID); err != nil || beside.Scope != n.Scope {
		t.Errorf("the number beside it stands in %s (%v), want %s", beside.Scope, err, n.Scope)
	}
}

// What was begun before the number went is gone on with: its registration, and what its app was asked for.
func TestReturnGoesOn(t *testing.T) {
	t.Parallel()
	w := newWindow(t)
	shared, fresh := sandbox.SignupNumbers()
	letAgain := w.refusesToRegister(fresh)
	n, err := w.signup(w.asha, numbers.SignupInput{Code: w.choose(t, fresh, "", "finish")})
	if err != nil || n.RegisteredAt != nil {
		t.Fatalf("got %v (%v), want it connected and not registered", said(n.Checks), err)
	}
	app, err := w.signup(w.asha, numbers.SignupInput{OnApp: true, Code: w.choose(t, shared, keepsApp, "finish"), WABAID: shared.WABAID})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.startSync(w.asha, app.ID); err != nil {
		t.Fatal(err)
	}
	letAgain()

	for _, id := range []uuid.UUID{n.ID, app.ID} {
		if err := w.disconnect(w.asha, id); err != nil {
			t.Fatal(err)
		}
		back, err := w.reconnect(id)
		if err != nil || (back.RegisteredAt == nil) != (id == app.ID) {
			t.Errorf("came back with %v (%v), want only the new one registered", said(back.Checks), err)
		}
	}
	var follows bool
	err = w.as(uuid.Nil, func(ctx context.Context, tx *tenants.Tx) error {
		return tx.GetContext(ctx, &follows, `SELECT EXISTS (SELECT FROM jobs WHERE kind = 'number_sync' AND state = 'waiting' AND args->>'number_id' = $1)`, app.ID)
	})
	if err != nil || !follows {
		t.Errorf("nobody follows what the app sends (%v)", err)
	}
}
