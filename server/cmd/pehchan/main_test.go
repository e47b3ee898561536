package main_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pehchan/pehchan/tenants/testdb"
)

const (
	password = "brass-lantern-monsoon-47"
	limit    = 2 * time.Minute
)

// machine is one place where commands run: their settings and data. program is "" where it is this test program itself; user is
// nil where commands run as whoever tests.
type machine struct {
	env     []string
	program string
	user    *syscall.Credential
}

// newMachine works on a database of its own.
func newMachine(t *testing.T, env ...string) machine {
	t.Helper()

	return newEmbedded(t, append([]string{"DATABASE_URL=" + testdb.New(t).AppDSN}, env...)...)
}

// newEmbedded has no database but the embedded one.
func newEmbedded(t *testing.T, env ...string) machine {
	t.Helper()

	data := filepath.Join(t.TempDir(), "data")
	t.Cleanup(func() {
		// Run as root, Postgres keeps its files where its own user gets at them, and leaves a link.
		if at, err := os.Readlink(filepath.Join(data, "postgres", "data")); err == nil {
			if err := os.RemoveAll(filepath.Dir(at)); err != nil {
				t.Errorf("remove the embedded database: %v", err)
			}
		}
	})
	base := []string{"PEHCHAN_TEST_AS_COMMAND=1", "PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "PEHCHAN_DATA=" + data, "PEHCHAN_LISTEN=127.0.0.1:0"}

	return machine{env: append(base, env...)}
}

func (m machine) command(ctx context.Context, args ...string) *exec.Cmd {
	program := m.program
	if program == "" {
		program = os.Args[0]
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = m.env
	if m.user != nil {
		cmd.Dir, cmd.SysProcAttr = "/", &syscall.SysProcAttr{Credential: m.user}
	}

	return cmd
}

// result is what a command that has ended left behind.
type result struct {
	code        int
	out, errOut string
}

func (m machine) run(t *testing.T, stdin string, args ...string) result {
	t.Helper()

	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	var out, errOut bytes.Buffer
	cmd := m.command(ctx, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errOut

	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatalf("pehchan %v: %v", args, err)
	}

	return result{cmd.ProcessState.ExitCode(), out.String(), errOut.String()}
}

// object runs a command with --json and wants exactly the named keys.
func (m machine) object(t *testing.T, stdin string, keys []string, args ...string) map[string]any {
	t.Helper()

	r := m.run(t, stdin, append(args, "--json")...)
	if r.code != 0 {
		t.Fatalf("pehchan %v: exit %d, %s", args, r.code, r.errOut)
	}
	var object map[string]any
	d := json.NewDecoder(strings.NewReader(r.out))
	if err := d.Decode(&object); err != nil || d.More() {
		t.Fatalf("pehchan %v --json printed %q, want one object", args, r.out)
	}
	if got := slices.Sorted(maps.Keys(object)); !slices.Equal(got, keys) {
		t.Errorf("pehchan %v --json: got keys %v, want %v", args, got, keys)
	}

	return object
}

// process is a command that runs until it is told to stop.
type process struct {
	*exec.Cmd
	lines  chan string // of standard output; closed at its end
	errOut *saying
}

// saying is what a process has said on standard error so far.
type saying struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *saying) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()

	return s.text.Write(p)
}

func (s *saying) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()

	return s.text.String()
}

func (m machine) start(t *testing.T, args ...string) process {
	t.Helper()

	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	p := process{Cmd: m.command(ctx, args...), lines: make(chan string, 256), errOut: &saying{}}
	p.Stderr = p.errOut
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			p.lines <- s.Text()
		}
	}()

	return p
}

// line waits for a line with prefix and returns what follows it.
func (p process) line(t *testing.T, prefix string) string {
	t.Helper()

	for line := range p.lines {
		if rest, ok := strings.CutPrefix(line, prefix); ok {
			return rest
		}
	}
	_ = p.Wait()
	t.Fatalf("pehchan ended without printing %q; it said: %s", prefix, p.errOut)

	return ""
}

// stop ends the process as Ctrl-C does and returns its exit code.
func (p process) stop(t *testing.T, sig syscall.Signal) int {
	t.Helper()

	if err := p.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	for range p.lines {
	}
	var exit *exec.ExitError
	if err := p.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}

	return p.ProcessState.ExitCode()
}
