// Package server is the web server: HTTP in, HTML and JSON out, no SQL. routes.go lists every route.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"
	_ "time/tzdata" // tenants' time zones, also where the machine has none

	"github.com/gofiber/fiber/v2"
	"golang.org/x/time/rate"

	"github.com/pehchan/pehchan/migrations"
	"github.com/pehchan/pehchan/server/api"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/outbox"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/training/content"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

const (
	bodyLimit     = 4 << 20
	pageTimeout   = 10 * time.Second
	shutdownGrace = 10 * time.Second
	sweepEvery    = time.Hour
	countEvery    = 10 * time.Second

	// The time zone of pages for people whose business we do not know.
	homeZone = "Asia/Kolkata"
)

// Deps is what the server works with. OnListen, if set, is told the address once connections are taken, instead of standard
// output. Wake, if set, is called when a delivery was stored: a worker of the same process.
type Deps struct {
	DB       *tenants.DB
	Keys     *secrets.Keyring
	Log      *slog.Logger
	OnListen func(url string)
	Wake     func()
}

// Server answers HTTP. Any number of servers may work on one database.
type Server struct {
	cfg       Config
	db        *tenants.DB
	keys      *secrets.Keyring
	log       *slog.Logger
	ready     func(string)
	app       *fiber.App
	sessions  *access.Sessions
	formKey   []byte
	flashKey  []byte
	zone      *time.Location
	pages     map[string]string // permission of each page, by path
	rates     rates
	shares    shares
	metrics   *metrics
	receiver  *ingest.Receiver
	api       *api.API
	graph     whatsapp.Graph
	templates *outbox.Catalogue
	pulse     *pulse
	people    kept[identity.People]
	reaches   kept[identity.Reaches]
	bank      *content.Bank
	ending    chan struct{} // closed when the server shuts down: what has no end of its own ends then
	apps      apps
	uploads   uploads
	fetches   chan struct{}           // one for each file being passed on
	origin    atomic.Pointer[url.URL] // as people see it; known once the port is
	closing   atomic.Bool
}

// New builds the server and all its routes; it opens no port. A route without a permission is an error.
func New(cfg Config, d Deps) (*Server, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if d.DB == nil || d.Keys == nil || d.Log == nil {
		return nil, errors.New("a server needs a database, keys and a log")
	}

	zone, err := time.LoadLocation(homeZone)
	if err != nil {
		return nil, fmt.Errorf("load time zone: %w", err)
	}
	s := &Server{
		cfg: cfg, db: d.DB, keys: d.Keys, log: d.Log, ready: d.OnListen, zone: zone, pages: map[string]string{}, metrics: newMetrics(),
		sessions: access.NewSessions(d.Keys.Derive("session")), formKey: d.Keys.Derive("csrf"), flashKey: d.Keys.Derive("flash"),
	}
	if s.bank, err = content.Shipped(); err != nil {
		return nil, fmt.Errorf("read what is taught: %w", err)
	}
	s.sessions.FactorOptional = cfg.SecondFactor == factorOptional
	s.graph, s.ending, s.fetches = cfg.Graph(), make(chan struct{}), make(chan struct{}, maxFetches)
	s.templates = outbox.NewCatalogue(d.DB, d.Keys, s.graph)
	s.pulse = newPulse(d.DB, s.ending)
	s.api = api.New(api.Deps{DB: d.DB, Keys: d.Keys, Graph: s.graph, Origin: func() string { return s.origin.Load().String() }})
	if err := s.setOrigin(cfg.Listen); err != nil {
		return nil, err
	}

	s.app = fiber.New(fiber.Config{
		AppName:                 "pehchan",
		CaseSensitive:           true,
		StrictRouting:           true,
		Immutable:               true,
		BodyLimit:               bodyLimit,
		ReadTimeout:             10 * time.Second,
		WriteTimeout:            30 * time.Second,
		IdleTimeout:             60 * time.Second,
		ReadBufferSize:          8 << 10,
		DisableStartupMessage:   true,
		EnableTrustedProxyCheck: true, // with no trusted proxy, forwarded headers are never believed; see clientIP

		// Multipart forms are refused, so nobody needs to take them apart first.
		DisablePreParseMultipartForm: true,
		ErrorHandler:                 s.fail,
	})
	s.app.Server().HeaderReceived = s.allowUpload
	if err := s.register(); err != nil {
		return nil, err
	}
	s.apps.again, s.apps.around = rate.NewLimiter(looksAgain, looksAgain), rate.NewLimiter(looksAround, looksAround)
	s.receiver = ingest.NewReceiver(d.DB.Intake(), ingest.Options{Log: d.Log, Wake: d.Wake, Keys: d.Keys})

	return s, nil
}

