package e2e_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// What a page may weigh: bytes over the wire and requests, of a first visit and of the next page. product budget.
const (
	firstVisitBytes = 70 << 10
	nextPageBytes   = 20 << 10
	requestsAtMost  = 6
	nodesAtMost     = 800
)

// findings are what a page tells about itself.
type findings struct {
	Status   int
	Lang     string
	Title    string
	Headings int      // h1
	Nodes    int      // elements
	Page     int      // bytes of the document over the wire
	Assets   int      // bytes of everything it loads
	Requests int      // with the document and its icon
	Loads    []string // addresses of everything it loads
	Foreign  []string // addresses it loads from elsewhere
	Fonts    int      // web fonts
	Unsafe   []string // forms that post without the token
	Keys     []string // words that look like the key of a missing translation
	Script   bool     // Devanagari is seen
}

// inspection is run in the page and gives its findings. Names and handles of customers, in bdi, are no words of ours.
const inspection = `(() => {
	const [page] = performance.getEntriesByType("navigation");
	// What a part of the page asks for later to keep itself up to date is no part of the visit.
	// A part whose pace has ended says so no more, and a stream that broke is there twice: those are told by their addresses.
	const live = [...document.querySelectorAll("[data-live][hx-get]")].map(e => new URL(e.getAttribute("hx-get"), location).href);
	const assets = performance.getEntriesByType("resource").filter(a => !live.includes(a.name) && !/\/(live|events)$/.test(new URL(a.name).pathname));
	const words = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (texts.nextNode()) {
		const at = texts.currentNode.parentElement;
		if (!at.closest("bdi, code, pre, script, kbd, [data-testid=raw]")) words.push(texts.currentNode.data);
	}
	for (const e of document.querySelectorAll("[aria-label], [title], [placeholder]"))
		words.push(e.getAttribute("aria-label") ?? "", e.getAttribute("title") ?? "", e.getAttribute("placeholder") ?? "");
	const text = words.join("\n");
	return {
		Status: page.responseStatus, Lang: document.documentElement.lang, Title: document.title,
		Headings: document.querySelectorAll("h1").length, Nodes: document.getElementsByTagName("*").length,
		Page: page.encodedBodySize, Assets: assets.reduce((sum, a) => sum + a.encodedBodySize, 0),
		Requests: 1 + assets.length + document.querySelectorAll("link[rel=icon]").length,
		Loads: assets.map(a => a.name),
		Foreign: assets.map(a => a.name).filter(name => new URL(name).origin !== location.origin),
		Fonts: [...document.fonts].length,
		Unsafe: [...document.forms].filter(f => f.method === "post" && !f.elements._csrf?.value).map(f => f.getAttribute("action")),
		Keys: (text.match(/(^|\s)[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z0-9]+)*(?=\s|$)/gm) ?? []).map(k => k.trim()),
		Script: /[\u0900-\u097f]/.test(text.replaceAll("हिं", "")),
	};
})()`

// inspect reads the page and says what is wrong with it.
func (b *tab) inspect(lang string, status int) (findings, []string) {
	b.t.Helper()

	f := eval[findings](b, inspection)
	var wrong []string
	want := func(ok bool, format string, args ...any) {
		if !ok {
			wrong = append(wrong, fmt.Sprintf(format, args...))
		}
	}
	if strings.HasPrefix(b.path(), "/numbers/new/embedded") { // the one page that opens Meta's window, and for that needs Meta's script
		own := slices.DeleteFunc(slices.Clone(f.Foreign), func(address string) bool { return address == b.site.graph.BaseURL+"/sdk.js" })
		f.Requests -= len(f.Foreign) - len(own)
		f.Foreign = own
	}
	want(f.Status == status, "status %d, want %d", f.Status, status)
	want(f.Lang == lang, "lang %q, want %q", f.Lang, lang)
	want(f.Script || lang != "hi", "a Hindi page without Devanagari")
	want(f.Headings == 1, "%d h1, want 1", f.Headings)
	want(strings.HasSuffix(f.Title, " · Pehchan") && len(f.Title) > len(" · Pehchan"), "title %q", f.Title)
	want(f.Page <= nextPageBytes, "the page weighs %d bytes, want at most %d", f.Page, nextPageBytes)
	want(f.Page+f.Assets <= firstVisitBytes, "a first visit weighs %d bytes, want at most %d", f.Page+f.Assets, firstVisitBytes)
	want(f.Requests <= requestsAtMost, "%d requests, want at most %d: %v", f.Requests, requestsAtMost, f.Loads)
	want(f.Nodes <= nodesAtMost, "%d elements, want at most %d", f.Nodes, nodesAtMost)
	want(len(f.Foreign) == 0, "it loads from elsewhere: %v", f.Foreign)
	want(f.Fonts == 0, "it loads %d web fonts", f.Fonts)
	want(len(f.Unsafe) == 0, "forms without _csrf: %v", f.Unsafe)
	want(len(f.Keys) == 0, "untranslated: %v", f.Keys)

	return f, wrong
}

