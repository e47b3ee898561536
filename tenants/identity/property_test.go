package identity_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/testdb"
)

// drawEvent draws an event out of so few people, phones and days that they collide.
func drawEvent(t *rapid.T, i int) event {
	phones := []string{"", "919800000101", "919800000102", "919800000103"}
	bsuids := []string{"", "IN.1", "IN.2", "IN.3"}
	e := event{
		wamid: fmt.Sprintf("m%02d", i), at: rapid.Int64Range(0, 6).Draw(t, "day"), minute: int64(i),
		phone: rapid.SampledFrom(phones).Draw(t, "phone"), bsuid: rapid.SampledFrom(bsuids).Draw(t, "bsuid"),
	}
	e.name = rapid.SampledFrom([]string{"", "", "Asha", "Ravi Kumar"}).Draw(t, "name")
	if e.bsuid != "" && rapid.Bool().Draw(t, "parent") {
		e.parent = strings.Replace(e.bsuid, "IN.", "IN.ENT.", 1) // an ID has one parent, in whatever portfolio, until it gets another
		if rapid.IntRange(0, 3).Draw(t, "another") == 0 {
			e.parent = rapid.SampledFrom([]string{"IN.ENT.1", "IN.ENT.2", "IN.ENT.9"}).Draw(t, "other parent")
		}
	}
	e.number = rapid.SampledFrom([]string{mainNumber, mainNumber, mainNumber, farNumber}).Draw(t, "number")
	switch rapid.IntRange(0, 10).Draw(t, "kind") {
	case 3:
		e.card = rapid.SampledFrom(phones).Draw(t, "card")
	case 0:
		e.system, e.bsuid = "user_changed_number", ""
		e.newPhone, e.newBSUID = rapid.SampledFrom(phones).Draw(t, "new phone"), rapid.SampledFrom(bsuids).Draw(t, "new bsuid")
		e.oldBSUID = rapid.SampledFrom(bsuids).Draw(t, "old bsuid")
	case 1:
		e.status = "delivered"
	case 2:
		e.at += 250
	}

	return e
}

// TestUndoingAllMergesLeavesWhatDeliveriesSay: whatever is delivered before, between and after merges, once each merge is undone,
// in any order, the state is the one that the deliveries alone make.
func TestUndoingAllMergesLeavesWhatDeliveriesSay(t *testing.T) {
	t.Parallel()

	db := testdb.New(t).DB
	var n atomic.Int64
	rapid.Check(t, func(rt *rapid.T) {
		merged := newWorld(t, db, fmt.Sprintf("merged-%d", n.Add(1)))
		plain := newWorld(t, db, fmt.Sprintf("plain-%d", n.Add(1)))

		var links []uuid.UUID
		for i := range rapid.IntRange(3, 12).Draw(rt, "events") {
			e := drawEvent(rt, i)
			merged.feed(e)
			plain.feed(e)
			if rapid.IntRange(0, 2).Draw(rt, "merge now") == 0 {
				if link, ok := merged.mergeSome(rt); ok {
					links = append(links, link)
				}
			}
		}
		merged.checkSound(rt)

		order := rand.New(rand.NewPCG(uint64(rapid.IntRange(0, 1000).Draw(rt, "undo order")), 1)).Perm(len(links))
		for _, i := range order {
			err := merged.undo(links[i])
			if tenants.ConflictCode(err) == "attested_since" {
				return // WhatsApp has joined them for good; nothing to compare
			}
			if err != nil {
				rt.Fatalf("undo: %v", err)
			}
		}
		merged.checkSound(rt)
		if diff := cmp.Diff(plain.picture(), merged.picture()); diff != "" {
			rt.Fatalf("merged and undone differs from never merged (-never +undone):\n%s", diff)
		}
	})
}

// mergeSome merges two contacts drawn at random, if there are two.
func (w *world) mergeSome(rt *rapid.T) (uuid.UUID, bool) {
	var ids []uuid.UUID
	w.as(func(tx *tenants.Tx) error {
		return tx.SelectContext(w.t.Context(), &ids, `SELECT id FROM contacts WHERE merged_into IS NULL ORDER BY id`)
	})
	if len(ids) < 2 {
		return uuid.Nil, false
	}
	i := rapid.IntRange(0, len(ids)-1).Draw(rt, "keep")
	j := (i + 1 + rapid.IntRange(0, len(ids)-2).Draw(rt, "lose")) % len(ids)

	return w.merge(identity.Contact{ID: ids[i]}, identity.Contact{ID: ids[j]}), true
}

