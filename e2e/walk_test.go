package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Who walks: the owner of a business with a past, of one with nothing yet, somebody of two businesses, the operator, nobody.
const (
	filled   = "Asha"
	empty    = "Ravi"
	twice    = "Joseph"
	operator = "Olga"
	nobody   = ""
)

// page is one page of the walk: a route that answers GET with a page.
type page struct {
	route string
	by    []string                // filled and empty where left out, or filled alone where the route has ids
	to    func(w *world) []string // the addresses, where the route is not the only one
}

// pages is the walk. A route that answers GET and is neither here nor in noPages fails it.
var pages = []page{
	{route: "/", by: []string{nobody}},
	{route: "/check", by: []string{nobody}, to: func(*world) []string {
		return []string{"/check", "/check?a=yn", "/check?a=ynuyunxy", "/check?a=yyyyyyyy"}
	}},
	{route: "/status", by: []string{nobody}},
	{route: "/demo", by: []string{nobody}},
	{route: "/login", by: []string{nobody}},
	{route: "/help", by: []string{nobody, filled}},
	{route: "/choose", by: []string{twice}},
	{route: "/more"},
	{route: "/home"},
	{route: "/start", to: func(*world) []string {
		return []string{"/start", "/start?step=connect", "/start?step=event", "/start?step=invite", "/start?step=tasks"}
	}},
	{route: "/reports/monthly"},
	{route: "/reports/monthly/rows", by: []string{filled}, to: func(*world) []string {
		month := "/reports/monthly/rows?month=" + time.Now().Format("2006-01") + "&show="
		return []string{month + "auto", month + "decided"}
	}},
	{route: "/closing"},
	{route: "/support-access"},
	{route: "/op/access", by: []string{operator}},
	{route: "/op/tenants", by: []string{operator}},
	{route: "/op/tenants/new", by: []string{operator}},
	{route: "/op/tenants/:id", by: []string{operator}, to: func(w *world) []string { return []string{"/op/tenants/" + w.clinic.ID.String()} }},
	{route: "/op/drift", by: []string{operator}},
	{route: "/op/jobs", by: []string{operator}},
	{route: "/op/usage", by: []string{operator}},
	{route: "/op/privacy", by: []string{operator}},
	{route: "/op/news", by: []string{operator}},
	{route: "/op/audit", by: []string{operator}},
	{route: "/changes", to: func(*world) []string {
		return []string{"/changes", "/changes?country=IN", "/changes?topic=answers"}
	}},
	{route: "/prep/faq", to: func(*world) []string {
		return []string{"/prep/faq", "/prep/faq?q=nobody+asks+zebra", "/prep/faq?for=team"}
	}},
	{route: "/prep/faq/new"},
	{route: "/prep/faq/:id", to: func(*world) []string { return []string{"/prep/faq/india", "/prep/faq/really_you"} }},
	{route: "/prep/faq/:id/edit", to: func(*world) []string { return []string{"/prep/faq/india/edit"} }},
	{route: "/prep/macros/new"},
	{route: "/prep/macros/:id/edit", to: func(*world) []string { return []string{"/prep/macros/m01/edit"} }},
	{route: "/prep/macros", to: func(w *world) []string {
		return []string{"/prep/macros?lang=hinglish", "/prep/macros?lang=hi&for=" + strings.TrimPrefix(w.contacts[0], "/contacts/")}
	}},
	{route: "/prep/questions"},
	{route: "/overview", to: func(*world) []string { return []string{"/overview", "/overview?days=90&country=IN"} }},
	{route: "/overview/rows", to: func(*world) []string {
		return []string{"/overview/rows?show=linked_auto", "/overview/rows?days=90&show=linked_manual_back", "/overview/rows?show=decided"}
	}},
	{route: "/adoption/people", to: func(*world) []string {
		return []string{"/adoption/people?show=id&days=90", "/adoption/people?week=2020-01-06"}
	}},
	{route: "/adoption/impact"},
	{route: "/adoption/forecast", to: func(*world) []string { return []string{"/adoption/forecast", "/adoption/forecast?within=30&known=1"} }},
	{route: "/adoption/reach", to: func(*world) []string { return []string{"/adoption/reach?save=%2Fcontacts%3Freach%3Did"} }},
	{route: "/numbers"},
	{route: "/numbers/new"},
	{route: "/numbers/new/manual"},
	{route: "/numbers/new/embedded", by: []string{filled}, to: func(*world) []string {
		return []string{"/numbers/new/embedded?way=keep", "/numbers/new/embedded?way=fresh"}
	}},
	{route: "/numbers/new/embedded", to: func(*world) []string {
		return []string{"/numbers/new/embedded?way=keep", "/numbers/new/embedded?way=fresh"}
	}},
	{route: "/numbers/:id", to: func(w *world) []string { return w.numbers }},
	{route: "/numbers/:id/phone-free", to: func(w *world) []string { return []string{w.numbers[0] + "/phone-free"} }},
	{route: "/numbers/:id/health", to: func(w *world) []string {
		health := make([]string, len(w.numbers))
		for i, n := range w.numbers {
			health[i] = n + "/health"
		}
		return health
	}},
	{route: "/numbers/items", to: func(*world) []string { return []string{"/numbers/items", "/numbers/items?state=waiting"} }},
	{route: "/numbers/:id/items", to: func(w *world) []string { return []string{w.numbers[0] + "/items"} }},
	{route: "/numbers/:id/items/:item", to: func(w *world) []string { return []string{w.item} }},
	{route: "/numbers/items/:item", to: func(w *world) []string { return []string{w.odd} }},
	{route: "/resolve", to: func(*world) []string {
		return []string{"/resolve", "/resolve?tab=new", "/resolve?tab=suggested&sign=typed_number", "/resolve?tab=conflicts", "/resolve?tab=waiting", "/resolve?tab=done", "/resolve?tab=open&kind=unresolved&age=day"}
	}},
	{route: "/resolve/many/:id", to: func(w *world) []string { return []string{w.many} }},
	{route: "/resolve/:id", to: func(w *world) []string { return w.cases }},
	{route: "/resolve/:id/ask", to: func(w *world) []string { return w.asked }},
	{route: "/contacts/:id/ask", to: func(w *world) []string { return append(w.asking, w.asking[1]+"?lang=hi&purpose=order") }},
	{route: "/contacts/:id/code", to: func(w *world) []string { return []string{w.coding} }},
	{route: "/resolve/:id/event", to: func(w *world) []string { return []string{w.event} }},
	{route: "/inbox", to: func(*world) []string {
		return []string{"/inbox", "/inbox?state=waiting", "/inbox?who=mine", "/inbox?q=nobody+at+all"}
	}},
	{route: "/inbox/:id", to: func(w *world) []string { return w.talks }},
	{route: "/contacts", to: func(*world) []string { return []string{"/contacts", "/contacts?q=nobody+at+all"} }},
	{route: "/contacts/import"},
	{route: "/contacts/import/:id", to: func(w *world) []string { return w.lists }},
	{route: "/contacts/export"},
	{route: "/contacts/:id", to: func(w *world) []string { return w.contacts }},
	{route: "/contacts/:id/evidence/:item", to: func(w *world) []string { return []string{w.proof} }},
	{route: "/merges/preview", by: []string{filled}, to: func(w *world) []string { return []string{w.preview, w.risky} }},
	{route: "/merges/:id", to: func(w *world) []string { return w.receipts }},
	{route: "/prep"},
	{route: "/prep/poster"},
	{route: "/prep/escalations", to: func(w *world) []string {
		return []string{"/prep/escalations?contact=" + strings.TrimPrefix(w.contacts[0], "/contacts/")}
	}},
	{route: "/prep/items"},
	{route: "/prep/quality"},
	{route: "/prep/propose", to: func(w *world) []string {
		return []string{"/prep/propose?contact=" + strings.TrimPrefix(w.contacts[0], "/contacts/")}
	}},
	{route: "/prep/briefing", to: func(*world) []string {
		return []string{"/prep/briefing?for=owner&lang=hi", "/prep/briefing?for=developer&lang=en"}
	}},
	{route: "/briefing/:token", by: []string{nobody}, to: func(w *world) []string { return []string{w.briefing} }},
	{route: "/prep/learn"},
	{route: "/prep/learn/:lesson", to: func(w *world) []string { return []string{w.lesson} }},
	{route: "/prep/quiz/:id", to: func(w *world) []string { return w.quizzes }},
	{route: "/prep/drill/:id", to: func(w *world) []string { return []string{w.drill} }},
	{route: "/prep/drill/:id/:try", to: func(w *world) []string { return w.chats }},
	{route: "/usernames"},
	{route: "/usernames/ideas", to: func(*world) []string { return []string{"/usernames/ideas", "/usernames/ideas?check=asha..clinic!"} }},
	{route: "/usernames/watch", to: func(*world) []string { return []string{"/usernames/watch?name=asha_clinic"} }},
	{route: "/usernames/kit"},
	{route: "/usernames/trust"},
	{route: "/usernames/:id", to: func(w *world) []string { return w.named }},
	{route: "/usernames/:id/confirm", to: func(w *world) []string {
		return []string{w.named[0] + "/confirm?do=delete&name=asha.clinic", w.named[1] + "/confirm?do=claim&name=asha.lab"}
	}},
	{route: "/t/:slug", by: []string{nobody}, to: func(w *world) []string { return []string{"/t/" + w.clinic.Slug, "/t/" + w.clinic.Slug + "?sent=1"} }},
	{route: "/apps"},
	{route: "/team"},
	{route: "/team/roles", by: []string{filled}},
	{route: "/team/:id/leave", to: func(w *world) []string {
		return []string{"/team/" + w.meera.ID + "/leave", "/team/" + w.meera.ID + "/leave?role=auditor"}
	}},
	{route: "/team/:id", to: func(w *world) []string { return []string{"/team/" + w.meera.ID} }},
	{route: "/privacy"},
	{route: "/privacy/record"},
	{route: "/privacy/incidents/new", by: []string{filled}},
	{route: "/privacy/incidents/:id", to: func(w *world) []string { return w.incidents }},
	{route: "/privacy/requests/:id", to: func(w *world) []string { return w.wishes }},
	{route: "/audit"},
	{route: "/settings"},
	{route: "/settings/security", by: []string{filled, operator}},
	{route: "/settings/links"},
	{route: "/settings/links/:kind", to: func(*world) []string {
		return []string{"/settings/links/card_request?to=off", "/settings/links/quoted_reply", "/settings/links/same_parent?to=on"}
	}},
	{route: "/dev/keys"},
	{route: "/dev/forwards"},
	{route: "/dev/forwards/:id", to: func(w *world) []string { return []string{w.forward, w.forward + "?state=sent"} }},
	{route: "/dev/docs", by: []string{filled}},
	{route: "/dev/docs/:call", to: func(*world) []string { return []string{"/dev/docs/resolve", "/dev/docs/connectNumber"} }},
	{route: "/signup", by: []string{nobody}},
	{route: "/signup/:token", by: []string{nobody}, to: func(w *world) []string { return []string{w.signup} }},
	{route: "/email/:token", by: []string{nobody}, to: func(w *world) []string { return []string{w.email} }},
	{route: "/email/undo/:token", by: []string{nobody}, to: func(w *world) []string { return []string{w.emailBack} }},
	{route: "/confirm", by: []string{filled}, to: func(*world) []string { return []string{"/confirm?next=%2Fteam&again=1"} }},
	{route: "/invite/:token", by: []string{nobody}, to: func(w *world) []string { return []string{w.invite} }},
	{route: "/invite/by/:token", by: []string{nobody}, to: func(w *world) []string { return []string{w.shared} }},
	{route: "/forgot", by: []string{nobody}},
	{route: "/reset/:token", by: []string{nobody}, to: func(w *world) []string { return []string{w.reset} }},
	{route: "/mails/leave/:token", to: func(w *world) []string { return []string{w.leave} }},
	{route: "/op", by: []string{operator}},
	{route: "/op/held", by: []string{operator}},
	{route: "/op/items", by: []string{operator}},
	{route: "/op/items/:id", by: []string{operator}, to: func(*world) []string { return []string{"/op/items/a01"} }},
	{route: "/op/facts", by: []string{operator}},
	{route: "/op/facts/new", by: []string{operator}},
	{route: "/op/facts/:key", by: []string{operator}, to: func(*world) []string { return []string{"/op/facts/usernames.in"} }},
	{route: "/op/library", by: []string{operator}},
	{route: "/op/library/new", by: []string{operator}},
	{route: "/op/library/:kind/:key", by: []string{operator}, to: func(*world) []string { return []string{"/op/library/card/compulsory"} }},
}

