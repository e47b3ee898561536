package privacy_test

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// offers are counted at once, and by looking at every contact of the book.
func (h *house) offers() (counted, looked map[string]identity.Offers) {
	h.t.Helper()
	looked = map[string]identity.Offers{}
	h.as(func(ctx context.Context, tx *tenants.Tx) (err error) {
		if counted, err = identity.CountOffers(ctx, tx); err != nil {
			return err
		}
		var book []struct {
			ID    uuid.UUID `db:"contact_id"`
			Reach string    `db:"reach"`
		}
		if err := tx.SelectContext(ctx, &book, `SELECT contact_id, reach FROM contact_reach WHERE tenant_id = $1`, h.tenant); err != nil {
			return err
		}
		for _, one := range book {
			c, err := identity.Get(ctx, tx, one.ID)
			if err != nil {
				return err
			}
			list, err := identity.Preferences(ctx, tx, c)
			if err != nil {
				return err
			}
			n := looked[one.Reach]
			switch wish, _ := identity.Strictest(list, identity.Marketing); wish.Value {
			case identity.Stop:
				n.No++
			case identity.Resume:
				n.Yes++
			default:
				continue
			}
			looked[one.Reach] = n
		}

		return nil
	})

	return counted, looked
}

// What contacts said about offers is counted as it counts for each of them, after whatever happens to them.
func TestOffersAreCountedAsTheyCount(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.writes(before, "hello")
	says := func(n int, at time.Time, words string) {
		p, id := fmt.Sprintf("9198000007%02d", n), fmt.Sprintf("IN.70%02d", n)
		h.deliver("messages", map[string]any{"contacts": []any{profile(p, id, fmt.Sprintf("Person %d", n))}, "messages": []any{h.item(p, id, at, text(words))}})
	}
	prefers := func(n int, at time.Time, value string) {
		p, id := fmt.Sprintf("9198000007%02d", n), fmt.Sprintf("IN.70%02d", n)
		h.deliver("user_preferences", map[string]any{
			"contacts":         []any{profile(p, id, fmt.Sprintf("Person %d", n))},
			"user_preferences": []any{map[string]any{"wa_id": p, "user_id": id, "category": "marketing_messages", "value": value, "timestamp": at.Unix(), "detail": "x"}},
		})
	}
	for n := range 8 {
		says(n, before, "hello")
	}
	h.settle()
	who := func(n int) uuid.UUID { return h.contact(whatsapp.KindPhone, fmt.Sprintf("9198000007%02d", n)).ID }
	right := func(after string, yes, no int64) {
		t.Helper()
		counted, looked := h.offers()
		var sum identity.Offers
		for _, n := range counted {
			sum.Yes, sum.No = sum.Yes+n.Yes, sum.No+n.No
		}
		if !maps.Equal(counted, looked) || sum.Yes != yes || sum.No != no {
			t.Errorf("%s: counted %v, by looking %v, want %d yes and %d no", after, counted, looked, yes, no)
		}
	}
	right("nothing said", 0, 0)
	h.record(who(0), identity.Resume, before.Add(time.Hour))
	h.record(who(1), identity.Stop, before.Add(time.Hour))
	says(2, before.Add(time.Hour), "STOP")
	prefers(3, before.Add(time.Hour), "stop")
	prefers(4, before.Add(time.Hour), "resume")
	h.settle()
	right("each in their way", 2, 3)
	h.record(who(3), identity.Resume, before.Add(2*time.Hour)) // which ends no stop told to WhatsApp
	says(2, before.Add(2*time.Hour), "START")
	prefers(4, before.Add(2*time.Hour), "stop")
	h.settle()
	right("minds changed", 2, 3)
	h.merge(who(0), who(1))
	right("merged with one who said no", 1, 3)
	h.merge(who(5), who(2))
	right("merged into one who said nothing", 1, 3)
	h.erase(h.worker(), who(3))
	right("erased", 1, 2)
	says(3, time.Now().Add(2*time.Second), "hello again")
	h.settle()
	right("back with the no of before", 1, 3)
	says(3, time.Now().Add(3*time.Second), "START")
	h.settle()
	right("and welcoming offers", 2, 2)
	if err := h.DB.As(t.Context(), uuid.New(), func(tx *tenants.Tx) error {
		counted, err := identity.CountOffers(t.Context(), tx)
		if len(counted) != 0 {
			t.Errorf("another business counts %v", counted)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
