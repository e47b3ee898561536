package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/pehchan/pehchan/server/config"
)

// The roles whose processes have no web server to ask.
const (
	roleWork    = "work"
	roleMigrate = "migrate"
)

// wellness is what a process in good health says. It fits in one packet.
const wellness = "ok"

// healthSocket is where a process of the role says how it is: a Linux socket without a file, so nothing is left of it when the
// process ends, however it ends. It is known to this machine, or container, alone.
func healthSocket(cfg config.Config, role string) (string, error) {
	data, err := filepath.Abs(cfg.Data)
	if err != nil {
		return "", fmt.Errorf("locate %s: %w", cfg.Data, err)
	}
	sum := sha256.Sum256([]byte(data))

	return "@pehchan-" + role + "-" + hex.EncodeToString(sum[:8]), nil
}

// answerHealth says until stop is called whether this process is well. The first process of a role on a machine answers for it;
// elsewhere than on Linux, where containers are, nobody does.
func answerHealth(ctx context.Context, cfg config.Config, role string, well func() error) (stop func(), err error) {
	if runtime.GOOS != "linux" {
		return func() {}, nil
	}
	name, err := healthSocket(cfg, role)
	if err != nil {
		return nil, err
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "unix", name)
	if errors.Is(err, syscall.EADDRINUSE) {
		return func() {}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("answer for the health of %s: %w", role, err)
	}

	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			said := wellness
			if err := well(); err != nil {
				said = err.Error()
			}
			_ = conn.SetDeadline(time.Now().Add(time.Second)) // who asks and does not listen is not waited for
			_, _ = io.WriteString(conn, said)
			_ = conn.Close()
		}
	}()

	return func() { _ = ln.Close() }, nil
}

// askHealth asks the role's process how it is. there is false where none runs on this machine.
func askHealth(ctx context.Context, cfg config.Config, role string) (there bool, err error) {
	if runtime.GOOS != "linux" {
		return false, nil
	}
	name, err := healthSocket(cfg, role)
	if err != nil {
		return false, err
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", name)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("ask %s for its health: %w", role, err)
	}
	defer func() { _ = conn.Close() }()

	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return true, fmt.Errorf("ask %s for its health: %w", role, err)
	}
	said, err := io.ReadAll(io.LimitReader(conn, 200))
	if err != nil {
		return true, fmt.Errorf("%s does not answer", role)
	}
	if string(said) != wellness {
		return true, fmt.Errorf("%s is not well: %s", role, strings.ToValidUTF8(string(said), ""))
	}

	return true, nil
}