// noPages are the routes that answer GET with something else; a trailing star stands for any ending.
var noPages = []string{
	"/healthz", "/readyz", "/static/*", "/hooks/*", "/api/v1/*", // not for people
	"/login/step",                             // is another test's, as it follows a password
	"/resolve/next", "/adoption/segments/:id", // lead on
	"/events",                                                                                                      // a stream
	"/numbers/:id/live", "/numbers/:id/health/live", "/contacts/import/:id/live", "/start/live", "/inbox/:id/live", // parts of pages
	"/contacts/import/sample", "/contacts/import/:id/problems", "/media/:message", "/adoption/export", "/op/usage/export", "/privacy/requests/:id/receipt", // files
	"/privacy/record/file", "/overview/export", "/adoption/impact/export", "/adoption/forecast/export", "/adoption/reach/export", "/reports/monthly/export", "/prep/quality/export",
	"/numbers/:id/health/export",
}

// refusals are pages that a route gives only to those it refuses.
var refusals = []struct {
	path   string
	by     string
	status int
}{
	{"/nowhere", filled, http.StatusNotFound},
	{"/nowhere", nobody, http.StatusNotFound},
	{"/op", filled, http.StatusForbidden},
	{"/invite/over", nobody, http.StatusGone},
	{"/invite/by/over", nobody, http.StatusGone},
	{"/reset/over", nobody, http.StatusGone},
	{"/briefing/over", nobody, http.StatusGone},
	{"/t/ravi-motors", nobody, http.StatusNotFound},
}

