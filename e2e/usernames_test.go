package e2e_test

import (
	"testing"
	"time"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/sandbox"
	"github.com/pehchan/pehchan/tenants/trust"
	"github.com/pehchan/pehchan/tenants/usernames"
)

// names has the first number get a name and the second be refused one, and switches the trust page on.
func (w *world) names(t *testing.T) {
	t.Helper()

	w.as(t, w.clinic, func(tx *tenants.Tx) error {
		list, err := usernames.List(t.Context(), tx)
		if err != nil {
			return err
		}
		for _, n := range list[:2] {
			w.named = append(w.named, "/usernames/"+n.Number.ID.String())
			plan := usernames.Plan{Wanted: "asha.clinic", Alternatives: []string{"asha_clinic"}}
			if err := usernames.SetPlan(t.Context(), tx, w.meera, n.Number.ID, plan); err != nil {
				return err
			}
		}
		if err := usernames.Note(t.Context(), tx, w.meera, "ashaclinic", "reported", "Asks for money."); err != nil {
			return err
		}
		page := trust.Page{On: true, UseEN: "We keep your number to answer you.", Asks: true, Numbers: []string{list[0].Number.ID.String()}}
		if err := trust.Set(t.Context(), tx, w.meera, page); err != nil {
			return err
		}
		_, err = trust.Ask(t.Context(), tx, trust.Request{Kind: "erase", Name: "Lata", Reach: "@lata", Body: "Please delete what you have.", Lang: "en"})

		return err
	})
	var list []usernames.Name
	w.as(t, w.clinic, func(tx *tenants.Tx) (err error) {
		list, err = usernames.List(t.Context(), tx)
		return err
	})
	for i, name := range []string{"asha.clinic", "asha" + sandbox.NameLimit} {
		if _, err := usernames.Ask(t.Context(), w.DB, w.keys, w.graph, w.meera, w.clinic.ID, list[i].Number.ID, usernames.Claim, name); err != nil {
			t.Fatal(err)
		}
	}
}

// The owner finds a name, is refused it, gets another, prints the kit, switches the trust page on, and a stranger writes there.
func TestGetANameAndPrintIt(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	n := st.number(t, 0)
	b := st.tab(t, phone)
	b.signIn("Asha")

	b.open("/usernames/ideas?shop=%E0%A4%86%E0%A4%B6%E0%A4%BE+%E0%A4%95%E0%A5%8D%E0%A4%B2%E0%A4%BF%E0%A4%A8%E0%A4%BF%E0%A4%95")
	b.see("idea-asha.clinic")
	b.submit("keep")
	b.at("/usernames/*")
	home := b.path()
	b.fill("field-wanted", "asha"+sandbox.NameTaken)
	b.fill("field-alternatives", "asha.clinic")
	b.submit("save-plan")
	b.see("toast")

	b.submit("claim")
	b.at(home + "/confirm*")
	b.submit("do")
	b.at(home)
	b.see("problem-147001", "act-claim")
	b.open(home + "/confirm?do=claim&name=asha.clinic")
	b.submit("do")
	b.at(home)
	b.gone("problem-147001")
	b.says("state", "@asha.clinic")

	b.open("/usernames/trust")
	b.click("choice-on-yes")
	b.submit("save-trust")
	b.see("see-page")
	b.open("/usernames/kit")
	b.says("board", "@asha.clinic")
	b.says("bill", "/t/asha-clinic")
	b.see("card", "print")
	pressed := eval[bool](b, `(() => { let n = 0; window.print = () => n++; document.querySelector('[data-testid="print"]').click(); return n === 1 })()`)
	if !pressed {
		t.Error("the button does not print")
	}

	stranger := st.tab(t, phone)
	stranger.open("/t/asha-clinic")
	shown := time.Now()
	stranger.says("names", "@asha.clinic")
	stranger.says("names", n.DisplayPhone[len(n.DisplayPhone)-4:])
	stranger.choose("kind", "erase")
	stranger.fill("reach", "@lata")
	stranger.fill("body", "Please delete what you have of me.")
	// A form that is sent within three seconds is not believed.
	until(t, "a person has had time to write", func() bool { return time.Since(shown) > 4*time.Second })
	stranger.submit("send")
	stranger.see("sent")
	b.open("/usernames/trust")
	b.see("request")
	b.submit("answered")
	b.gone("answered")
}
