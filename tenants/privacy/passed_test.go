package privacy_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/privacy"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// What came from a phone while she had it goes with her, also where it names the phone alone and stands in one delivery with what came
// from whoever has the phone now; theirs stays.
func TestRawEventsOfAPhoneThatPassedOn(t *testing.T) {
	t.Parallel()
	h := open(t)
	alone := func(at time.Time, body string) map[string]any {
		m := h.item(phone, "", at, text(body))
		delete(m, "from_user_id")
		return m
	}
	profileAlone := map[string]any{"wa_id": phone, "profile": map[string]any{"name": "somebody"}}
	h.writes(before, "first")
	h.deliver("messages", map[string]any{"contacts": []any{profileAlone}, "messages": []any{alone(before.Add(time.Hour), "alone and hers")}})
	h.writes(before.Add(2*time.Hour), "last")
	h.settle()
	// Ravi has the phone now; what she wrote comes again beside his.
	his := before.Add(20 * time.Hour)
	metadata := map[string]any{"display_phone_number": "919800000801", "phone_number_id": h.sender}
	var changes []any
	for _, value := range []map[string]any{
		{"metadata": metadata, "contacts": []any{profile(phone, otherID, "Ravi")}, "messages": []any{h.item(phone, otherID, his, text("now it is mine"))}},
		{"metadata": metadata, "contacts": []any{profileAlone}, "messages": []any{alone(before.Add(90*time.Minute), "late and hers")}},
	} {
		changes = append(changes, map[string]any{"field": "messages", "value": value})
	}
	body, err := json.Marshal(map[string]any{"object": "whatsapp_business_account", "entry": []any{map[string]any{"id": h.waba, "changes": changes}}})
	if err != nil {
		t.Fatal(err)
	}
	h.receive(body)
	h.deliver("messages", map[string]any{"contacts": []any{profileAlone}, "messages": []any{alone(his.Add(time.Hour), "alone and his")}})
	h.deliver("messages", map[string]any{"contacts": []any{profile(phone, otherID, "Ravi")}, "messages": []any{h.item(phone, otherID, his.Add(2*time.Hour), text("still mine"))}})
	h.settle()

	her := h.contact(whatsapp.KindBSUID, bsuid)
	if r := h.erase(h.worker(), her.ID); r.State != privacy.Done {
		t.Fatalf("state %s, want done; log:\n%s", r.State, h.log)
	}
	var left string
	if err := h.DB.System(t.Context(), func(tx *tenants.Tx) error {
		return tx.Get(&left, `SELECT coalesce(string_agg(convert_from(body, 'UTF8'), E'\n' ORDER BY id), '') FROM inbox_events`)
	}); err != nil {
		t.Fatal(err)
	}
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		var items string
		err := tx.GetContext(ctx, &items, `SELECT coalesce(string_agg(convert_from(body, 'UTF8'), E'\n' ORDER BY id), '') FROM inbox_items WHERE tenant_id = $1`, h.tenant)
		left += items
		return err
	})
	for _, hers := range []string{"first", "alone and hers", "last", "late and hers", bsuid} {
		if strings.Contains(left, hers) {
			t.Errorf("%q of hers is left in what came:\n%s", hers, left)
		}
	}
	for _, kept := range []string{"now it is mine", "alone and his", "still mine", otherID} {
		if strings.Count(left, kept) < 2 {
			t.Errorf("%q of his is not left both as item and in its delivery:\n%s", kept, left)
		}
	}
	h.balanced()
}
