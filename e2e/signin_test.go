package e2e_test

import "testing"

// An owner's first sign-in: a wrong password first, then the right one, in and out again.
func TestFirstSignIn(t *testing.T) {
	t.Parallel()
	b := newSite(t).tab(t, wide)

	b.open("/numbers")
	b.at("/login") // and back to what was asked for, once it is known who asks
	b.fill("field-email", email("Asha"))
	b.fill("field-password", "not-the-password")
	b.submit("sign-in")
	b.at("/login")
	b.see("sign-in")
	if got := b.attr("field-email", "value"); got != email("Asha") {
		t.Errorf("after a wrong password: the e-mail is %q, want it kept", got)
	}

	b.fill("field-password", password)
	b.submit("sign-in")
	b.at("/numbers")
	b.says("tenant", "Asha Clinic")

	b.open("/home")
	b.see("verdict")
	b.click("person")
	b.submit("sign-out")
	b.open("/home")
	b.at("/login")
}
