// Package layout draws what surrounds every page: the bar on top, the
// navigation, the messages, and the head of the document.
package layout

import (
	"context"
	"net/url"
	"slices"
	"time"

	"github.com/pehchan/pehchan/views/i18n"
)

// Frame is what the surroundings of a page need to know. The language and
// time zone come with the context (i18n.With).
type Frame struct {
	Title     string // of the page, translated
	Theme     string // "light", "dark", or "" for the device's own
	Nonce     string // of the content security policy
	CSRF      string // goes into every form as _csrf
	Path      string // path and query of this page, where the language form returns to
	Person    Person // empty for nobody signed in
	Tenant    Tenant // empty on the operator's pages
	Tenants   []Tenant
	Operator  bool      // the person has the operator's pages too
	Nav       []NavItem // what this person may open, in order
	Toast     *Toast
	Support   *Support // an operator is in a business by its leave
	Visit     bool     // somebody looks around the demo
	Shortcuts bool     // single keys are on
	// AddFactor asks for a second factor; nil where that is not to be asked here.
	AddFactor *FactorBanner
}

// FactorBanner asks somebody whose role needs it to add a second factor within some days.
type FactorBanner struct {
	Days int
	Href string
}

// Support is an operator's being in a business.
type Support struct {
	Business string
	Scope    string        // read or act
	Left     time.Duration // until it ends by itself
}

// Person is who is signed in.
type Person struct {
	Name  string
	Email string
	Role  string // key of the role: owner, lead, …; named by roles.<key>
}

// ToOperator is what the tenant menu posts in place of a business: the operator's pages.
const ToOperator = "operator"

// canSwitch tells whether there is another place than this to go to.
func (f Frame) canSwitch() bool {
	return len(f.Tenants) > 1 || f.Operator && len(f.Tenants) > 0
}

// backIn is where one signs in again and goes on with this page.
func (f Frame) backIn() string {
	return "/login?" + url.Values{"next": {f.Path}}.Encode()
}

// Tenant is a business the person belongs to.
type Tenant struct {
	ID   string
	Name string
}

// NavItem is one entry of the navigation. Key picks its words (nav.<key>) and
// icon: home, queue, inbox, contacts, changes, monthly, answers, prep, numbers, usernames, team, audit, links, settings, apps, keys,
// and for the operator tenants, held, clocks, facts, library.
type NavItem struct {
	Key     string
	Href    string
	Current bool
	Badge   string // formatted count of what waits; empty for none
}

// Toast is what was just done. Undo is the address that takes it back by
// POST, empty where there is nothing to take back.
type Toast struct {
	Text   string
	Undo   string
	Fields map[string]string
}

var navIcons = map[string]string{
	"usernames": "at-sign",
	"home":      "house", "queue": "list-checks", "inbox": "message-circle", "contacts": "users", "numbers": "smartphone", "team": "user-cog",
	"audit": "scroll-text", "settings": "settings", "apps": "plug", "keys": "key-round", "forwards": "send", "links": "link-2", "changes": "bell", "monthly": "calendar", "tenants": "building-2", "held": "archive",
	"facts": "scroll-text", "library": "life-buoy", "overview": "activity", "prep": "graduation-cap", "answers": "life-buoy", "privacy": "lock", "businesses": "search", "jobs": "hourglass", "drift": "triangle-alert", "usage": "activity", "clocks": "lock", "news": "bell", "opaudit": "scroll-text", "access": "life-buoy", "support": "life-buoy",
}

// daily are the entries that stand first at the side; the others follow in
// groups.
var daily = map[string]bool{"home": true, "queue": true, "inbox": true, "contacts": true, "overview": true, "tenants": true, "held": true, "facts": true}

// groupOf are the groups of the other entries; what is in none is the
// operator's.
var groupOf = map[string]string{
	"changes": "prepare", "answers": "prepare", "prep": "prepare", "usernames": "prepare", "monthly": "prepare",
	"numbers": "setup", "apps": "setup", "keys": "setup", "forwards": "setup", "links": "setup",
	"team": "care", "privacy": "care", "audit": "care", "support": "care", "settings": "care",
}

type navGroup struct {
	Key   string // of its heading
	Items []NavItem
}

func (f Frame) daily() []NavItem {
	var items []NavItem
	for _, item := range f.Nav {
		if daily[item.Key] {
			items = append(items, item)
		}
	}
	return items
}

// groups are the entries that keep tells of, each group under its heading. The
// daily ones come first and have none.
func (f Frame) groups(keep func(NavItem) bool) []navGroup {
	all := []navGroup{{}, {Key: "prepare"}, {Key: "setup"}, {Key: "operate"}, {Key: "care"}}
	for _, item := range f.Nav {
		if !keep(item) {
			continue
		}
		group := groupOf[item.Key]
		if group == "" && !daily[item.Key] {
			group = "operate"
		}
		at := slices.IndexFunc(all, func(g navGroup) bool { return g.Key == group })
		all[at].Items = append(all[at].Items, item)
	}

	return slices.DeleteFunc(all, func(g navGroup) bool { return len(g.Items) == 0 })
}

func rare(item NavItem) bool { return !daily[item.Key] }

func (f Frame) underMore(item NavItem) bool { return !f.bar(item) }

// bar tells whether an entry stands at the bottom of a phone: the first of the
// daily ones, of which there is room for three. The others are under More; the
// box above finds contacts too.
func (f Frame) bar(item NavItem) bool {
	inbox := slices.ContainsFunc(f.Nav, func(i NavItem) bool { return i.Key == "inbox" })
	room := 3
	for _, i := range f.Nav {
		if !daily[i.Key] || i.Key == "contacts" && inbox {
			continue
		}
		if room--; i.Key == item.Key {
			return room >= 0
		}
	}
	return false
}

func (f Frame) onMore() bool {
	for _, item := range f.Nav {
		if item.Current {
			return !f.bar(item)
		}
	}
	return true
}

func (f Frame) home() string {
	if len(f.Nav) > 0 {
		return f.Nav[0].Href
	}
	return "/"
}

func (f Frame) canSearch() bool {
	for _, item := range f.Nav {
		if item.Key == "contacts" {
			return true
		}
	}
	return false
}

// dataTheme is the value of data-theme on the document; with none the
// device's own setting picks the theme.
func (f Frame) dataTheme() string {
	switch f.Theme {
	case "light":
		return "pehchan"
	case "dark":
		return "pehchan-dark"
	}
	return ""
}

func (f Frame) shortcuts() string {
	if f.Shortcuts {
		return "on"
	}
	return "off"
}

func otherLang(ctx context.Context) string {
	if i18n.Lang(ctx) == i18n.Hindi {
		return i18n.English
	}
	return i18n.Hindi
}
