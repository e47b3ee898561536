package operator

import (
	"context"

	"github.com/pehchan/pehchan/views/changes"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
)

// Facts lists the fact ledger for the platform's operator, what needs
// checking first.
type Facts struct {
	Frame    layout.Frame
	Topic    string // of the filter
	Topics   []string
	Items    []changes.Fact
	Stale    int // of the whole ledger
	Next     string
	CanWrite bool
}

func (p Facts) answer(ctx context.Context) string {
	if p.Stale == 0 {
		return i18n.T(ctx, "facts.all_fresh")
	}
	return i18n.N(ctx, "facts.to_check", p.Stale)
}

func (p Facts) chips(ctx context.Context) []components.Chip {
	chips := []components.Chip{{Label: i18n.T(ctx, "changes.all"), Href: "/op/facts", Current: p.Topic == ""}}
	for _, topic := range p.Topics {
		chips = append(chips, components.Chip{Label: i18n.T(ctx, "changes.topic_"+topic), Href: "/op/facts?topic=" + topic, Current: p.Topic == topic})
	}
	return chips
}

// Fact is one fact of the ledger with its history and the form that changes
// it. The form posts do=preview, then do=save, or do=verify, to the fact's own
// address; a new fact's to /op/facts.
type Fact struct {
	Frame    layout.Frame
	Fact     changes.Fact // empty for a new one
	Action   string
	History  []changes.Fact
	Form     components.Filled
	Preview  *FactPreview // what do=save would do; nil before
	CanWrite bool
	Today    string // 2006-01-02

	Topics, Aspects, Kinds, Confidences []string
}

// FactPreview says what a change does before it is made.
type FactPreview struct {
	After      changes.Fact // in the reader's language
	OtherText  string
	OtherLang  string // of OtherText
	News       bool   // it changes what is said, and not only when it was checked
	Businesses int
	People     int
	There      int // businesses with a number in the fact's country
}

// choices are the answers to a list; family names their words.
func choices(ctx context.Context, family string, values []string, empty string) []components.Option {
	var options []components.Option
	if empty != "" {
		options = append(options, components.Option{Value: "", Label: empty})
	}
	for _, v := range values {
		options = append(options, components.Option{Value: v, Label: i18n.T(ctx, family+v)})
	}
	return options
}

func (p Fact) title(ctx context.Context) string {
	if p.Fact.Key == "" {
		return i18n.T(ctx, "facts.new")
	}
	return p.Fact.Name()
}

// factFields are the fields that a preview carries on to the save.
var factFields = []string{
	"version", "key", "topic", "country", "aspect", "kind", "value", "title_en", "title_hi", "text_en", "text_hi", "doubt_en", "doubt_hi", "sources",
	"confidence", "verified_on", "expires_on",
}

func (p Fact) carried() [][2]string {
	var out [][2]string
	for _, name := range factFields {
		out = append(out, [2]string{name, p.Form.Value(name)})
	}
	return out
}
