package postgres_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/pehchan/pehchan/tenants/postgres"
)

// TestMain turns the test binary into an owner of a server when asked, so that
// a test can kill one.
func TestMain(m *testing.M) {
	if dir := os.Getenv("OWN_POSTGRES_IN"); dir != "" {
		own(dir)
	}
	os.Exit(m.Run())
}

func own(dir string) {
	srv, err := postgres.Start(context.Background(), postgres.Options{Dir: dir})
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
	os.Stdout.WriteString(srv.DSN("postgres", "postgres") + "\n")
	io.Copy(io.Discard, os.Stdin)
	if err := srv.Stop(); err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

// folder is a new folder any user may enter, unlike t.TempDir.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "pehchan-postgres-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}

	return dir
}

func start(t *testing.T, o postgres.Options) *postgres.Server {
	t.Helper()
	srv, err := postgres.Start(t.Context(), o)
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	t.Cleanup(func() { srv.Stop() })

	return srv
}

func query(t *testing.T, dsn, q string) string {
	t.Helper()
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var got sql.NullString
	if err := db.QueryRowContext(t.Context(), q).Scan(&got); err != nil && !errors.Is(err, sql.ErrNoRows) {
		t.Fatalf("%s: %v", q, err)
	}

	return got.String
}

func TestStartKeepsDataAndSettings(t *testing.T) {
	t.Parallel()
	o := postgres.Options{Dir: filepath.Join(folder(t), "new", "postgres"), Settings: map[string]string{"work_mem": "7MB"}}

	srv := start(t, o)
	dsn := srv.DSN("postgres", "postgres")
	for q, want := range map[string]string{
		"SHOW work_mem":           "7MB",
		"SHOW fsync":              "off",
		"SHOW listen_addresses":   "",
		"SHOW server_encoding":    "UTF8",
		"SHOW TimeZone":           "UTC",
		"SELECT lower('Ä कुमार')": "ä कुमार",
	} {
		if got := query(t, dsn, q); got != want {
			t.Errorf("%s: got %q, want %q", q, got, want)
		}
	}
	query(t, dsn, "CREATE TABLE kept AS SELECT 1 AS one")
	for range 2 {
		if err := srv.Stop(); err != nil {
			t.Fatalf("Stop: %v", err)
		}
	}

	o.Durable = true
	again := start(t, o)
	if got := query(t, again.DSN("postgres", "postgres"), "SELECT one FROM kept"); got != "1" {
		t.Errorf("after restart: got %q, want 1", got)
	}
	if got := query(t, again.DSN("postgres", "postgres"), "SHOW fsync"); got != "on" {
		t.Errorf("durable fsync: got %q, want on", got)
	}
}

func TestTwoFoldersDoNotMeet(t *testing.T) {
	t.Parallel()
	a := start(t, postgres.Options{Dir: folder(t)})
	b := start(t, postgres.Options{Dir: folder(t)})

	query(t, a.DSN("postgres", "postgres"), "CREATE TABLE only_a AS SELECT 1 AS one")
	if got := query(t, b.DSN("postgres", "postgres"), "SELECT to_regclass('only_a')::text"); got != "" {
		t.Errorf("b sees %q of a", got)
	}
}

func TestJoinUsesARunningServerAndLeavesIt(t *testing.T) {
	t.Parallel()
	o := postgres.Options{Dir: folder(t)}
	owner, started, err := postgres.Join(t.Context(), o)
	if err != nil || !started {
		t.Fatalf("first Join: started %v, %v; want true", started, err)
	}
	defer owner.Stop()

	guest, started, err := postgres.Join(t.Context(), o)
	if err != nil || started {
		t.Fatalf("second Join: started %v, %v; want false", started, err)
	}
	if err := guest.Stop(); err != nil {
		t.Fatalf("guest Stop: %v", err)
	}
	if got := query(t, owner.DSN("postgres", "postgres"), "SELECT 1"); got != "1" {
		t.Errorf("after the guest left: got %q, want 1", got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := postgres.Start(ctx, o); err == nil {
		t.Error("a second Start: got none, want an error")
	}
}

func TestOwnerWaitsForGuests(t *testing.T) {
	t.Parallel()
	o := postgres.Options{Dir: folder(t)}
	owner := start(t, o)
	guest, _, err := postgres.Join(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}

	stopped := make(chan error, 1)
	go func() { stopped <- owner.Stop() }()
	for range 20 {
		if got := query(t, guest.DSN("postgres", "postgres"), "SELECT pg_sleep(0.01)::text"); got != "" {
			t.Fatalf("query: got %q", got)
		}
	}
	select {
	case <-stopped:
		t.Error("the owner stopped before its guest left")
	default:
	}
	guest.Stop()
	if err := <-stopped; err != nil {
		t.Errorf("owner Stop: %v", err)
	}
}

// ownedElsewhere starts a server in another process and returns that process
// and the server's DSN.
func ownedElsewhere(t *testing.T, dir string) (*exec.Cmd, string) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "OWN_POSTGRES_IN="+dir)
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil { // left open: the owner stays
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	dsn, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("owner did not start: %v", err)
	}

	return cmd, dsn[:len(dsn)-1]
}

