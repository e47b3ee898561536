package main_test

import (
	"context"
	"debug/elf"
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/pehchan/pehchan/tenants/testdb"
)

// root is the top of the repository, where the Dockerfile is.
const root = "../../.."

// imageUser is the user and group that the Dockerfile names.
const imageUser = 65532

// dockerfile reads what the image is made of: the build command, the program's place and the health check.
func dockerfile(t *testing.T) (build, program string, health []string) {
	t.Helper()

	raw, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	if user := strconv.Itoa(imageUser); !strings.Contains(text, "\nUSER "+user+":"+user+"\n") {
		t.Errorf("the image's program does not run as uid %s", user)
	}
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
	folder := open(t)
	program := filepath.Join(folder, "pehchan")

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
	m.env = append(m.env, "PEHCHAN_DATA="+filepath.Join(folder, "data"))
	m.becomeOrdinary(t, database.AppDSN, folder)

	m.object(t, "", []string{"schema"}, "migrate")
	web := m.start(t, "serve")
	address := web.line(t, "listening on ")
	wantUser(t, web, m.user)
	m.env = append(m.env, "PEHCHAN_LISTEN="+strings.TrimPrefix(address, "http://"))
	m.wantHealth(t, health, 0, "serve")
	worker := m.start(t, "work")
	worker.line(t, "working")
	m.wantHealth(t, health, 0, "serve", "work")
	m.wantStopped(t, "serve", web)

	// A container that only works has no web server to ask.
	m.wantHealth(t, health, 0, "work")
	if r := m.run(t, "", append(health[1:], "serve")...); r.code != 1 {
		t.Errorf("health check of a server that is gone: exit %d, want 1", r.code)
	}
	if err := worker.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	m.wantHealth(t, health, 1)
	if err := worker.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	m.wantStopped(t, "work", worker)
	m.wantHealth(t, health, 1)
}

// wantHealth runs the image's health check, which is to find these roles well.
func (m *machine) wantHealth(t *testing.T, health []string, code int, roles ...string) {
	t.Helper()

	r := m.run(t, "", append(health[1:], "--json")...)
	var said struct {
		Roles []string `json:"roles"`
	}
	_ = json.Unmarshal([]byte(r.out), &said) // a failure says nothing there
	slices.Sort(said.Roles)
	if r.code != code || !slices.Equal(said.Roles, roles) {
		t.Errorf("health check %v: exit %d and %v well, want %d and %v; %s", health, r.code, said.Roles, code, roles, r.errOut)
	}
}

func (m *machine) wantStopped(t *testing.T, name string, p process) {
	t.Helper()

	if code := p.stop(t, syscall.SIGTERM); code != 0 {
		t.Errorf("%s after SIGTERM: exit %d, %s", name, code, p.errOut)
	}
}

// open makes a folder that any user may enter, which those above t.TempDir are not.
func open(t *testing.T) string {
	t.Helper()

	dir, err := os.MkdirTemp("/tmp", "pehchan-image-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}

	return dir
}

// becomeOrdinary makes root's commands run as the image's user, or as the one user besides root who may open the socket of the
// database where it has one. The folder becomes that user's.
func (m *machine) becomeOrdinary(t *testing.T, dsn, folder string) {
	t.Helper()

	if os.Getuid() != 0 {
		return
	}
	m.user = &syscall.Credential{Uid: imageUser, Gid: imageUser}
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	if socket := u.Query().Get("host"); strings.HasPrefix(socket, "/") {
		info, err := os.Stat(socket)
		if err != nil {
			t.Fatal(err)
		}
		owner := info.Sys().(*syscall.Stat_t)
		m.user = &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}
	}
	if m.user.Uid == 0 {
		t.Fatal("the database's socket is root's")
	}
	if err := os.Chown(folder, int(m.user.Uid), int(m.user.Gid)); err != nil {
		t.Fatal(err)
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

// wantUser fails unless a process runs as who it should, and not as root.
func wantUser(t *testing.T, p process, user *syscall.Credential) {
	t.Helper()

	info, err := os.Stat("/proc/" + strconv.Itoa(p.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	uid := info.Sys().(*syscall.Stat_t).Uid
	if uid == 0 || user != nil && uid != user.Uid {
		t.Errorf("the program runs as uid %d", uid)
	}
}
