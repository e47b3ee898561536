package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/pehchan/pehchan/server"
)

type healthcheckCmd struct{}

// Run asks the web server of this machine's PEHCHAN_LISTEN for /healthz.
func (healthcheckCmd) Run(ctx context.Context, out *console) error {
	cfg, err := server.LoadConfig()
	if err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(cfg.Listen)
	if err != nil {
		return fmt.Errorf("read PEHCHAN_LISTEN: %w", err)
	}
	if addr, err := netip.ParseAddr(host); host == "" || err == nil && addr.IsUnspecified() {
		host = "localhost"
	}

	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/healthz", nil)
	if err != nil {
		return fmt.Errorf("ask for health: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("no web server answers at %s", net.JoinHostPort(host, port))
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the web server answers %d", resp.StatusCode)
	}

	return out.answer(map[string]any{"ok": true}, "ok")
}
