// Package front draws the pages in front of the product, which anybody may open: what it is, the free check, how well it works, the demo.
package front

import (
	"context"
	"slices"

	"github.com/pehchan/pehchan/views/changes"
	"github.com/pehchan/pehchan/views/i18n"
)

// Around is what surrounds each of these pages. They need no script and set no cookie but the one that remembers a language chosen here.
type Around struct {
	Title string // translated
	Theme string // "light", "dark", or "" for the device's own
	Path  string // of this page, with what it holds and without a language
	Begin bool   // one may set a business up by oneself
	Demo  bool   // a demo runs here
}

func (a Around) dataTheme() string {
	switch a.Theme {
	case "light":
		return "pehchan"
	case "dark":
		return "pehchan-dark"
	}
	return ""
}

// in is this page in a language.
func (a Around) in(lang string) string {
	for _, r := range a.Path {
		if r == '?' {
			return a.Path + "&lang=" + lang
		}
	}
	return a.Path + "?lang=" + lang
}

func otherLang(ctx context.Context) string {
	if i18n.Lang(ctx) == i18n.Hindi {
		return i18n.English
	}
	return i18n.Hindi
}

// Welcome is the first page for somebody who has not signed in.
type Welcome struct {
	Around
	Home      *changes.Fact  // what the ledger says of the country the product is made for first; nil where it says nothing
	Countries []changes.Fact // of the others, by name, the rest of the world last
	NoFacts   bool           // the ledger could not be read now
}

// tone is the look of a status. A fact that needs checking has none.
func tone(f changes.Fact) string {
	switch {
	case f.Stale:
		return ""
	case f.Value == "live":
		return "good"
	case f.Value == "paused":
		return "needs"
	}
	return ""
}

// group are countries of which the same is known since the same day.
type group struct {
	facts []changes.Fact
}

func (p Welcome) groups() (list []group) {
	for _, f := range p.Countries {
		at := slices.IndexFunc(list, func(g group) bool {
			first := g.facts[0]
			return first.Country != "" && f.Country != "" && first.Value == f.Value && first.Stale == f.Stale && first.Verified.Equal(f.Verified)
		})
		if at < 0 {
			list = append(list, group{[]changes.Fact{f}})
			continue
		}
		list[at].facts = append(list[at].facts, f)
	}
	return list
}
