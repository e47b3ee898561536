package answers

import (
	"context"
	"net/url"
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
	"github.com/pehchan/pehchan/views/people"
)

// Macros lists the messages that are sent often, as one customer would get them.
type Macros struct {
	Frame     layout.Frame
	Lang      string // of the texts
	Languages []string
	For       string // id of the customer; empty for none
	ForName   string
	Linked    bool // it is settled who that is
	Query     string
	Found     []people.Someone
	Items     []Macro
	CanAnswer bool // may write to customers
	CanEdit   bool
}

// Macro is one of them, filled in.
type Macro struct {
	Key        string
	Title      string
	When       string
	Guard      string // lead, linked or empty
	NeedsFacts bool
	Text       string
	Missing    []string // variables: macros.var_<name>
	Refused    string   // in words; empty where it may be sent
	Ready      bool     // it may go to the customer it is shown for
	Uses       int

	Own     bool // nothing of the platform's is beneath it
	Version int  // of the business's own words; 0 for the platform's
	By      string
	At      time.Time
	Checked Checked
	Doubts  []AnswerDoubt // why the business's own words are to be checked again
}

// MacroEdit is the editor of a macro, of a new one where Key is empty. It posts to /prep/macros/{key} or /prep/macros (version, guard, title_en,
// title_hi, when_en, when_hi, text_en, text_hi, text_hinglish), and version to /check and /restore below it.
type MacroEdit struct {
	Frame   layout.Frame
	Key     string
	Own     bool // of the business alone: its guard may be chosen
	Guard   string
	Version int // of the business's own words; 0 for none
	History []MacroVersion
	Under   []MacroWords // the platform's words beneath the business's own
	Checked Checked
	Doubts  []AnswerDoubt
	Form    components.Filled
}

// MacroVersion is a text of the business, as it was.
type MacroVersion struct {
	Version int
	Removed bool
	By      string
	At      time.Time
	Text    string // in the reader's language
	Current bool
}

// MacroWords are what a macro says in one language.
type MacroWords struct{ Lang, Text string }

func (p MacroEdit) action() string {
	if p.Key == "" {
		return "/prep/macros"
	}
	return "/prep/macros/" + p.Key
}

func (p MacroEdit) guards(ctx context.Context) []components.Option {
	return []components.Option{
		{Value: "", Label: i18n.T(ctx, "macros.guard_none")}, {Value: "linked", Label: i18n.T(ctx, "macros.guard_linked")}, {Value: "lead", Label: i18n.T(ctx, "macros.guard_lead")},
	}
}

// macroTexts are the texts of the editor, by field.
var macroTexts = []struct {
	name  string
	langs []string
	rows  int
	most  int
}{{"title", []string{"en", "hi"}, 1, 160}, {"when", []string{"en", "hi"}, 2, 1000}, {"text", []string{"en", "hi", "hinglish"}, 5, 1000}}

func (p Macros) chips(ctx context.Context) []components.Chip {
	var chips []components.Chip
	for _, lang := range p.Languages {
		q := url.Values{"lang": {lang}}
		if p.For != "" {
			q.Set("for", p.For)
		}
		chips = append(chips, components.Chip{Label: i18n.T(ctx, "macros.lang_"+lang), Href: "/prep/macros?" + q.Encode(), Current: lang == p.Lang})
	}
	return chips
}

func (p Macros) forHref(id string) string {
	return "/prep/macros?" + url.Values{"lang": {p.Lang}, "for": {id}}.Encode()
}

// insert is where a macro stands in the message to the customer.
func (p Macros) insert(m Macro) string {
	return "/inbox/" + p.For + "?" + url.Values{"macro": {m.Key}, "in": {p.Lang}}.Encode() + "#write"
}

// textLang is how a text in a language is marked up: Hinglish is Hindi in Latin letters.
func textLang(lang string) string {
	if lang == "hinglish" {
		return "hi-Latn"
	}
	return lang
}

// Questions lists what customers ask. Its groups post to /prep/questions/{id}/card (card) and /prep/questions/{id}/remove.
type Questions struct {
	Frame      layout.Frame
	Now        time.Time
	Count      int
	OnlyOpen   bool // those that no card answers
	OnlyLearnt bool // those of which somebody learnt something
	Items      []QuestionGroup
	Cards      []components.Option
	Next       string
	CanEdit    bool
}

// QuestionGroup is questions that ask alike.
type QuestionGroup struct {
	ID        string
	Text      string // as it was asked last
	Others    []string
	Count     int
	Last      time.Time
	Card      string // that answers it; empty for none
	CardTitle string
	Chosen    bool // somebody said so
	Learnt    []Learnt
}

// Learnt is what somebody of the team learnt about a question.
type Learnt struct {
	Text, By string
	At       time.Time
}

// toWrite tells whether a card is still to come of a group.
func (g QuestionGroup) toWrite() bool { return g.Card == "" || len(g.Learnt) > 0 && !g.Chosen }

// Propose is the form in which what was learnt becomes the draft of a card. It posts question, lesson, and contact, escalation and next as
// they came, to /prep/propose.
type Propose struct {
	Frame      layout.Frame
	Contact    string // whom it is about; empty for nobody
	Escalation string // it comes of; empty for none
	Next       string
	Most       int // letters of the lesson
	Form       components.Filled
}

// proposeHref is where somebody proposes a card from what a contact asked.
func proposeHref(contact, next string) string {
	return "/prep/propose?" + url.Values{"contact": {contact}, "next": {next}}.Encode()
}

func (g QuestionGroup) href() string { return "/prep/questions/" + g.ID }

func (p Questions) chips(ctx context.Context) []components.Chip {
	return []components.Chip{
		{Label: i18n.T(ctx, "questions.all"), Href: "/prep/questions", Current: !p.OnlyOpen && !p.OnlyLearnt},
		{Label: i18n.T(ctx, "questions.open"), Href: "/prep/questions?show=open", Current: p.OnlyOpen},
		{Label: i18n.T(ctx, "questions.learnt_only"), Href: "/prep/questions?show=learnt", Current: p.OnlyLearnt},
	}
}

func (p Questions) options(ctx context.Context) []components.Option {
	return append([]components.Option{{Label: i18n.T(ctx, "questions.none_of_these")}}, p.Cards...)
}
