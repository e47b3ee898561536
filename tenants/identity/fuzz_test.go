package identity_test

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/testdb"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// FuzzResolve resolves whatever events, also ones that WhatsApp would not send: without a time, from the future, naming nobody, of
// kinds with what belongs to others. None fails, and what holds always holds after each batch.
func FuzzResolve(f *testing.F) {
	for seed := range uint64(8) {
		r, in := rand.New(rand.NewPCG(seed, 11)), make([]byte, 16<<10)
		for i := range in {
			in[i] = byte(r.Uint32())
		}
		f.Add(in)
	}
	db := testdb.New(f).DB
	var n atomic.Int64

	f.Fuzz(func(t *testing.T, in []byte) {
		w := newWorld(t, db, fmt.Sprintf("fuzz-%d", n.Add(1)))
		rapid.MakeFuzz(func(rt *rapid.T) {
			for i := range rapid.IntRange(1, 6).Draw(rt, "batches") {
				var seen []identity.Seen
				for j := range rapid.IntRange(1, 4).Draw(rt, "events") {
					seen = append(seen, drawWild(rt, w, i*10+j))
				}
				err := db.As(t.Context(), w.tenant, func(tx *tenants.Tx) error { return resolve(t.Context(), tx, seen) })
				if err != nil {
					rt.Fatalf("resolve %+v: %v", seen, err)
				}
			}
			w.checkSound(rt)
			w.checkNobodyIsTwo(rt)
		})(t, in)
	})
}

// drawWild draws an event, and makes it odd now and then.
func drawWild(rt *rapid.T, w *world, i int) identity.Seen {
	s := drawSeen(rt, w, i)
	switch rapid.IntRange(0, 9).Draw(rt, "odd") {
	case 0:
		s.Event.At = time.Time{}
	case 1:
		s.Event.At = time.Date(2999, 12, 31, 23, 59, 59, 0, time.UTC)
	case 2:
		s.Event.At = time.Unix(1, 0).UTC()
	case 3:
		s.Event.Party.ProfileName, s.Event.Party.Username = rapid.SampledFrom([]string{"आशा", "A\u200d\u202eb", "🙏", "  "}).Draw(rt, "name"), "asha"
	case 4:
		s.Event.Text = rapid.SampledFrom([]string{"9800000101", "IN.2", "order 000", "@asha"}).Draw(rt, "text")
	case 5:
		s.Event.Kind = rapid.SampledFrom([]whatsapp.ItemKind{whatsapp.KindCall, whatsapp.KindGroup, whatsapp.KindUserAction, whatsapp.KindChange, "later"}).Draw(rt, "kind")
	case 6:
		s.Event.ContextID, s.Event.TargetID = fmt.Sprintf("m%02d", i/2), "nowhere"
	case 7:
		s.Event.Party.Parent = rapid.SampledFrom([]string{"IN.ENT.1", "IN.ENT.2"}).Draw(rt, "parent")
	}

	return s
}

// checkNobodyIsTwo: as long as no person merges, a contact is one account, which has one current BSUID; what was absorbed points to
// what lives; and nothing that was said is on two.
func (w *world) checkNobodyIsTwo(rt *rapid.T) {
	w.as(func(tx *tenants.Tx) error {
		for what, query := range map[string]string{
			"a contact of two accounts": `SELECT count(*) FROM (SELECT 1 FROM identities WHERE absorbed_into IS NULL AND contact_id IS NOT NULL GROUP BY contact_id HAVING count(*) > 1) x`,
			"an account with two current BSUIDs": `SELECT count(*) FROM (SELECT 1 FROM tenures t JOIN identifiers d ON d.id = t.identifier_id WHERE t.current AND d.kind = 'bsuid'
				GROUP BY t.identity_id HAVING count(*) > 1) x`,
			"an absorbed account with a contact": `SELECT count(*) FROM identities WHERE absorbed_into IS NOT NULL AND contact_id IS NOT NULL`,
			"a BSUID of two accounts": `SELECT count(*) FROM (SELECT 1 FROM tenures t JOIN identifiers d ON d.id = t.identifier_id WHERE d.kind = 'bsuid'
				GROUP BY d.id HAVING count(*) > 1) x`,
			"a message stored twice": `SELECT count(*) FROM (SELECT 1 FROM messages GROUP BY number_id, wamid HAVING count(*) > 1) x`,
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
