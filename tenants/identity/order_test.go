package identity_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/testdb"
)

// The stories whose outcome must not depend on how WhatsApp's deliveries arrive. Numbers are those of the edge cases.
var stories = map[string][]event{
	"5 a phone appears later": {
		{wamid: "a", bsuid: "IN.1", name: "Asha"},
		{at: 1, wamid: "b", bsuid: "IN.1", phone: "919800000101"},
		{at: 2, wamid: "c", phone: "919800000101"},
		{at: 3, wamid: "d", bsuid: "IN.1"},
	},
	"6 and the phone had a history": {
		{wamid: "a", phone: "919800000101", name: "Asha"},
		{at: 1, wamid: "b", bsuid: "IN.1"},
		{at: 2, wamid: "c", phone: "919800000101", bsuid: "IN.1"},
		{at: 3, wamid: "d", phone: "919800000101"},
		{at: 4, wamid: "e", bsuid: "IN.1", text: "mera number 9800000199"},
	},
	"6 and it had been silent for long": {
		{wamid: "a", phone: "919800000101"},
		{at: 3, wamid: "b", phone: "919800000101"},
		{at: 200, wamid: "c", bsuid: "IN.1"},
		{at: 201, wamid: "d", phone: "919800000101", bsuid: "IN.1"},
		{at: 202, wamid: "e", phone: "919800000101"},
	},
	"26 a new number": {
		{wamid: "a", phone: "919800000101", bsuid: "IN.1"},
		{at: 1, wamid: "b", system: "user_changed_number", phone: "919800000101", newPhone: "919800000155", newBSUID: "IN.2", oldBSUID: "IN.1"},
		{at: 2, wamid: "c", phone: "919800000155", bsuid: "IN.2"},
		{at: 2, minute: 5, wamid: "d", bsuid: "IN.2"},
		{wamid: "e", minute: 30, phone: "919800000101"},
	},
	"30 a rotation after the first message under the new id": {
		{wamid: "a", bsuid: "CO.1"},
		{at: 2, wamid: "b", bsuid: "CO.2"},
		{at: 1, wamid: "c", system: "user_changed_user_id", newBSUID: "CO.2", oldBSUID: "CO.1"},
		{at: 3, wamid: "d", system: "user_changed_user_id", newBSUID: "CO.3", oldBSUID: "CO.2"},
		{at: 4, wamid: "e", bsuid: "CO.3", phone: "573000000303"},
	},
	"31 a rotation of ids nobody knows": {
		{at: 1, wamid: "a", system: "user_changed_number", phone: "919800000101", newPhone: "919800000155", newBSUID: "IN.2", oldBSUID: "IN.1"},
		{wamid: "b", phone: "919800000101"},
		{at: 2, wamid: "c", bsuid: "IN.2"},
		{at: 3, wamid: "d", phone: "919800000101"},
		{wamid: "e", minute: 1, status: "delivered", bsuid: "IN.1", phone: "919800000101"},
	},
	"33 the new phone belongs to somebody": {
		{wamid: "a", phone: "919800000101", bsuid: "IN.1"},
		{wamid: "b", minute: 1, phone: "919800000155", bsuid: "IN.9"},
		{at: 1, wamid: "c", system: "user_changed_number", phone: "919800000101", newPhone: "919800000155", newBSUID: "IN.2", oldBSUID: "IN.1"},
		{at: 3, wamid: "d", phone: "919800000155"},
		{wamid: "e", minute: 5, phone: "919800000155"},
	},
	"34 a recycled number": {
		{wamid: "a", phone: "919800000101", bsuid: "IN.1", name: "Asha"},
		{at: 2, wamid: "b", phone: "919800000101"},
		{at: 5, wamid: "c", phone: "919800000101", bsuid: "IN.2", name: "Someone"},
		{at: 6, wamid: "d", phone: "919800000101"},
		{at: 1, wamid: "e", bsuid: "IN.1"},
	},
	"35 which was the same person": {
		{wamid: "a", phone: "919800000101", bsuid: "IN.1"},
		{at: 5, wamid: "b", phone: "919800000101", bsuid: "IN.2"},
		{at: 4, wamid: "c", system: "user_changed_user_id", newBSUID: "IN.2", oldBSUID: "IN.1"},
		{at: 6, wamid: "d", phone: "919800000101"},
	},
	"43 phones only": {
		{wamid: "a", phone: "919800000101"},
		{at: 1, wamid: "b", system: "user_changed_number", phone: "919800000101", newPhone: "919800000155"},
		{at: 2, wamid: "c", phone: "919800000155"},
		{at: 3, wamid: "d", phone: "919800000155", bsuid: "IN.2"},
		{at: 4, wamid: "e", phone: "919800000101"},
	},
	"46 a change that names only the old phone": {
		{at: 1, wamid: "a", phone: "919800000101", bsuid: "IN.1"},
		{at: 252, wamid: "b", phone: "919800000102"},
		{at: 6, wamid: "c", phone: "919800000102", bsuid: "IN.1"},
		{at: 2, wamid: "d", system: "user_changed_number", phone: "919800000102", newPhone: "919800000101", newBSUID: "IN.2"},
	},
	"two portfolios and a parent": {
		{wamid: "a", phone: "919800000101", bsuid: "IN.1", parent: "IN.ENT.5"},
		{at: 1, wamid: "b", number: farNumber, bsuid: "IN.77", parent: "IN.ENT.5"},
		{at: 2, wamid: "c", number: otherNumber, bsuid: "IN.1"},
		{at: 3, wamid: "d", number: farNumber, phone: "919800000101", bsuid: "IN.77"},
		{at: 4, wamid: "e", number: farNumber, parent: "IN.ENT.5"},
	},
	"whose first words turn out to be another's, under an account known longer": {
		{at: 3, wamid: "a", system: "user_changed_number", newPhone: "919800000102", newBSUID: "IN.1", oldBSUID: "IN.2"},
		{at: 5, minute: 1, wamid: "b", system: "user_changed_number", phone: "919800000103", newPhone: "919800000103"},
		{at: 5, minute: 3, wamid: "c", phone: "919800000103", bsuid: "IN.3"},
		{minute: 6, wamid: "d", status: "delivered", phone: "919800000103", bsuid: "IN.1"},
	},
	"many things at once": {
		{wamid: "a", phone: "919800000101"},
		{at: 10, wamid: "b", phone: "919800000101", bsuid: "IN.1"},
		{at: 20, wamid: "c", status: "read", phone: "919800000101", bsuid: "IN.1"},
		{at: 30, wamid: "d", system: "user_changed_number", phone: "919800000101", newPhone: "919800000102", newBSUID: "IN.2", oldBSUID: "IN.1"},
		{at: 40, wamid: "e", phone: "919800000101"},
		{at: 50, wamid: "f", phone: "919800000101", bsuid: "IN.8"},
		{at: 300, wamid: "g", phone: "919800000101", bsuid: "IN.9"},
		{at: 55, wamid: "h", status: "sent", phone: "919800000101"},
	},
}

