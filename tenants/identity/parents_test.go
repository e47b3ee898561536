package identity_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// One person is one person in however many portfolios they carry their parent id, and two accounts are linked once.
func TestAParentIDLinksEveryPortfolioAndOnce(t *testing.T) {
	t.Parallel()
	for _, portfolios := range []int{2, 3} {
		w := freshWorld(t)
		const third = "224466880077777"
		w.as(func(tx *tenants.Tx) error { return w.addNumber(t.Context(), tx, third, "506914300000003") })
		w.turnOn("same_parent")
		said := []event{
			{at: 1, wamid: "a", bsuid: "IN.3", parent: "IN.ENT.3"},
			{at: 2, wamid: "b", number: farNumber, bsuid: "IN.71", parent: "IN.ENT.3"},
			{at: 3, wamid: "c", number: third, bsuid: "IN.81", parent: "IN.ENT.3"},
		}[:portfolios]
		for _, e := range said {
			w.feed(e)
		}

		var contacts int
		var pairs []struct {
			A uuid.UUID `db:"a"`
			N int       `db:"n"`
		}
		w.as(func(tx *tenants.Tx) error {
			if err := tx.GetContext(t.Context(), &contacts, `SELECT count(DISTINCT contact_id) FROM identities WHERE absorbed_into IS NULL`); err != nil {
				return err
			}
			return tx.SelectContext(t.Context(), &pairs, `
				SELECT least(identity_id, target_id) AS a, count(*) AS n FROM links WHERE rule = 'same_parent' AND undone_at IS NULL
				GROUP BY least(identity_id, target_id), greatest(identity_id, target_id)`)
		})
		if contacts != 1 {
			t.Errorf("one parent id in %d portfolios is %d contacts; want 1", portfolios, contacts)
		}
		for _, p := range pairs {
			if p.N != 1 {
				t.Errorf("in %d portfolios two accounts are linked %d times; want once", portfolios, p.N)
			}
		}
		if len(pairs) == 0 {
			t.Error("nothing is linked: the test proves nothing")
		}
	}
}
