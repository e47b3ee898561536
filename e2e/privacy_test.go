package e2e_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/privacy"
)

// wished opens requests of customers: one to erase that is proved, one whose person is not found yet, and one that was refused.
func (w *world) wished(t *testing.T) {
	t.Helper()

	w.as(t, w.clinic, func(tx *tenants.Tx) error {
		ctx := t.Context()
		found, _, err := identity.List(ctx, tx, "Anita Verma", identity.Page{})
		if err != nil || len(found) == 0 {
			t.Fatalf("find Anita Verma: %d found, %v", len(found), err)
		}
		add := func(kind string, contact *uuid.UUID, subject string) uuid.UUID {
			id, err := privacy.Add(ctx, tx, w.keys, w.meera, privacy.New{Kind: kind, Contact: contact, Subject: subject, Note: "asked at the counter"})
			if err != nil {
				t.Fatal(err)
			}
			w.wishes = append(w.wishes, "/privacy/requests/"+id.String())

			return id
		}
		erase := add(privacy.Erase, &found[0].ID, "Anita Verma")
		if err := privacy.Prove(ctx, tx, w.meera, erase, "document", true); err != nil {
			return err
		}
		access := add(privacy.Access, &found[0].ID, "")
		if err := privacy.Prove(ctx, tx, w.meera, access, "call_back", false); err != nil {
			return err
		}
		add(privacy.Correct, nil, "Verma")
		now := time.Now()
		for _, what := range []string{"A list was mailed to the wrong address.", "A phone with the inbox open was lost."} {
			id, err := privacy.OpenIncident(ctx, tx, w.meera, privacy.Incident{What: what, KnownAt: now.Add(-time.Hour), From: now.AddDate(0, 0, -2), To: now}, now)
			if err != nil {
				return err
			}
			w.incidents = append(w.incidents, "/privacy/incidents/"+id.String())
			if len(w.incidents) == 2 {
				if err := privacy.CloseIncident(ctx, tx, w.meera, id, "The phone was wiped.", "Phones lock after a minute."); err != nil {
					return err
				}
			}
		}

		return privacy.Close(ctx, tx, w.meera, add(privacy.Grievance, nil, "somebody"), privacy.Refused, "nobody of this name is known here")
	})
}

// An owner erases a customer found by @username, and has a receipt to show for it.
func TestEraseByUsername(t *testing.T) {
	t.Parallel()
	st := clinicWithPast(t)
	var username string
	st.as(t, st.clinic, func(tx *tenants.Tx) error {
		return tx.Get(&username, `SELECT value FROM profile_facts WHERE tenant_id = $1 AND kind = 'username' ORDER BY value LIMIT 1`, st.clinic.ID)
	})
	b := st.tab(t, phone)
	b.signIn("Asha")
	b.open("/privacy")
	b.click("choice-kind-erase")
	b.fill("field-subject", "@"+username)
	b.submit("open-request")
	b.see("who-name", "erase")
	name := b.text("who-name")

	b.click("choice-proof-in_person")
	b.submit("prove")
	b.see("proved")
	b.fill("field-confirm", b.attr("field-confirm", "data-confirm-word"))
	b.submit("erase-go")
	b.see("receipt")
	page := b.path()

	file := eval[string](b, `fetch(`+find("receipt-file")+`.href).then(r => r.text())`)
	for _, want := range []string{"Receipt", "They came in person", "WhatsApp deleted them from the contact book"} {
		if !strings.Contains(file, want) {
			t.Errorf("the receipt lacks %q:\n%s", want, file)
		}
	}
	if strings.Contains(file, username) || strings.Contains(file, name) {
		t.Errorf("the receipt names the person:\n%s", file)
	}
	b.open("/contacts?q=%40" + username)
	b.gone("contacts")
	b.speak("hi")
	b.open(page)
	b.says("receipt", "WhatsApp ने उन्हें")
	b.fits()
}
