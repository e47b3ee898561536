package inbox

import (
	"context"
	"net/url"
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
	"github.com/pehchan/pehchan/views/people"
)

// Ask asks somebody for their number, and shows before what they will read. It posts to Path?account=&number= (version, key, purpose,
// lang, and text or template with p0, p1, …); another language, purpose or template asks for the page again.
type Ask struct {
	Frame     layout.Frame
	Now       time.Time
	Path      string
	Back      string
	BackLabel string
	Composer  Composer // Templates is nil where words can be written
	Language  string   // of what they will read
	Purpose   string
	Text      string
	Max       int    // characters of Text
	Refused   string // why they are not asked: ask.refused_<code>; empty where they may be
	Again     time.Time
	Past      []people.AskLine
}

// AskLanguages and AskPurposes are what a question can be begun with. Its words are ask.say_<purpose>, in the language of the customer.
var (
	AskLanguages = []string{"en", "hi"}
	AskPurposes  = []string{"record", "order", "call", "visit"}
)

// AskWords is how a question for a purpose begins.
func AskWords(ctx context.Context, purpose, language string) string {
	return i18n.T(i18n.With(ctx, language, i18n.Zone(ctx)), "ask.say_"+purpose)
}

func (p Ask) languages(ctx context.Context) []components.Option {
	var list []components.Option
	for _, l := range AskLanguages {
		list = append(list, components.Option{Value: l, Label: i18n.T(ctx, "ask.language_"+l), Lang: l})
	}
	return list
}

func (p Ask) purposes(ctx context.Context) []components.Option {
	var list []components.Option
	for _, purpose := range AskPurposes {
		list = append(list, components.Option{Value: purpose, Label: i18n.T(ctx, "ask.purpose_"+purpose)})
	}
	return list
}

// action is where the question is posted.
func (p Ask) action() string {
	return p.Path + "?" + url.Values{"account": {p.Composer.Account}, "number": {p.Composer.Number}}.Encode()
}

func (p Ask) canAsk() bool { return p.Refused == "" && p.Composer.Blocked == "" }
