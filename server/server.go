// Package server is the web server: HTTP in, HTML and JSON out, no SQL. routes.go lists every route.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"golang.org/x/time/rate"

	"github.com/pehchan/pehchan/migrations"
	"github.com/pehchan/pehchan/server/answers"
	"github.com/pehchan/pehchan/server/api"
	"github.com/pehchan/pehchan/server/audit"
	"github.com/pehchan/pehchan/server/changes"
	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/server/contacts"
	"github.com/pehchan/pehchan/server/docs"
	"github.com/pehchan/pehchan/server/front"
	"github.com/pehchan/pehchan/server/home"
	"github.com/pehchan/pehchan/server/inbox"
	"github.com/pehchan/pehchan/server/numbers"
	"github.com/pehchan/pehchan/server/operator"
	"github.com/pehchan/pehchan/server/overview"
	"github.com/pehchan/pehchan/server/prep"
	"github.com/pehchan/pehchan/server/privacy"
	"github.com/pehchan/pehchan/server/queue"
	"github.com/pehchan/pehchan/server/settings"
	"github.com/pehchan/pehchan/server/signin"
	"github.com/pehchan/pehchan/server/team"
	"github.com/pehchan/pehchan/server/usernames"
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/secrets"
)

const (
	shutdownGrace = 10 * time.Second
	sweepEvery    = time.Hour
	countEvery    = 10 * time.Second
)

// Deps is what the server works with. OnListen, if set, is told the address once connections are taken, instead of standard
// output. Wake, if set, is called when a delivery was stored: a worker of the same process.
type Deps struct {
	DB       *tenants.DB
	Keys     *secrets.Keyring
	Log      *slog.Logger
	OnListen func(url string)
	Wake     func()
	Demo     func() uuid.UUID // the business that visitors of the demo enter, uuid.Nil while there is none; nil where there never is
}

// Server answers HTTP. Any number of servers may work on one database.
type Server struct {
	*web.Site
	ready    func(string)
	app      *fiber.App
	rates    rates
	shares   shares
	metrics  *metrics
	receiver *ingest.Receiver
	apps     apps
	closing  atomic.Bool

	// The pages, by subject.
	answers   *answers.Pages
	api       *api.API
	audit     *audit.Pages
	changes   *changes.Pages
	contacts  *contacts.Pages
	docs      *docs.Pages
	front     *front.Pages
	home      *home.Pages
	inbox     *inbox.Pages
	numbers   *numbers.Pages
	operator  *operator.Pages
	overview  *overview.Pages
	prep      *prep.Pages
	privacy   *privacy.Pages
	queue     *queue.Pages
	settings  *settings.Pages
	signin    *signin.Pages
	team      *team.Pages
	usernames *usernames.Pages
}

// New builds the server and all its routes; it opens no port. A route without a permission is an error.
func New(cfg config.Config, d Deps) (*Server, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	if d.DB == nil || d.Keys == nil || d.Log == nil {
		return nil, errors.New("a server needs a database, keys and a log")
	}

	site, err := web.New(cfg, d.DB, d.Keys, d.Log)
	if err != nil {
		return nil, err
	}
	s := &Server{
		Site: site, ready: d.OnListen, metrics: newMetrics(),

		answers:   &answers.Pages{Site: site},
		api:       api.New(api.Deps{DB: d.DB, Keys: d.Keys, Graph: site.Graph, Origin: func() string { return site.Origin.Load().String() }}),
		audit:     &audit.Pages{Site: site},
		changes:   &changes.Pages{Site: site},
		contacts:  &contacts.Pages{Site: site},
		docs:      &docs.Pages{Site: site},
		front:     front.New(site, d.Demo),
		home:      &home.Pages{Site: site},
		inbox:     inbox.New(site),
		numbers:   &numbers.Pages{Site: site},
		operator:  &operator.Pages{Site: site},
		overview:  overview.New(site),
		privacy:   &privacy.Pages{Site: site},
		queue:     &queue.Pages{Site: site},
		settings:  &settings.Pages{Site: site},
		signin:    &signin.Pages{Site: site},
		team:      &team.Pages{Site: site},
		usernames: &usernames.Pages{Site: site},
	}
	if s.prep, err = prep.New(site); err != nil {
		return nil, err
	}

	s.app = fiber.New(fiber.Config{
		AppName:                 "pehchan",
		CaseSensitive:           true,
		StrictRouting:           true,
		Immutable:               true,
		BodyLimit:               web.BodyLimit,
		ReadTimeout:             10 * time.Second,
		WriteTimeout:            30 * time.Second,
		IdleTimeout:             60 * time.Second,
		ReadBufferSize:          8 << 10,
		DisableStartupMessage:   true,
		EnableTrustedProxyCheck: true, // with no trusted proxy, forwarded headers are never believed; see web.Site.ClientIP

		// Multipart forms are refused, so nobody needs to take them apart first.
		DisablePreParseMultipartForm: true,
		ErrorHandler:                 s.Fail,
	})
	s.app.Server().HeaderReceived = s.AllowUpload
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
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", s.Config.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", s.Config.Listen, err)
	}
	if err := s.SetOrigin(ln.Addr().String()); err != nil {
		return err
	}

	if s.Config.MetricsListen != "" {
		if err := s.serveMetrics(ctx); err != nil {
			return errors.Join(err, ln.Close())
		}
	}

	served := make(chan error, 1)
	go func() { served <- s.app.Listener(ln) }()

	address := "http://" + config.Reachable(ln.Addr().String())
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
	close(s.Ending)
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

	err := s.DB.System(ctx, func(tx *tenants.Tx) error {
		_, err := access.Sweep(ctx, tx)
		return err
	})
	if err != nil {
		s.Log.Warn("sweep sessions", "error", err)
	}
}

func (s *Server) healthz(c *fiber.Ctx) error {
	return c.SendString("ok\n")
}

// readyz is 200 while the database answers and is migrated and the server is not shutting down.
func (s *Server) readyz(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(c.UserContext(), 2*time.Second)
	defer cancel()

	pending, err := migrations.Pending(ctx, s.DB.SQL())
	if err != nil || pending || s.closing.Load() {
		if err != nil {
			s.Log.Warn("not ready", "error", err)
		}
		c.Set(fiber.HeaderRetryAfter, "2")

		return c.Status(fiber.StatusServiceUnavailable).SendString("not ready\n")
	}

	return c.SendString("ready\n")
}
