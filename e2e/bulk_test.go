package e2e_test

import "testing"

// Everybody on the page is ticked, some by key, noted as new in one go, and taken back in one go.
func TestDecideManyAndTakeBack(t *testing.T) {
	t.Parallel()
	b := clinicWithPast(t).tab(t, wide)
	b.signIn("Meera")
	b.at("/home")
	waiting := b.waiting()

	b.open("/resolve?tab=new")
	b.see("bulk")
	b.press("x")
	b.when("one is ticked", `document.querySelector("[data-picked]").textContent === "1"`)
	b.press("x")
	b.when("none is ticked", `document.querySelector("[data-picked]").textContent === "0"`)
	b.click("pick-page")
	b.when("all are ticked", `document.querySelector("[data-picked]").textContent === String(document.querySelectorAll("[data-pick]").length)`)
	b.submit("bulk-new")
	b.at("/resolve/many/*")
	b.see("run")
	b.submit("run")
	b.see("undo-bulk", "toast")
	at := b.path()
	b.open("/home")
	if got := b.waiting(); got >= waiting {
		t.Errorf("%d cases wait after many were decided, want fewer than %d", got, waiting)
	}
	b.open("/resolve")
	b.see("undo-last")
	b.open(at)
	b.submit("undo-bulk")
	b.gone("undo-bulk")
	b.open("/home")
	if got := b.waiting(); got != waiting {
		t.Errorf("%d cases wait after all was taken back, want %d", got, waiting)
	}
}

// The same on a phone, in Hindi, without scripts.
func TestDecideManyWithoutScripts(t *testing.T) {
	t.Parallel()
	b := clinicWithPast(t).tab(t, phone)
	b.scripts(false)
	b.signIn("Asha")
	b.speak("hi")
	b.open("/home")
	waiting := b.waiting()

	b.open("/resolve?tab=new")
	b.click("pick-all")
	b.submit("bulk-new")
	b.at("/resolve/many/*")
	b.submit("run")
	b.see("undo-bulk")
	b.submit("undo-bulk")
	b.open("/home")
	if got := b.waiting(); got != waiting {
		t.Errorf("%d cases wait after all was taken back, want %d", got, waiting)
	}
}
