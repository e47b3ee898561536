package testdb

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// shared returns a superuser's DSN of the server that the test processes of
// this checkout share. The first process starts a holder of it, package with,
// which ends itself and the server a few seconds after the last process. The
// caller keeps users as long as it needs the server: a file nobody refers to is
// closed by the garbage collector.
func shared(ctx context.Context) (dsn string, users *os.File, err error) {
	root, err := moduleRoot()
	if err != nil {
		return "", nil, err
	}
	sum := sha256.Sum256([]byte(root))
	base := filepath.Join("/tmp", "pehchan-test-"+hex.EncodeToString(sum[:])[:12]+"-"+strconv.Itoa(os.Getuid()))
	if err := os.Mkdir(base, 0o711); err != nil && !errors.Is(err, os.ErrExist) {
		return "", nil, err
	}
	if info, err := os.Lstat(base); err != nil {
		return "", nil, err
	} else if st, ok := info.Sys().(*syscall.Stat_t); !ok || !info.IsDir() || int(st.Uid) != os.Getuid() {
		return "", nil, fmt.Errorf("%s belongs to another user: remove it", base)
	}

	// The holder stops when nobody has it.
	if users, err = lock(filepath.Join(base, "users"), syscall.LOCK_SH); err != nil {
		return "", nil, err
	}
	starting, err := lock(filepath.Join(base, "starting"), syscall.LOCK_EX)
	if err != nil {
		return "", nil, err
	}
	defer starting.Close()

	if at, ok := answering(ctx, base); ok {
		return at, users, nil
	}
	dsn, err = hold(ctx, root, base)

	return dsn, users, err
}

// hold builds and starts the holder and waits for its server.
func hold(ctx context.Context, root, base string) (string, error) {
	program := filepath.Join(base, "holder")
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", program, "./tenants/testdb/with")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the holder (set TEST_DATABASE_URL to do without): %w: %s", err, out)
	}
	// go test waits for whoever holds its output, so the holder gets a file.
	log, err := os.Create(filepath.Join(base, "holder.log"))
	if err != nil {
		return "", err
	}
	defer log.Close()
	holder := exec.CommandContext(context.WithoutCancel(ctx), program, "-hold", base)
	holder.Dir, holder.Stdout, holder.Stderr = "/", log, log
	holder.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := holder.Start(); err != nil {
		return "", fmt.Errorf("start the holder: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		_ = holder.Wait() // its log says why it ended
		close(ended)
	}()

	for {
		if at, ok := answering(ctx, base); ok {
			return at, nil
		}
		select {
		case <-ended:
			said, _ := os.ReadFile(log.Name())

			return "", fmt.Errorf("the holder ended: %s", said)
		case <-ctx.Done():
			return "", errors.New("no answer; see " + log.Name())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// answering reads the DSN the holder left and tries it.
func answering(ctx context.Context, base string) (string, bool) {
	at, err := os.ReadFile(filepath.Join(base, "dsn"))
	if err != nil {
		return "", false
	}
	db, err := sql.Open("postgres", string(at))
	if err != nil {
		return "", false
	}
	defer db.Close()

	return string(at), db.PingContext(ctx) == nil
}

func lock(path string, how int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), how)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, syscall.EINTR) {
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
	}
}

func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("not inside the module; set TEST_DATABASE_URL")
		}
		dir = filepath.Dir(dir)
	}
}
