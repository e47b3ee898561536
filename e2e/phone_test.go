package e2e_test

import "testing"

// The main things on a phone in Hindi: sign in, see what to do, decide with the thumb, merge, undo.
func TestPhoneInHindi(t *testing.T) {
	t.Parallel()
	st := clinicWithPast(t)
	b := st.tab(t, phone)

	b.open("/login")
	b.speak("hi")
	b.fill("field-email", email("Asha"))
	b.fill("field-password", password)
	b.submit("sign-in")
	b.at("/home")
	b.speak("hi")
	b.fits()
	waiting := b.waiting()

	b.submit("do-decide")
	b.at("/resolve/*")
	b.see("why", "decide-new")
	b.fits()
	if got := eval[float64](b, find("decide-new")+`.getBoundingClientRect().height`); got < 48 {
		t.Errorf("a thumb button is %v pixels high, want 48", got)
	}
	b.submit("decide-new")
	b.see("toast")
	b.open("/home")
	if got := b.waiting(); got != waiting-1 {
		t.Errorf("%d cases wait after a decision, want %d", got, waiting-1)
	}

	b.findContact(sunita)
	b.fits()
	b.mergeWith(fatima)
	b.fits()
	b.merge()
	b.fits()
	b.submit("undo-merge")
	b.see("toast")
	b.open("/home")
	b.click("nav-more")
	b.click("more-contacts")
	b.at("/contacts")
	b.fits()
}

// fits demands that the page is in Hindi and nothing sticks out of the screen.
func (b *tab) fits() {
	b.t.Helper()
	if got := eval[string](b, `document.documentElement.lang`); got != "hi" {
		b.t.Errorf("%s is in %q, want Hindi", b.path(), got)
	}
	if sticks := b.overflow(phone); sticks != "" {
		b.t.Errorf("%s sticks out: %s", b.path(), sticks)
	}
}
