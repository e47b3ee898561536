package e2e_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/pquerna/otp/totp"
)

// An owner adds an authenticator app and signs in with its code, with a recovery code, and with a passkey and nothing else, and proves by it later
// that it is still her.
func TestSecondStep(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.url = strings.Replace(st.url, "127.0.0.1", "localhost", 1) // passkeys want a name
	b := st.tab(t, phone)

	b.signIn("Asha")
	b.at("/home")
	b.see("add-factor")
	b.open("/settings/security")
	b.submit("start-app")
	b.see("qr")
	b.judgeHere("en")
	secret := strings.ReplaceAll(b.text("secret"), " ", "")
	code := func(steps int) string {
		got, err := totp.GenerateCode(secret, time.Now().Add(time.Duration(steps)*30*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	b.fill("field-code", code(-1))
	b.submit("finish-app")
	b.see("recovery-codes", "app-on")
	b.judgeHere("en")
	recovery := b.text("recovery-code")

	// The password alone is not enough.
	b.signOut()
	b.signIn("Asha")
	b.at("/login/step")
	b.judgeHere("en")
	b.fill("field-code", "000000")
	b.submit("second-step")
	b.see("wrong-code")
	b.fill("field-code", code(0))
	b.submit("second-step")
	b.at("/home")
	b.signOut()
	b.signIn("Asha")
	b.fill("field-code", recovery)
	b.submit("second-step")
	b.at("/home")
	if b.has("add-factor") {
		t.Error("asked for a second step that is there")
	}

	b.device()
	b.open("/settings/security")
	b.says("codes-left", "9")
	b.submit("start-passkey")
	b.judgeHere("en")
	b.fill("field-name", "My phone")
	b.submit("make-passkey")
	b.see("passkey")
	b.signOut()
	b.open("/login")
	b.submit("ask-passkey")
	b.at("/login/step")
	b.submit("use-passkey")
	b.at("/home")

	// It proves as well that it is still her.
	b.open("/settings/security")
	if _, err := st.DB.SQL().Exec(`UPDATE sessions SET proved_at = now() - interval '1 hour'`); err != nil {
		t.Fatal(err)
	}
	b.submit("new-codes")
	b.at("/confirm")
	b.judgeHere("en")
	b.submit("prove-passkey")
	b.see("go-on")
	b.judgeHere("en")
	b.submit("go-on-now")
	b.see("recovery-codes")
}

// device gives the tab a device that makes passkeys, whose person always agrees.
func (b *tab) device() {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		b.t.Fatal(err)
	}
	_, err := chromedp.Call(b.ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal, HasResidentKey: true,
		HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
	}})
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) signOut() {
	b.t.Helper()
	b.open("/settings")
	b.click("person")
	b.submit("sign-out")
}

// judgeHere looks at a page that no address leads to.
func (b *tab) judgeHere(lang string) {
	b.t.Helper()
	if sticks := b.overflow(phone); sticks != "" {
		b.t.Errorf("%s sticks out: %s", b.path(), sticks)
	}
	if got := eval[string](b, `document.documentElement.lang`); got != lang {
		b.t.Errorf("%s is in %q", b.path(), got)
	}
	for _, wrong := range b.violations(allRules) {
		b.t.Errorf("%s: %s", b.path(), wrong)
	}
}
