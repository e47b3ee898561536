package secrets_test

import (
	"path/filepath"
	"testing"

	"github.com/google/uuid"
)

func TestVeil(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "k")
	keys, asha, ravi := open(t, path), uuid.New(), uuid.New()

	seen := map[uuid.UUID]bool{}
	for _, n := range []int64{1, 2, 3, 1 << 32, 1<<62 - 1} {
		id := keys.Veil(asha, "item").Write(n)
		if seen[id] || id.Version() != 8 || id.Variant() != uuid.RFC4122 {
			t.Errorf("%d: want a UUID of version 8 of its own, got %s", n, id)
		}
		seen[id] = true
		// A second process reads the same file.
		if got, ok := open(t, path).Veil(asha, "item").Read(id); !ok || got != n {
			t.Errorf("%d: got %d, %v back", n, got, ok)
		}
		if got, ok := keys.Veil(ravi, "item").Read(id); ok {
			t.Errorf("%d: another tenant reads %d", n, got)
		}
		if got, ok := keys.Veil(asha, "job").Read(id); ok {
			t.Errorf("%d: another kind reads %d", n, got)
		}
	}
	for _, id := range []uuid.UUID{uuid.Nil, uuid.Max, uuid.New(), uuid.Must(uuid.NewV7()), {6: 0x80, 8: 0x80}, {6: 0x80, 8: 0x80, 15: 1}} {
		if n, ok := keys.Veil(asha, "item").Read(id); ok {
			t.Errorf("%s: want nothing, got %d", id, n)
		}
	}
}
