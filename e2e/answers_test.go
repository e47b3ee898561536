package e2e_test

import "testing"

// An agent on a phone, in Hindi: from home it is two taps to an answer that goes to WhatsApp, found while the question is typed; and a
// macro goes into a reply without taking away what was written.
func TestAnswerInTwoTaps(t *testing.T) {
	t.Parallel()
	st := clinicWithLakshmi(t, "Mera number dikhta hai kya?")
	b := st.tab(t, phone)
	b.signIn("Meera")
	b.speak("hi")
	b.open("/home")

	// WhatsApp itself is not opened here: what it would be opened with is kept.
	b.submit("to-answers") // the first tap
	b.fits()
	eval[bool](b, `(addEventListener("click", e => { const a = e.target.closest("[data-share]"); if (a) { e.preventDefault(); window.shared = a.href } }), true)`)
	b.fill("answer-search", "namber dikhta")
	b.when("the answer is found", find("answers")+`.firstElementChild.querySelector("[data-testid=answer-see_my_number]")`)
	b.fits()
	b.click("share") // the second
	b.when("it is shared", `decodeURIComponent(window.shared).startsWith("https://wa.me/?text=कभी-कभी: अगर हाल में")`)
	b.when("it is counted", `performance.getEntriesByType("resource").some(e => e.name.endsWith("/prep/faq/see_my_number/used") && e.responseEnd > 0)`)
	b.open("/prep/faq/see_my_number")
	b.says("use", "तीस दिन में 1 बार")

	b.open("/inbox?q=lakshmi")
	b.open(eval[string](b, `document.querySelector("[data-testid=conversations] a.whole").getAttribute("href")`))
	b.submit("log-asked")
	b.says("toast", "Mera number dikhta hai kya?")
	b.fill("field-text", "एक मिनट।")
	b.click("to-macros")
	b.see("macro-pick")
	awake := func() { // htmx takes a moment to know what it has put there
		b.when("the choice is awake", `document.querySelector("#write form[hx-get]")?.["htmx-internal-data"]?.path`)
	}
	awake()
	b.choose("field-macro", "m04")
	b.when("the macro stands after what was written", find("field-text")+`.value === "एक मिनट।\nकोई बात नहीं, हम यहीं बात करते हैं।"`)
	awake()
	b.choose("field-in", "hinglish")
	b.when("another language takes its place", find("field-text")+`.value === "एक मिनट।\nKoi baat nahi, hum yahin baat karte hain."`)
	b.fits()
	b.submit("send")
	b.says("thread", "Koi baat nahi")
}
