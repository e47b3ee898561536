// Command with runs a command beside a PostgreSQL server made for tests:
//
//	go run ./tenants/testdb/with -- go test ./...
//
// The command finds the server in TEST_DATABASE_URL; where that is set already,
// it is left as it is. The exit code is the command's. With -durable the server
// syncs to disk as in earnest, for measuring.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/pehchan/pehchan/tenants/postgres"
)

func main() {
	held := flag.String("hold", "", "hold a server in this `folder` until no test process uses it")
	durable := flag.Bool("durable", false, "leave fsync on")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: with [-durable] -- command [argument ...]")
	}
	flag.Parse()
	if (*held == "") == (flag.NArg() == 0) {
		flag.Usage()
		os.Exit(2)
	}

	if *held != "" {
		if err := hold(*held); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}

		return
	}
	code, err := with(flag.Args(), *durable)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// start runs a server with room for the connection pools of many tests at once.
func start(dir string, durable bool) (*postgres.Server, error) {
	settings := map[string]string{"max_connections": "500"}
	if !durable {
		settings["autovacuum"] = "off"     // the databases do not live long enough
		settings["max_wal_size"] = "256MB" // the log may lie in memory
	}

	return postgres.Start(context.Background(), postgres.Options{Dir: dir, Durable: durable, Settings: settings})
}

func with(command []string, durable bool) (code int, err error) {
	cmd := exec.CommandContext(context.Background(), command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr

	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)

	if os.Getenv("TEST_DATABASE_URL") == "" {
		parent := "/tmp"
		if !durable {
			parent = folder()
		}
		dir, err := os.MkdirTemp(parent, "pehchan-with-")
		if err != nil {
			return 1, fmt.Errorf("make folder: %w", err)
		}
		defer os.RemoveAll(dir)
		if err := os.Chmod(dir, 0o711); err != nil { // the server may run as another user
			return 1, fmt.Errorf("open folder: %w", err)
		}
		srv, err := start(dir, durable)
		if err != nil {
			return 1, err
		}
		defer srv.Stop()
		cmd.Env = append(os.Environ(), "TEST_DATABASE_URL="+srv.DSN("postgres", "postgres"))
	}

	if err := cmd.Start(); err != nil {
		return 1, fmt.Errorf("run %s: %w", command[0], err)
	}
	go func() {
		for s := range signals {
			// Ctrl-C reaches the command by itself; we stay to clean up.
			if s == syscall.SIGTERM {
				_ = cmd.Process.Signal(s) // it may have ended by itself
			}
		}
	}()
	err = cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return max(1, exit.ExitCode()), nil
	}
	if err != nil {
		return 1, fmt.Errorf("run %s: %w", command[0], err)
	}

	return 0, nil
}
