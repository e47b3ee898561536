package privacy_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/privacy"
)

// What was set aside goes after its window, with its part of the delivery, and the sum of what came stays whole. What is newer stays.
func TestWhatWasSetAsideGoesInTime(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.deliver("messages", map[string]any{"messages": []any{map[string]any{"id": "wamid.odd", "type": "text", "text": map[string]any{"body": "no sender " + phone}}}})
	h.settle()
	h.exec(`UPDATE inbox_items SET state = 'set_aside', reason = 'processing_failed' WHERE tenant_id = $1 AND state = 'routed'`, h.tenant)
	h.exec(`UPDATE inbox_counters SET set_aside = set_aside + routed, routed = 0 WHERE tenant_id = $1`, h.tenant)
	h.exec(`UPDATE inbox_items SET received_at = received_at - interval '100 days' WHERE tenant_id = $1`, h.tenant)
	h.writes(before, "new words")
	h.settle()
	aside := func() (n int) {
		h.as(func(ctx context.Context, tx *tenants.Tx) error {
			return tx.GetContext(ctx, &n, `SELECT count(*) FROM inbox_items WHERE tenant_id = $1 AND state = 'set_aside'`, h.tenant)
		})

		return n
	}
	if aside() == 0 {
		t.Fatal("nothing is set aside")
	}
	keep := func(days int) error {
		return h.DB.As(t.Context(), h.tenant, func(tx *tenants.Tx) error {
			return privacy.Keep(t.Context(), tx, meera, map[string]int{privacy.Aside: days})
		})
	}
	night := func() {
		h.exec(`UPDATE jobs SET run_at = now() WHERE tenant_id = $1 AND kind = 'privacy_retain'`, h.tenant)
		if err := h.worker().Once(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var wrong *tenants.Invalid
	if err := keep(7); !errors.As(err, &wrong) {
		t.Errorf("for a week: %v, want it refused", err)
	}
	if err := keep(180); err != nil {
		t.Fatal(err)
	}
	night()
	if aside() == 0 {
		t.Error("gone before its time")
	}
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		going, err := privacy.WouldGo(ctx, tx, map[string]int{privacy.Aside: 180}, map[string]int{privacy.Aside: 90})
		if len(going) != 1 || going[0].N != aside() || going[0].Oldest == nil {
			t.Errorf("would go: %+v, want what is set aside", going)
		}
		return err
	})
	if err := keep(90); err != nil {
		t.Fatal(err)
	}
	night()
	if n := aside(); n != 0 {
		t.Errorf("%d are still set aside", n)
	}
	h.balanced()
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		var empty int
		err := tx.GetContext(ctx, &empty, `SELECT count(*) FROM inbox_items WHERE tenant_id = $1 AND reason = 'expired' AND state = 'routed' AND convert_from(body, 'UTF8') = '{}'`, h.tenant)
		if empty == 0 {
			t.Error("want it emptied")
		}
		return err
	})
	if found := h.found()["inbox_events"]; found != 1 {
		t.Errorf("%d deliveries hold the phone, want the new one alone", found)
	}
}

// A business that was just made keeps things as is usual; whoever was there before keeps what they kept.
func TestNewBusinessesBeginWithUsualWindows(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		kept, err := privacy.Kept(ctx, tx)
		if err != nil || len(kept) != 0 {
			t.Errorf("kept %v, want all for good where nobody chose", kept)
		}
		if err := privacy.Begin(ctx, tx, meera); err != nil {
			return err
		}
		if kept, err = privacy.Kept(ctx, tx); len(kept) != len(privacy.Classes) || kept[privacy.Messages] != 730 || kept[privacy.Raw] != 30 {
			t.Errorf("begun with %v, want the usual for each class", kept)
		}
		return err
	})
	if err := h.DB.As(t.Context(), uuid.New(), func(tx *tenants.Tx) error {
		kept, err := privacy.Kept(t.Context(), tx)
		if len(kept) != 0 {
			t.Errorf("another business has %v", kept)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
