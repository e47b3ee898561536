package e2e_test

import (
	"strings"
	"testing"
)

// The pages that show how far the change has come work with JavaScript switched off: each one's main action.
func TestSeeingWithoutScripts(t *testing.T) {
	t.Parallel()
	st := clinicWithPast(t)
	b := st.tab(t, phone)
	b.scripts(false)
	b.signIn("Asha")
	b.at("/home")
	if eval[bool](b, `document.documentElement.classList.contains("js")`) {
		t.Fatal("scripts run, so this journey proves nothing")
	}

	b.open("/overview")
	b.submit("with-id")
	b.at("/adoption/people")
	b.submit("save-group")
	b.at("/adoption/reach")
	b.fill("field-name", "With an ID")
	b.submit("save-segment")
	b.says("segments", "With an ID")

	b.open("/adoption/forecast")
	b.submit("say-on")
	b.at("/adoption/forecast")
	b.see("toast", "say-off")

	b.open("/changes")
	b.see("feed")
	b.submit("brief-team")
	b.at("/prep/briefing")

	b.open("/reports/monthly")
	b.submit("auto")
	b.at("/reports/monthly/rows")

	b.open("/start?step=look")
	b.submit("next")
	if !strings.HasPrefix(b.path(), "/start") || b.has("start-look") {
		t.Errorf("the first step leads to %s", b.path())
	}

	b.open("/numbers")
	health := eval[string](b, `document.querySelector('a[href^="/numbers/0"]').getAttribute("href")`) + "/health"
	b.open(health)
	b.see("meter", "rate", "fields")
}
