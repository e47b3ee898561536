package e2e_test

import (
	"testing"
	"time"

	"github.com/pehchan/pehchan/tenants/sandbox"
)

// An owner goes through the first steps on a phone in Hindi: a number is connected and the first event explained, without anybody
// pressing anything when it comes.
func TestFirstStepsOnAPhone(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	b := st.tab(t, phone)
	n := sandbox.Known().Numbers[0]

	b.signIn("Asha")
	b.speak("hi")
	b.open("/home")
	b.submit("do-start")
	b.see("start-look")
	b.click("choice-lang-hi")
	b.click("choice-density-shop")
	b.submit("next")
	b.see("start-connect")
	b.fits()
	b.submit("to-doors")
	b.submit("manual")
	b.connect(n, goodToken())
	b.see("start-event")

	b.leave()
	st.deliver(t, sandbox.DemoStory(n, time.Now())[0].Body)
	b.see("explained", "quiz-hidden", "quiz-other", "quiz-change")
	if !eval[bool](b, `window.leaving`) {
		t.Error("the page came anew, want it to keep itself up to date")
	}
	b.fits()
	b.click("choice-hidden-by_id")
	b.click("choice-other-different")
	b.click("choice-change-new_id")
	b.submit("check-answers")
	b.says("result", "3 में से 3 सही")
	b.submit("next")
	b.see("start-invite")
	b.submit("skip")
	b.see("start-tasks")
	b.submit("next")
	b.submit("start-home")
	if b.has("task-start") {
		t.Error("the home page still leads to the first steps")
	}
}
