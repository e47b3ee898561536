package e2e_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

const (
	// patience is how long a condition may take to come true on a busy machine.
	patience = 20 * time.Second
	// wide and phone are the widths of the two screens everything must work on; narrow is the least there is.
	wide, phone, narrow = 1366, 360, 320
)

// tab is a person's browser: cookies of its own, and whatever its pages complain about.
type tab struct {
	t    *testing.T
	ctx  context.Context
	site *site

	width int64 // of the screen

	mu         sync.Mutex
	complaints []string // errors of scripts and breaches of the content policy
}

// tab opens an empty tab of a screen this many CSS pixels wide.
func (st *site) tab(t *testing.T, width int64) *tab {
	t.Helper()

	root, err := browser()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(root, chromedp.WithNewBrowserContext())
	b := &tab{t: t, ctx: ctx, site: st}
	t.Cleanup(func() {
		b.judge()
		cancel()
	})
	if err := chromedp.Listen(ctx, b.listen); err != nil {
		t.Fatal(err)
	}
	b.screen(width)

	return b
}

func (b *tab) listen(event any) {
	switch event := event.(type) {
	case *runtime.EventExceptionThrown:
		b.complain("a script failed: " + event.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		// An answer of 4xx is an error of the network here; journeys cause some on purpose.
		if event.Entry.Level == log.EntryLevelError && event.Entry.Source != log.EntrySourceNetwork {
			b.complain(event.Entry.Text)
		}
	}
}

func (b *tab) complain(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.complaints = append(b.complaints, text)
}

// judge ends the tab's test: no page may have complained, and a failed test leaves its last page behind.
func (b *tab) judge() {
	b.mu.Lock()
	for _, c := range b.complaints {
		b.t.Errorf("the page complained: %s", c)
	}
	b.mu.Unlock()
	if !b.t.Failed() || b.ctx.Err() != nil {
		return
	}

	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	base := filepath.Join(evidence(), strings.ReplaceAll(b.t.Name(), "/", "-"))
	if picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100)); err == nil {
		_ = os.WriteFile(base+".png", picture, 0o600)
	}
	if html, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.documentElement.outerHTML`)); err == nil {
		_ = os.WriteFile(base+".html", []byte(html), 0o600)
	}
	b.t.Logf("the last page is in %s.png and .html", base)
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()

	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("at %s: %v", b.path(), err)
	}
}

// eval is the value of a JavaScript expression in the page.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()

	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("evaluate %.80s: %v", expression, err)
	}

	return value
}

// when waits until a JavaScript expression is true, whichever page it comes true on.
func (b *tab) when(what, expression string) {
	b.t.Helper()

	last := ""
	met := poll(func() bool {
		ctx, cancel := context.WithTimeout(b.ctx, patience)
		defer cancel()
		value, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`!!(`+expression+`)`))
		if err != nil { // between two pages there is nothing to ask
			last = err.Error()
			return false
		}
		last = ""

		return value
	})
	if !met {
		b.t.Fatalf("at %s: waited in vain until %s %s", b.path(), what, last)
	}
}

// until waits for a condition outside the browser.
func until(t *testing.T, what string, met func() bool) {
	t.Helper()
	if !poll(met) {
		t.Fatalf("waited in vain until %s", what)
	}
}

func poll(met func() bool) bool {
	tick := time.NewTicker(15 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !met() {
		select {
		case <-tick.C:
		case <-late:
			return false
		}
	}

	return true
}

// screen makes the tab this wide: below 600 pixels a phone, with touch.
func (b *tab) screen(width int64) {
	b.t.Helper()
	if b.width == width {
		return // set once more, the browser would lay out and paint everything anew
	}
	b.width = width

	height := int64(900)
	options := []chromedp.EmulateViewportOption{}
	if width < 600 {
		height = 740
		options = append(options, chromedp.EmulateMobile)
	}
	b.do(chromedp.EmulateViewport(width, height, options...))
}

// scripts switches JavaScript off and on for the pages opened next.
func (b *tab) scripts(on bool) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) open(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.site.url + path))
}

// path is where the tab is, with its query.
func (b *tab) path() string {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	path, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.pathname + location.search`))
	if err != nil {
		return "(nowhere)"
	}

	return path
}

// status is that of the answer which brought the page.
func (b *tab) status() int {
	b.t.Helper()
	return eval[int](b, `performance.getEntriesByType("navigation")[0].responseStatus`)
}

// at waits until the tab has come to a path, or one that begins with it where it ends in a star.
func (b *tab) at(path string) {
	b.t.Helper()

	condition := `location.pathname === ` + quote(path)
	if prefix, open := strings.CutSuffix(path, "*"); open {
		condition = `location.pathname.startsWith(` + quote(prefix) + `)`
	}
	b.when("at "+path, loaded+` && `+condition)
}

// loaded is true on another page than the one left, whether the browser fetched it or a script put it in the old one's place.
const loaded = `document.readyState === "complete" && !document.querySelector(".frame, .outside")?.left`

