package layout_test

import (
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/a-h/templ"

	"github.com/pehchan/pehchan/static"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
)

func frame() layout.Frame {
	return layout.Frame{
		Title: "Home", Nonce: "n-1", CSRF: "t-1", Path: "/contacts?q=a&b=c",
		Person:  layout.Person{Name: "Meera", Email: "meera@asha-clinic.example", Role: "lead"},
		Tenant:  layout.Tenant{ID: "1", Name: "Asha Clinic"},
		Tenants: []layout.Tenant{{ID: "1", Name: "Asha Clinic"}, {ID: "2", Name: "Ravi Motors"}},
		Nav: []layout.NavItem{
			{Key: "home", Href: "/home", Current: true}, {Key: "queue", Href: "/resolve", Badge: "7"}, {Key: "contacts", Href: "/contacts"}, {Key: "numbers", Href: "/numbers"},
		},
		Shortcuts: true,
	}
}

func render(t *testing.T, lang string, component templ.Component) *goquery.Document {
	t.Helper()
	var out strings.Builder
	ctx := templ.WithChildren(i18n.With(t.Context(), lang, nil), templ.Raw("<h1>x</h1>"))
	if err := component.Render(ctx, &out); err != nil {
		t.Fatalf("render: %v", err)
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(out.String()))
	if err != nil {
		t.Fatalf("read what was rendered: %v", err)
	}
	return doc
}

func TestPageKeepsToTheContentPolicy(t *testing.T) {
	t.Parallel()
	f := frame()
	f.Toast = &layout.Toast{Text: "Done", Undo: "/links/1/undo"}
	for _, doc := range []*goquery.Document{render(t, "en", layout.Page(f)), render(t, "hi", layout.Outside(f, false))} {
		doc.Find("*").Each(func(_ int, s *goquery.Selection) {
			for _, attr := range s.Nodes[0].Attr {
				if attr.Key == "style" || strings.HasPrefix(attr.Key, "on") || strings.HasPrefix(attr.Key, "hx-on") {
					t.Errorf("<%s> has %s=%q", s.Nodes[0].Data, attr.Key, attr.Val)
				}
			}
		})
		doc.Find("script").Each(func(_ int, s *goquery.Selection) {
			if s.AttrOr("nonce", "") != "n-1" || s.Text() != "" || !strings.HasPrefix(s.AttrOr("src", ""), static.Prefix) {
				t.Error("a script is inline, foreign, or without nonce")
			}
		})
		if doc.Find("style").Length() != 0 {
			t.Error("the page has an inline style sheet")
		}
	}
}

func TestPageSpeaksTheLanguageOfItsReader(t *testing.T) {
	t.Parallel()
	for lang, want := range map[string]struct{ home, other string }{"en": {"Home", "hi"}, "hi": {"होम", "en"}} {
		doc := render(t, lang, layout.Page(frame()))
		if got := doc.Find("html").AttrOr("lang", ""); got != lang {
			t.Errorf("lang = %q, want %q", got, lang)
		}
		if got := strings.TrimSpace(doc.Find(".sidenav [data-testid=nav-home]").Text()); got != want.home {
			t.Errorf("%s: navigation starts with %q, want %q", lang, got, want.home)
		}
		button := doc.Find("[data-testid=language]")
		if got := button.AttrOr("value", ""); got != want.other {
			t.Errorf("%s: the button leads to %q, want %q", lang, got, want.other)
		}
		if got := button.Closest("form").Find("[name=next]").AttrOr("value", ""); got != "/contacts?q=a&b=c" {
			t.Errorf("%s: returns to %q, want the page it stands on", lang, got)
		}
	}
}

func TestThemeIsOnTheDocumentFromTheStart(t *testing.T) {
	t.Parallel()
	for theme, want := range map[string]string{"": "", "light": "pehchan", "dark": "pehchan-dark", "<bad>": ""} {
		f := frame()
		f.Theme = theme
		if got := render(t, "en", layout.Page(f)).Find("html").AttrOr("data-theme", ""); got != want {
			t.Errorf("theme %q: data-theme = %q, want %q", theme, got, want)
		}
	}
}

func TestNavigationShowsWhatWaitsAndWhereWeAre(t *testing.T) {
	t.Parallel()
	doc := render(t, "en", layout.Page(frame()))
	if got := doc.Find(".bottombar a").Length(); got != 4 {
		t.Errorf("the phone's bar has %d entries, want home, queue, contacts and more", got)
	}
	if doc.Find(".bottombar [data-testid=nav-numbers]").Length() != 0 {
		t.Error("numbers stands in the phone's bar, want it under More")
	}
	owner := frame()
	owner.Nav = nil
	for _, key := range []string{"home", "queue", "inbox", "contacts", "overview", "numbers"} {
		owner.Nav = append(owner.Nav, layout.NavItem{Key: key, Href: "/" + key})
	}
	full := render(t, "en", layout.Page(owner))
	if got := full.Find(".bottombar a").Length(); got != 4 || full.Find(".bottombar [data-testid=nav-inbox]").Length() != 1 || full.Find(".bottombar [data-testid=nav-overview]").Length() != 0 {
		t.Errorf("the phone's bar of an owner has %d entries, want home, queue, inbox and more", got)
	}
	if got := doc.Find(".sidenav .count-queue").Text(); !strings.HasPrefix(got, "7") {
		t.Errorf("badge of the queue = %q, want 7", got)
	}
	if got := doc.Find(".sidenav [aria-current=page]").Length(); got != 1 {
		t.Errorf("%d entries are current, want 1", got)
	}
	if doc.Find("form[role=search]").Length() != 1 {
		t.Error("no search for somebody who may see contacts")
	}
	f := frame()
	f.Nav = f.Nav[:1]
	if render(t, "en", layout.Page(f)).Find("form[role=search]").Length() != 0 {
		t.Error("search is offered to somebody who may not see contacts")
	}
}

func TestToastOffersUndoByPost(t *testing.T) {
	t.Parallel()
	f := frame()
	f.Toast = &layout.Toast{Text: "Joseph is no longer in the team."}
	f.Toast.Undo, f.Toast.Fields = "/team", map[string]string{"role": "agent"}
	form := render(t, "en", layout.Page(f)).Find("#toasts form")
	if form.AttrOr("method", "") != "post" || form.AttrOr("action", "") != "/team" || form.Find("[name=role]").AttrOr("value", "") != "agent" {
		t.Error("undo is not a post of what was removed")
	}
}