// overflow names what sticks out at the right of a screen this wide; "" where nothing does.
func (b *tab) overflow(width int64) string {
	b.t.Helper()
	b.screen(width)

	return eval[string](b, fmt.Sprintf(`(() => {
		if (document.documentElement.scrollWidth <= %[1]d) return "";
		const out = [...document.body.querySelectorAll("*")].filter(e => e.checkVisibility() && e.getBoundingClientRect().right > %[1]d + 0.5);
		return document.documentElement.scrollWidth + " wide: " + out.slice(-3).map(e => e.tagName + "." + e.className + " " + (e.innerText ?? "").slice(0, 40)).join(" | ");
	})()`, width))
}

// obscured names what lies wholly under something else when it gets the focus (WCAG 2.4.11), as the bars of the frame could do.
func (b *tab) obscured() []string {
	b.t.Helper()

	return eval[[]string](b, `(() => {
		const out = [];
		for (const e of document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']")) {
			if (!e.checkVisibility()) continue;
			e.focus();
			if (document.activeElement !== e) continue;
			const seen = [...e.getClientRects()].some(r => [[0.5, 0.5], [0.1, 0.1], [0.9, 0.1], [0.1, 0.9], [0.9, 0.9]].some(([x, y]) => {
				const top = document.elementFromPoint(r.left + r.width * x, r.top + r.height * y);
				return top && (e.contains(top) || top.closest("label")?.control === e);
			}));
			if (!seen) out.push(e.tagName + " " + (e.dataset.testid ?? e.getAttribute("href") ?? e.name) + " " + e.innerText.slice(0, 30));
		}
		document.activeElement.blur();
		scrollTo(0, 0);
		return out;
	})()`)
}

// dark sets whether the person's system is dark. Nothing moves, so that no colour is caught half-way.
func (b *tab) dark(on bool) {
	b.t.Helper()
	scheme := "light"
	if on {
		scheme = "dark"
	}
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
	if err != nil {
		b.t.Fatal(err)
	}
}

// axe's rules: all that count for WCAG 2.2 AA, or those alone that a change of colours can break. A rule that says itself that what it
// finds is minor or moderate is left out, as nothing of it would be told.
const (
	allRules = `{preload: false, selectors: false, resultTypes: ["violations"], rules: Object.fromEntries([
		...axe._audit.rules.filter(r => ["minor", "moderate"].includes(r.impact)).map(r => [r.id, {enabled: false}]),
		["target-size", {enabled: true}],
	])}`
	colourRules = `{preload: false, selectors: false, resultTypes: ["violations"], runOnly: {type: "rule", values: ["color-contrast", "link-in-text-block"]}}`
)

// violations are what axe calls serious or critical on the page as it is now.
func (b *tab) violations(rules string) []string {
	b.t.Helper()

	if !eval[bool](b, `!!window.axe`) {
		source, err := axeSource()
		if err != nil {
			b.t.Fatal(err)
		}
		b.do(chromedp.Evaluate[chromedp.Void](source))
	}
	var found []struct {
		ID, Impact, Help string
		Nodes            []struct {
			HTML           string
			FailureSummary string
		}
	}
	raw := eval[string](b, `axe.run(document, `+rules+`).then(r => JSON.stringify(r.violations.map(v => ({
		ID: v.id, Impact: v.impact, Help: v.help, Nodes: v.nodes.map(n => ({HTML: n.html, FailureSummary: n.failureSummary})),
	}))))`)
	if err := json.Unmarshal([]byte(raw), &found); err != nil {
		b.t.Fatalf("read axe's answer: %v", err)
	}

	var out []string
	for _, v := range found {
		if v.Impact == "serious" || v.Impact == "critical" {
			out = append(out, fmt.Sprintf("axe, %s: %s (%s), %d times: %.200s: %.300s", v.Impact, v.Help, v.ID, len(v.Nodes), v.Nodes[0].HTML, v.Nodes[0].FailureSummary))
		}
	}

	return out
}
