package numbers_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/sandbox"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// meta is the stand-in for Graph, beside a callback that answers handshakes as the web server does.
type meta struct {
	graph    whatsapp.Graph
	callback string
	number   sandbox.Number
}

func newMeta(t *testing.T) meta {
	t.Helper()

	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if r.URL.Path != "/hooks/whatsapp/demo" || q.Get("hub.verify_token") != verifyToken {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = io.WriteString(w, q.Get("hub.challenge"))
	}))
	t.Cleanup(hook.Close)

	stand := sandbox.NewGraph(sandbox.GraphOptions{AppSecret: []byte(appSecret), VerifyToken: verifyToken})
	t.Cleanup(stand.Close)
	api := httptest.NewServer(stand)
	t.Cleanup(api.Close)

	return meta{graph: whatsapp.NewGraph(api.URL + "/v26.0"), callback: hook.URL, number: sandbox.Known().Numbers[0]}
}

func tokenOf(state sandbox.TokenState) string {
	for _, token := range sandbox.Known().Tokens {
		if token.State == state {
			return token.Token
		}
	}

	return ""
}

func (m meta) input() numbers.ConnectInput {
	return numbers.ConnectInput{
		App: "demo", WABAID: m.number.WABAID, PhoneNumberID: m.number.PhoneNumberID, DisplayPhone: m.number.DisplayPhone,
		AccessToken: tokenOf(sandbox.TokenGood), PublicURL: m.callback,
	}
}

func (p place) connect(m meta, tenant uuid.UUID, in numbers.ConnectInput) (numbers.Number, error) {
	return numbers.Connect(context.Background(), p.DB, p.keys, m.graph, meera, tenant, in)
}

// said writes checks as "code" where they hold, else "code:reason".
func said(checks []numbers.CheckResult) (list []string) {
	for _, c := range checks {
		if c.OK {
			list = append(list, c.Code)
		} else {
			list = append(list, c.Code+":"+c.Reason)
		}
	}

	return list
}

func TestConnectProvesTheNumber(t *testing.T) {
	t.Parallel()
	p, m := newPlace(t), newMeta(t)
	p.addApp(t, uuid.Nil, "demo")

	n, err := p.connect(m, p.asha, m.input())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"token", "scopes", "number", "waba", "display_phone", "portfolio", "subscribed", "callback"}
	if got := said(n.Checks); !slices.Equal(got, want) {
		t.Errorf("checks: got %v, want %v", got, want)
	}
	if n.State != numbers.Waiting || n.Scope != "portfolio:"+m.number.PortfolioID || n.Name != m.number.VerifiedName || n.TokenProblem != "" {
		t.Errorf("got %+v, want it waiting in its portfolio", n)
	}

	apps, err := m.graph.SubscribedApps(context.Background(), tokenOf(sandbox.TokenGood), m.number.WABAID)
	if err != nil || len(apps) != 1 || apps[0].CallbackURL != m.callback+"/hooks/whatsapp/demo" {
		t.Errorf("subscribed apps: got %v (%v), want our callback", apps, err)
	}
	if _, err := p.connect(m, p.ravi, m.input()); tenants.ConflictCode(err) != "number_taken" {
		t.Errorf("another tenant with a working token: got %v, want conflict number_taken", err)
	}
}

func TestConnectRefusesWhatIsNotProved(t *testing.T) {
	t.Parallel()
	p, m := newPlace(t), newMeta(t)
	p.addApp(t, uuid.Nil, "demo")
	known := sandbox.Known()

	for name, c := range map[string]struct {
		change func(*numbers.ConnectInput)
		want   []string
	}{
		"expired token": {
			func(in *numbers.ConnectInput) { in.AccessToken = tokenOf(sandbox.TokenExpired) },
			[]string{"token:token_expired"},
		},
		"unknown token": {
			func(in *numbers.ConnectInput) { in.AccessToken = "no-such-token" },
			[]string{"token:token_invalid"},
		},
		"token lacking scopes": {
			func(in *numbers.ConnectInput) { in.AccessToken = tokenOf(sandbox.TokenLacksScopes) },
			[]string{"scopes:scopes_missing", "number:no_permission", "waba:no_permission", "portfolio:portfolio_unread"},
		},
		"number of another WABA": {
			func(in *numbers.ConnectInput) { in.WABAID = known.Numbers[2].WABAID },
			[]string{"waba:not_in_waba"},
		},
		"number that is gone": {
			func(in *numbers.ConnectInput) { in.PhoneNumberID = known.Deleted },
			[]string{"number:number_unknown", "waba:not_in_waba"},
		},
		"unknown WABA": {
			func(in *numbers.ConnectInput) { in.WABAID = "1" },
			[]string{"waba:waba_unknown", "portfolio:portfolio_unread"},
		},
		"another phone": {
			func(in *numbers.ConnectInput) { in.DisplayPhone = known.Numbers[1].DisplayPhone },
			[]string{"display_phone:phone_differs"},
		},
		"another portfolio": {
			func(in *numbers.ConnectInput) { in.PortfolioID = "1" },
			[]string{"portfolio:portfolio_differs"},
		},
	} {
		in := m.input()
		c.change(&in)
		_, err := p.connect(m, p.asha, in)
		var refused *numbers.Refused
		if !errors.As(err, &refused) {
			t.Errorf("%s: got %v, want it refused", name, err)
			continue
		}
		if got := said(refused.Failed()); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
		if strings.Contains(fmt.Sprintf("%v %+v", err, refused.Checks), in.AccessToken) {
			t.Errorf("%s: the refusal holds the token", name)
		}
	}
	if got := p.list(t, p.asha); len(got) != 0 {
		t.Errorf("refused numbers left behind: %v", got)
	}
}

