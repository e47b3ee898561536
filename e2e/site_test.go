package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pehchan/pehchan/server"
	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/facts"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/outbox"
	"github.com/pehchan/pehchan/tenants/privacy"
	"github.com/pehchan/pehchan/tenants/sandbox"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/testdb"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

const (
	password    = "lotus-river-42-monsoon"
	appName     = "asha-app"
	platformApp = "platform"
	appSecret   = "e2e-app-secret"
	verifyToken = "e2e-verify-token"
)

// site is the whole program, web and worker, on a database of its own, beside WhatsApp's stand-in. Its people are Asha and
// Meera (owner and agent of asha-clinic) and Ravi and Joseph (of ravi-motors); asha-clinic has a Meta app.
type site struct {
	*testdb.Database
	server         *server.Server
	url            string
	keys           *secrets.Keyring
	graph          whatsapp.Graph
	meta           *sandbox.Graph
	clinic, motors tenants.Tenant
	meera          tenants.Actor
	log            *lockedLog
}

func newSite(t *testing.T, changes ...func(*config.Config)) *site {
	t.Helper()

	graph := sandbox.NewGraph(sandbox.GraphOptions{AppSecret: []byte(appSecret)})
	t.Cleanup(graph.Close)
	meta := httptest.NewServer(graph)
	t.Cleanup(meta.Close)

	keys, err := secrets.Open(filepath.Join(t.TempDir(), "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	st := &site{Database: testdb.New(t), keys: keys, log: &lockedLog{}, meta: graph}
	t.Cleanup(func() {
		if said := st.log.errors(); said != "" {
			t.Errorf("the program logged errors:\n%s", said)
		}
	})
	if err := facts.Seed(t.Context(), st.DB); err != nil {
		t.Fatal(err)
	}
	st.people(t)
	st.serve(t, meta.URL, changes...)

	return st
}

func (st *site) people(t *testing.T) {
	t.Helper()

	var wg sync.WaitGroup
	set := func(tenant *tenants.Tenant, slug, name, owner, agent string) {
		var err error
		*tenant, err = access.AddTenant(t.Context(), st.DB, byTest, access.NewTenant{Slug: slug, Name: name, Owner: st.person(t, owner)})
		if err != nil {
			t.Errorf("add %s: %v", slug, err)
			return
		}
		id, err := access.AddMember(t.Context(), st.DB, tenant.ID, byTest, st.person(t, agent), access.Agent)
		if err != nil {
			t.Errorf("add %s: %v", agent, err)
		}
		if agent == "Meera" {
			st.meera = tenants.Actor{Kind: "person", ID: id.String(), Name: agent}
		}
	}
	wg.Go(func() { set(&st.clinic, "asha-clinic", "Asha Clinic", "Asha", "Meera") })
	wg.Go(func() { set(&st.motors, "ravi-motors", "Ravi Motors", "Ravi", "Joseph") })
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}

	addApp := func(name string) func(*tenants.Tx) error {
		return func(tx *tenants.Tx) error {
			_, err := numbers.AddApp(t.Context(), tx, st.keys, byTest.Actor, numbers.AppInput{
				Name: name, MetaAppID: sandbox.Known().AppID, AppSecret: appSecret, VerifyToken: verifyToken,
			})

			return err
		}
	}
	st.as(t, st.clinic, addApp(appName))
	if err := st.DB.System(t.Context(), addApp(platformApp)); err != nil {
		t.Fatal(err)
	}
}

// withoutWindow is a site whose platform is not set up for Meta's window.
func withoutWindow(cfg *config.Config) { cfg.SignupApp, cfg.SignupConfig, cfg.SignupSDK = "", "", "" }

// byTest does what the journey itself is not about.
var byTest = access.Command("e2e")

// person has an account that costs little to sign in to.
func (st *site) person(t *testing.T, name string) access.NewPerson {
	t.Helper()
	st.Person(t, email(name), name, password)

	return access.NewPerson{Email: email(name), Name: name, Password: password}
}

func email(name string) string { return strings.ToLower(name) + "@pehchan.example" }

func (st *site) as(t *testing.T, tenant tenants.Tenant, fn func(*tenants.Tx) error) {
	t.Helper()
	if err := st.DB.As(t.Context(), tenant.ID, fn); err != nil {
		t.Fatal(err)
	}
}

// serve starts the web server on a free port, and the worker.
func (st *site) serve(t *testing.T, graphURL string, changes ...func(*config.Config)) {
	t.Helper()

	log := slog.New(slog.NewTextHandler(st.log, nil))
	worker := ingest.NewWorker(st.DB, log)
	worker.Recognise(st.keys)
	listening := make(chan string, 1)
	cfg := config.Config{
		Listen: "127.0.0.1:0", Data: t.TempDir(), GraphURL: graphURL,
		SignupApp: platformApp, SignupConfig: sandbox.SignupConfig, SignupSDK: graphURL + "/sdk.js", Signup: "open",
	}
	for _, change := range changes {
		change(&cfg)
	}
	st.graph = cfg.Graph()
	srv, err := server.New(cfg, server.Deps{
		DB: st.DB, Keys: st.keys, Log: log, Wake: worker.Wake, OnListen: func(url string) { listening <- url },
	})
	if err != nil {
		t.Fatal(err)
	}
	st.server = srv

	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	run := func(what string, fn func(context.Context) error) {
		running.Go(func() {
			if err := fn(ctx); err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", what, err)
			}
		})
	}
	run("serve", srv.Listen)
	run("work", worker.Run)
	run("look after numbers", numbers.NewWorker(st.DB, st.keys, st.graph, log).Run)
	run("look after privacy", privacy.NewWorker(st.DB, st.keys, st.graph, log).Run)
	run("send", outbox.NewSender(st.DB, st.keys, st.graph, log).Run)

	select {
	case st.url = <-listening:
	case <-time.After(patience):
		t.Fatal("the server never listened")
	}
}

