package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is this program in one of its roles.
type process struct {
	*exec.Cmd
	url   string
	ready time.Duration // from the start until it took connections
}

func (p *place) start(ctx context.Context, role string) (*process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	s := &process{Cmd: exec.CommandContext(ctx, program, "-role", role, "-profile", p.profile)} //nolint:gosec // this program itself, with its own flag
	s.Env = append(os.Environ(), "DATABASE_URL="+p.dsn, "PEHCHAN_DATA="+p.dir, "PEHCHAN_LISTEN=127.0.0.1:0")
	s.Stderr = os.Stderr
	out, err := s.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", role, err)
	}
	begun := time.Now()
	if err := s.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", role, err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", role, err), s.Wait())
	}
	s.ready = time.Since(begun)
	s.url = strings.TrimSpace(strings.TrimPrefix(line, "listening on "))

	return s, nil
}

func (s *process) stop() error {
	if err := s.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop: %w", err)
	}

	return s.Wait()
}

// peak is the most memory that was resident at once, in MB.
func (s *process) peak() (float64, error) {
	raw, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(s.Process.Pid), "status"))
	if err != nil {
		return 0, fmt.Errorf("look at memory: %w", err)
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kB, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			return kB / 1024, err
		}
	}

	return 0, errors.New("look at memory: no VmHWM")
}

// cpu is the processor time that this process and the database's processes that live have used. Unlike a rate it hardly hangs
// on what else the machine does.
func (p *place) cpu() (own, database time.Duration, err error) {
	own = cpuOf(os.Getpid())
	raw, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.server.Pid()), "task", strconv.Itoa(p.server.Pid()), "children"))
	if err != nil {
		return 0, 0, fmt.Errorf("look at the database's processes: %w", err)
	}
	for _, field := range strings.Fields(string(raw)) {
		if pid, err := strconv.Atoi(field); err == nil {
			database += cpuOf(pid)
		}
	}

	return own, database, nil
}

// cpuOf is 0 for a process that has ended.
func cpuOf(pid int) time.Duration {
	raw, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0
	}
	// After the name in brackets, user and system time are the 12th and 13th field, in hundredths of a second.
	fields := strings.Fields(string(raw)[strings.LastIndexByte(string(raw), ')')+1:])
	var ticks int
	for _, f := range fields[11:13] {
		n, err := strconv.Atoi(f)
		if err != nil {
			return 0
		}
		ticks += n
	}

	return time.Duration(ticks) * 10 * time.Millisecond
}
