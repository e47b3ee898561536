// Package config is what the environment sets: every setting of the program, checked before anything starts.
package config

import (
	"errors"
	"fmt"
	"net"
	mailaddr "net/mail"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/caarlos0/env/v11"

	"github.com/pehchan/pehchan/tenants/forward"
	"github.com/pehchan/pehchan/tenants/mail"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// metaGraph is where Meta answers.
const metaGraph = "https://graph.facebook.com/" + MetaVersion

// metaVersion is the version of Meta's API that is spoken, metaSDK the script that opens Meta's own window.
const (
	MetaVersion = "v26.0"
	metaSDK     = "https://connect.facebook.net/en_US/sdk.js"
)

// What PEHCHAN_SECOND_FACTOR may say.
const (
	factorRequired = "required"
	FactorOptional = "optional"
)

// What PEHCHAN_SIGNUP may say.
const (
	SignupOpen   = "open"
	signupClosed = "closed"
)

// Config is what the environment sets. An empty value means the default named beside it.
type Config struct {
	Listen         string   `env:"PEHCHAN_LISTEN" envDefault:"127.0.0.1:8080"` // port 0 picks one
	PublicURL      string   `env:"PEHCHAN_PUBLIC_URL"`                         // origin people use; from the listen address
	DatabaseURL    string   `env:"DATABASE_URL"`                               // application role; embedded Postgres
	OwnerURL       string   `env:"PEHCHAN_OWNER_URL"`                          // role that owns the schema, for migrate
	Data           string   `env:"PEHCHAN_DATA" envDefault:".data"`
	KeyFile        string   `env:"PEHCHAN_KEY_FILE"`        // master.key in Data
	GraphURL       string   `env:"PEHCHAN_GRAPH_URL"`       // Meta's Graph API
	SignupApp      string   `env:"PEHCHAN_SIGNUP_APP"`      // the platform's app that Meta's window is opened for; closed
	SignupConfig   string   `env:"PEHCHAN_SIGNUP_CONFIG"`   // its configuration of the window, as Meta numbers it
	SignupSDK      string   `env:"PEHCHAN_SIGNUP_SDK_URL"`  // Meta's script that opens the window
	Signup         string   `env:"PEHCHAN_SIGNUP"`          // open or closed: businesses set themselves up; closed
	SecondFactor   string   `env:"PEHCHAN_SECOND_FACTOR"`   // required or optional for owners, developers and operators; required
	SMTPURL        string   `env:"PEHCHAN_SMTP_URL"`        // mails are written to outbox/ in Data
	SupportEmail   string   `env:"PEHCHAN_SUPPORT_EMAIL"`   // whom people of a business write to; not said
	MetricsListen  string   `env:"PEHCHAN_METRICS_LISTEN"`  // off
	TrustedProxies []string `env:"PEHCHAN_TRUSTED_PROXIES"` // addresses or networks whose X-Forwarded-For is believed; nobody's

	ForwardAllow []string `env:"PEHCHAN_FORWARD_ALLOW"` // inner addresses, IP:port, that webhooks may be passed on to; none

	proxies []netip.Prefix
	inner   []netip.AddrPort
}

// Load reads the environment. A value that cannot work is an error here, before anything starts.
func Load() (Config, error) {
	var cfg Config
	if err := env.Parse(&cfg); err != nil {
		return Config{}, fmt.Errorf("read settings: %w", err)
	}
	if err := cfg.Check(); err != nil {
		return Config{}, err
	}

	return cfg, nil
}

// Graph is the Graph API that the settings name, Meta's own where they name none.
func (cfg Config) Graph() whatsapp.Graph {
	if cfg.GraphURL == "" {
		return whatsapp.NewGraph(metaGraph)
	}

	return whatsapp.NewGraph(cfg.GraphURL)
}

// Mail is where mails go: to the server that the settings name, else into a folder.
func (cfg Config) Mail() (mail.Carrier, error) {
	if cfg.SMTPURL == "" {
		return mail.ToFolder(filepath.Join(cfg.Data, "outbox")), nil
	}
	by, err := mail.ByURL(cfg.SMTPURL)
	if err != nil {
		return mail.Carrier{}, fmt.Errorf("PEHCHAN_SMTP_URL: %w", err)
	}

	return by, nil
}

// Check fills the defaults that hang on other settings and refuses what cannot work.
func (cfg *Config) Check() error {
	if cfg.Data == "" {
		return errors.New("PEHCHAN_DATA is empty; name a folder")
	}
	if cfg.KeyFile == "" {
		cfg.KeyFile = filepath.Join(cfg.Data, "master.key")
	}

	if err := checkListen("PEHCHAN_LISTEN", cfg.Listen); err != nil {
		return err
	}
	if cfg.MetricsListen != "" {
		if err := checkListen("PEHCHAN_METRICS_LISTEN", cfg.MetricsListen); err != nil {
			return err
		}
	}
	if err := cfg.checkPublicURL(); err != nil {
		return err
	}
	if err := checkURL("PEHCHAN_GRAPH_URL", cfg.GraphURL, "http", "https"); err != nil {
		return err
	}
	if err := cfg.checkSignup(); err != nil {
		return err
	}
	if cfg.Signup != "" && cfg.Signup != SignupOpen && cfg.Signup != signupClosed {
		return errors.New("PEHCHAN_SIGNUP is open or closed")
	}
	if f := cfg.SecondFactor; f != "" && f != factorRequired && f != FactorOptional {
		return errors.New("PEHCHAN_SECOND_FACTOR is required or optional")
	}
	if err := checkURL("PEHCHAN_SMTP_URL", cfg.SMTPURL, "smtp", "smtps"); err != nil {
		return err
	}
	if _, err := cfg.Mail(); err != nil {
		return err
	}
	if _, err := mailaddr.ParseAddress(cfg.SupportEmail); err != nil && cfg.SupportEmail != "" || strings.Contains(cfg.SupportEmail, "<") {
		return errors.New("PEHCHAN_SUPPORT_EMAIL is one e-mail address, as help@pehchan.example")
	}
	for name, dsn := range map[string]string{"DATABASE_URL": cfg.DatabaseURL, "PEHCHAN_OWNER_URL": cfg.OwnerURL} {
		isURL := strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
		if dsn != "" && !isURL && !strings.Contains(dsn, "=") {
			return fmt.Errorf("%s is not a Postgres address; write postgres://user:password@host/database?sslmode=…", name)
		}
		// Here, because the driver's own words would repeat it, password and all.
		if _, err := url.Parse(dsn); isURL && err != nil {
			return fmt.Errorf("%s cannot be read; write %%25 for %%, %%40 for @ and so on in its user and password", name)
		}
	}

	if err := cfg.parseForwards(); err != nil {
		return err
	}

	return cfg.parseProxies()
}

// parseForwards reads the inner addresses that webhooks may be passed on to.
func (cfg *Config) parseForwards() error {
	cfg.inner = nil
	for _, s := range cfg.ForwardAllow {
		at, err := netip.ParseAddrPort(strings.TrimSpace(s))
		if err != nil {
			return fmt.Errorf("PEHCHAN_FORWARD_ALLOW: %q is no address with a port, as 10.0.0.7:9000", s)
		}
		cfg.inner = append(cfg.inner, at)
	}

	return nil
}

// Doors are where webhooks may be passed on to.
func (cfg Config) Doors() forward.Doors { return forward.Doors{Inner: cfg.inner} }

func (cfg *Config) checkPublicURL() error {
	if cfg.PublicURL == "" {
		return nil
	}
	if err := checkURL("PEHCHAN_PUBLIC_URL", cfg.PublicURL, "http", "https"); err != nil {
		return err
	}

	cfg.PublicURL = strings.TrimSuffix(cfg.PublicURL, "/")
	u, err := url.Parse(cfg.PublicURL)
	if err != nil {
		return fmt.Errorf("PEHCHAN_PUBLIC_URL: %w", err)
	}
	if u.Path != "" || u.RawQuery != "" || u.User != nil || u.Fragment != "" {
		return errors.New("PEHCHAN_PUBLIC_URL is an origin, as https://pehchan.example; leave out what follows the host")
	}
	if u.Scheme == "http" && !IsLoopback(u.Hostname()) {
		return errors.New("PEHCHAN_PUBLIC_URL must be https unless it is this machine's own loopback address")
	}
	cfg.PublicURL = u.Scheme + "://" + strings.ToLower(u.Host)

	return nil
}

func (cfg *Config) checkSignup() error {
	if (cfg.SignupApp == "") != (cfg.SignupConfig == "") {
		return errors.New("PEHCHAN_SIGNUP_APP and PEHCHAN_SIGNUP_CONFIG go together: the platform's app, and its configuration of Embedded Signup")
	}
	if strings.Trim(cfg.SignupConfig, "0123456789") != "" {
		return errors.New("PEHCHAN_SIGNUP_CONFIG is a number that Meta shows")
	}
	if err := checkURL("PEHCHAN_SIGNUP_SDK_URL", cfg.SignupSDK, "http", "https"); err != nil {
		return err
	}
	// What it loads runs in the page of somebody who is signed in.
	if u, err := url.Parse(cfg.SignupSDK); err != nil || u.Scheme == "http" && !IsLoopback(u.Hostname()) {
		return errors.New("PEHCHAN_SIGNUP_SDK_URL must be https unless it is this machine's own loopback address")
	}

	return nil
}

// WindowSDK is the script that opens Meta's window, and signupOrigins are the origins that may speak for the window.
func (cfg Config) WindowSDK() string {
	if cfg.SignupSDK == "" {
		return metaSDK
	}

	return cfg.SignupSDK
}

// WindowOrigins are those from which Meta's window may speak to its page.
func (cfg Config) WindowOrigins() []string {
	if cfg.WindowSDK() == metaSDK {
		return metaOrigins
	}

	return []string{OriginOf(cfg.SignupSDK)}
}

func (cfg *Config) parseProxies() error {
	cfg.proxies = nil
	for _, s := range cfg.TrustedProxies {
		s = strings.TrimSpace(s)
		if s == "" {
			continue
		}
		prefix, err := netip.ParsePrefix(s)
		if err != nil {
			addr, addrErr := netip.ParseAddr(s)
			if addrErr != nil {
				return fmt.Errorf("PEHCHAN_TRUSTED_PROXIES: %q is neither an address nor a network", s)
			}
			prefix = netip.PrefixFrom(addr, addr.BitLen())
		}
		cfg.proxies = append(cfg.proxies, prefix)
	}

	return nil
}

func checkListen(name, addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%s %q is not host:port", name, addr)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%s: %q is not a port", name, port)
	}
	if strings.ContainsAny(host, " /") {
		return fmt.Errorf("%s: %q is not a host", name, host)
	}

	return nil
}

