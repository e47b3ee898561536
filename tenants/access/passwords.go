package access

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"github.com/ccojocar/zxcvbn-go"

	"github.com/pehchan/pehchan/tenants"
)

const (
	minPassword  = 8    // runes
	maxPassword  = 1024 // bytes
	minStrength  = 2    // of 0–4
	hashPatience = 5 * time.Second
)

// OWASP's second argon2id setting: 19 MiB, two passes, one lane.
var hashParams = argon2id.Params{Memory: 19 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// nobodysHash is a hash of the same cost that no password matches. Signing in to an account that does not exist checks
// against it, so that the answer takes as long as a wrong password's.
const nobodysHash = "$argon2id$v=19$m=19456,t=2,p=1$h10utf9ohlQjcUkYSdNNFQ$297N4U/3HdEeSd92Sy036bqzFPFw7vwOIE7Sr1fBOw4"

// hashing bounds the memory and processor time that passwords can take, however many arrive at once.
var hashing = make(chan struct{}, 2)

// hashed counts the passwords that were hashed or checked; each costs the same.
var hashed atomic.Int64

// Hashed is how many passwords this process has hashed or checked since it started. Guessing shows in it.
func Hashed() int64 { return hashed.Load() }

func hashSlot(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, hashPatience)
	defer cancel()

	select {
	case hashing <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait to hash a password: %w", tenants.ErrUnavailable)
	}
}

func hashPassword(ctx context.Context, password string) (string, error) {
	if err := hashSlot(ctx); err != nil {
		return "", err
	}
	defer func() { <-hashing }()

	hashed.Add(1)
	hash, err := argon2id.CreateHash(password, &hashParams)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}

	return hash, nil
}

func matches(ctx context.Context, password, hash string) (bool, error) {
	if err := hashSlot(ctx); err != nil {
		return false, err
	}
	defer func() { <-hashing }()

	hashed.Add(1)
	ok, err := argon2id.ComparePasswordAndHash(password, hash)
	if err != nil {
		return false, fmt.Errorf("check password: %w", err)
	}

	return ok, nil
}

// checkPassword refuses a password that is too short (under 8 characters), too long (over 1024 bytes), easy to guess, or that
// contains the person's own name or the name part of their e-mail.
func checkPassword(password, email, name string) error {
	switch {
	case !utf8.ValidString(password):
		return &tenants.Invalid{Field: "password", Key: "password_text"}
	case utf8.RuneCountInString(password) < minPassword:
		return &tenants.Invalid{Field: "password", Key: "password_short"}
	case len(password) > maxPassword:
		return &tenants.Invalid{Field: "password", Key: "password_long"}
	}

	lower := strings.ToLower(password)
	mailbox, _, _ := strings.Cut(strings.ToLower(email), "@")
	own := append(strings.Fields(strings.ToLower(name)), mailbox, strings.ToLower(email))
	for _, word := range own {
		if utf8.RuneCountInString(word) >= 4 && strings.Contains(lower, word) {
			return &tenants.Invalid{Field: "password", Key: "password_own"}
		}
	}

	// The estimate takes longer the longer the password; a hundred characters are strong or hopeless already.
	head := []rune(password)
	if len(head) > 100 {
		head = head[:100]
	}
	if zxcvbn.PasswordStrength(string(head), own).Score < minStrength {
		return &tenants.Invalid{Field: "password", Key: "password_weak"}
	}

	return nil
}
