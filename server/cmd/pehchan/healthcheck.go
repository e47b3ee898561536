package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"github.com/pehchan/pehchan/server/config"
)

const roleServe = "serve"

// healthPatience is less than the time the image's health check gives.
const healthPatience = 2500 * time.Millisecond

type healthcheckCmd struct {
	Role string `arg:"" optional:"" default:"" enum:",serve,work,migrate" help:"serve, work or migrate; without it, whatever runs on this machine."`
}

// Run asks what runs on this machine, or in this container, whether it is well: the web server of PEHCHAN_LISTEN at /healthz,
// background work and migrations of PEHCHAN_DATA at their sockets. One that is not, or none that runs, is a failure.
func (c healthcheckCmd) Run(ctx context.Context, out *console) error {
	cfg, err := config.Load()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, healthPatience)
	defer cancel()

	well := []string{}
	for _, role := range []string{roleWork, roleMigrate, roleServe} {
		if c.Role != "" && c.Role != role {
			continue
		}
		ask := func() (bool, error) { return askHealth(ctx, cfg, role) }
		if role == roleServe {
			ask = func() (bool, error) { return askWeb(ctx, cfg.Listen) }
		}
		there, err := ask()
		if err != nil {
			return err
		}
		if there {
			well = append(well, role)
		}
	}
	switch {
	case len(well) > 0:
		return out.answer(map[string]any{"ok": true, "roles": well}, "ok: %s", strings.Join(well, ", "))
	case c.Role != "":
		return fmt.Errorf("%s does not run here", c.Role)
	default:
		return errors.New("no web server answers at " + cfg.Listen + ", and neither background work nor a migration runs here")
	}
}

// askWeb asks the web server of a listen address for /healthz.
func askWeb(ctx context.Context, listen string) (there bool, err error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return false, fmt.Errorf("read PEHCHAN_LISTEN: %w", err)
	}
	if addr, err := netip.ParseAddr(host); host == "" || err == nil && addr.IsUnspecified() {
		host = "localhost"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/healthz", nil)
	if err != nil {
		return false, fmt.Errorf("ask for health: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if ctx.Err() != nil {
		return true, errors.New("the web server does not answer in time")
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return false, nil
	}
	if err != nil {
		return true, fmt.Errorf("the web server does not answer: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return true, fmt.Errorf("the web server answers %d", resp.StatusCode)
	}

	return true, nil
}
