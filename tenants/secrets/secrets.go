// Package secrets seals what must not lie in the database in clear (access tokens, app secrets) and derives the keys that sign
// sessions and forms, all from one master key kept in a file outside the database.
package secrets

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/google/uuid"
)

const (
	keySize   = 32
	idSize    = 4
	version   = 1
	headSize  = 1 + idSize
	nonceSize = 12
)

// ErrSealed says that a sealed value does not open: it was changed, belongs to another tenant or purpose, or was sealed with
// another master key.
var ErrSealed = errors.New("sealed value does not open")

// Keyring is the master key of one installation, opened from its file. It is safe for concurrent use.
type Keyring struct {
	master []byte
	aead   cipher.AEAD
	id     [idSize]byte
}

func newKeyring(master []byte) (*Keyring, error) {
	if len(master) != keySize {
		return nil, fmt.Errorf("a master key has %d bytes, not %d", keySize, len(master))
	}

	k := &Keyring{master: master}
	block, err := aes.NewCipher(k.Derive("seal"))
	if err != nil {
		return nil, fmt.Errorf("make cipher: %w", err)
	}
	if k.aead, err = cipher.NewGCM(block); err != nil {
		return nil, fmt.Errorf("make cipher mode: %w", err)
	}
	copy(k.id[:], k.Derive("key id"))

	return k, nil
}

// Derive gives the 32-byte key of one purpose ("session", "csrf"). Keys of different purposes tell nothing of each other or of
// the master key.
func (k *Keyring) Derive(purpose string) []byte {
	key, err := hkdf.Key(sha256.New, k.master, nil, "pehchan "+purpose, keySize)
	if err != nil {
		// Only a length HKDF cannot give is refused, and the length is ours.
		panic(err)
	}

	return key
}

// Seal encrypts plain with AES-256-GCM so that only Open with the same tenant and purpose gives it back. What belongs to the
// platform is sealed with uuid.Nil. The result names the key it needs: version, key id, nonce, ciphertext.
func (k *Keyring) Seal(tenant uuid.UUID, purpose string, plain []byte) ([]byte, error) {
	sealed := make([]byte, headSize+nonceSize, headSize+nonceSize+len(plain)+k.aead.Overhead())
	sealed[0] = version
	copy(sealed[1:], k.id[:])

	nonce := sealed[headSize:]
	if _, err := rand.Read(nonce); err != nil {
		return nil, fmt.Errorf("make nonce: %w", err)
	}

	return k.aead.Seal(sealed, nonce, plain, bound(sealed[:headSize], tenant, purpose)), nil
}

// Open decrypts what Seal made for the same tenant and purpose, else it gives ErrSealed.
func (k *Keyring) Open(tenant uuid.UUID, purpose string, sealed []byte) ([]byte, error) {
	if len(sealed) < headSize+nonceSize+k.aead.Overhead() || sealed[0] != version {
		return nil, fmt.Errorf("%w: unknown form", ErrSealed)
	}
	if [idSize]byte(sealed[1:headSize]) != k.id {
		return nil, fmt.Errorf("%w: sealed with another master key", ErrSealed)
	}

	nonce, body := sealed[headSize:headSize+nonceSize], sealed[headSize+nonceSize:]
	plain, err := k.aead.Open(nil, nonce, body, bound(sealed[:headSize], tenant, purpose))
	if err != nil {
		return nil, ErrSealed
	}

	return plain, nil
}

// bound is what a sealed value is tied to. The tenant has a fixed length and the purpose its own, so no two pairs read alike.
func bound(head []byte, tenant uuid.UUID, purpose string) []byte {
	b := make([]byte, 0, len(head)+len(tenant)+4+len(purpose))
	b = append(b, head...)
	b = append(b, tenant[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(purpose)))

	return append(b, purpose...)
}
