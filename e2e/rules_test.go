package e2e_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/sandbox"
)

// sharesNumber is Lata, who wrote from her phone, and later, hiding it, shared it on request.
func (w *world) sharesNumber(t *testing.T, n sandbox.Number) {
	t.Helper()

	tell := func(at time.Time, contact, message string) []byte {
		return fmt.Appendf(nil, `{"object": "whatsapp_business_account", "entry": [{"id": %q, "changes": [{"field": "messages", "value": {
			"messaging_product": "whatsapp", "metadata": {"display_phone_number": %q, "phone_number_id": %q},
			"contacts": [{"profile": {"name": "Lata Nair"}, %s}],
			"messages": [{"id": "wamid.lata%d", "timestamp": "%d", %s}]}}]}]}`, n.WABAID, n.DisplayPhone, n.PhoneNumberID, contact, at.Unix(), at.Unix(), message)
	}
	w.deliver(t,
		tell(time.Now().Add(-50*time.Hour), `"wa_id": "919876501234"`, `"from": "919876501234", "type": "text", "text": {"body": "Is the doctor in today?"}`),
		tell(time.Now().Add(-5*time.Hour), `"user_id": "IN.5550001112223"`, `"from_user_id": "IN.5550001112223", "type": "contacts", "contacts": [
			{"origin": "contact_request", "name": {"formatted_name": "Lata Nair"}, "phones": [{"phone": "+91 98765 01234", "wa_id": "919876501234"}]}]`))
}

// letLink has two rules watch for long enough and switches one of them on, so that somebody is linked by it.
func (w *world) letLink(t *testing.T, tx *tenants.Tx) error {
	t.Helper()

	for _, evidence := range []string{"card_request", "same_parent"} {
		if _, err := tx.Exec(`
			INSERT INTO link_rules (tenant_id, evidence, mode, since) VALUES ($1, $2, 'shadow', now() - interval '8 days')`, tx.Tenant, evidence); err != nil {
			return err
		}
	}
	if err := identity.SetRule(t.Context(), tx, w.meera, "card_request", identity.RuleOn); err != nil {
		return err
	}
	for after := uuid.Nil; ; {
		last, _, err := identity.Relink(t.Context(), tx, "card_request", after, 500)
		if err != nil {
			return err
		}
		if after = last; after == uuid.Nil {
			break
		}
	}

	links, _, err := identity.ByRule(t.Context(), tx, identity.Page{})
	if err == nil && len(links) == 0 {
		return errors.New("the past holds nobody whom a rule links")
	}
	for _, l := range links {
		w.receipts, w.contacts = append(w.receipts, "/merges/"+l.ID.String()), append(w.contacts, "/contacts/"+l.Keep.String())
	}

	return err
}
