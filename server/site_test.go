package server_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server"
	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/testdb"
)

const (
	password = "lotus-river-42-monsoon"
	origin   = "https://pehchan.example"
)

// site is a server on a database with asha-clinic and ravi-motors, each with its owner (Asha, Ravi).
type site struct {
	*testdb.Database
	*server.Server
	clinic, motors tenants.Tenant
	keys           *secrets.Keyring
	log            *lockedBuffer
	origin         string

	cutOnce sync.Once
	cut     []cutRoute
}

func newSite(t *testing.T) *site {
	t.Helper()
	st := &site{Database: testdb.New(t), log: &lockedBuffer{}, origin: origin}
	st.clinic = st.tenant(t, "asha-clinic", "asha")
	st.motors = st.tenant(t, "ravi-motors", "ravi")
	st.Server = st.open(t, config.Config{PublicURL: origin})

	return st
}

// open is one more server on the same database, and keys.
func (st *site) open(t *testing.T, cfg config.Config) *server.Server {
	t.Helper()
	cfg.Listen, cfg.Data = "127.0.0.1:0", t.TempDir()
	s, err := server.New(cfg, st.deps(t))
	if err != nil {
		t.Fatalf("new server: %v", err)
	}
	t.Cleanup(s.Close)

	return s
}

func (st *site) deps(t *testing.T) server.Deps {
	t.Helper()
	if st.keys == nil {
		keys, err := secrets.Open(filepath.Join(t.TempDir(), "master.key"))
		if err != nil {
			t.Fatalf("open keys: %v", err)
		}
		st.keys = keys
	}

	return server.Deps{DB: st.DB, Keys: st.keys, Log: slog.New(slog.NewTextHandler(st.log, nil))}
}

// lastAddress is where the newest session came from.
func (st *site) lastAddress(t *testing.T) (address string) {
	t.Helper()
	err := st.DB.System(context.Background(), func(tx *tenants.Tx) error {
		return tx.Get(&address, `SELECT ip FROM sessions ORDER BY created_at DESC LIMIT 1`)
	})
	if err != nil {
		t.Fatal(err)
	}

	return address
}

func (st *site) tenant(t *testing.T, slug, owner string) tenants.Tenant {
	t.Helper()
	tenant, err := access.AddTenant(context.Background(), st.DB, access.Command("test"), access.NewTenant{Slug: slug, Name: slug, Owner: st.person(t, owner)})
	if err != nil {
		t.Fatalf("add tenant: %v", err)
	}

	return tenant
}

func (st *site) member(t *testing.T, tenant tenants.Tenant, name, role string) uuid.UUID {
	t.Helper()
	id, err := access.AddMember(context.Background(), st.DB, tenant.ID, access.Command("test"), st.person(t, name), role)
	if err != nil {
		t.Fatalf("add %s: %v", name, err)
	}

	return id
}

func (st *site) operator(t *testing.T, name, role string) {
	t.Helper()
	if _, err := access.AddOperator(context.Background(), st.DB, access.Command("test"), st.person(t, name), role); err != nil {
		t.Fatalf("add operator: %v", err)
	}
}

func (st *site) exec(t *testing.T, query string, args ...any) {
	t.Helper()
	err := st.DB.System(context.Background(), func(tx *tenants.Tx) error {
		_, err := tx.Exec(query, args...)
		return err
	})
	if err != nil {
		t.Fatalf("exec: %v", err)
	}
}

// person has an account that costs little to sign in to.
func (st *site) person(t *testing.T, name string) access.NewPerson {
	t.Helper()
	p := access.NewPerson{Email: name + "@pehchan.example", Name: name, Password: password}
	st.Person(t, p.Email, p.Name, p.Password)

	return p
}

// lockedBuffer is a log that requests side by side may write to.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()

	return l.buf.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()

	return l.buf.String()
}

// browser keeps cookies and remembers the last form token it saw.
type browser struct {
	t       *testing.T
	s       *server.Server
	cookies map[string]string
	set     []*http.Cookie // by the last answer
	csrf    string
	headers map[string]string // sent along once
	origin  string
}

func (st *site) browser(t *testing.T) *browser {
	return &browser{t: t, s: st.Server, cookies: map[string]string{}, origin: st.origin}
}

// signedIn is the browser of somebody who has signed in and stands on the help page.
func (st *site) signedIn(t *testing.T, name string) *browser {
	t.Helper()
	b := st.browser(t)
	b.get("/login")
	if r := b.post("/login", url.Values{"email": {name + "@pehchan.example"}, "password": {password}}); r.status != http.StatusSeeOther {
		t.Fatalf("sign in %s: want 303, got %d %s", name, r.status, r.body)
	}
	b.get("/help")

	return b
}

type answer struct {
	status   int
	header   http.Header
	body     string
	location string
}

func (b *browser) get(path string) answer {
	b.t.Helper()
	return b.do(http.MethodGet, path, nil)
}

// post sends a form with the token of the page last seen.
func (b *browser) post(path string, form url.Values) answer {
	b.t.Helper()
	if form == nil {
		form = url.Values{}
	}
	if !form.Has("_csrf") {
		form.Set("_csrf", b.csrf)
	}
	if b.headers == nil {
		b.headers = map[string]string{}
	}
	if _, set := b.headers["Origin"]; !set {
		b.headers["Origin"] = b.origin
	}
	if _, set := b.headers["Content-Type"]; !set {
		b.headers["Content-Type"] = "application/x-www-form-urlencoded"
	}

	return b.do(http.MethodPost, path, strings.NewReader(form.Encode()))
}

var tokenInPage = regexp.MustCompile(`name="_csrf" value="([^"]+)"`)

func (b *browser) do(method, path string, body io.Reader) answer {
	b.t.Helper()
	r := httptest.NewRequest(method, "http://pehchan.example/", body)
	r.URL, r.RequestURI = &url.URL{Opaque: path}, path
	for name, value := range b.headers {
		if name == "Host" {
			r.Host = value
		}
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	b.headers = nil
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}

	res, err := b.s.App().Test(r, -1)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = res.Body.Close() }()
	var from io.Reader = res.Body
	if res.Header.Get("Content-Encoding") == "gzip" {
		if from, err = gzip.NewReader(res.Body); err != nil {
			b.t.Fatalf("unzip: %v", err)
		}
	}
	raw, err := io.ReadAll(from)
	if err != nil {
		b.t.Fatalf("read answer: %v", err)
	}

	b.set = res.Cookies()
	for _, c := range b.set {
		if c.MaxAge < 0 || !c.Expires.IsZero() && c.Expires.Before(time.Now()) {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	if found := tokenInPage.FindSubmatch(raw); found != nil {
		b.csrf = string(found[1])
	}

	return answer{status: res.StatusCode, header: res.Header, body: string(raw), location: res.Header.Get("Location")}
}

func (b *browser) want(r answer, status int, location string) {
	b.t.Helper()
	if r.status != status || r.location != location {
		b.t.Errorf("want %d %q, got %d %q: %.300s", status, location, r.status, r.location, r.body)
	}
}
