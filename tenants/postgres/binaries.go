package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
)

// oldest is the first major version that has what the schema uses.
const oldest = 15

// debianPackages are tried in order: not every release carries version 15.
var debianPackages = []string{"postgresql-15", "postgresql"}

// binaries returns a directory holding initdb and postgres that any user can
// run: the newest on the machine, else Debian's package, else npm's. A cluster
// that exists can only be run by the major version that made it; major is ""
// when there is none.
func binaries(ctx context.Context, major string) (string, error) {
	if bin := installed(ctx, major); bin != "" {
		return bin, nil
	}

	var tried error
	if err := installDebian(ctx, major); err != nil {
		tried = err
	} else if bin := installed(ctx, major); bin != "" {
		return bin, nil
	}
	bin, err := installNpm(ctx)
	if err == nil && fits(ctx, bin, major) > 0 {
		return bin, nil
	}
	tried = errors.Join(tried, err)

	want := major
	if want == "" {
		want = strconv.Itoa(oldest)
	}

	return "", fmt.Errorf("no PostgreSQL %s server found or installable; "+
		"install one with: apt-get install postgresql-%s (%w)", want, want, tried)
}

// installed finds the newest fitting server on PATH and in Debian's folders.
func installed(ctx context.Context, major string) string {
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // the pattern is well formed
	if path, err := exec.LookPath("postgres"); err == nil {
		// A link on PATH leads to the folder that also holds initdb.
		if path, err = filepath.EvalSymlinks(path); err == nil {
			dirs = append(dirs, filepath.Dir(path))
		}
	}

	best, newest := "", 0
	for _, dir := range dirs {
		if v := fits(ctx, dir, major); v > newest {
			best, newest = dir, v
		}
	}

	return best
}

var versionNumber = regexp.MustCompile(`\d+`)

// fits returns the major version of the server in dir, 0 when it cannot be used.
func fits(ctx context.Context, dir, major string) int {
	if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
		return 0
	}
	if os.Getuid() == 0 {
		if uid, gid := serverUser(); !traversable(dir, uid, gid) {
			return 0
		}
	}
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return 0
	}
	found := versionNumber.FindString(string(out))
	v, err := strconv.Atoi(found)
	if err != nil || v < oldest || major != "" && found != major {
		return 0
	}

	return v
}