func TestWalkIsComplete(t *testing.T) {
	t.Parallel()

	routes := map[string]bool{}
	for _, r := range newSite(t).server.Routes() {
		if r.Method != http.MethodGet {
			continue
		}
		routes[r.Path] = true
		none := slices.ContainsFunc(noPages, func(path string) bool {
			prefix, open := strings.CutSuffix(path, "*")
			return path == r.Path || open && strings.HasPrefix(r.Path, prefix)
		})
		walked := slices.ContainsFunc(pages, func(p page) bool { return p.route == r.Path })
		if none == walked {
			t.Errorf("GET %s: want it in pages or in noPages, and in one of them", r.Path)
		}
	}
	for _, p := range pages {
		if !routes[p.route] {
			t.Errorf("the walk has a page %s that is no route", p.route)
		}
		if strings.Contains(p.route, ":") && p.to == nil {
			t.Errorf("the walk knows no address of %s", p.route)
		}
	}
}

// Every page, in both languages, on a phone and wide, light and dark, with and without data.
func TestWalk(t *testing.T) {
	t.Parallel()

	for _, lang := range []string{"en", "hi"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for _, who := range []string{filled, empty, twice, operator, nobody} {
				w.walk(t, lang, who)
			}
		})
	}
}

// walk goes through all pages of one person in one language.
func (w *world) walk(t *testing.T, lang, who string) {
	t.Helper()

	b := w.tab(t, phone)
	b.dark(false)
	if who == nobody {
		b.open("/login")
	} else {
		b.signIn(who)
	}
	b.speak(lang)
	for _, p := range pages {
		for i, path := range p.addresses(w, who) {
			w.look(b, lang, who, path, http.StatusOK)
			b.pictures(fmt.Sprintf("%s-%d.%s.%s", strings.Trim(strings.NewReplacer("/", "-", ":", "").Replace(p.route), "-"), i, strings.ToLower(who), lang))
		}
	}
	for _, r := range refusals {
		if r.by == who {
			w.look(b, lang, who, r.path, r.status)
		}
	}
}

