package conversations_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/testdb"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// since is for how many seconds of the story somebody has waited; 0 for nobody.
func (s *shop) since() int {
	s.t.Helper()
	var list []conversations.Conversation
	s.as(func(tx *tenants.Tx) (err error) {
		list, _, err = conversations.Inbox(s.t.Context(), tx, conversations.InboxFilter{})
		return err
	})
	if len(list) != 1 || list[0].WaitingSince.IsZero() {
		return 0
	}

	return int(list[0].WaitingSince.Sub(time.Unix(start, 0)).Seconds())
}

// Since when somebody waits hangs on when they wrote and were answered, and neither on the order nor on the batches in which that came.
func TestSinceWhenSomebodyWaits(t *testing.T) {
	t.Parallel()
	reports := func(second int, state, wamid string) map[string]any {
		return map[string]any{"id": wamid, "status": state, "timestamp": fmt.Sprint(start + second), "recipient_user_id": "IN.1"}
	}
	type told struct {
		kind whatsapp.ItemKind
		item map[string]any
	}
	of := func(kind whatsapp.ItemKind, item map[string]any) told { return told{kind, item} }
	db, shops := testdb.New(t).DB, 0
	for name, c := range map[string]struct {
		story []told
		want  int
	}{
		"answered once": {[]told{
			of(says(60, "IN.1", "a", "text", text("one"))), of(answers(300, "IN.1", "b")),
			of(says(600, "IN.1", "c", "text", text("two"))), of(says(3000, "IN.1", "d", "text", text("three"))),
		}, 600},
		"answered by what failed": {[]told{
			of(says(60, "IN.1", "a", "text", text("one"))), of(says(7200, "IN.1", "b", "text", text("two"))),
			{whatsapp.KindStatus, reports(7300, "sent", "out")},
			{whatsapp.KindStatus, reports(7310, "failed", "out")},
		}, 60},
		"answered from other software": {[]told{
			of(says(60, "IN.1", "a", "text", text("one"))), {whatsapp.KindStatus, reports(90, "sent", "out")},
		}, 0},
	} {
		orders(len(c.story), func(order []int) {
			for _, size := range []int{1, len(c.story)} {
				shops++
				s := open(t, db, fmt.Sprint("shop-", shops))
				var batch []identity.Seen
				for i, n := range order {
					batch = append(batch, s.event(c.story[n].kind, c.story[n].item))
					if len(batch) == size || i == len(order)-1 {
						s.take(batch...)
						batch = nil
					}
				}
				if got := s.since(); got != c.want {
					t.Errorf("%s, told as %v in batches of %d: waits since %d, want %d", name, order, size, got, c.want)
				}
			}
		})
	}
}

// orders calls fn with each order of n things.
func orders(n int, fn func([]int)) {
	var walk func(order []int)
	walk = func(order []int) {
		if len(order) == n {
			fn(order)
			return
		}
	next:
		for i := range n {
			for _, o := range order {
				if o == i {
					continue next
				}
			}
			walk(append(order[:len(order):len(order)], i))
		}
	}
	walk(nil)
}
