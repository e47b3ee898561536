package numbers_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/sandbox"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// unconfirmed is a number connected without Graph.
func (p place) unconfirmed(tenant uuid.UUID, waba, phoneNumberID, portfolio string) (numbers.Number, error) {
	return numbers.Connect(context.Background(), p.DB, p.keys, whatsapp.Graph{}, meera, tenant, numbers.ConnectInput{
		App: "demo", WABAID: waba, PhoneNumberID: phoneNumberID, DisplayPhone: "+91 98000 00101", PortfolioID: portfolio,
		AccessToken: "some-access-token", Unconfirmed: true,
	})
}

func TestConnectUnconfirmed(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.addApp(t, uuid.Nil, "demo")

	n, err := p.unconfirmed(p.asha, "700", "800", "")
	if err != nil {
		t.Fatal(err)
	}
	if n.State != numbers.Unconfirmed || n.Scope != "waba:700" || n.DisplayPhone != "919800000101" || !n.HasToken || n.App != "demo" {
		t.Errorf("got %+v, want an unconfirmed number in scope waba:700", n)
	}

	got, err := p.get(p.asha, n.ID)
	if err != nil || got.ID != n.ID {
		t.Errorf("get own number: got %v (%v)", got.ID, err)
	}
	if _, err := p.get(p.ravi, n.ID); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("get another tenant's number: got %v, want ErrNotFound", err)
	}
	if got := p.list(t, p.asha); !slices.Equal(got, []string{"800"}) {
		t.Errorf("own numbers: got %v", got)
	}
	if got := p.list(t, p.ravi); len(got) != 0 {
		t.Errorf("numbers of another tenant: got %v, want none", got)
	}
	if got := p.auditOf(t, p.asha, "number.connect"); got != 1 {
		t.Errorf("audit entries of the connection: got %d, want 1", got)
	}
}

func TestOneOwnerAtATime(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.addApp(t, uuid.Nil, "demo")

	first, err := p.unconfirmed(p.asha, "700", "800", "5")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.unconfirmed(p.asha, "700", "800", "5"); tenants.ConflictCode(err) != "number_connected" {
		t.Errorf("connect one's own again: got %v, want conflict number_connected", err)
	}
	if _, err := p.unconfirmed(p.ravi, "700", "800", "5"); tenants.ConflictCode(err) != "number_taken" {
		t.Errorf("connect another tenant's: got %v, want conflict number_taken", err)
	}

	if err := p.disconnect(p.ravi, first.ID); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("disconnect another tenant's: got %v, want ErrNotFound", err)
	}
	if err := p.disconnect(p.asha, first.ID); err != nil {
		t.Fatal(err)
	}
	if err := p.disconnect(p.asha, first.ID); tenants.ConflictCode(err) != "number_disconnected" {
		t.Errorf("disconnect twice: got %v, want conflict number_disconnected", err)
	}
	gone, err := p.get(p.asha, first.ID)
	if err != nil || gone.State != numbers.Disconnected || gone.GraceUntil == nil {
		t.Errorf("disconnected number: got state %s, grace until %v (%v)", gone.State, gone.GraceUntil, err)
	}

	if _, err := p.unconfirmed(p.ravi, "700", "800", "5"); err != nil {
		t.Errorf("connect a number its owner let go: %v", err)
	}
	if _, err := p.unconfirmed(p.asha, "700", "800", "5"); tenants.ConflictCode(err) != "number_taken" {
		t.Errorf("take it back while another has it: got %v, want conflict number_taken", err)
	}
}

func TestReconnectingKeepsTheNumber(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.addApp(t, uuid.Nil, "demo")

	first, err := p.unconfirmed(p.asha, "700", "800", "5")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.disconnect(p.asha, first.ID); err != nil {
		t.Fatal(err)
	}
	again, err := p.unconfirmed(p.asha, "701", "800", "6")
	if err != nil {
		t.Fatal(err)
	}
	if again.ID != first.ID || again.WABAID != "701" || again.Scope != "portfolio:6" || again.DisconnectedAt != nil {
		t.Errorf("connected again: got %+v, want the number %s in its new place", again, first.ID)
	}
}

func TestTwoTenantsConnectAtOnce(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.addApp(t, uuid.Nil, "demo")

	errs := make([]error, 8)
	var all sync.WaitGroup
	for i := range errs {
		tenant := p.asha
		if i%2 == 1 {
			tenant = p.ravi
		}
		all.Go(func() { _, errs[i] = p.unconfirmed(tenant, "700", "800", "5") })
	}
	all.Wait()

	won := 0
	for i, err := range errs {
		switch code := tenants.ConflictCode(err); {
		case err == nil:
			won++
		case code != "number_taken" && code != "number_connected":
			t.Errorf("try %d: got %v, want it connected or a conflict", i, err)
		}
	}
	if won != 1 {
		t.Errorf("%d of 8 at once connected the number, want 1", won)
	}
}