// addresses are where somebody sees the page; none where it is not theirs to walk.
func (p page) addresses(w *world, who string) []string {
	by := p.by
	if by == nil {
		by = []string{filled, empty}
		if strings.Contains(p.route, ":") {
			by = by[:1]
		}
	}
	switch {
	case !slices.Contains(by, who):
		return nil
	case p.to != nil && who != empty:
		return p.to(w)
	}

	return []string{p.route}
}

// look judges one page in one language, on all screens and in both themes.
func (w *world) look(b *tab, lang, who, path string, status int) {
	b.t.Helper()

	// Each language is judged light on one screen and dark on the other: what a screen or a theme breaks, it breaks in both.
	light, dark := int64(phone), int64(wide)
	if lang == "hi" {
		light, dark = wide, phone
	}
	// The others see the same pages with less on them: those are judged once.
	whole := who == filled || who == nobody

	b.screen(phone)
	b.open(path)
	_, wrong := b.inspect(lang, status)
	if under := b.obscured(); len(under) > 0 {
		wrong = append(wrong, fmt.Sprintf("with the focus it is hidden: %v", under))
	}
	// Every change of the screen lays the page out and paints it anew: each comes once.
	for _, width := range []int64{phone, narrow, wide} {
		if sticks := b.overflow(width); sticks != "" {
			wrong = append(wrong, fmt.Sprintf("at %d pixels: %s", width, sticks))
		}
		switch {
		case width == light && (whole || lang == "en"):
			wrong = append(wrong, b.violations(allRules)...)
		case width == dark && whole:
			b.dark(true)
			wrong = append(wrong, b.violations(colourRules)...)
			b.dark(false)
		}
	}
	for _, what := range wrong {
		b.t.Errorf("%s as %q in %s: %s", path, who, lang, what)
	}
}

// pictures keeps how a page looks, on a phone and wide, light and dark, in the folder named by PEHCHAN_SHOTS, if one is.
func (b *tab) pictures(name string) {
	b.t.Helper()

	dir := os.Getenv("PEHCHAN_SHOTS")
	if dir == "" {
		return
	}
	defer b.dark(false)
	for _, theme := range []string{"light", "dark"} {
		b.dark(theme == "dark")
		for _, width := range []int64{phone, wide} {
			b.screen(width)
			shot, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
			if err != nil {
				b.t.Fatal(err)
			}
			file := filepath.Join(dir, fmt.Sprintf("%s.%d.%s.png", name, width, theme))
			if err := os.WriteFile(file, shot, 0o600); err != nil {
				b.t.Fatal(err)
			}
		}
	}
}
