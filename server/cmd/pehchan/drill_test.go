package main_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/pehchan/pehchan/tenants/postgres"
)

// built builds the program as the image's is, with a build tag or "".
func built(t *testing.T, tag string) string {
	t.Helper()

	program := filepath.Join(t.TempDir(), "pehchan")
	ctx, cancel := context.WithTimeout(context.Background(), 3*limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-tags", "netgo,"+tag, "-o", program, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}

	return program
}

// plant is the product as it is installed: a Postgres that syncs to disk, a web server and a worker, each a process that can
// be killed and started again.
type plant struct {
	machine
	options     postgres.Options
	db          *postgres.Server
	web, worker process
	url         string // of the web server, the same after each restart
}

const (
	plantOwner    = "pehchan_owner"
	plantApp      = "pehchan_app"
	plantDatabase = "pehchan"
)

func newPlant(t *testing.T, program string) *plant {
	t.Helper()

	dir, err := os.MkdirTemp("/tmp", "pehchan-plant-") // Postgres may run as another user, who may not enter t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	p := &plant{options: postgres.Options{Dir: filepath.Join(dir, "postgres"), Durable: true}}
	p.startPostgres(t)
	t.Cleanup(func() { _ = p.db.Stop() })
	if err := postgres.Prepare(context.Background(), p.db.DSN("postgres", "postgres"), plantDatabase, plantOwner, plantApp); err != nil {
		t.Fatal(err)
	}

	p.machine = newEmbedded(t, "DATABASE_URL="+p.dsn(), "PEHCHAN_OWNER_URL="+p.db.DSN(plantOwner, plantDatabase))
	p.program = program
	p.object(t, "", []string{"schema"}, "migrate")
	p.addBusiness(t)
	p.startWeb(t)
	p.env = append(p.env, "PEHCHAN_LISTEN="+strings.TrimPrefix(p.url, "http://"))
	p.startWorker(t)
	t.Cleanup(func() {
		// Those a failed test leaves; kill of one that has ended is an error and no matter.
		_, _ = p.web.Process.Kill(), p.worker.Process.Kill()
	})

	return p
}

func (p *plant) dsn() string { return p.db.DSN(plantApp, plantDatabase) }

func (p *plant) startPostgres(t *testing.T) {
	t.Helper()

	srv, err := postgres.Start(context.Background(), p.options)
	if err != nil {
		t.Fatal(err)
	}
	p.db = srv
}

func (p *plant) startWeb(t *testing.T) {
	t.Helper()
	p.web = p.start(t, "serve")
	p.url = p.web.line(t, "listening on ")
}

func (p *plant) startWorker(t *testing.T) {
	t.Helper()
	p.worker = p.start(t, "work")
	p.worker.line(t, "working")
}

func (p *plant) killWeb(t *testing.T)    { t.Helper(); p.web.stop(t, syscall.SIGKILL) }
func (p *plant) killWorker(t *testing.T) { t.Helper(); p.worker.stop(t, syscall.SIGKILL) }

// killPostgres kills the postmaster first, so that it tells its children nothing, and then each of them.
func (p *plant) killPostgres(t *testing.T) {
	t.Helper()

	postmaster := p.db.Pid()
	children := childrenOf(t, postmaster)
	for _, pid := range append([]int{postmaster}, children...) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Fatal(err)
		}
	}
	<-p.db.Done()
	_ = p.db.Stop() // gives the lock back; that a killed server leaves its socket is no matter
}

func childrenOf(t *testing.T, pid int) (children []int) {
	t.Helper()

	name := strconv.Itoa(pid)
	raw, err := os.ReadFile(filepath.Join("/proc", name, "task", name, "children"))
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range strings.Fields(string(raw)) {
		child, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		children = append(children, child)
	}

	return children
}