// number is connected without its page; the journey of connecting one is another.
func (st *site) number(t *testing.T, nth int) sandbox.Number {
	t.Helper()

	n := sandbox.Known().Numbers[nth]
	_, err := numbers.Connect(t.Context(), st.DB, st.keys, st.graph, byTest.Actor, st.clinic.ID, numbers.ConnectInput{
		App: appName, WABAID: n.WABAID, PhoneNumberID: n.PhoneNumberID, DisplayPhone: n.DisplayPhone,
		PortfolioID: n.PortfolioID, AccessToken: goodToken(), PublicURL: st.url,
	})
	if err != nil {
		t.Fatalf("connect: %v", err)
	}

	return n
}

func goodToken() string {
	for _, token := range sandbox.Known().Tokens {
		if token.State == sandbox.TokenGood {
			return token.Token
		}
	}

	return ""
}

// deliver posts signed webhooks as WhatsApp does, and returns when all they cause can be seen.
func (st *site) deliver(t *testing.T, bodies ...[]byte) {
	t.Helper()

	for _, body := range bodies {
		code, err := sandbox.Send(t.Context(), http.DefaultClient, st.url+numbers.HookPath(appName), []byte(appSecret), body)
		if err != nil || code != http.StatusOK {
			t.Fatalf("deliver: %d %v", code, err)
		}
	}
	until(t, "everything delivered is resolved", func() bool {
		meter, err := ingest.TenantMeter(t.Context(), st.DB, st.clinic.ID)
		if err != nil {
			t.Fatal(err)
		}

		return meter.Items.Waiting == 0
	})
}

// past tells what happened to a number before the journey: every kind of case is in it.
func (st *site) past(t *testing.T, n sandbox.Number) {
	t.Helper()

	var bodies [][]byte
	for _, d := range sandbox.DemoStory(n, time.Now()) {
		bodies = append(bodies, d.Body)
	}
	st.deliver(t, bodies...)
}

// later is a message of the past once more, as a new one that says something else now.
func (st *site) later(t *testing.T, said, says string) []byte {
	t.Helper()

	for _, d := range sandbox.DemoStory(sandbox.Known().Numbers[0], time.Now()) {
		if d.Items == 1 && bytes.Contains(d.Body, []byte(said)) {
			body := bytes.Replace(d.Body, []byte(said), []byte(says), 1)
			body = sentAt.ReplaceAll(body, fmt.Appendf(nil, `"timestamp":"%d"`, time.Now().Unix()))

			return wamid.ReplaceAll(body, []byte(`"id":"wamid.later`))
		}
	}
	t.Fatalf("nobody wrote %q", said)

	return nil
}

var (
	sentAt = regexp.MustCompile(`"timestamp":"\d+"`)
	wamid  = regexp.MustCompile(`"id":"wamid\.`)
)

// lockedLog is a log that web and worker write to side by side.
type lockedLog struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()

	return l.buf.Write(p)
}

// errors are the lines of level error.
func (l *lockedLog) errors() string {
	l.mu.Lock()
	defer l.mu.Unlock()

	var out []string
	for line := range strings.Lines(l.buf.String()) {
		if strings.Contains(line, "level=ERROR") {
			out = append(out, strings.TrimSpace(line))
		}
	}

	return strings.Join(out, "\n")
}
