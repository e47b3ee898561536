package e2e_test

import "testing"

// Who chooses dark, or Hindi, finds it so on every page after, and again after signing in.
func TestChoicesStay(t *testing.T) {
	t.Parallel()
	b := newSite(t).tab(t, wide)

	b.open("/login")
	b.speak("hi")
	b.click("theme")
	dark := `document.documentElement.dataset.theme === "pehchan-dark"`
	b.when("the page is dark", dark)
	b.signIn("Asha")
	b.at("/home")
	b.when("the page is dark", dark)

	b.speak("en") // from here on it is Asha who chooses, not the browser
	b.speak("hi")
	b.click("person")
	b.submit("sign-out")
	b.speak("en")
	b.signIn("Asha")
	b.at("/home")
	if got := eval[string](b, `document.documentElement.lang`); got != "hi" {
		t.Errorf("after signing in again the page is in %q, want the person's Hindi", got)
	}
}
