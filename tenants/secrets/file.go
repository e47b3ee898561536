package secrets

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Open reads the master key at path. Where there is no file it makes one, mode 0600, with its folder; several processes may do
// so at once and all get the same key. It refuses a file that others on the machine can read, and one that is not 32 bytes long.
func Open(path string) (*Keyring, error) {
	master, err := readKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeKey(path); err != nil {
			return nil, err
		}
		master, err = readKey(path)
	}
	if err != nil {
		return nil, err
	}

	k, err := newKeyring(master)
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}

	return k, nil
}

func readKey(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open key file: %w", err)
	}
	defer func() { _ = f.Close() }()

	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("look at key file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("key file %s is not a file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("key file %s can be read by others (mode %04o); run: chmod 600 %s", path, mode, path)
	}

	master, err := io.ReadAll(io.LimitReader(f, keySize+1))
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}

	return master, nil
}

// makeKey writes the whole key under another name first and links it into place, so that nobody ever reads half a key and the
// first of several processes wins.
func makeKey(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make key folder: %w", err)
	}

	f, err := os.CreateTemp(dir, ".master-*") // CreateTemp gives mode 0600
	if err != nil {
		return fmt.Errorf("make key file: %w", err)
	}
	defer func() { _ = os.Remove(f.Name()) }()

	master := make([]byte, keySize)
	if _, err := rand.Read(master); err != nil {
		return fmt.Errorf("make key: %w", err)
	}
	_, err = f.Write(master)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("write key file: %w", err)
	}

	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("place key file: %w", err)
	}

	return nil
}