// checkSound holds whatever happens: no message is lost or hangs nowhere, tombstones make no cycle and hold nobody, whoever
// has written is somebody, and no two tenures hold an identifier at one time.
func (w *world) checkSound(rt *rapid.T) {
	w.checkHeard(rt)
	w.as(func(tx *tenants.Tx) error {
		for what, query := range map[string]string{
			"a message that names somebody hangs nowhere": `SELECT count(*) FROM messages m WHERE m.tenure_id IS NULL
				AND NOT EXISTS (SELECT 1 FROM cases c WHERE c.kind = 'unidentifiable' AND c.key LIKE '%:' || m.wamid)`,
			"a message hangs on a time that does not hold it": `SELECT count(*) FROM messages m JOIN tenures t ON t.id = m.tenure_id
				WHERE m.at < t.from_at OR m.at >= t.to_at`,
			"a thread hangs on no tenure":                         `SELECT count(*) FROM thread_tips p WHERE NOT EXISTS (SELECT 1 FROM tenures t WHERE t.id = p.tenure_id)`,
			"a window is of no phone":                             `SELECT count(*) FROM phone_windows p WHERE NOT EXISTS (SELECT 1 FROM identifiers d WHERE d.id = p.phone_id)`,
			"a tenure belongs to an absorbed identity":            `SELECT count(*) FROM tenures t JOIN identities i ON i.id = t.identity_id WHERE i.absorbed_into IS NOT NULL`,
			"an absorbed identity points to another absorbed one": `SELECT count(*) FROM identities i JOIN identities o ON o.id = i.absorbed_into WHERE o.absorbed_into IS NOT NULL`,
			"a tombstone holds an identity": `SELECT count(*) FROM identities i JOIN contacts c ON c.id = i.contact_id
				WHERE c.merged_into IS NOT NULL AND i.absorbed_into IS NULL`,
			"somebody wrote and is nobody": `SELECT count(*) FROM identities i WHERE i.contact_id IS NULL AND i.absorbed_into IS NULL
				AND EXISTS (SELECT 1 FROM tenures t JOIN messages m ON m.tenure_id = t.id WHERE t.identity_id = i.id AND m.direction = 'in')`,
			"a contact is in no list": `SELECT count(*) FROM contacts c WHERE c.merged_into IS NULL
				AND NOT EXISTS (SELECT 1 FROM contact_activity a WHERE a.contact_id = c.id)`,
			"two hold one identifier at one time": `SELECT count(*) FROM tenures a JOIN tenures b ON a.identifier_id = b.identifier_id AND a.id < b.id
				WHERE tstzrange(a.from_at, a.to_at) && tstzrange(b.from_at, b.to_at)`,
			"a conflict is put to another than who has its account": `SELECT count(*) FROM cases k JOIN identities i ON i.id = k.identity_id
				WHERE k.kind = 'conflict' AND k.state = 'open' AND k.contact_id IS DISTINCT FROM i.contact_id`,
			"somebody was last heard from at another time": `SELECT count(*) FROM contact_activity a JOIN contacts c ON c.id = a.contact_id AND c.merged_into IS NULL
				CROSS JOIN LATERAL (SELECT max(m.at) AS at FROM identities i JOIN tenures t ON t.identity_id = i.id
				                    JOIN messages m ON m.tenure_id = t.id AND m.direction = 'in' WHERE i.contact_id = c.id) l
				WHERE l.at IS NOT NULL AND (a.last_at > l.at OR a.last_at + interval '1 minute' < l.at)`,
			"a cycle of tombstones": `WITH RECURSIVE up AS (
				SELECT id AS start, merged_into AS at, 1 AS n FROM contacts WHERE merged_into IS NOT NULL
				UNION ALL SELECT u.start, c.merged_into, u.n + 1 FROM up u JOIN contacts c ON c.id = u.at WHERE u.n < 50
			) SELECT count(*) FROM up WHERE n >= 50`,
		} {
			var bad int
			if err := tx.GetContext(w.t.Context(), &bad, query); err != nil {
				return fmt.Errorf("%s: %w", what, err)
			}
			if bad > 0 {
				rt.Errorf("%s (%d)", what, bad)
			}
		}
		return nil
	})
}

// linksByRule lets shared cards link, where the history is to be one of an owner who allows it.
func (w *world) linksByRule(rules []string) {
	for _, rule := range rules {
		w.turnOn(rule)
	}
}

// TestRandomHistoriesEndTheSameInAnyOrder is TestOrderDoesNotMatter on histories nobody thought of.
func TestRandomHistoriesEndTheSameInAnyOrder(t *testing.T) {
	t.Parallel()

	db := testdb.New(t).DB
	var n atomic.Int64
	rapid.Check(t, func(rt *rapid.T) {
		var story []event
		for i := range rapid.IntRange(3, 9).Draw(rt, "events") {
			story = append(story, drawEvent(rt, i))
		}
		told := newWorld(t, db, fmt.Sprintf("told-%d", n.Add(1)))
		rules := rapid.SampledFrom([][]string{nil, {"card_request"}, {"same_parent"}, {"card_request", "same_parent"}}).Draw(rt, "rules")
		told.linksByRule(rules)
		for _, e := range story {
			told.feed(e)
		}
		told.checkSound(rt)

		seed := uint64(rapid.IntRange(0, 1_000_000).Draw(rt, "order"))
		other := newWorld(t, db, fmt.Sprintf("other-%d", n.Add(1)))
		other.linksByRule(rules)
		other.shuffled(story, rand.New(rand.NewPCG(seed, 3)).Perm(len(story)), seed)
		other.checkSound(rt)
		if diff := cmp.Diff(told.picture(), other.picture()); diff != "" {
			rt.Fatalf("another order ends elsewhere (-told +this):\n%s", diff)
		}
	})
}
