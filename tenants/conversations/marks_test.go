package conversations_test

import (
	"fmt"
	"testing"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/testdb"
)

// Every page tells how many people wait. Where many do nobody is looked up for it.
func TestManyWhoWaitAreCountedByTheirIndex(t *testing.T) {
	t.Parallel()
	s := open(t, testdb.New(t).DB, "asha-clinic")
	seen := make([]identity.Seen, 2*conversations.MostCounted)
	for i := range seen {
		seen[i] = s.event(says(i, fmt.Sprint("IN.", i), fmt.Sprint("m", i), "text", text("one")))
	}
	s.take(seen...)
	s.as(func(tx *tenants.Tx) error {
		read := func() (n int) {
			if err := tx.Get(&n, `
				SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables WHERE relname IN ('tenures', 'identities')`); err != nil {
				t.Fatal(err)
			}
			return n
		}
		before := read()
		n, err := conversations.CountInbox(t.Context(), tx)
		if err != nil {
			return err
		}
		waiting, err := conversations.CountWaiting(t.Context(), tx)
		if want := (conversations.InboxCounts{Unread: conversations.MostCounted, Waiting: conversations.MostCounted}); n != want || waiting != n.Waiting {
			t.Errorf("counted %+v and %d who wait, want %+v", n, waiting, want)
		}
		if got := read() - before; got > 0 {
			t.Errorf("read %d accounts and what they held to count so many, want none", got)
		}
		return err
	})
}