func TestNumbersOfOneWABAShareAScope(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.addApp(t, uuid.Nil, "demo")

	connect := func(waba, number, portfolio, wantScope, wantPortfolio string) {
		t.Helper()
		n, err := p.unconfirmed(p.asha, waba, number, portfolio)
		if err != nil {
			t.Fatal(err)
		}
		if n.Scope != wantScope || n.PortfolioID != wantPortfolio {
			t.Errorf("number %s: got scope %s, portfolio %q; want %s, %q", number, n.Scope, n.PortfolioID, wantScope, wantPortfolio)
		}
	}
	connect("700", "801", "5", "portfolio:5", "5")
	connect("700", "802", "", "portfolio:5", "5")
	connect("710", "811", "", "waba:710", "")
	connect("720", "821", "5", "portfolio:5", "5")
	connect("710", "812", "8", "portfolio:8", "8")
	err := p.as(p.asha, func(ctx context.Context, tx *tenants.Tx) error {
		var scopes []string
		err := tx.SelectContext(ctx, &scopes, `SELECT DISTINCT scope || ' ' || portfolio_id FROM numbers WHERE waba_id = '710'`)
		if len(scopes) != 1 || scopes[0] != "portfolio:8 8" {
			t.Errorf("numbers of a WABA whose portfolio became known: got %v, want all widened", scopes)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	if _, err := p.unconfirmed(p.asha, "700", "803", "6"); tenants.ConflictCode(err) != "portfolio_differs" {
		t.Errorf("another portfolio for the same WABA: got %v, want conflict portfolio_differs", err)
	}
}

func TestConnectInputIsChecked(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.addApp(t, p.ravi, "ravis-own")

	good := numbers.ConnectInput{
		App: "ravis-own", WABAID: "700", PhoneNumberID: "800", DisplayPhone: "919800000101", AccessToken: "some-access-token", Unconfirmed: true,
	}
	for field, change := range map[string]func(*numbers.ConnectInput){
		"app":                  func(*numbers.ConnectInput) {}, // another tenant's
		"waba_id":              func(in *numbers.ConnectInput) { in.WABAID = "waba" },
		"phone_number_id":      func(in *numbers.ConnectInput) { in.PhoneNumberID = "" },
		"display_phone_number": func(in *numbers.ConnectInput) { in.DisplayPhone = "call me" },
		"portfolio_id":         func(in *numbers.ConnectInput) { in.PortfolioID = "5'; --" },
		"access_token":         func(in *numbers.ConnectInput) { in.AccessToken = "tab\tin the token" },
	} {
		in := good
		change(&in)
		_, err := numbers.Connect(context.Background(), p.DB, p.keys, whatsapp.Graph{}, meera, p.asha, in)
		var invalid *tenants.Invalid
		if !errors.As(err, &invalid) || invalid.Field != field {
			t.Errorf("bad %s: got %v, want it refused", field, err)
		}
	}
}

func (p place) get(tenant, id uuid.UUID) (n numbers.Number, err error) {
	err = p.as(tenant, func(ctx context.Context, tx *tenants.Tx) error {
		var err error
		n, err = numbers.Get(ctx, tx, id)
		return err
	})

	return n, err
}

func (p place) disconnect(tenant, id uuid.UUID) error {
	return p.as(tenant, func(ctx context.Context, tx *tenants.Tx) error {
		return numbers.Disconnect(ctx, tx, meera, id)
	})
}

// list reads a tenant's phone number ids, a page of two at a time.
func (p place) list(t *testing.T, tenant uuid.UUID) (ids []string) {
	t.Helper()

	after := uuid.Nil
	for {
		var page []numbers.Number
		err := p.as(tenant, func(ctx context.Context, tx *tenants.Tx) (err error) {
			page, err = numbers.List(ctx, tx, after, 2)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			return ids
		}
		for _, n := range page {
			ids = append(ids, n.PhoneNumberID)
			after = n.ID
		}
	}
}

func (p place) auditOf(t *testing.T, tenant uuid.UUID, action string) (n int) {
	t.Helper()

	err := p.as(tenant, func(ctx context.Context, tx *tenants.Tx) error {
		return tx.GetContext(ctx, &n, `SELECT count(*) FROM audit_entries WHERE action = $1`, action)
	})
	if err != nil {
		t.Fatal(err)
	}

	return n
}

// A number that is being connected takes the scope of its WABA's others, so nobody may widen that meanwhile.
func TestLearningAPortfolioWaitsForConnects(t *testing.T) {
	t.Parallel()
	p, m := newPlace(t), newMeta(t)
	p.addApp(t, uuid.Nil, "demo")
	in := m.input()
	in.Unconfirmed, in.AccessToken = true, "token-of-long-ago"
	n, err := p.connect(m, p.asha, in)
	if err != nil {
		t.Fatal(err)
	}

	replaced := make(chan error, 1)
	err = p.as(p.asha, func(ctx context.Context, tx *tenants.Tx) error {
		if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('numbers ' || $1, 0))`, p.asha.String()); err != nil {
			return err
		}
		go func() {
			_, err := numbers.ReplaceToken(ctx, p.DB, p.keys, m.graph, meera, p.asha, n.ID, tokenOf(sandbox.TokenGood), m.callback)
			replaced <- err
		}()
		for waits := false; !waits; {
			select {
			case err := <-replaced:
				t.Errorf("the portfolio was learned during a connect (%v)", err)
				replaced <- nil
				return nil
			default:
			}
			err := tx.GetContext(ctx, &waits, `
				SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
				               AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))`)
			if err != nil {
				return err
			}
		}

		return nil
	})
	if err := errors.Join(err, <-replaced); err != nil {
		t.Fatal(err)
	}
	if got, err := p.get(p.asha, n.ID); err != nil || !strings.HasPrefix(got.Scope, "portfolio:") {
		t.Errorf("got %+v (%v), want the portfolio learned after it", got, err)
	}
}
