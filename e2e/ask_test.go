package e2e_test

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/sandbox"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// toAsk finds whom the walk asks, by words and by template, and for whom it makes a code.
func (w *world) toAsk(t *testing.T, tx *tenants.Tx) error {
	t.Helper()

	for _, name := range []string{"Savitri", "Arjun"} {
		found, _, err := identity.List(t.Context(), tx, name, identity.Page{})
		if err != nil || len(found) == 0 {
			return fmt.Errorf("find %s: %d found, %w", name, len(found), err)
		}
		var who, kase uuid.UUID
		for _, c := range found { // others may be called alike
			if k, err := identity.OpenCase(t.Context(), tx, c.ID); err != nil {
				return err
			} else if k != uuid.Nil {
				who, kase = c.ID, k
			}
		}
		if kase == uuid.Nil {
			return fmt.Errorf("nobody called %s has a case", name)
		}
		w.asking = append(w.asking, "/contacts/"+who.String()+"/ask")
		w.asked = append(w.asked, "/resolve/"+kase.String()+"/ask")
	}
	found, _, err := identity.List(t.Context(), tx, "Kavita Rao", identity.Page{})
	if err != nil || len(found) == 0 {
		return fmt.Errorf("find Kavita: %d found, %w", len(found), err)
	}
	_, err = identity.MakeCode(t.Context(), tx, identity.NewCodeKey(w.keys, w.clinic.ID), w.meera, found[0].ID, found[0].Phone(), identity.CodeOnce)
	w.coding = "/contacts/" + found[0].ID.String() + "/code"

	return err
}

// customer writes to a number, hiding the phone or showing it.
type customer struct{ name, phone string }

func (c customer) id(n sandbox.Number) string { return sandbox.BSUID(n.PortfolioID, c.phone) }

// whoAnswers is a customer of the sandbox who does a certain thing when asked for the number.
func whoAnswers(t *testing.T, answers, name string, nth int) customer {
	t.Helper()
	for n := range 500 {
		if phone := fmt.Sprintf("9198000%05d", 30_000+1000*nth+n); sandbox.AnswerOf(phone) == answers {
			return customer{name, phone}
		}
	}
	t.Fatalf("nobody %s", answers)

	return customer{}
}

// writes delivers a text of a customer.
func (st *site) writes(t *testing.T, n sandbox.Number, c customer, shows bool, ago time.Duration, text string) {
	t.Helper()

	who, from := fmt.Sprintf(`"user_id": %q`, c.id(n)), fmt.Sprintf(`"from_user_id": %q`, c.id(n))
	if shows { // as before WhatsApp had ids
		who, from = fmt.Sprintf(`"wa_id": %q`, c.phone), fmt.Sprintf(`"from": %q`, c.phone)
	}
	at := time.Now().Add(-ago).Unix()
	st.deliver(t, fmt.Appendf(nil, `{"object": "whatsapp_business_account", "entry": [{"id": %q, "changes": [{"field": "messages", "value": {
		"messaging_product": "whatsapp", "metadata": {"display_phone_number": %q, "phone_number_id": %q},
		"contacts": [{"profile": {"name": %q}, %s}],
		"messages": [{"id": "wamid.%s%d", "timestamp": "%d", %s, "type": "text", "text": {"body": %q}}]}}]}]}`,
		n.WABAID, n.DisplayPhone, n.PhoneNumberID, c.name, who, c.phone, at, at, from, text))
}

func (st *site) contactOf(t *testing.T, n sandbox.Number, c customer) (id, kase uuid.UUID) {
	t.Helper()
	st.as(t, st.clinic, func(tx *tenants.Tx) error {
		r, err := identity.Resolve(t.Context(), tx, whatsapp.KindBSUID, c.id(n), "")
		if err != nil {
			return err
		}
		id = r.Contact.ID
		kase, err = identity.OpenCase(t.Context(), tx, id)
		return err
	})

	return id, kase
}