func TestConnectTellsGraphFromItsAbsence(t *testing.T) {
	t.Parallel()
	p, m := newPlace(t), newMeta(t)
	p.addApp(t, uuid.Nil, "demo")
	m.graph = whatsapp.NewGraph("http://127.0.0.1:1")

	_, err := p.connect(m, p.asha, m.input())
	var refused *numbers.Refused
	if !errors.As(err, &refused) || !slices.Equal(said(refused.Failed()), []string{"token:graph_unreachable"}) {
		t.Errorf("Graph away: got %v, want graph_unreachable", err)
	}
	if refused != nil && len(refused.Checks) != 6 {
		t.Errorf("checks listed: got %d, want all 6", len(refused.Checks))
	}
}

func TestUnreachableCallbackIsShownNotRefused(t *testing.T) {
	t.Parallel()
	p, m := newPlace(t), newMeta(t)
	p.addApp(t, uuid.Nil, "demo")

	in := m.input()
	in.PublicURL = "http://127.0.0.1:1"
	n, err := p.connect(m, p.asha, in)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := said(n.Checks[6:]), []string{"subscribed:not_subscribed", "callback:callback_unreachable"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}

	in.PublicURL = m.callback + "/elsewhere"
	again, err := numbers.Recheck(context.Background(), p.DB, p.keys, m.graph, meera, p.asha, n.ID, in.PublicURL)
	if err != nil || again.Checks[7].Reason != "callback_wrong_answer" {
		t.Errorf("something else there: got %v (%v), want callback_wrong_answer", said(again.Checks), err)
	}
	again, err = numbers.Recheck(context.Background(), p.DB, p.keys, m.graph, meera, p.asha, n.ID, m.callback)
	if err != nil || slices.ContainsFunc(again.Checks, func(c numbers.CheckResult) bool { return !c.OK }) {
		t.Errorf("checked again once it is reachable: got %v (%v)", said(again.Checks), err)
	}
	if got := p.auditOf(t, p.asha, "number.recheck"); got != 2 {
		t.Errorf("audited %d checks, want 2", got)
	}
	if _, err := numbers.Recheck(context.Background(), p.DB, p.keys, m.graph, meera, p.ravi, n.ID, m.callback); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("check another tenant's number: got %v, want ErrNotFound", err)
	}
}

func TestReplaceToken(t *testing.T) {
	t.Parallel()
	p, m := newPlace(t), newMeta(t)
	p.addApp(t, uuid.Nil, "demo")

	in := m.input()
	in.Unconfirmed, in.AccessToken = true, "token-of-long-ago"
	n, err := p.connect(m, p.asha, in)
	if err != nil {
		t.Fatal(err)
	}
	replace := func(tenant uuid.UUID, state sandbox.TokenState) (numbers.Number, error) {
		return numbers.ReplaceToken(context.Background(), p.DB, p.keys, m.graph, meera, tenant, n.ID, tokenOf(state), m.callback)
	}

	if _, err := replace(p.ravi, sandbox.TokenGood); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("replace another tenant's token: got %v, want ErrNotFound", err)
	}
	var refused *numbers.Refused
	if _, err := replace(p.asha, sandbox.TokenExpired); !errors.As(err, &refused) {
		t.Errorf("replace by an expired token: got %v, want it refused", err)
	}
	if got := p.auditOf(t, p.asha, "number.replace_token"); got != 0 {
		t.Errorf("a refused token is in the audit %d times", got)
	}

	confirmed, err := replace(p.asha, sandbox.TokenGood)
	if err != nil || confirmed.State != numbers.Waiting || confirmed.Name != m.number.VerifiedName || len(confirmed.Checks) != 8 {
		t.Errorf("replace by a good token: got %+v (%v), want it confirmed and waiting", confirmed, err)
	}
	if got := p.auditOf(t, p.asha, "number.replace_token"); got != 1 {
		t.Errorf("audit entries of the replacement: got %d, want 1", got)
	}

	if err := p.disconnect(p.asha, n.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := replace(p.asha, sandbox.TokenGood); tenants.ConflictCode(err) != "number_disconnected" {
		t.Errorf("replace the token of a disconnected number: got %v, want conflict number_disconnected", err)
	}
}

func TestSealedTokensOpenInTheirRowOnly(t *testing.T) {
	t.Parallel()
	p, m := newPlace(t), newMeta(t)
	p.addApp(t, uuid.Nil, "demo")

	first, err := p.connect(m, p.asha, m.input())
	if err != nil {
		t.Fatal(err)
	}
	second, err := p.unconfirmed(p.asha, m.number.WABAID, "801", "")
	if err != nil {
		t.Fatal(err)
	}
	err = p.as(p.asha, func(ctx context.Context, tx *tenants.Tx) error {
		_, err := tx.ExecContext(ctx, `
			UPDATE numbers SET access_token = (SELECT access_token FROM numbers WHERE id = $1) WHERE id = $2`, first.ID, second.ID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := numbers.Recheck(context.Background(), p.DB, p.keys, m.graph, meera, p.asha, second.ID, m.callback); err == nil {
		t.Error("a token copied to another number's row opens there")
	}
}
