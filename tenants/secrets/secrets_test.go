package secrets_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants/secrets"
)

func open(t *testing.T, path string) *secrets.Keyring {
	t.Helper()
	k, err := secrets.Open(path)
	if err != nil {
		t.Fatalf("open keyring: %v", err)
	}

	return k
}

func TestSealAndOpen(t *testing.T) {
	t.Parallel()

	path := filepath.Join(t.TempDir(), "keys", "master.key")
	keys, asha := open(t, path), uuid.New()

	sealed, err := keys.Seal(asha, "number token", []byte("EAAB-token"))
	if err != nil {
		t.Fatalf("seal: %v", err)
	}
	if bytes.Contains(sealed, []byte("EAAB")) {
		t.Error("want nothing of the token in the sealed value")
	}

	// A second process reads the same file.
	plain, err := open(t, path).Open(asha, "number token", sealed)
	if err != nil || string(plain) != "EAAB-token" {
		t.Errorf("want EAAB-token, got %q, %v", plain, err)
	}

	again, err := keys.Seal(asha, "number token", []byte("EAAB-token"))
	if err != nil || bytes.Equal(again, sealed) {
		t.Errorf("want another ciphertext each time, got the same (%v)", err)
	}
}

func TestSealedValueOpensNowhereElse(t *testing.T) {
	t.Parallel()

	keys, asha, ravi := open(t, filepath.Join(t.TempDir(), "k")), uuid.New(), uuid.New()
	other := open(t, filepath.Join(t.TempDir(), "k"))

	sealed, err := keys.Seal(asha, "number token", []byte("secret"))
	if err != nil {
		t.Fatalf("seal: %v", err)
	}

	for name, try := range map[string]func() ([]byte, error){
		"another tenant":     func() ([]byte, error) { return keys.Open(ravi, "number token", sealed) },
		"the platform":       func() ([]byte, error) { return keys.Open(uuid.Nil, "number token", sealed) },
		"another purpose":    func() ([]byte, error) { return keys.Open(asha, "app secret", sealed) },
		"another master key": func() ([]byte, error) { return other.Open(asha, "number token", sealed) },
		"nothing":            func() ([]byte, error) { return keys.Open(asha, "number token", nil) },
		"cut short":          func() ([]byte, error) { return keys.Open(asha, "number token", sealed[:len(sealed)-1]) },
	} {
		if plain, err := try(); !errors.Is(err, secrets.ErrSealed) {
			t.Errorf("%s: want ErrSealed, got %q, %v", name, plain, err)
		}
	}

	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := keys.Open(asha, "number token", changed); !errors.Is(err, secrets.ErrSealed) {
			t.Fatalf("byte %d changed: want ErrSealed, got %v", i, err)
		}
	}
}

func TestDerivedKeysDiffer(t *testing.T) {
	t.Parallel()

	path := filepath.Join(t.TempDir(), "k")
	keys := open(t, path)
	if bytes.Equal(keys.Derive("session"), keys.Derive("csrf")) {
		t.Error("want another key for each purpose")
	}
	if !bytes.Equal(keys.Derive("session"), open(t, path).Derive("session")) {
		t.Error("want the same key after a restart")
	}
	if n := len(keys.Derive("session")); n != 32 {
		t.Errorf("want 32 bytes, got %d", n)
	}
}

func TestKeyFile(t *testing.T) {
	t.Parallel()

	path := filepath.Join(t.TempDir(), "k")
	open(t, path)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 || info.Size() != 32 {
		t.Errorf("want 32 bytes of mode 0600, got %v, %v", info, err)
	}

	for _, mode := range []os.FileMode{0o640, 0o604, 0o660} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := secrets.Open(path); err == nil {
			t.Errorf("mode %04o: want a refusal", mode)
		}
	}

	for _, size := range []int{0, 31, 33} {
		wrong := filepath.Join(t.TempDir(), "wrong")
		if err := os.WriteFile(wrong, make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := secrets.Open(wrong); err == nil {
			t.Errorf("%d bytes: want a refusal", size)
		}
	}
}

func TestManyProcessesMakeOneKey(t *testing.T) {
	t.Parallel()

	path := filepath.Join(t.TempDir(), "k")
	keys := make([][]byte, 16)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			if k, err := secrets.Open(path); err == nil {
				keys[i] = k.Derive("x")
			}
		})
	}
	wg.Wait()

	for i, k := range keys {
		if k == nil || !bytes.Equal(k, keys[0]) {
			t.Errorf("opener %d: want the first one's key, got %x", i, k)
		}
	}
}