// Four customers who hide their number are asked for it, on a phone in Hindi, and each answers in their own way.
func TestAskOnAPhoneInHindi(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	n := st.number(t, 0)
	taps, types := whoAnswers(t, sandbox.AnswerTaps, "Gita", 0), whoAnswers(t, sandbox.AnswerTypes, "Sunil", 1)
	card, silent := whoAnswers(t, sandbox.AnswerCard, "Nadia", 2), whoAnswers(t, sandbox.AnswerSilent, "Ramesh", 3)
	st.writes(t, n, taps, true, 48*time.Hour, "Is the doctor in?") // who taps was known by her phone
	for i, c := range []customer{taps, types, card, silent} {
		st.writes(t, n, c, false, time.Duration(50-10*i)*time.Minute, "रिपोर्ट तैयार है?")
	}
	b := st.tab(t, phone)
	b.signIn("Meera")
	b.speak("hi")

	for _, c := range []struct {
		customer
		outcome, says string
	}{
		{types, "asked-typed", "दावा"},
		{card, "asked-without_number", "एक बार पूछ लें"},
		{silent, "asked-waiting", "अभी जवाब नहीं आया"},
	} {
		id, _ := st.contactOf(t, n, c.customer)
		b.open("/inbox/" + id.String())
		b.submit("to-ask")
		b.see("ask")
		b.says("goes-to", c.name)
		b.says("preview", "हम आपका ही खाता खोलें")
		b.choose("field-purpose", "order")
		b.when("the other words have come", find("preview")+`?.innerText.includes("आपका ऑर्डर ढूँढने के लिए")`)
		b.fits()
		b.enterOn("ask")
		b.at("/inbox/*")
		b.says(c.outcome, c.says) // by itself
		if sticks := b.overflow(phone); sticks != "" {
			t.Errorf("the conversation: %s", sticks)
		}
	}

	// From the queue, and back to it with what they answered.
	_, kase := st.contactOf(t, n, taps)
	b.open("/resolve/" + kase.String())
	b.submit("to-ask")
	b.see("ask")
	b.enterOn("ask")
	b.at("/resolve/*")
	until(t, "the tap is there", func() bool {
		b.open("/resolve/" + kase.String())
		return b.has("asked-shared")
	})
	b.says("why", "WhatsApp") // itself shows it
	b.says("candidate", "Gita")
	b.says("asked-shared", taps.phone[8:])
	if sticks := b.overflow(phone); sticks != "" {
		t.Errorf("the case: %s", sticks)
	}

	// Who says nothing for a week is let be, and nobody is asked a third time.
	st.as(t, st.clinic, func(tx *tenants.Tx) error {
		_, err := tx.Exec(`UPDATE asks SET asked_at = asked_at - interval '8 days' WHERE tenant_id = $1`, tx.Tenant)
		return err
	})
	id, _ := st.contactOf(t, n, silent)
	b.open("/contacts/" + id.String())
	b.says("asked-silent", "सात दिन")
	b.submit("to-ask")
	b.enterOn("ask")
	b.at("/inbox/*")
	b.open("/contacts/" + id.String() + "/ask")
	b.says("ask-refused", "दो बार")
	b.gone("ask")
}

var codeOnPage = regexp.MustCompile(`[2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{4}`)

// A code is made for who has a phone, comes back from somebody who hides it, and the two are one.
func TestLinkBackCode(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	n := st.number(t, 0)
	gita := whoAnswers(t, sandbox.AnswerTaps, "Gita Devi", 4)
	st.writes(t, n, gita, true, 48*time.Hour, "Is the doctor in?")
	var known uuid.UUID
	st.as(t, st.clinic, func(tx *tenants.Tx) error {
		r, err := identity.Resolve(t.Context(), tx, whatsapp.KindPhone, gita.phone, "")
		if err == nil {
			known = r.Contact.ID
		}
		return err
	})
	b := st.tab(t, wide)
	b.signIn("Meera")

	b.open("/contacts/" + known.String())
	b.submit("to-code")
	b.see("make-code")
	b.enterOn("make-code")
	b.see("fresh-code", "qr")
	code := codeOnPage.FindString(b.text("fresh-code"))
	if code == "" {
		t.Fatalf("no code in %q", b.text("fresh-code"))
	}
	b.open("/contacts/" + known.String() + "/code")
	b.see("code-live")
	b.gone("fresh-code")

	hiding := customer{"Gita", "919800039999"}
	st.writes(t, n, hiding, false, 0, "namaste "+code)
	_, kase := st.contactOf(t, n, hiding)
	b.open("/resolve/" + kase.String())
	b.says("why", "You made a code for")
	b.says("candidate", "Gita Devi")
	b.enterOn("decide-same")
	b.when("the next page has come", loaded)
	if now, _ := st.contactOf(t, n, hiding); now != known {
		t.Errorf("they are %s, want %s", now, known)
	}
	b.open("/contacts/" + known.String() + "/code")
	b.see("code-used")

	// Passed on, it proves nothing any more.
	other := customer{"Mukesh", "919800039998"}
	st.writes(t, n, other, false, 0, code)
	_, kase = st.contactOf(t, n, other)
	b.open("/resolve/" + kase.String())
	b.see("wrong-codes")
	b.press("a") // ask them instead
	b.says("goes-to", "Mukesh")
	b.open("/resolve/" + kase.String())
	if b.has("candidate>Gita Devi") {
		t.Error("a code that was used before names somebody")
	}
}