// find is the JavaScript for the first visible element with a data-testid. A trailing star stands for any ending; "list>words" is
// the entry of a list that holds these words.
func find(id string) string {
	if list, words, ok := strings.Cut(id, ">"); ok {
		return `[...(` + find(list) + `?.children ?? [])].find(e => e.innerText.includes(` + quote(words) + `))`
	}
	selector := `[data-testid="` + id + `"]`
	if prefix, open := strings.CutSuffix(id, "*"); open {
		selector = `[data-testid^="` + prefix + `"]`
	}

	return `[...document.querySelectorAll(` + quote(selector) + `)].find(e => e.checkVisibility())`
}

func quote(s string) string { return strconv.Quote(s) }

// see waits until an element is seen.
func (b *tab) see(ids ...string) {
	b.t.Helper()
	for _, id := range ids {
		b.when(id+" is seen", find(id))
	}
}

// gone waits until an element is seen no more.
func (b *tab) gone(ids ...string) {
	b.t.Helper()
	for _, id := range ids {
		b.when(id+" is gone", `!(`+find(id)+`)`)
	}
}

// has tells whether an element is seen now.
func (b *tab) has(id string) bool {
	b.t.Helper()
	return eval[bool](b, `!!(`+find(id)+`)`)
}

// text is what an element says.
func (b *tab) text(id string) string {
	b.t.Helper()
	b.see(id)

	return strings.TrimSpace(eval[string](b, find(id)+`.innerText`))
}

// says waits until an element says something that contains text.
func (b *tab) says(id, text string) {
	b.t.Helper()
	b.when(fmt.Sprintf("%s says %q", id, text), find(id)+`?.innerText.includes(`+quote(text)+`)`)
}

// attr is an attribute of an element.
func (b *tab) attr(id, name string) string {
	b.t.Helper()
	b.see(id)

	return eval[string](b, find(id)+`.getAttribute(`+quote(name)+`) ?? ""`)
}

// click presses an element with the mouse. It must be in nobody's way: what lies over it fails the test. It is pressed once it has
// stood still between two looks: pictures that come late push aside what is below them.
func (b *tab) click(id string) {
	b.t.Helper()
	b.see(id)

	type point struct{ X, Y float64 }
	ready := `(() => {
		const e = ` + find(id) + `;
		if (!e) return null;
		e.scrollIntoView({block: "center", behavior: "instant"});
		const r = e.getClientRects()[0], x = r.left + r.width / 2, y = r.top + r.height / 2;
		const top = document.elementFromPoint(x, y), still = e.stoodAt === x + " " + y;
		e.stoodAt = x + " " + y;
		return still && (e.contains(top) || top?.control === e || top?.closest("label")?.control === e) ? {X: x, Y: y} : null;
	})()`
	var at *point // of one look: a second one might find it elsewhere
	if !poll(func() bool {
		ctx, cancel := context.WithTimeout(b.ctx, patience)
		defer cancel()
		var err error
		at, err = chromedp.Run(ctx, chromedp.Evaluate[*point](ready))

		return err == nil && at != nil
	}) {
		b.t.Fatalf("at %s: waited in vain until %s can be pressed", b.path(), id)
	}
	b.do(chromedp.MouseClickXY(at.X, at.Y))
}

// submit clicks what sends a form or follows a link, and waits for the page that comes of it.
func (b *tab) submit(id string) {
	b.t.Helper()
	b.leave()
	b.click(id)
	b.when("a new page has come", loaded)
}

// leave marks the page, so that the next one is told from it.
func (b *tab) leave() {
	b.t.Helper()
	eval[bool](b, `(e => { window.leaving = true; if (e) e.left = true; return true })(document.querySelector(".frame, .outside"))`)
}

// fill replaces what a field holds, as somebody typing does.
func (b *tab) fill(id, text string) {
	b.t.Helper()
	b.click(id)
	eval[bool](b, `(`+find(id)+`.select?.(), true)`)
	if _, err := chromedp.Call(b.ctx, input.InsertText, input.InsertTextParams{Text: text}); err != nil {
		b.t.Fatalf("type into %s: %v", id, err)
	}
}

// choose picks an answer of a list by its value.
func (b *tab) choose(id, value string) {
	b.t.Helper()
	b.see(id)
	eval[bool](b, `(e => { e.value = `+quote(value)+`; return e.dispatchEvent(new Event("change", {bubbles: true})) })(`+find(id)+`)`)
}

// signIn goes through the sign-in page.
func (b *tab) signIn(name string) {
	b.t.Helper()
	b.open("/login")
	b.fill("field-email", email(name))
	b.fill("field-password", password)
	b.submit("sign-in")
}

// speak changes the language with the button of the bar.
func (b *tab) speak(lang string) {
	b.t.Helper()
	if eval[string](b, `document.documentElement.lang`) == lang {
		return
	}
	b.submit("language")
	if got := eval[string](b, `document.documentElement.lang`); got != lang {
		b.t.Fatalf("the page speaks %q, want %q", got, lang)
	}
}
