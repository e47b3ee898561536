package privacy_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/adoption"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/privacy"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Where a case was part of one about the person, it stands on its own once they are gone, and is counted.
func TestACaseThatWasPartOfTheirsIsCounted(t *testing.T) {
	t.Parallel()
	h := open(t)
	now := time.Now().Add(-time.Hour)
	hidden := func(id, name string) map[string]any {
		return map[string]any{"user_id": id, "profile": map[string]any{"name": name}}
	}
	for _, who := range []string{bsuid, otherID} {
		m := h.item("", who, now, text("where is my order?"))
		delete(m, "from")
		h.deliver("messages", map[string]any{"contacts": []any{hidden(who, "Somebody")}, "messages": []any{m}})
	}
	h.settle()
	her, him := h.contact(whatsapp.KindBSUID, bsuid), h.contact(whatsapp.KindBSUID, otherID)
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		done, err := tx.ExecContext(ctx, `
			UPDATE cases SET part_of = (SELECT id FROM cases WHERE tenant_id = $1 AND contact_id = $2) WHERE tenant_id = $1 AND contact_id = $3`, h.tenant, her.ID, him.ID)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n != 1 {
			t.Fatalf("%d cases made part of hers (%v), want one", n, err)
		}
		_, err = adoption.Rebuild(ctx, tx)
		return err
	})
	if r := h.erase(h.worker(), her.ID); r.State != privacy.Done {
		t.Fatalf("state %s, want done; log:\n%s", r.State, h.log)
	}
	h.balanced()
}

// Nobody is asked about somebody who is gone.
func TestACaseThatOfferedThemOffersNobody(t *testing.T) {
	t.Parallel()
	h := open(t)
	now := time.Now().Add(-2 * time.Hour)
	h.writes(now, "hello")
	sent := wamid(phone, 77)
	h.deliver("messages", map[string]any{"statuses": []any{map[string]any{
		"id": sent, "status": "delivered", "timestamp": fmt.Sprint(now.Add(time.Minute).Unix()), "recipient_id": phone,
	}}})
	quoting := h.item("", otherID, now.Add(time.Hour), text("yes please"))
	delete(quoting, "from")
	quoting["context"] = map[string]any{"id": sent}
	h.deliver("messages", map[string]any{"contacts": []any{map[string]any{"user_id": otherID, "profile": map[string]any{"name": "Somebody"}}}, "messages": []any{quoting}})
	h.settle()
	him, kind := h.contact(whatsapp.KindBSUID, otherID), ""
	read := func() (offered int) {
		h.as(func(ctx context.Context, tx *tenants.Tx) error {
			return tx.QueryRowxContext(ctx, `
				SELECT kind, jsonb_array_length(candidates) FROM cases WHERE tenant_id = $1 AND contact_id = $2 AND state = 'open'`, h.tenant, him.ID).Scan(&kind, &offered)
		})
		return offered
	}
	if n := read(); n != 1 || kind != identity.CaseSuggested {
		t.Fatalf("the case is %s with %d candidates, want one suggested", kind, n)
	}
	if r := h.erase(h.worker(), h.contact(whatsapp.KindBSUID, bsuid).ID); r.State != privacy.Done {
		t.Fatalf("state %s, want done; log:\n%s", r.State, h.log)
	}
	if n := read(); n != 0 || kind != identity.CaseUnresolved {
		t.Errorf("the case is %s with %d candidates, want nobody to be offered", kind, n)
	}
	h.balanced()
}