// Close stores the deliveries that have been taken and takes no more. Listen does so when it ends.
func (s *Server) Close() { s.receiver.Close() }

// App is the router, for tests.
func (s *Server) App() *fiber.App { return s.app }

// Listen takes connections until ctx ends, then lets running requests finish for up to ten seconds. Once it is ready it prints
// "listening on http://…" to standard output, or tells OnListen.
func (s *Server) Listen(ctx context.Context) error {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", s.cfg.Listen, err)
	}
	if err := s.setOrigin(ln.Addr().String()); err != nil {
		return err
	}

	if s.cfg.MetricsListen != "" {
		if err := s.serveMetrics(ctx); err != nil {
			return errors.Join(err, ln.Close())
		}
	}

	served := make(chan error, 1)
	go func() { served <- s.app.Listener(ln) }()

	address := "http://" + reachable(ln.Addr().String())
	if s.ready != nil {
		s.ready(address)
	} else if _, err := fmt.Fprintln(os.Stdout, "listening on "+address); err != nil {
		return fmt.Errorf("say the address: %w", err)
	}

	sweep := time.NewTicker(sweepEvery)
	defer sweep.Stop()
	count := time.NewTicker(countEvery)
	defer count.Stop()
	defer s.countCalls(ctx)
	for running := true; running; {
		select {
		case err := <-served:
			return fmt.Errorf("serve: %w", err)
		case <-sweep.C:
			s.sweep(ctx)
		case <-count.C:
			s.countCalls(ctx)
		case <-ctx.Done():
			running = false
		}
	}

	s.closing.Store(true)
	close(s.ending)
	defer s.Close()
	if err := s.app.ShutdownWithTimeout(shutdownGrace); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("shut down: %w", err)
	}

	return nil
}

// sweep deletes ended sessions and old failed sign-ins; any number of servers may do so.
func (s *Server) sweep(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()

	err := s.db.System(ctx, func(tx *tenants.Tx) error {
		_, err := access.Sweep(ctx, tx)
		return err
	})
	if err != nil {
		s.log.Warn("sweep sessions", "error", err)
	}
}

// setOrigin settles the origin that forms come from and links lead to: the configured one, else that of the listen address.
func (s *Server) setOrigin(listen string) error {
	public := s.cfg.PublicURL
	if public == "" {
		public = "http://" + reachable(listen)
	}

	u, err := url.Parse(public)
	if err != nil {
		return fmt.Errorf("public address: %w", err)
	}
	if u.Scheme == "http" && !isLoopback(u.Hostname()) {
		return fmt.Errorf("set PEHCHAN_PUBLIC_URL to the https address people use: %s cannot keep a sign-in safe on plain http", listen)
	}
	s.origin.Store(u)

	return nil
}

// reachable names an address that listens everywhere by the name one can open here.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if addr, err := netip.ParseAddr(host); host == "" || err == nil && addr.IsUnspecified() {
		host = "localhost"
	}

	return net.JoinHostPort(host, port)
}

// secure tells whether people reach the server over https, hence Secure cookies and HSTS.
func (s *Server) secure() bool { return s.origin.Load().Scheme == "https" }

func (s *Server) healthz(c *fiber.Ctx) error {
	return c.SendString("ok\n")
}

// readyz is 200 while the database answers and is migrated and the server is not shutting down.
func (s *Server) readyz(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(c.UserContext(), 2*time.Second)
	defer cancel()

	pending, err := migrations.Pending(ctx, s.db.SQL())
	if err != nil || pending || s.closing.Load() {
		if err != nil {
			s.log.Warn("not ready", "error", err)
		}
		c.Set(fiber.HeaderRetryAfter, "2")

		return c.Status(fiber.StatusServiceUnavailable).SendString("not ready\n")
	}

	return c.SendString("ready\n")
}

// clientIP is the address a request comes from: the peer's, or, where the peer is a trusted proxy, the last address in
// X-Forwarded-For that is not one. An IPv6 address is returned whole.
func (s *Server) clientIP(c *fiber.Ctx) netip.Addr {
	addr, ok := netip.AddrFromSlice(c.Context().RemoteIP())
	if !ok {
		return netip.Addr{}
	}
	addr = addr.Unmap()
	if !s.trusts(addr) {
		return addr
	}

	hops := strings.Split(c.Get(fiber.HeaderXForwardedFor), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			return addr
		}
		addr = hop.Unmap().WithZone("")
		if !s.trusts(addr) {
			return addr
		}
	}

	return addr
}

func (s *Server) trusts(addr netip.Addr) bool {
	for _, p := range s.cfg.proxies {
		if p.Contains(addr) {
			return true
		}
	}

	return false
}
