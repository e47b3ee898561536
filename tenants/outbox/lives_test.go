package outbox_test

import (
	"testing"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

func (h *house) puts(state string) {
	h.t.Helper()
	h.exec(`UPDATE tenants SET state = $2, erase_after = now() + interval '7 days' WHERE id = $1`, h.tenant, state)
}

// Nothing goes out while the business may not send, not even what was submitted before or what a turn has begun with.
func TestStatesStopSending(t *testing.T) {
	t.Parallel()
	for _, state := range []string{tenants.Limited, tenants.Suspended, tenants.Closing} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			h.writes(ashasPhone, ashasID)
			to := h.opens(h.whois(whatsapp.KindPhone, ashasPhone).ID)
			before := h.sends(to, "before")

			h.puts(state)
			if r := h.opens(to.Contact); r.Blocked != conversations.BlockedStopped {
				t.Errorf("the composer says %q, want %q", r.Blocked, conversations.BlockedStopped)
			}
			if _, err := h.submits(to, "after"); tenants.ConflictCode(err) != conversations.BlockedStopped {
				t.Errorf("submit: %v, want %s", err, conversations.BlockedStopped)
			}
			h.turns(h.sender())
			if got := h.meta.all(); len(got) != 0 {
				t.Fatalf("Graph took %+v, want nothing", got)
			}
			if s := h.state(before.MessageID); s.State != conversations.StateWaiting {
				t.Errorf("what waited is %s, want it to wait on", s.State)
			}

			h.puts(tenants.Active)
			h.turns(h.sender())
			if got := h.meta.all(); len(got) != 1 {
				t.Errorf("Graph took %d messages after it was lifted, want the one that waited", len(got))
			}
		})
	}
}