func checkURL(name, value string, schemes ...string) error {
	if value == "" {
		return nil
	}

	u, err := url.Parse(value)
	if err != nil || u.Host == "" {
		return fmt.Errorf("%s %q is not an address", name, redact(value))
	}
	for _, s := range schemes {
		if u.Scheme == s {
			return nil
		}
	}

	return fmt.Errorf("%s begins with %s://", name, strings.Join(schemes, ":// or "))
}

// redact keeps a password in a mistyped address out of the error.
func redact(value string) string {
	if i := strings.LastIndex(value, "@"); i >= 0 {
		return "…" + value[i:]
	}

	return value
}

// Trusts tells whether an address is a proxy whose word is taken for whom it asks.
func (cfg Config) Trusts(addr netip.Addr) bool {
	for _, p := range cfg.proxies {
		if p.Contains(addr) {
			return true
		}
	}

	return false
}

// IsLoopback tells whether a host is this machine itself.
func IsLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)

	return err == nil && addr.IsLoopback()
}

// Reachable names an address that listens everywhere by the name one can open here.
func Reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if addr, err := netip.ParseAddr(host); host == "" || err == nil && addr.IsUnspecified() {
		host = "localhost"
	}

	return net.JoinHostPort(host, port)
}

// metaOrigins are those from which Meta's window speaks. Source: domain facts 10.4.
var metaOrigins = []string{"https://www.facebook.com", "https://web.facebook.com"}

// OriginOf is scheme and host of an address; "" where it is none.
func OriginOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}

	return u.Scheme + "://" + u.Host
}

// LinksTo is the origin for links in mails. A port that is picked when the server starts is not known here.
func (cfg Config) LinksTo() string {
	if cfg.PublicURL != "" {
		return cfg.PublicURL
	}
	if _, port, err := net.SplitHostPort(cfg.Listen); err != nil || port == "0" {
		return ""
	}

	return "http://" + Reachable(cfg.Listen)
}
