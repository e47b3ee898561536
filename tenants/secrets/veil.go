package secrets

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"

	"github.com/google/uuid"
)

// Veil writes numbers of rows as UUIDs of version 8 (RFC 9562) and reads them back. Nobody can tell from one how many there are or
// make up another, and one that another tenant was given, or that stands for another kind of row, does not read.
type Veil struct{ block cipher.Block }

// Veil gives the veil of one tenant's rows of one kind.
func (k *Keyring) Veil(tenant uuid.UUID, kind string) Veil {
	block, err := aes.NewCipher(k.Derive("veil " + kind + " " + tenant.String()))
	if err != nil {
		// Only a length AES does not know is refused, and the length is ours.
		panic(err)
	}

	return Veil{block}
}

// Write gives n, from 1 to 2^62-1, its UUID: always the same one.
func (v Veil) Write(n int64) uuid.UUID {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[8:], uint64(n))
	mark(&id)
	// A UUID has six fixed bits. The cipher is applied until they come out right, which keeps it one to one: about 64 times.
	for {
		v.block.Encrypt(id[:], id[:])
		if marked(id) {
			return id
		}
	}
}

// Read gives the number that Write wrote; ok is false for what it did not write.
func (v Veil) Read(id uuid.UUID) (n int64, ok bool) {
	if !marked(id) {
		return 0, false
	}
	for {
		v.block.Decrypt(id[:], id[:])
		if marked(id) {
			break
		}
	}
	n = int64(binary.BigEndian.Uint64(id[8:]) &^ (3 << 62))
	var want uuid.UUID
	binary.BigEndian.PutUint64(want[8:], uint64(n))
	mark(&want)

	return n, id == want && n > 0
}

func mark(id *uuid.UUID) { id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80 }

func marked(id uuid.UUID) bool { return id[6]&0xf0 == 0x80 && id[8]&0xc0 == 0x80 }
