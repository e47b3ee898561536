package identity_test

import "testing"

// Whom a quoted message went to may turn out late: they are heard of afterwards, or were another than whoever had the phone since.
func TestTheOrderOfEventsDoesNotChangeWhoWasQuoted(t *testing.T) {
	t.Parallel()
	sent := event{at: 2, wamid: "t", status: "delivered", phone: ashaPhone}
	reply := event{at: 150, wamid: "b", bsuid: ashaID, quotes: "t", name: "Asha"}
	for name, story := range map[string][]event{
		"writes only afterwards": {{at: 1, wamid: "a", phone: ashaPhone, name: "Asha"}, sent, reply},
		"passed on in between":   {sent, reply, {at: 100, wamid: "n", phone: ashaPhone, bsuid: "IN.5", name: "Ravi"}},
		"changed their number":   {{at: 1, wamid: "a", phone: ashaPhone}, reply, {at: 99, wamid: "s", system: "user_changed_number", phone: ashaPhone, newPhone: "919800000109"}, sent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := ""
			permute(story, func(order []event) {
				w := freshWorld(t)
				for _, e := range order {
					w.feed(e)
				}
				got := w.picture()
				if want == "" {
					want = got
				}
				if got != want {
					t.Errorf("order %s ends in\n%s\nwant\n%s", wamids(order), got, want)
				}
			})
		})
	}
}