func TestOrderDoesNotMatter(t *testing.T) {
	t.Parallel()

	for name, story := range stories {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			db := testdb.New(t).DB
			told := newWorld(t, db, "told")
			for _, e := range story {
				told.feed(e)
			}
			want := told.picture()

			// Side by side: one after the other, the thousand orders of the longest story outlast all other tests.
			orders := ordersOf(len(story))
			for from := 0; from < len(orders); from += ordersAtOnce {
				t.Run(fmt.Sprintf("from order %d", from), func(t *testing.T) {
					t.Parallel()

					for i := from; i < min(from+ordersAtOnce, len(orders)); i++ {
						w := newWorld(t, db, fmt.Sprintf("order-%d", i))
						w.shuffled(story, orders[i], uint64(i))
						if diff := cmp.Diff(want, w.picture()); diff != "" {
							t.Fatalf("order %v ends elsewhere (-told +this):\n%s", orders[i], diff)
						}
					}
				})
			}
		})
	}
}

// shuffled feeds a story in an order, cut into batches and with some events repeated, both drawn from seed.
func (w *world) shuffled(story []event, order []int, seed uint64) {
	w.t.Helper()

	r := rand.New(rand.NewPCG(seed, 7))
	var batch []identity.Seen
	for _, i := range order {
		batch = append(batch, w.parse(story[i]))
		if r.IntN(4) == 0 {
			batch = append(batch, w.parse(story[order[r.IntN(len(order))]]))
		}
		if r.IntN(4) == 0 {
			w.feedSeen(batch)
			batch = nil
		}
	}
	// Repeating from ahead must not count as having been told: the rest still comes.
	w.feedSeen(batch)
}

const (
	randomOrders = 1000
	ordersAtOnce = 250
)

// ordersOf returns all orders of up to 6 events, and randomOrders of more.
func ordersOf(n int) [][]int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	if n > 6 {
		r := rand.New(rand.NewPCG(1, 2))
		var out [][]int
		for range randomOrders {
			r.Shuffle(n, func(i, j int) { order[i], order[j] = order[j], order[i] })
			out = append(out, slices.Clone(order))
		}
		return out
	}

	var out [][]int
	var permute func(k int)
	permute = func(k int) {
		if k == n {
			out = append(out, slices.Clone(order))
			return
		}
		for i := k; i < n; i++ {
			order[k], order[i] = order[i], order[k]
			permute(k + 1)
			order[k], order[i] = order[i], order[k]
		}
	}
	permute(0)

	return out
}
