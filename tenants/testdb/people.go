package testdb

import (
	"context"
	"strings"
	"testing"

	"github.com/alexedwards/argon2id"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// cheap is argon2id at a cost that tests can pay at every sign-in. In earnest each takes 20 ms and 19 MiB, which made a fifth of all
// that the server's tests did.
var cheap = argon2id.Params{Memory: 8, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// Person gives somebody an account with a password that is checked at next to no cost, where they have none yet. Who is added to a
// business or made an operator afterwards keeps it. Of e-mails, plain ones in small letters alone.
func (d *Database) Person(t testing.TB, email, name, password string) {
	t.Helper()
	if email != strings.ToLower(email) {
		t.Fatalf("testdb: add person: %s is not in small letters", email)
	}
	hash, err := argon2id.CreateHash(password, &cheap)
	if err != nil {
		t.Fatalf("testdb: hash password: %v", err)
	}
	err = d.DB.System(context.Background(), func(tx *tenants.Tx) error {
		_, err := tx.ExecContext(context.Background(), `
			INSERT INTO people (id, email, email_key, name, password_hash) VALUES ($1, $2, $2, $3, $4)
			ON CONFLICT ON CONSTRAINT people_email_key DO NOTHING`, uuid.Must(uuid.NewV7()), email, name, hash)

		return err
	})
	if err != nil {
		t.Fatalf("testdb: add person: %v", err)
	}
}
