package identity_test

import (
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
)

// Of a business that has just begun the planner knows nothing. What many customers have said is looked up all the same by what it is
// about, not by going through everything for each of them.
func TestYoungBusinessLooksUpLittle(t *testing.T) {
	t.Parallel()
	const people, perContact = 600, 40
	w := freshWorld(t)
	phone := func(n int) string { return fmt.Sprint(919800000000 + n) }
	var sent, said []event
	for n := range people {
		sent = append(sent, event{wamid: fmt.Sprint("sent", n), status: "delivered", phone: phone(n)})
		said = append(said, event{at: 1, wamid: fmt.Sprint("said", n), bsuid: fmt.Sprint("IN.77", n), quotes: fmt.Sprint("sent", n), text: "my number is " + phone(n+1)})
	}
	w.feed(sent...)
	w.feed(said...)

	w.as(func(tx *tenants.Tx) error {
		var contacts []uuid.UUID
		if err := tx.Select(&contacts, `SELECT id FROM contacts`); err != nil {
			return err
		}
		if len(contacts) != people {
			t.Fatalf("want %d contacts, got %d", people, len(contacts))
		}
		for what, look := range map[string]struct {
			at     []uuid.UUID
			tables []string
		}{
			"all": {contacts, []string{"identifiers", "statuses", "messages", "rotations", "saved_contacts"}},
			"few": {contacts[:5], []string{"contacts"}},
		} {
			read := func() (n int) {
				if err := tx.Get(&n, `
					SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables WHERE relname = ANY($1)`, pq.Array(look.tables)); err != nil {
					t.Fatal(err)
				}
				return n
			}
			before := read()
			if err := identity.SyncContacts(t.Context(), tx, look.at); err != nil {
				return err
			}
			if got := (read() - before) / len(look.at); got > perContact {
				t.Errorf("%s: %d rows were read for each customer, want at most %d", what, got, perContact)
			}
		}
		return nil
	})
}
