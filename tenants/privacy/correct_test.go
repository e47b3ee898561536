package privacy_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/privacy"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// A correction is made on the contact, kept from and to with the request, and in the audit as hashes alone.
func TestCorrecting(t *testing.T) {
	t.Parallel()
	h := open(t)
	her, _ := two(h)
	h.exec(`UPDATE contacts SET display_name = 'Asha Vermaa' WHERE tenant_id = $1 AND id = $2`, h.tenant, her)
	id, _ := h.proved(privacy.Correct, her)
	amend := func(field, to string) error {
		return h.DB.As(t.Context(), h.tenant, func(tx *tenants.Tx) error {
			return privacy.Amend(t.Context(), tx, h.keys, meera, id, field, to)
		})
	}
	finish := func() error {
		return h.DB.As(t.Context(), h.tenant, func(tx *tenants.Tx) error {
			return privacy.Close(t.Context(), tx, meera, id, privacy.Done, "")
		})
	}
	var wrong *tenants.Invalid
	if err := finish(); tenants.ConflictCode(err) != "request_uncorrected" {
		t.Errorf("answered with nothing corrected: %v", err)
	}
	if err := amend("phone", "1"); !errors.As(err, &wrong) || wrong.Field != "field" {
		t.Errorf("correcting a phone: %v", err)
	}
	if err := amend("name", "Asha Vermaa"); !errors.As(err, &wrong) || wrong.Key != "same_as_was" {
		t.Errorf("correcting nothing: %v", err)
	}
	for field, to := range map[string]string{"name": "Asha Verma", "note": "speaks Hindi"} {
		if err := amend(field, to); err != nil {
			t.Fatalf("%s: %v", field, err)
		}
	}
	if err := finish(); err != nil {
		t.Fatal(err)
	}
	r := h.state(id)
	if len(r.Changes) != 2 || !slices.ContainsFunc(r.Changes, func(c privacy.Change) bool {
		return c.Field == "name" && c.From == "Asha Vermaa" && c.To == "Asha Verma"
	}) {
		t.Errorf("changes %+v, want the name from and to, and the note", r.Changes)
	}
	receipt, err := privacy.ReceiptOf("Asha Clinic", r)
	if err != nil || len(receipt.Fixed) != 2 {
		t.Errorf("receipt %+v, %v; want both fields", receipt, err)
	}
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		c, err := identity.Get(ctx, tx, her)
		if err != nil || c.Name() != "Asha Verma" || c.Notes != "speaks Hindi" {
			t.Errorf("contact %+v, %v", c, err)
		}
		var details []string
		if err := tx.SelectContext(ctx, &details, `SELECT detail FROM audit_entries WHERE tenant_id = $1 AND action = 'privacy.correct'`, h.tenant); err != nil {
			return err
		}
		if len(details) != 2 || strings.Contains(strings.Join(details, ""), "Verma") || !strings.Contains(details[0], `"from"`) {
			t.Errorf("audit %q, want two entries with hashes", details)
		}
		return nil
	})
	if err := h.DB.As(t.Context(), uuid.Must(uuid.NewV7()), func(tx *tenants.Tx) error {
		return privacy.Amend(t.Context(), tx, h.keys, meera, id, "name", "x")
	}); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("another tenant: %v, want not found", err)
	}
}

// An objection that is answered stops offers and suggestions by name, until the customer welcomes offers.
func TestObjecting(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.writes(before, "hello")
	h.deliver("messages", map[string]any{
		"contacts": []any{map[string]any{"user_id": otherID, "profile": map[string]any{"name": "Asha " + canary}}},
		"messages": []any{func() map[string]any { m := h.item("", otherID, before, text("no phone")); delete(m, "from"); return m }()},
	})
	h.settle()
	her := h.contact(whatsapp.KindPhone, phone)
	candidates := func() (reasons string) {
		h.as(func(ctx context.Context, tx *tenants.Tx) error {
			list, _, err := identity.Cases(ctx, tx, identity.CaseFilter{})
			if err != nil || len(list) != 1 {
				return fmt.Errorf("%d cases: %w", len(list), err)
			}
			c, err := identity.Suggest(ctx, tx, list[0])
			for _, k := range c.Candidates {
				for _, r := range k.Reasons {
					reasons += k.Contact.ID.String() + " " + r.Code + "\n"
				}
			}
			return err
		})
		return reasons
	}
	if !strings.Contains(candidates(), her.ID.String()+" sounds_alike") {
		t.Fatalf("suggested %q, want her by her name: the test shows nothing", candidates())
	}
	var id uuid.UUID
	h.as(func(ctx context.Context, tx *tenants.Tx) (err error) {
		if id, err = privacy.Add(ctx, tx, h.keys, meera, privacy.New{Kind: privacy.Object, Contact: &her.ID}); err != nil {
			return err
		}
		return privacy.Close(ctx, tx, meera, id, privacy.Done, "")
	})
	if got := candidates(); strings.Contains(got, her.ID.String()) {
		t.Errorf("still suggested: %q", got)
	}
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		told, err := identity.Preferences(ctx, tx, *her)
		if said, _ := identity.Strictest(told, identity.Marketing); said.Value != identity.Stop {
			t.Errorf("offers are %q, want stop", said.Value)
		}
		if err != nil {
			return err
		}
		receipt, err := privacy.ReceiptOf("Asha Clinic", h.state(id))
		if !receipt.Objects {
			t.Errorf("receipt %+v does not say that the objection is kept", receipt)
		}
		return err
	})
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		return privacy.Record(ctx, tx, meera, her.ID, identity.Resume, "call", time.Now())
	})
	if !strings.Contains(candidates(), her.ID.String()) {
		t.Error("not suggested although they welcome offers again")
	}
}