func TestKilledOwnerLeavesNothingInTheWay(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	owner, dsn := ownedElsewhere(t, dir)
	query(t, dsn, "CREATE TABLE kept AS SELECT 1 AS one")

	if err := owner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	srv, started, err := postgres.Join(t.Context(), postgres.Options{Dir: dir})
	if err != nil || !started {
		t.Fatalf("Join after kill -9: started %v, %v; want true", started, err)
	}
	defer srv.Stop()
	if got := query(t, srv.DSN("postgres", "postgres"), "SELECT one FROM kept"); got != "1" {
		t.Errorf("after kill -9 of the owner: got %q, want 1", got)
	}
}

func TestKilledServerStartsAgain(t *testing.T) {
	t.Parallel()
	o := postgres.Options{Dir: folder(t), Durable: true}
	srv := start(t, o)
	query(t, srv.DSN("postgres", "postgres"), "CREATE TABLE kept AS SELECT 1 AS one")

	if err := syscall.Kill(srv.Pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-srv.Done()
	srv.Stop()
	again := start(t, o)
	if got := query(t, again.DSN("postgres", "postgres"), "SELECT one FROM kept"); got != "1" {
		t.Errorf("after kill -9 of the server: got %q, want 1", got)
	}
}

func TestForeignPidFileIsNoObstacle(t *testing.T) {
	t.Parallel()
	o := postgres.Options{Dir: folder(t)}
	start(t, o).Stop()

	// After a crash and a reboot the number belongs to some other program.
	stale := filepath.Join(o.Dir, "data", "postmaster.pid")
	if err := os.WriteFile(stale, []byte("1\n/elsewhere\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := query(t, start(t, o).DSN("postgres", "postgres"), "SELECT 1"); got != "1" {
		t.Errorf("got %q, want 1", got)
	}
}

func TestPrivateFolderWorks(t *testing.T) {
	t.Parallel()
	private := t.TempDir() // its parent is 0700, which keeps root's server user out
	dir := filepath.Join(private, "one")
	srv := start(t, postgres.Options{Dir: dir})
	query(t, srv.DSN("postgres", "postgres"), "CREATE TABLE kept AS SELECT 1 AS one")
	srv.Stop()
	outside, err := os.Readlink(filepath.Join(dir, "data"))
	if err != nil {
		return // an ordinary user keeps the data inside
	}
	t.Cleanup(func() { os.RemoveAll(filepath.Dir(outside)) })

	// A copy of the folder, link and all, gets data of its own.
	twin := filepath.Join(private, "two")
	if err := os.Mkdir(twin, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(twin, "data")); err != nil {
		t.Fatal(err)
	}
	copied := start(t, postgres.Options{Dir: twin})
	if got := query(t, copied.DSN("postgres", "postgres"), "SELECT to_regclass('kept')::text"); got != "" {
		t.Errorf("the copy sees %q of the original", got)
	}
	copied.Stop()
	theirs, err := os.Readlink(filepath.Join(twin, "data"))
	if err != nil {
		t.Fatal(err)
	}

	// Deleting the folder deletes what it kept elsewhere, once it starts again.
	if err := os.RemoveAll(twin); err != nil {
		t.Fatal(err)
	}
	start(t, postgres.Options{Dir: twin}).Stop()
	if now, err := os.Readlink(filepath.Join(twin, "data")); err != nil || now == theirs {
		t.Errorf("data of a folder made anew: got %s, %v; want another than before", now, err)
	} else {
		t.Cleanup(func() { os.RemoveAll(filepath.Dir(now)) })
	}
	if _, err := os.Stat(theirs); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("data of the deleted folder: got %v, want none", err)
	}

	// A moved folder keeps its data.
	moved := filepath.Join(private, "three")
	if err := os.Rename(dir, moved); err != nil {
		t.Fatal(err)
	}
	if got := query(t, start(t, postgres.Options{Dir: moved}).DSN("postgres", "postgres"), "SELECT one FROM kept"); got != "1" {
		t.Errorf("after the move: got %q, want 1", got)
	}
}

func TestPrepareTwiceAtOnce(t *testing.T) {
	t.Parallel()
	srv := start(t, postgres.Options{Dir: folder(t)})
	super := srv.DSN("postgres", "postgres")

	errs := make(chan error)
	for range 2 {
		go func() { errs <- postgres.Prepare(t.Context(), super, "pehchan", "pehchan_owner", "pehchan_app") }()
	}
	for range 2 {
		if err := <-errs; err != nil {
			t.Errorf("Prepare: %v", err)
		}
	}
	for _, role := range []string{"pehchan_owner", "pehchan_app"} {
		got := query(t, srv.DSN(role, "pehchan"), "SELECT rolsuper OR rolbypassrls OR rolcreatedb OR rolcreaterole FROM pg_roles WHERE rolname = current_user")
		if got != "false" {
			t.Errorf("%s is powerful: got %q, want false", role, got)
		}
	}
}
