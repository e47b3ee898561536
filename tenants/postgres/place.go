package postgres

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// place is where one server lives and the user it runs as.
type place struct {
	dir      string // absolute, links resolved: locks, log, and data or a link to it
	data     string // the cluster itself
	socket   string // directory of the socket; short, since socket paths are limited to ~100 bytes
	uid, gid int
}

// locate works out the place of dir and makes dir. The same dir always gives
// the same socket, so that a second process finds the server.
func locate(dir string) (place, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return place{}, fmt.Errorf("locate %s: %w", dir, err)
	}
	if err := os.MkdirAll(abs, 0o711); err != nil {
		return place{}, fmt.Errorf("make data directory: %w", err)
	}
	abs, err = filepath.EvalSymlinks(abs)
	if err != nil {
		return place{}, fmt.Errorf("locate %s: %w", dir, err)
	}

	p := place{dir: abs, uid: os.Getuid(), gid: os.Getgid()}
	p.data = p.file("data")
	if p.uid == 0 {
		p.uid, p.gid = serverUser(p.data, p.dir)
	}
	p.socket = filepath.Join("/tmp", "pehchan-"+hash(abs)+"-"+strconv.Itoa(p.uid))

	return p, nil
}

// serverUser is who runs the server for root, which PostgreSQL refuses to run
// as: the owner of what is there already, so that root and the ordinary user of
// one checkout can take turns, else the machine's user for the purpose.
func serverUser(existing ...string) (uid, gid int) {
	for _, path := range existing {
		if info, err := os.Stat(path); err == nil {
			if uid, gid := owner(info); uid > 0 {
				return uid, gid
			}
		}
	}
	if u, err := user.Lookup("postgres"); err == nil {
		uid, uidErr := strconv.Atoi(u.Uid)
		gid, gidErr := strconv.Atoi(u.Gid)
		if uidErr == nil && gidErr == nil {
			return uid, gid
		}
	}

	return 65534, 65534
}

// adopt settles where the cluster is. When root's server user cannot reach dir,
// as under a private home, the cluster is kept under /var/tmp and dir/data is a
// link to it. The caller holds the owner's lock.
func (p *place) adopt() error {
	link := p.file("data")
	target, err := os.Readlink(link)
	switch {
	case err == nil:
		return p.follow(link, target)
	case !errors.Is(err, os.ErrNotExist), os.Getuid() != 0 || traversable(p.dir, p.uid, p.gid):
		return nil // a directory, or it will be one
	}

	return p.keepOutside(link)
}

// follow uses the cluster a link points to, unless that cluster belongs to
// another directory of which this one is a copy.
func (p *place) follow(link, target string) error {
	note := filepath.Join(filepath.Dir(target), "home")
	home, err := os.ReadFile(note)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("read %s: %w", note, err)
	}
	was := string(home)
	if err == nil && was != p.dir {
		if theirs, linkErr := os.Readlink(filepath.Join(was, "data")); linkErr == nil && theirs == target {
			if err := os.Remove(link); err != nil {
				return fmt.Errorf("unlink copied data: %w", err)
			}

			return p.keepOutside(link)
		}
		if err := os.WriteFile(note, []byte(p.dir), 0o644); err != nil {
			return fmt.Errorf("note home of data: %w", err)
		}
	}
	if errors.Is(err, os.ErrNotExist) { // the cluster was cleared away
		if err := os.Remove(link); err != nil {
			return fmt.Errorf("unlink lost data: %w", err)
		}

		return p.keepOutside(link)
	}
	p.data = target

	return nil
}

func (p *place) keepOutside(link string) error {
	// What an earlier life of dir kept there went out of use with dir/data.
	earlier, _ := filepath.Glob(filepath.Join("/var/tmp", "pehchan-"+hash(p.dir)+"-*")) // the pattern is well formed
	for _, base := range earlier {
		home, err := os.ReadFile(filepath.Join(base, "home"))
		if info, statErr := os.Lstat(base); err != nil || statErr != nil || string(home) != p.dir {
			continue
		} else if uid, _ := owner(info); uid != os.Getuid() {
			continue
		}
		if err := os.RemoveAll(base); err != nil {
			return fmt.Errorf("clear earlier data: %w", err)
		}
	}

	base, err := os.MkdirTemp("/var/tmp", "pehchan-"+hash(p.dir)+"-")
	if err != nil {
		return fmt.Errorf("make folder for data: %w", err)
	}
	if err := os.Chmod(base, 0o711); err != nil {
		return fmt.Errorf("open folder for data: %w", err)
	}
	if err := os.WriteFile(filepath.Join(base, "home"), []byte(p.dir), 0o644); err != nil {
		return fmt.Errorf("note home of data: %w", err)
	}
	p.data = filepath.Join(base, "data")
	if err := os.Symlink(p.data, link); err != nil {
		return fmt.Errorf("link data: %w", err)
	}

	return nil
}

// major is the major version that made the cluster, "" before there is one.
func (p place) major() string {
	version, err := os.ReadFile(filepath.Join(p.data, "PG_VERSION"))
	if err != nil {
		return ""
	}

	return strings.TrimSpace(string(version))
}

// ownDir makes dir, or takes it when it is already ours: world-writable parents
// let anybody put a directory or a link of that name there first.
func ownDir(dir string, mode os.FileMode, uid, gid int) error {
	if err := os.Mkdir(dir, mode); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("make %s: %w", dir, err)
	} else if err == nil && os.Getuid() == 0 {
		if err := os.Lchown(dir, uid, gid); err != nil {
			return fmt.Errorf("give %s to uid %d: %w", dir, uid, err)
		}
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("look at %s: %w", dir, err)
	}
	if is, _ := owner(info); !info.IsDir() || is != uid {
		return fmt.Errorf("%s belongs to another user (uid %d): remove it", dir, is)
	}
	if err := os.Chmod(dir, mode); err != nil {
		return fmt.Errorf("protect %s: %w", dir, err)
	}

	return nil
}

// traversable reports whether a user can enter dir and everything above it.
func traversable(dir string, uid, gid int) bool {
	for {
		info, err := os.Stat(dir)
		if err != nil {
			return false
		}
		is, group := owner(info)
		mode := info.Mode().Perm()
		switch {
		case is == uid && mode&0o100 == 0, is != uid && group == gid && mode&0o010 == 0,
			is != uid && group != gid && mode&0o001 == 0:
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
		dir = filepath.Dir(dir)
	}
}

func owner(info os.FileInfo) (uid, gid int) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return -1, -1
	}

	return int(st.Uid), int(st.Gid)
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))

	return hex.EncodeToString(sum[:])[:12]
}
