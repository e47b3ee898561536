// Package answers draws the cards, macros and questions with which a team answers its customers.
package answers

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/pehchan/pehchan/views/changes"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
)

// Answers lists the ready answers, or those that a question finds. A question that none answers is posted to /prep/questions (text).
type Answers struct {
	Frame    layout.Frame
	Query    string
	Audience string // of the filter; empty for all
	Items    []Answer
	Found    int // all that the filter and the question leave
	All      int
	Doubtful int // of all, those to be verified again
	Next     string

	CanUse       bool // count, vote, log
	CanEdit      bool
	CanMacros    bool
	CanQuestions bool
}

// Answer is one ready answer as its reader sees it, filled in.
type Answer struct {
	Key      string
	Audience string
	Country  string
	Question string
	Texts    []AnswerText // in the reader's language, then in the other
	Source   string
	Facts    []changes.Fact
	Verified time.Time // zero for never, or where there is nothing to verify
	Until    time.Time
	Timeless bool // it rests on no fact and is no text of the business
	Doubts   []AnswerDoubt
	Held     bool // not to be passed on before it is verified

	PlatformAt time.Time    // since when the platform's operators have words of theirs here; zero where these are not shown, or what ships
	Under      []AnswerText // the platform's answer beneath the business's own, in both languages
	Moved      bool         // it has changed since the business wrote its own

	Version int // of the business's own text; 0 for what ships
	Own     bool
	By      string
	At      time.Time
	Checked Checked

	Uses, Helpful, Unhelpful int
}

// Checked is who last stood by words, and until when that counts, where it is told.
type Checked struct {
	By    string // empty for nobody
	At    time.Time
	Until time.Time
}

// AnswerText is an answer in one language.
type AnswerText struct {
	Lang    string
	Short   string
	Long    string
	Never   string
	Missing []string // variables that have no value yet; such a text is not given on
}

// AnswerDoubt is why an answer is to be verified again: answers.doubt_<Code>.
type AnswerDoubt struct {
	Code  string
	Title string
	Since time.Time
}

func (a Answer) href() string { return "/prep/faq/" + a.Key }

func (a Answer) text() AnswerText { return a.Texts[0] }

func (a Answer) place(ctx context.Context) string {
	if a.Country == "" {
		return i18n.T(ctx, "answers.everywhere")
	}
	return i18n.Country(ctx, a.Country)
}

// share opens WhatsApp with the text, where a chat is then picked.
func (t AnswerText) share() string {
	return "https://wa.me/?text=" + strings.ReplaceAll(url.QueryEscape(t.Short), "+", "%20")
}

// used is where it is counted that an answer was passed on; empty for who only reads.
func (p Answers) used(a Answer) string { return a.usedHref(p.CanUse) }

func (p Answers) answer(ctx context.Context) string {
	if p.Query != "" {
		return i18n.N(ctx, "answers.found", p.Found)
	}
	return i18n.N(ctx, "answers.answer", p.All)
}

var answerAudiences = []string{"customers", "team", "business"}

func (p Answers) chips(ctx context.Context) []components.Chip {
	chip := func(audience, words string) components.Chip {
		q := url.Values{}
		if audience != "" {
			q.Set("for", audience)
		}
		if p.Query != "" {
			q.Set("q", p.Query)
		}
		href := "/prep/faq"
		if len(q) > 0 {
			href += "?" + q.Encode()
		}
		return components.Chip{Label: words, Href: href, Current: p.Audience == audience}
	}
	chips := []components.Chip{chip("", i18n.T(ctx, "answers.for_all"))}
	for _, audience := range answerAudiences {
		chips = append(chips, chip(audience, i18n.T(ctx, "answers.for_"+audience)))
	}
	return chips
}

// Words says what is doubtful.
func (d AnswerDoubt) Words(ctx context.Context) string {
	return i18n.T(ctx, "answers.doubt_"+d.Code, "fact", d.Title, "date", i18n.Date(ctx, d.Since))
}

// AnswerCard is the page of one answer. It posts to its own address: /used, /vote (helpful=yes|no), /check (version), /restore (version).
type AnswerCard struct {
	Frame    layout.Frame
	Now      time.Time
	Answer   Answer
	History  []AnswerVersion
	Voted    string // yes, no, or empty
	CanUse   bool
	CanEdit  bool
	Failed   string // why a check or a restoring was refused
	BackHref string
}

// AnswerVersion is a text of the business, as it was.
type AnswerVersion struct {
	Version int
	Removed bool
	By      string
	At      time.Time
	Text    AnswerText
	Current bool
}

func (p AnswerCard) used() string { return p.Answer.usedHref(p.CanUse) }

// usedHref is where a use of the card is counted; empty for who may not.
func (a Answer) usedHref(may bool) string {
	if !may {
		return ""
	}
	return a.href() + "/used"
}

// AnswerEdit is the editor of a card, of a new one where Key is empty. It posts to /prep/faq/{key} or /prep/faq (version, audience,
// country, question_en, question_hi, short_en, …, never_hi, source, asks; question: the id of one that was asked).
type AnswerEdit struct {
	Frame    layout.Frame
	Key      string
	Question string // id of a logged question that this card is to answer
	Form     components.Filled
}

func (p AnswerEdit) action() string {
	if p.Key == "" {
		return "/prep/faq"
	}
	return "/prep/faq/" + p.Key
}

func (p AnswerEdit) back() string {
	if p.Key == "" {
		return "/prep/faq"
	}
	return p.action()
}

func (p AnswerEdit) title(ctx context.Context) string {
	if p.Key == "" {
		return i18n.T(ctx, "answers.new")
	}
	return i18n.T(ctx, "answers.edit")
}

func (p AnswerEdit) audiences(ctx context.Context) []components.Option {
	var list []components.Option
	for _, audience := range answerAudiences {
		list = append(list, components.Option{Value: audience, Label: i18n.T(ctx, "answers.for_"+audience)})
	}
	return list
}

// answerField is one text of the editor, in one language.
type answerField struct {
	name string
	lang string
	rows int
	most int
}

var answerTexts = []struct {
	name string
	rows int
	most int
}{{"question", 2, 160}, {"short", 3, 200}, {"long", 6, 2000}, {"never", 3, 2000}}

func answerFields(name string, rows, most int) []answerField {
	return []answerField{{name + "_en", "en", rows, most}, {name + "_hi", "hi", rows, most}}
}
