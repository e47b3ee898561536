package postgres

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	_ "github.com/lib/pq" // the driver ping connects with
)

// process is a postmaster started by this process.
type process struct {
	pid  int
	done chan struct{}
}

// prepare makes the cluster when there is none and clears what a killed owner
// left. The caller holds the owner's lock.
func (p place) prepare(ctx context.Context, bin string, durable bool) error {
	if err := ownDir(p.socket, 0o700, p.uid, p.gid); err != nil {
		return err
	}
	if info, err := os.Stat(p.data); err == nil {
		if is, _ := owner(info); is != p.uid {
			return fmt.Errorf("%s belongs to uid %d: run as that user or as root, or remove it", p.data, is)
		}

		return p.endOrphan(ctx)
	}

	// Made beside and renamed, so that an interrupted initdb leaves no half
	// cluster under the real name.
	fresh := p.data + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return fmt.Errorf("clear unfinished data: %w", err)
	}
	if err := ownDir(fresh, 0o700, p.uid, p.gid); err != nil {
		return err
	}
	args := []string{
		"-D", fresh, "-U", "postgres", "-E", "UTF8", "--locale=" + locale(),
		"-A", "trust", // the socket directory is private to the server's user
	}
	if !durable {
		args = append(args, "--no-sync")
	}
	cmd := p.command(ctx, filepath.Join(bin, "initdb"), args...)
	runtime.LockOSThread() // see launch: the signal follows the thread
	defer runtime.UnlockOSThread()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, lastLines(out))
	}
	if err := os.Rename(fresh, p.data); err != nil {
		return fmt.Errorf("put data in place: %w", err)
	}

	return nil
}

// locale orders by code point and knows the letters of every script.
func locale() string {
	if runtime.GOOS == "darwin" {
		return "en_US.UTF-8" // macOS has no C.UTF-8
	}

	return "C.UTF-8"
}

// run starts the postmaster and waits until it answers.
func (p place) run(ctx context.Context, bin string, o Options) (*process, error) {
	deadline := time.Now().Add(startTimeout)
	for {
		proc, err := p.launch(bin, o)
		if err != nil {
			return nil, err
		}
		err = p.await(ctx, proc, deadline)
		if err == nil {
			return proc, nil
		}
		endErr := proc.end()
		log, _ := os.ReadFile(p.file("postgres.log"))
		// After kill -9 of a postmaster its backends take a moment to notice.
		if endErr == nil && bytes.Contains(log, []byte("still in use")) && time.Now().Before(deadline) {
			if err := pause(ctx); err != nil {
				return nil, err
			}

			continue
		}

		return nil, fmt.Errorf("%w: %s", err, lastLines(log))
	}
}

func (p place) launch(bin string, o Options) (*process, error) {
	settings := map[string]string{
		"listen_addresses":        "",
		"port":                    port,
		"unix_socket_directories": p.socket,
		"unix_socket_permissions": "0700",
		"max_connections":         "200",
		"log_error_verbosity":     "terse", // details repeat row values, such as phone numbers
		"timezone":                "UTC",
		"log_timezone":            "UTC",
	}
	if !o.Durable {
		for _, name := range []string{"fsync", "full_page_writes", "synchronous_commit"} {
			settings[name] = "off"
		}
	}
	maps.Copy(settings, o.Settings)
	args := []string{"-D", p.data}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		args = append(args, "-c", name+"="+settings[name])
	}

	log, err := p.open("postgres.log", os.O_CREATE|os.O_WRONLY|os.O_TRUNC)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	defer log.Close()
	cmd := p.command(context.Background(), filepath.Join(bin, "postgres"), args...) // outlives the start
	cmd.Stdout, cmd.Stderr = log, log

	proc := &process{done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The parent-death signal goes out when the thread that started the
		// child ends, so that thread must live as long as the child.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		_ = cmd.Wait() // how it ended is told by its log
		close(proc.done)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("run %s: %w", cmd.Path, err)
	}
	proc.pid = cmd.Process.Pid

	return proc, nil
}

func (p place) await(ctx context.Context, proc *process, deadline time.Time) error {
	for {
		err := p.ping(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-proc.done:
			return errors.New("the server ended at once")
		default:
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("no answer within %s: %w", startTimeout, err)
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

func (p place) ping(ctx context.Context) error {
	db, err := sql.Open("postgres", p.dsn("postgres", "postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()

	return db.PingContext(ctx)
}

// end asks for a fast shutdown and insists when that takes too long.
func (proc *process) end() error {
	for _, step := range []struct {
		signal syscall.Signal
		wait   time.Duration
	}{{syscall.SIGINT, startTimeout}, {syscall.SIGQUIT, 5 * time.Second}, {syscall.SIGKILL, 5 * time.Second}} {
		select {
		case <-proc.done:
			return nil
		default:
		}
		if err := syscall.Kill(proc.pid, step.signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("signal PostgreSQL: %w", err)
		}
		select {
		case <-proc.done:
			return nil
		case <-time.After(step.wait):
		}
	}

	return fmt.Errorf("PostgreSQL (pid %d) does not end", proc.pid)
}

// endOrphan waits for the server of a killed owner, which its parent-death
// signal is ending, and clears a pid file nobody stands behind.
func (p place) endOrphan(ctx context.Context) error {
	pidFile := filepath.Join(p.data, "postmaster.pid")
	begun := time.Now()
	for asked := false; ; {
		pid, err := readPid(pidFile)
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if !p.isPostmaster(pid) {
			// A copied or crashed cluster: the number may by now be another
			// program's, which would make PostgreSQL refuse to start.
			if err := os.Remove(pidFile); err != nil && !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("remove stale pid file: %w", err)
			}

			return nil
		}
		switch waited := time.Since(begun); {
		case waited > startTimeout:
			return fmt.Errorf("a server left behind (pid %d) does not end: stop it with kill %d", pid, pid)
		case waited > time.Second && !asked:
			if err := syscall.Kill(pid, syscall.SIGINT); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("end the server left behind: %w", err)
			}
			asked = true
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

func readPid(file string) (int, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	line, _, _ := strings.Cut(string(content), "\n")
	var pid int // 0, nobody's, when a crash cut the file off
	if n, err := strconv.Atoi(strings.TrimSpace(line)); err == nil {
		pid = n
	}

	return pid, nil
}

// isPostmaster reports whether pid lives and is the postmaster of this cluster,
// whose working directory is the cluster.
func (p place) isPostmaster(pid int) bool {
	if pid <= 0 || errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return false
	}
	cwd, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/cwd")
	if err == nil {
		return cwd == p.data
	}
	// Without /proc a living pid has to be believed; with it, another user's
	// process or a zombie is none of ours.
	_, procErr := os.Stat("/proc/self")

	return procErr != nil
}

func (p place) command(ctx context.Context, path string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = "/" // the server's user may not be able to enter ours
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=" + locale(), "TZ=UTC"}
	cmd.SysProcAttr = attributes()
	if os.Getuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(p.uid), Gid: uint32(p.gid)}
	}

	return cmd
}

func lastLines(log []byte) string {
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")

	return strings.Join(lines[max(0, len(lines)-5):], "; ")
}
