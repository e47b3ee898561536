package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const appName = "accuracy"

// program is the product as a child process on a folder of its own.
type program struct {
	dir    string
	binary string
	env    []string
	child  *exec.Cmd
	url    string
	secret []byte // of the app
	client *http.Client
	worlds int
}

// start builds the program and runs it, empty.
func start(ctx context.Context) (_ *program, err error) {
	dir, err := os.MkdirTemp("/var/tmp", "pehchan-accuracy-")
	if err != nil {
		return nil, fmt.Errorf("make folder: %w", err)
	}
	p := &program{
		dir: dir, binary: filepath.Join(dir, "pehchan"), secret: []byte(rand.Text()),
		client: &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	}
	p.env = append(os.Environ(), "PEHCHAN_DATA="+filepath.Join(dir, "data"), "PEHCHAN_LISTEN=127.0.0.1:0", "DATABASE_URL=")
	defer func() {
		if err != nil {
			err = errors.Join(err, p.stop())
		}
	}()

	build := exec.CommandContext(ctx, "go", "build", "-o", p.binary, "./server/cmd/pehchan")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return nil, fmt.Errorf("build the program: %w", err)
	}
	// It is stopped by stop, after its last answer, and not with ctx.
	p.child = exec.CommandContext(context.WithoutCancel(ctx), p.binary, "run", "--no-demo", "--json")
	p.child.Env = p.env
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, fmt.Errorf("make log: %w", err)
	}
	defer func() { _ = log.Close() }()
	p.child.Stderr = log
	out, err := p.child.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start the program: %w", err)
	}
	if err := p.child.Start(); err != nil {
		p.child = nil
		return nil, fmt.Errorf("start the program: %w", err)
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("start the program: %w", err)
	}
	var said struct {
		Listening string `json:"listening"`
	}
	if err := json.Unmarshal(line, &said); err != nil {
		return nil, fmt.Errorf("read where the program listens: %w", err)
	}
	p.url = said.Listening

	secrets, err := json.Marshal(map[string]string{"app_secret": string(p.secret), "verify_token": rand.Text()})
	if err != nil {
		return nil, fmt.Errorf("encode secrets: %w", err)
	}
	_, err = p.run(ctx, string(secrets), "app", "add", "--name", appName, "--meta-app-id", "634000000000009")

	return p, err
}

// run gives the program a command and returns the object it prints.
func (p *program) run(ctx context.Context, stdin string, args ...string) (map[string]any, error) {
	cmd := exec.CommandContext(ctx, p.binary, append(args, "--json")...)
	var out, problem bytes.Buffer
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = p.env, strings.NewReader(stdin), &out, &problem
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("pehchan %s: %w: %s", args[0], err, strings.TrimSpace(problem.String()))
	}
	var object map[string]any
	if err := json.Unmarshal(out.Bytes(), &object); err != nil {
		return nil, fmt.Errorf("pehchan %s: %w", args[0], err)
	}

	return object, nil
}

// stop ends the program and removes what it kept.
func (p *program) stop() error {
	var err error
	if p.child != nil {
		err = p.child.Process.Signal(syscall.SIGTERM)
		if err == nil {
			err = p.child.Wait()
		}
	}
	// Run as root, Postgres keeps its files elsewhere and leaves a link.
	if at, linkErr := os.Readlink(filepath.Join(p.dir, "data", "postgres", "data")); linkErr == nil {
		err = errors.Join(err, os.RemoveAll(filepath.Dir(at)))
	}

	return errors.Join(err, os.RemoveAll(p.dir))
}
