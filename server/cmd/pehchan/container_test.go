package main_test

import (
	"context"
	"debug/elf"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/pehchan/pehchan/tenants/testdb"
)

// root is the top of the repository, where the Dockerfile is.
const root = "../../.."

// dockerfile reads what the image is made of: the build command, the program's place and the health check.
func dockerfile(t *testing.T) (build, program string, health []string) {
	t.Helper()

	raw, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	build = regexp.MustCompile(`(?m)^RUN (.*\bgo build .*)$`).FindStringSubmatch(text)[1]
	program = regexp.MustCompile(` -o (\S+)`).FindStringSubmatch(build)[1]
	check := regexp.MustCompile(`(?m)^HEALTHCHECK .*CMD (\[.*\])$`).FindStringSubmatch(text)[1]
	if err := json.Unmarshal([]byte(check), &health); err != nil {
		t.Fatalf("health check of the Dockerfile: %v", err)
	}

	return build, program, health
}

// TestTheImagesProgram runs what a container would: the Dockerfile's own build command, and the program in its three roles.
func TestTheImagesProgram(t *testing.T) {
	t.Parallel()
	build, place, health := dockerfile(t)
	program := filepath.Join(t.TempDir(), "pehchan")

	ctx, cancel := context.WithTimeout(context.Background(), 3*limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", strings.Replace(build, place, program, 1))
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", build, err, out)
	}
	wantStatic(t, program)

	database := testdb.NewEmpty(t)
	m := newEmbedded(t, "DATABASE_URL="+database.AppDSN, "PEHCHAN_OWNER_URL="+database.OwnerDSN)
	m.program = program

	m.object(t, "", []string{"schema"}, "migrate")
	web := m.start(t, "serve")
	url := web.line(t, "listening on ")
	m.env = append(m.env, "PEHCHAN_LISTEN="+strings.TrimPrefix(url, "http://"))
	if r := m.run(t, "", health[1:]...); r.code != 0 {
		t.Errorf("health check %v: exit %d, %s", health, r.code, r.errOut)
	}
	worker := m.start(t, "work")
	worker.line(t, "working")
	for name, p := range map[string]process{"serve": web, "work": worker} {
		if code := p.stop(t, syscall.SIGTERM); code != 0 {
			t.Errorf("%s after SIGTERM: exit %d, %s", name, code, p.errOut)
		}
	}
	if r := m.run(t, "", health[1:]...); r.code != 1 {
		t.Errorf("health check of a server that is gone: exit %d, want 1", r.code)
	}
}

// wantStatic fails unless the program needs nothing of the system it runs on.
func wantStatic(t *testing.T, program string) {
	t.Helper()

	f, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		t.Error("the image's program is not static")
	}
}
