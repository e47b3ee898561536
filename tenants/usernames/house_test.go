package usernames_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/sandbox"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/testdb"
	"github.com/pehchan/pehchan/tenants/usernames"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

var meera = tenants.Actor{Kind: "person", ID: "m", Name: "Meera"}

// house is asha-clinic with its two numbers of one portfolio, connected, and ravi-motors, beside a stand-in for Meta that counts what
// it is asked about usernames.
type house struct {
	*testdb.Database
	keys       *secrets.Keyring
	graph      whatsapp.Graph
	asha, ravi uuid.UUID
	owner      uuid.UUID
	desk, lab  uuid.UUID
	calls      *atomic.Int64
	garage     sandbox.Number
}

func newHouse(t *testing.T) house {
	t.Helper()
	h := house{Database: testdb.New(t), calls: &atomic.Int64{}}
	keys, err := secrets.Open(filepath.Join(t.TempDir(), "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	h.keys = keys
	stand := sandbox.NewGraph(sandbox.GraphOptions{})
	t.Cleanup(stand.Close)
	meta := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/username") && r.Method != http.MethodGet {
			h.calls.Add(1)
		}
		stand.ServeHTTP(w, r)
	}))
	t.Cleanup(meta.Close)
	h.graph = whatsapp.NewGraph(meta.URL + "/v26.0")

	ctx := context.Background()
	add := func(slug string) uuid.UUID {
		tenant, err := access.AddTenant(ctx, h.DB, access.Command("test"), access.NewTenant{
			Slug: slug, Name: slug, Owner: access.NewPerson{Email: "owner@" + slug + ".example", Name: "Asha", Password: "brass-lantern-monsoon-47"},
		})
		if err != nil {
			t.Fatal(err)
		}
		return tenant.ID
	}
	h.asha, h.ravi = add("asha-clinic"), add("ravi-motors")
	if err := h.DB.System(ctx, func(tx *tenants.Tx) error {
		_, err := numbers.AddApp(ctx, tx, keys, meera, numbers.AppInput{Name: "demo", MetaAppID: "1", AppSecret: "app-secret-of-demo", VerifyToken: "verify-me-please"})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	known := sandbox.Known().Numbers
	h.desk, h.lab, h.garage = h.connect(t, known[0]), h.connect(t, known[1]), known[2]
	h.as(t, h.asha, func(tx *tenants.Tx) error {
		team, err := access.Team(ctx, tx)
		h.owner = team[0].ID
		return err
	})

	return h
}

// connect connects a number of the clinic's that has a good token.
func (h house) connect(t *testing.T, n sandbox.Number) uuid.UUID {
	t.Helper()
	number, err := numbers.Connect(context.Background(), h.DB, h.keys, h.graph, meera, h.asha, numbers.ConnectInput{
		App: "demo", WABAID: n.WABAID, PhoneNumberID: n.PhoneNumberID, DisplayPhone: n.DisplayPhone, PortfolioID: n.PortfolioID,
		AccessToken: "sandbox-token-good", PublicURL: "http://127.0.0.1:1", Unconfirmed: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	// What Graph would have told, had it been asked: the portfolio.
	h.as(t, h.asha, func(tx *tenants.Tx) error {
		_, err := tx.Exec(`UPDATE numbers SET scope = 'portfolio:' || $3, portfolio_id = $3 WHERE tenant_id = $1 AND id = $2`, tx.Tenant, number.ID, n.PortfolioID)
		return err
	})

	return number.ID
}

func (h house) as(t *testing.T, tenant uuid.UUID, fn func(*tenants.Tx) error) {
	t.Helper()
	if err := h.DB.As(context.Background(), tenant, fn); err != nil {
		t.Fatal(err)
	}
}

func (h house) ask(number uuid.UUID, kind, name string) (usernames.Act, error) {
	return usernames.Ask(context.Background(), h.DB, h.keys, h.graph, meera, h.asha, number, kind, name)
}

func (h house) get(t *testing.T, number uuid.UUID) (n usernames.Name) {
	t.Helper()
	h.as(t, h.asha, func(tx *tenants.Tx) (err error) {
		n, err = usernames.Get(context.Background(), tx, number)
		return err
	})

	return n
}

func (h house) audited(t *testing.T, action string) (n int) {
	t.Helper()
	h.as(t, h.asha, func(tx *tenants.Tx) error {
		return tx.Get(&n, `SELECT count(*) FROM audit_entries WHERE tenant_id = $1 AND action = $2`, tx.Tenant, action)
	})

	return n
}
