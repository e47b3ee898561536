package operator

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/pehchan/pehchan/views/answers"
	"github.com/pehchan/pehchan/views/changes"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
)

const libraryPath = "/op/library"

// Library lists the built-in cards and macros for the platform's operators.
type Library struct {
	Frame  layout.Frame
	Query  string
	Kind   string // of the filter: card, macro or empty
	State  string // of the filter: one of States or empty
	States []string
	Items  []LibraryRow
	Found  int // all that the filters and the question leave
	Verify int // of all, those to be verified again
	Next   string

	CanWrite bool
}

// LibraryRow is one card or macro of the list.
type LibraryRow struct {
	Kind, Key string
	Title     string // in the reader's language
	Audience  string // of a card
	Edited    bool   // an operator's words stand in place of those that ship
	Added     bool   // an operator wrote it, and nothing ships beneath it
	Withdrawn bool   // such a one is taken from every business
	Moved     bool   // what ships has changed since
	Doubtful  bool   // to be verified again
	Expired   bool   // the day came by which an operator wanted it verified
	Others    int    // businesses with words of their own
	Verified  time.Time
}

func (r LibraryRow) href() string { return libraryPath + "/" + r.Kind + "/" + r.Key }

func (p Library) answer(ctx context.Context) string {
	if p.Verify == 0 {
		return i18n.T(ctx, "library.all_verified")
	}
	return i18n.N(ctx, "library.to_verify", p.Verify)
}

func (p Library) link(kind, state string) string {
	q := url.Values{}
	for name, value := range map[string]string{"q": p.Query, "kind": kind, "state": state} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if len(q) == 0 {
		return libraryPath
	}
	return libraryPath + "?" + q.Encode()
}

func (p Library) kinds(ctx context.Context) []components.Chip {
	chips := []components.Chip{{Label: i18n.T(ctx, "library.kind_all"), Href: p.link("", p.State), Current: p.Kind == ""}}
	for _, kind := range []string{"card", "macro"} {
		chips = append(chips, components.Chip{Label: i18n.T(ctx, "library.kinds_"+kind), Href: p.link(kind, p.State), Current: p.Kind == kind})
	}
	return chips
}

func (p Library) states(ctx context.Context) []components.Chip {
	chips := []components.Chip{{Label: i18n.T(ctx, "library.state_all"), Href: p.link(p.Kind, ""), Current: p.State == ""}}
	for _, state := range p.States {
		chips = append(chips, components.Chip{Label: i18n.T(ctx, "library.state_"+state), Href: p.link(p.Kind, state), Current: p.State == state})
	}
	return chips
}

// LibraryCard is one card or macro with its history and the form that changes it. The form posts do=preview, then do=save, or do=verify, or
// do=restore with the version to, or do=withdraw, to the page's own address. That of a new card, which has no Key, posts do=preview, then
// do=save, to /op/library.
type LibraryCard struct {
	Frame    layout.Frame
	Kind     string // card or macro
	Key      string
	Title    string // in the reader's language
	Audience string // of a card
	Guard    string // of a macro: lead, linked or empty
	Country  string // ISO code; empty for everywhere
	Texts    []LibraryText
	Ships    []LibraryText // what ships, where an operator's words stand in its place
	Facts    []changes.Fact
	Doubts   []answers.AnswerDoubt
	Version  int // 0 where no operator has touched it
	Edited   bool
	Added    bool // an operator wrote it, and nothing ships beneath it
	Gone     bool // such a one is taken from every business
	Moved    bool
	By       string
	At       time.Time
	Verified time.Time
	Until    time.Time
	Reach    LibraryReach
	History  []LibraryVersion
	Form     components.Filled
	Preview  *LibraryPreview // what do=save would do; nil before
	CanWrite bool
	Today    string // 2006-01-02
}

// LibraryReach is whom a card or macro concerns: counts, and nothing of anybody's words.
type LibraryReach struct {
	See, Others            int // businesses that have it, and that have words of their own instead
	Lessons, Items, Drills int // that stand on the same facts
	Macros                 int // that do so too, beside itself
}

// LibraryText is what a card or macro says in one language.
type LibraryText struct {
	Lang  string // en, hi or hinglish
	Parts []LibraryPart
}

// LibraryPart is one text of it: library.part_<Name>.
type LibraryPart struct{ Name, Text string }

