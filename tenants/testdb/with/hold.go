package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// idleFor is how long the server stays after the last test process: go test
// starts the next package's process within this time.
const idleFor = 10 * time.Second

// hold runs a server and writes its DSN to base/dsn. It ends when nobody has
// held base/users for idleFor.
func hold(base string) error {
	data, dsn := filepath.Join(folder(), filepath.Base(base)+"-postgres"), filepath.Join(base, "dsn")
	srv, err := start(data, false)
	if err != nil {
		return err
	}
	defer srv.Stop()
	if err := announce(dsn, srv.DSN("postgres", "postgres")); err != nil {
		return err
	}

	users, err := os.OpenFile(filepath.Join(base, "users"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("open users: %w", err)
	}
	defer users.Close()
	for idle := time.Duration(0); ; idle += time.Second {
		select {
		case <-srv.Done():
			return errors.New("the server ended")
		case <-time.After(time.Second):
		}
		if syscall.Flock(int(users.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
			idle = 0

			continue
		}
		if idle >= idleFor {
			break // still locked: a process that comes now waits and starts another
		}
		if err := syscall.Flock(int(users.Fd()), syscall.LOCK_UN); err != nil {
			return fmt.Errorf("unlock users: %w", err)
		}
	}

	if err := srv.Stop(); err != nil {
		return err
	}

	return errors.Join(os.Remove(dsn), os.RemoveAll(data))
}

// announce writes the file whole or not at all.
func announce(path, content string) error {
	if err := os.WriteFile(path+".new", []byte(content), 0o600); err != nil {
		return fmt.Errorf("write DSN: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("write DSN: %w", err)
	}

	return nil
}
