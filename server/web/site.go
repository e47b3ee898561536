// Package web is what the pages of every subject are built with: who asks and what they may see, the frame around a page, forms, cookies,
// refusals, and how customers, numbers and facts are shown wherever they stand.
package web

import (
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/time/rate"

	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Site is what the pages of every subject are built with: the database, who is signed in, the frame around a page, forms and refusals.
type Site struct {
	Config      config.Config
	DB          *tenants.DB
	Keys        *secrets.Keyring
	Log         *slog.Logger
	Sessions    *access.Sessions
	Graph       whatsapp.Graph
	Zone        *time.Location    // of pages for people whose business we do not know
	Permissions map[string]string // permission of each page, by path
	Ending      chan struct{}     // closed when the server shuts down: what has no end of its own ends then
	pulse       *pulse
	putOff      atomic.Int64 // deliveries that have to come again, of which no line of the log tells yet
	tellPutOff  rate.Sometimes
	formKey     []byte
	ReadKey     []byte // signs what a browser keeps that has opened a briefing
	Uploads     uploads
	Origin      atomic.Pointer[url.URL] // as people see it; known once the port is
}

// New makes the site of a server; its log is told what a page cannot say.
func New(cfg config.Config, db *tenants.DB, keys *secrets.Keyring, log *slog.Logger) (*Site, error) {
	zone, err := time.LoadLocation(HomeZone)
	if err != nil {
		return nil, fmt.Errorf("load time zone: %w", err)
	}
	s := &Site{
		Config: cfg, DB: db, Keys: keys, Log: log, Graph: cfg.Graph(), Zone: zone, Permissions: map[string]string{}, Ending: make(chan struct{}),
		Sessions: access.NewSessions(keys.Derive("session")), formKey: keys.Derive("csrf"), ReadKey: keys.Derive("flash"),
		tellPutOff: rate.Sometimes{Interval: time.Second},
	}
	s.Sessions.FactorOptional = cfg.SecondFactor == config.FactorOptional
	s.pulse = newPulse(db, s.Ending)

	return s, s.SetOrigin(cfg.Listen)
}

// SetOrigin settles the origin that forms come from and links lead to: the configured one, else that of the listen address.
func (s *Site) SetOrigin(listen string) error {
	public := s.Config.PublicURL
	if public == "" {
		public = "http://" + config.Reachable(listen)
	}

	u, err := url.Parse(public)
	if err != nil {
		return fmt.Errorf("public address: %w", err)
	}
	if u.Scheme == "http" && !config.IsLoopback(u.Hostname()) {
		return fmt.Errorf("set PEHCHAN_PUBLIC_URL to the https address people use: %s cannot keep a sign-in safe on plain http", listen)
	}
	s.Origin.Store(u)

	return nil
}

// secure tells whether people reach the server over https, hence Secure cookies and HSTS.
func (s *Site) secure() bool { return s.Origin.Load().Scheme == "https" }

// ClientIP is the address a request comes from: the peer's, or, where the peer is a trusted proxy, the last address in
// X-Forwarded-For that is not one. An IPv6 address is returned whole.
func (s *Site) ClientIP(c *fiber.Ctx) netip.Addr {
	addr, ok := netip.AddrFromSlice(c.Context().RemoteIP())
	if !ok {
		return netip.Addr{}
	}
	addr = addr.Unmap()
	if !s.Config.Trusts(addr) {
		return addr
	}

	hops := strings.Split(c.Get(fiber.HeaderXForwardedFor), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			return addr
		}
		addr = hop.Unmap().WithZone("")
		if !s.Config.Trusts(addr) {
			return addr
		}
	}

	return addr
}
