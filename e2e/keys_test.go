package e2e_test

import (
	"unicode/utf8"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Keys that have no letter.
const enter, tabulator = kb.Enter, kb.Tab

// press strikes a key, wherever the focus is. The character comes with the key, as from a keyboard: a page that takes the key
// for itself keeps it from being written, also into a field that gets the focus meanwhile.
func (b *tab) press(key string) {
	b.t.Helper()

	r, _ := utf8.DecodeRuneInString(key)
	events := kb.Encode(r)
	if len(events) == 3 { // key, character, key released
		events[0].Text = events[1].Text
	}
	for _, event := range []*input.DispatchKeyEventParams{events[0], events[len(events)-1]} {
		if _, err := chromedp.Call(b.ctx, input.DispatchKeyEvent, *event); err != nil {
			b.t.Fatalf("press %q: %v", key, err)
		}
	}
}

// strike presses a key and waits for the page that comes of it.
func (b *tab) strike(key string) {
	b.t.Helper()
	b.leave()
	b.press(key)
	b.when("a new page has come", loaded)
}

// write strikes one key after the other.
func (b *tab) write(text string) {
	b.t.Helper()
	for _, key := range text {
		b.press(string(key))
	}
}

// enterOn presses a button by the keyboard. A conversation scrolls to its end whenever something new has come, so its buttons move.
func (b *tab) enterOn(id string) {
	b.t.Helper()
	b.see(id)
	eval[bool](b, `(`+find(id)+`.focus(), true)`)
	b.strike(enter)
}
