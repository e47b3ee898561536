package e2e_test

import "testing"

// Three cases are decided without touching the mouse, and the last decision is taken back.
func TestClearCasesByKeyboard(t *testing.T) {
	t.Parallel()
	st := clinicWithPast(t)
	b := st.tab(t, wide)

	b.open("/login")
	b.when("the e-mail has the focus", `document.activeElement?.name === "email"`)
	b.write(email("Meera"))
	b.press(tabulator)
	b.write(password)
	b.strike(enter)
	b.at("/home")
	waiting := b.waiting()

	b.strike(enter) // the one thing to do
	b.at("/resolve/*")
	for range 3 {
		b.see("decide")
		if b.has("why") {
			b.when("the reasons have the focus", find("why")+`.contains(document.activeElement)`)
		}
		// Until then a key sends the form as it does without scripts.
		b.when("htmx has the form", find("decide-new")+`?.form?.["htmx-internal-data"]?.path !== undefined`)
		was := b.path()
		if b.has("decide-same") && !b.has("field-reason") {
			b.strike("y")
		} else {
			b.strike("w")
		}
		b.see("toast")
		if b.path() == was {
			t.Fatal("after a decision the same case is shown, want the next")
		}
		if !eval[bool](b, `window.leaving`) {
			t.Error("the browser fetched the next case as a new page, want it to come with the answer")
		}
		if b.has("start") { // this kind of case is cleared
			b.strike(enter)
		}
	}
	b.open("/home")
	if got := b.waiting(); got != waiting-3 {
		t.Errorf("%d cases wait after three decisions, want %d", got, waiting-3)
	}

	b.open("/resolve")
	b.see("undo-last")
	b.strike("z")
	b.see("toast")
	b.open("/home")
	if got := b.waiting(); got != waiting-2 {
		t.Errorf("%d cases wait after one was taken back, want %d", got, waiting-2)
	}
}

// waiting is how many cases the home page says are open.
func (b *tab) waiting() int {
	b.t.Helper()
	b.see("verdict")
	if !b.has("task-decide") {
		return 0
	}

	return eval[int](b, `Number(`+find("task-decide")+`.innerText.match(/\d+/)[0])`)
}

// Single keys do nothing while somebody writes, and nothing at all once they are switched off.
func TestShortcutsKeepOut(t *testing.T) {
	t.Parallel()
	b := clinicWithPast(t).tab(t, wide)
	b.signIn("Meera")

	b.open("/resolve")
	b.submit("start")
	b.at("/resolve/*")
	at := b.path()
	b.press("/")
	b.when("the page's own search has the focus", find("case-search")+` === document.activeElement`)
	b.countPresses()
	b.write("wynz/?")
	if got := eval[string](b, find("case-search")+`.value`); got != "wynz/?" {
		t.Errorf("the search holds %q, want what was typed", got)
	}
	if got := b.presses(); got != 0 {
		t.Errorf("writing pressed %d buttons", got)
	}

	b.open("/settings")
	b.click("choice-shortcuts-on")
	b.submit("save-mine")
	b.open(at)
	b.countPresses()
	b.write("wynz/?")
	if got := b.presses(); got != 0 {
		t.Errorf("shortcuts are switched off, and %d pressed something", got)
	}
	if eval[bool](b, `document.activeElement.matches("input")`) {
		t.Error("shortcuts are switched off, and one moved the focus")
	}
}

// countPresses begins to count what is pressed on this page, by mouse or key; nothing pressed has an effect.
func (b *tab) countPresses() {
	b.t.Helper()
	eval[bool](b, `(window.presses = 0, document.addEventListener("click", e => { window.presses++; e.preventDefault() }, true), true)`)
}

func (b *tab) presses() int {
	b.t.Helper()
	return eval[int](b, `window.presses`)
}