// LibraryVersion is what an operator once did to a card or macro.
type LibraryVersion struct {
	Version int
	Did     string   // edit, verify, restore, add or withdraw
	Ships   bool     // from there on what ships counted
	Changed []string // the fields that differ from the version before
	By      string
	At      time.Time
	Texts   []LibraryText
	Current bool
}

// LibraryPreview says what a change does before it is made.
type LibraryPreview struct {
	Texts   []LibraryText
	Changed []string
	Ships   bool // its words are those that ship
}

func (p LibraryCard) isNew() bool { return p.Key == "" }

func (p LibraryCard) action() string {
	if p.isNew() {
		return libraryPath
	}
	return libraryPath + "/" + p.Kind + "/" + p.Key
}

// back is the version that brings a card back that was taken away: the last that has words.
func (p LibraryCard) back() int {
	for _, v := range p.History {
		if v.Did != "withdraw" {
			return v.Version
		}
	}
	return 0
}

// libraryAudiences are whom a new card may be for.
func libraryAudiences(ctx context.Context) []components.Option {
	var list []components.Option
	for _, audience := range []string{"customers", "team", "business"} {
		list = append(list, components.Option{Value: audience, Label: i18n.T(ctx, "answers.for_"+audience)})
	}
	return list
}

func (p LibraryCard) nowTitle(ctx context.Context) string {
	if p.Gone {
		return i18n.T(ctx, "library.said_last")
	}
	return i18n.T(ctx, "library.now")
}

func (p LibraryCard) formTitle(ctx context.Context) string {
	if p.isNew() {
		return i18n.T(ctx, "library.write")
	}
	return i18n.T(ctx, "library.change")
}

func (p LibraryCard) sub(ctx context.Context) string {
	words := i18n.T(ctx, "library.kind_"+p.Kind)
	if p.Audience != "" {
		words += " · " + i18n.T(ctx, "answers.for_"+p.Audience) + " · " + p.place(ctx)
	}
	if p.Guard != "" {
		words += " · " + i18n.T(ctx, "macros.guard_"+p.Guard)
	}
	return words
}

func (p LibraryCard) place(ctx context.Context) string {
	if p.Country == "" {
		return i18n.T(ctx, "answers.everywhere")
	}
	return i18n.Country(ctx, p.Country)
}

// changedWords name fields such as short_hi for a reader.
func changedWords(ctx context.Context, fields []string) string {
	var list []string
	for _, field := range fields {
		part, lang, both := strings.Cut(field, "_")
		words := i18n.T(ctx, "library.part_"+part)
		if both {
			words += " (" + i18n.T(ctx, "macros.lang_"+lang) + ")"
		}
		list = append(list, words)
	}
	return strings.Join(list, ", ")
}

// libraryPart is one text that a form asks for, in each language.
type libraryPart struct {
	name       string
	rows, most int
	optional   bool
	langs      []string
}

var (
	bothLangs    = []string{"en", "hi"}
	libraryParts = map[string][]libraryPart{
		"card": {
			{"question", 2, 160, false, bothLangs},
			{"short", 3, 200, false, bothLangs},
			{"long", 6, 2000, false, bothLangs},
			{"never", 3, 2000, false, bothLangs},
			{"source", 2, 160, true, bothLangs},
		},
		"macro": {
			{"title", 2, 160, false, bothLangs},
			{"when", 2, 1000, false, bothLangs},
			{"text", 4, 1000, false, []string{"en", "hi", "hinglish"}},
		},
	}
)

// wordsLang is the language of a text for a browser: Hinglish is Hindi in Latin letters.
func wordsLang(lang string) string {
	if lang == "hinglish" {
		return "hi-Latn"
	}
	return lang
}

// LibraryFields are the fields of the form of a card or macro, in the order they stand in.
func LibraryFields(kind string) []string {
	fields := []string{"version"}
	for _, part := range libraryParts[kind] {
		for _, lang := range part.langs {
			fields = append(fields, part.name+"_"+lang)
		}
	}
	if kind == "card" {
		fields = append(fields, "country", "asks", "audience") // the last of a new card alone
	}
	return append(fields, "facts", "verified_on", "expires_on")
}

func (p LibraryCard) carried() [][2]string {
	var out [][2]string
	for _, name := range LibraryFields(p.Kind) {
		out = append(out, [2]string{name, p.Form.Value(name)})
	}
	return out
}
