package identity_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/testdb"
)

// TestEventsComeToWhatTheRulesSay: any events in any order and any batches, some of them twice, come to the reference's picture.
func TestEventsComeToWhatTheRulesSay(t *testing.T) {
	t.Parallel()

	db := testdb.New(t).DB
	var n atomic.Int64
	rapid.Check(t, func(rt *rapid.T) {
		m := newModel(newWorld(t, db, fmt.Sprintf("events-%d", n.Add(1))))
		var all, batch []identity.Seen
		for i := range rapid.IntRange(2, 14).Draw(rt, "events") {
			all = append(all, drawSeen(rt, m.world, i))
		}
		for i, s := range rapid.Permutation(all).Draw(rt, "order") {
			batch = append(batch, s)
			if rapid.IntRange(0, 3).Draw(rt, "again") == 3 {
				batch = append(batch, all[rapid.IntRange(0, len(all)-1).Draw(rt, "which")])
			}
			if i == len(all)-1 || rapid.IntRange(0, 2).Draw(rt, "more") < 2 {
				m.tell(batch...)
				batch = nil
			}
		}
		m.checkSound(rt)
		m.want(rt)
	})
}

// TestPeopleAndEventsComeToWhatTheRulesSay: the same with merges, undos and decisions between them.
func TestPeopleAndEventsComeToWhatTheRulesSay(t *testing.T) {
	t.Parallel()

	db := testdb.New(t).DB
	var n atomic.Int64
	rapid.Check(t, func(rt *rapid.T) {
		m := newModel(newWorld(t, db, fmt.Sprintf("people-%d", n.Add(1))))
		for i := range rapid.IntRange(2, 12).Draw(rt, "events") {
			m.tell(drawSeen(rt, m.world, i))
			if rapid.IntRange(0, 2).Draw(rt, "act now") == 0 && m.drawAct(rt) {
				m.want(rt)
			}
		}
		m.checkSound(rt)
		m.want(rt)
	})
}
