package conversations_test

import (
	"fmt"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/testdb"
)

// Of copies of a message in other words the one written first is kept, and where the other words are, in whatever order and in however
// many batches they come (attack case 55). The same words again are a repeat and no more.
func TestOtherWordsAreRemembered(t *testing.T) {
	t.Parallel()
	db := testdb.New(t).DB
	s := open(t, db, "asha-clinic")
	type copied struct {
		second int
		words  string
	}
	n := 0
	for _, copies := range [][]copied{
		{{1, "one"}, {2, "two"}},
		{{1, "one"}, {2, "two"}, {3, "one"}},
		{{1, "one"}, {2, "one"}, {3, "two"}},
		{{1, "one"}, {2, "two"}, {3, "two"}},
		{{1, "one"}, {2, "one"}},
	} {
		differ := false
		for _, c := range copies {
			differ = differ || c.words != "one"
		}
		for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
			for _, together := range []bool{false, true} {
				n++
				bsuid, wamid := fmt.Sprintf("IN.%d", n), fmt.Sprintf("m%d", n)
				words, batch := map[int64]string{}, []identity.Seen{}
				for _, i := range order {
					if i >= len(copies) {
						continue
					}
					seen := s.event(says(copies[i].second, bsuid, wamid, "text", text(copies[i].words)))
					words[seen.ItemID], batch = copies[i].words, append(batch, seen)
				}
				if together {
					s.take(batch...)
				} else {
					for _, seen := range batch {
						s.take(seen)
					}
				}

				entries, _ := s.thread(s.whois(bsuid), identity.Page{})
				if len(entries) != 1 || entries[0].Text != "one" {
					t.Fatalf("%v in order %v: %+v, want one message in the words written first", copies, order, entries)
				}
				other := entries[0].OtherItem
				if (other != nil) != differ || differ && words[*other] != "two" {
					t.Errorf("%v in order %v, together %v: other words are in %v of %v, want those that differ: %v", copies, order, together, other, words, differ)
				}
			}
		}
	}

	s.feed(says(1, "IN.999", "last", "text", text("one")))
	s.feed(says(2, "IN.999", "last", "text", text("two")))
	contact, item := s.whois("IN.999").ID, s.items
	reworded := func(of *shop, contact uuid.UUID, item int64) (found bool) {
		of.as(func(tx *tenants.Tx) (err error) {
			found, err = conversations.Reworded(t.Context(), tx, contact, item)
			return err
		})
		return found
	}
	if !reworded(s, contact, item) || reworded(s, contact, item-1) || reworded(s, s.whois("IN.1").ID, item) {
		t.Error("the event with the other words is not told from others")
	}
	if reworded(open(t, db, "ravi-motors"), contact, item) {
		t.Error("another tenant is told of the event with the other words")
	}
}
