package main_test

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestRunTwiceKeepsTheDemo(t *testing.T) {
	t.Parallel()
	m := newEmbedded(t)
	file := filepath.Join(m.data(), "demo.json")

	first := m.start(t, "run")
	first.line(t, "listening on ")
	introduced := first.line(t, "The demo's logins, all with the password ")
	memory := m.told(t, first)
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
		t.Errorf("demo.json: got mode %v (%v), want 0600", info.Mode(), err)
	}
	if !strings.HasPrefix(introduced, memory.Password+":") {
		t.Errorf("printed %q, the file has another password", introduced)
	}
	if code := first.stop(t, syscall.SIGINT); code != 0 {
		t.Errorf("run after an interrupt: exit %d: %s", code, first.errOut)
	}
	acts := m.object(t, "", []string{"chains", "entries", "ok"}, "audit", "verify")

	second := m.start(t, "run", "--json")
	var said map[string]any
	if err := json.Unmarshal([]byte(second.line(t, "")), &said); err != nil {
		t.Fatal(err)
	}
	if said["password"] != memory.Password {
		t.Error("the second start has another password")
	}
	if again := m.object(t, "", []string{"chains", "entries", "ok"}, "audit", "verify"); again["entries"] != acts["entries"] {
		t.Errorf("the second start did something again: %v audit entries, want %v", again["entries"], acts["entries"])
	}
	if code := second.stop(t, syscall.SIGTERM); code != 0 {
		t.Errorf("run after SIGTERM: exit %d: %s", code, second.errOut)
	}
}

func TestRunOnAPortInUse(t *testing.T) {
	t.Parallel()
	m := newEmbedded(t)
	ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()

	m.env = append(m.env, "PEHCHAN_LISTEN="+ln.Addr().String())
	r := m.run(t, "", "run")
	if r.code != 1 || !strings.Contains(r.errOut, "address already in use") || strings.Count(r.errOut, "\n") != 1 {
		t.Errorf("run on a port in use: exit %d, %q", r.code, r.errOut)
	}
	if _, err := os.Stat(m.data()); !os.IsNotExist(err) {
		t.Errorf("run on a port in use left data behind: %v", err)
	}
}

func TestRunWithoutTheDemo(t *testing.T) {
	t.Parallel()
	m := newEmbedded(t)

	run := m.start(t, "run", "--no-demo")
	run.line(t, "an empty platform")
	if r := m.run(t, "", "audit", "verify"); r.code != 0 || !strings.Contains(r.out, " 0 entries in 1 chains") {
		t.Errorf("an empty platform's audit: exit %d, %q %s", r.code, r.out, r.errOut)
	}
	if code := run.stop(t, syscall.SIGINT); code != 0 {
		t.Errorf("run after an interrupt: exit %d: %s", code, run.errOut)
	}
	if _, err := os.Stat(filepath.Join(m.data(), "demo.json")); !os.IsNotExist(err) {
		t.Errorf("an empty platform has a demo file: %v", err)
	}
}

func TestKilledRunStartsAgain(t *testing.T) {
	t.Parallel()
	m := newEmbedded(t)

	run := m.start(t, "run", "--no-demo")
	run.line(t, "an empty platform")
	run.stop(t, syscall.SIGKILL)
	again := m.start(t, "run", "--no-demo")
	again.line(t, "an empty platform")
	if code := again.stop(t, syscall.SIGINT); code != 0 {
		t.Errorf("run after a kill: exit %d: %s", code, again.errOut)
	}
}

// memory is what the demo's file remembers.
type memory struct {
	Password string `json:"password"`
	Told     bool   `json:"told"`
}

// told waits until the demo that p runs has delivered its past.
func (m machine) told(t *testing.T, p process) (demo memory) {
	t.Helper()

	until(t, func() bool {
		raw, err := os.ReadFile(filepath.Join(m.data(), "demo.json"))
		return err == nil && json.Unmarshal(raw, &demo) == nil && demo.Told
	}, p)

	return demo
}

// data is the machine's PEHCHAN_DATA.
func (m machine) data() string {
	for _, v := range m.env {
		if path, ok := strings.CutPrefix(v, "PEHCHAN_DATA="); ok {
			return path
		}
	}

	return ""
}

// until waits for a condition that processes are to bring about.
func until(t *testing.T, met func() bool, by ...process) {
	t.Helper()

	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(limit)
	for !met() {
		select {
		case <-tick.C:
		case <-late:
			for _, p := range by {
				t.Logf("pehchan %v said: %s", p.Args[1:], p.errOut)
			}
			t.Fatal("the condition was never met")
		}
	}
}
