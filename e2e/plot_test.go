package e2e_test

import (
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// The chart of days is fetched and drawn when it is opened, zooms where the mouse draws over it, and shows the whole again.
func TestDaysAreZoomedInto(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.tab(t, wide)
	b.signIn("Asha")
	b.open("/overview")
	if eval[bool](b, `!!document.querySelector("script[src*=plot]")`) {
		t.Error("the chart's program is loaded before anybody wants it")
	}
	eval[bool](b, `(`+find("days")+`.open = true)`)
	b.when("the days are drawn", `document.querySelectorAll("[data-testid=days] canvas").length == 1 && !`+find("whole-period")+`.hidden`)

	const drawn = `document.querySelector("[data-testid=days] canvas").toDataURL()`
	eval[bool](b, `(window.whole = `+drawn+`, true)`)
	at := eval[[]float64](b, `(() => {
		const over = document.querySelector("[data-testid=days] .u-over");
		over.scrollIntoView({block: "center"});
		const box = over.getBoundingClientRect();
		return [box.left + box.width * 0.3, box.left + box.width * 0.6, box.top + 40];
	})()`)
	for _, move := range []input.DispatchMouseEventParams{
		{Type: input.DispatchMouseEventTypeMouseMoved, X: at[0], Y: at[2]},
		{Type: input.DispatchMouseEventTypeMousePressed, X: at[0], Y: at[2], Button: input.MouseButtonLeft, Buttons: 1, ClickCount: 1},
		{Type: input.DispatchMouseEventTypeMouseMoved, X: at[1], Y: at[2], Button: input.MouseButtonLeft, Buttons: 1},
		{Type: input.DispatchMouseEventTypeMouseReleased, X: at[1], Y: at[2], Button: input.MouseButtonLeft, ClickCount: 1},
	} {
		if _, err := chromedp.Call(b.ctx, input.DispatchMouseEvent, move); err != nil {
			t.Fatal(err)
		}
	}
	b.when("a stretch is larger", drawn+` != window.whole`)
	b.click("whole-period")
	b.when("the whole is back", drawn+` == window.whole`)
}
