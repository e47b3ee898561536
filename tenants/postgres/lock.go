package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
)

const (
	shared    = syscall.LOCK_SH
	exclusive = syscall.LOCK_EX
)

var errLocked = errors.New("locked by another process")

// lockFile is a lock the kernel gives back when the process dies, however it
// dies.
type lockFile struct{ f *os.File }

// lock takes the named lock of p.dir or returns errLocked at once.
func (p place) lock(name string, how int) (*lockFile, error) {
	f, err := p.open(name, os.O_CREATE|os.O_RDWR)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errLocked
		}

		return nil, fmt.Errorf("lock %s: %w", name, err)
	}

	return &lockFile{f}, nil
}

// unlock closes the file, which releases the lock.
func (l *lockFile) unlock() { l.f.Close() }

// wait is lock for those who can wait.
func (p place) wait(ctx context.Context, name string) (*lockFile, error) {
	for {
		l, err := p.lock(name, exclusive)
		if err == nil || !errors.Is(err, errLocked) {
			return l, err
		}
		if err := pause(ctx); err != nil {
			return nil, err
		}
	}
}

// open opens a file of ours in p.dir. What root makes in somebody's directory
// is given to them, so that they can go on without root.
func (p place) open(name string, flags int) (*os.File, error) {
	f, err := os.OpenFile(p.file(name), flags, 0o600)
	if errors.Is(err, os.ErrPermission) {
		return nil, fmt.Errorf("%s belongs to another user: run as that user or as root, or remove it", p.dir)
	}
	if err != nil {
		return nil, err
	}
	if os.Getuid() == 0 {
		info, err := os.Stat(p.dir)
		if err != nil {
			f.Close()

			return nil, err
		}
		uid, gid := owner(info)
		if err := f.Chown(uid, gid); err != nil {
			f.Close()

			return nil, err
		}
	}

	return f, nil
}
