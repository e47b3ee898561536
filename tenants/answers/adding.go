package answers

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// addedKey begins the key of a card that operators wrote and no release ships.
const addedKey = "added-"

const mostAdded = 200 // cards that operators wrote, those taken away included

// IsAdded tells whether a key is of a card that operators wrote and no release ships.
func IsAdded(key string) bool { return strings.HasPrefix(key, addedKey) }

// Add puts a new card into the library, in a System transaction, and returns its key; in.Key and in.Version do not count. Every business has
// it from the commit on. Each field that is refused is an Invalid, all joined; Conflict "library_full" where there are two hundred such cards.
func Add(ctx context.Context, tx *tenants.Tx, by tenants.Actor, in Revision, now time.Time) (string, error) {
	s, e, _, err := TryAdd(ctx, tx, in, now)
	if err != nil {
		return "", err
	}
	var written int
	if err := tx.GetContext(ctx, &written, `SELECT count(DISTINCT key)::int FROM library_versions WHERE kind = 'card' AND key LIKE $1 || '%'`, addedKey); err != nil {
		return "", fmt.Errorf("count added cards: %w", err)
	}
	if written >= mostAdded {
		return "", &tenants.Conflict{Code: "library_full"}
	}
	// The time comes first in it, so that cards stand in the order in which they were written.
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("make the key of a card: %w", err)
	}
	s.Key = addedKey + strings.ReplaceAll(id.String(), "-", "")

	return s.Key, shelve(ctx, tx, by, s, e)
}

// TryAdd says what Add would put into the library, and changes nothing.
func TryAdd(ctx context.Context, tx *tenants.Tx, in Revision, now time.Time) (Shelved, Edition, Ledger, error) {
	l, err := Read(ctx, tx)
	if err != nil {
		return Shelved{}, Edition{}, Ledger{}, err
	}
	in.Kind, in.Version = UsedCard, 0
	s := Shelved{Kind: UsedCard}
	s.Card.Audience = in.Card.Audience
	e, err := in.next(s, l, now)
	if err != nil {
		return Shelved{}, Edition{}, Ledger{}, err
	}
	e.Did = Added

	return s, e, l, nil
}

// Withdraw takes a card that operators added from every business that has no words of its own in its place, in a System transaction; Return
// brings it back. version is the newest that the operator saw. ErrNotFound for what ships; Conflict "answer_changed" where a colleague was
// quicker, "answer_withdrawn" where it is taken away already.
func Withdraw(ctx context.Context, tx *tenants.Tx, by tenants.Actor, key string, version int, now time.Time) error {
	s, _, err := OnShelf(ctx, tx, UsedCard, key, now)
	switch {
	case err != nil:
		return err
	case !IsAdded(key):
		return tenants.ErrNotFound
	case s.Edition.Version != version:
		return &tenants.Conflict{Code: "answer_changed"}
	case s.Withdrawn():
		return &tenants.Conflict{Code: "answer_withdrawn"}
	}
	e := s.Edition
	e.Version, e.Did, e.Changed, e.At = version+1, Withdrawn, nil, now

	return shelve(ctx, tx, by, s, e)
}

// addedCard is the card of a row whose key IsAdded.
func addedCard(row edition) (Card, error) {
	e, err := row.read(Wording{}.digest())
	if err != nil {
		return Card{}, err
	}
	if e.Wording == nil || e.Wording.Card == nil {
		return Card{}, fmt.Errorf("read the words of %s %s: there are none", row.Kind, row.Key)
	}

	return Card{Key: row.Key, Content: *e.Wording.Card, Facts: e.Wording.facts(), Edition: e}, nil
}
