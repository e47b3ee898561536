package e2e_test

import "testing"

// What is essential works with JavaScript switched off: sign in, decide a case, merge, undo.
func TestWithoutScripts(t *testing.T) {
	t.Parallel()
	st := clinicWithPast(t)
	b := st.tab(t, phone)
	b.scripts(false)

	b.signIn("Asha")
	b.at("/home")
	if eval[bool](b, `document.documentElement.classList.contains("js")`) {
		t.Fatal("scripts run, so this journey proves nothing")
	}
	waiting := b.waiting()
	b.open("/resolve")
	b.submit("start")
	b.at("/resolve/*")
	b.submit("decide-new")
	b.see("toast")
	b.open("/resolve")
	b.submit("undo-last")
	b.open("/home")
	if got := b.waiting(); got != waiting {
		t.Errorf("%d cases wait after a decision and its undo, want %d", got, waiting)
	}

	b.findContact(sunita)
	b.mergeWith(fatima)
	b.merge()
	b.submit("undo-merge")
	b.see("undone")
}
