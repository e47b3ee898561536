package inbox

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/people"
)

// Composer writes to one account from one number. It posts to /inbox/{id}?account=&number= (version, key, and text or template with p0,
// p1, …); choosing a template asks for the page again with ?template= besides.
type Composer struct {
	Account   string // ids of what it writes to and from, which every answer of it keeps
	Number    string
	Name      string // of the contact
	To        people.Account
	From      string    // the business's own number
	Ends      time.Time // until when free text may be sent; zero where they never wrote
	Open      bool
	Blocked   string // why nothing can be sent: sending.blocked_<code>; empty where something can
	Paused    string // why what is sent waits: sending.paused_<code>
	Version   string // what is shown here
	Key       string // one for each opened composer
	Changed   []string
	Form      components.Filled
	Templates *Picker    // nil where text is written
	Macros    *MacroPick // nil where this reader sends none
	Others    []OtherAccount
}

// OtherAccount is another account of the same person, to write to instead.
type OtherAccount struct {
	Label string
	Href  string
}

// Picker is a choice of templates.
type Picker struct {
	Names   []components.Option
	Unknown bool   // Meta has never said which there are
	Chosen  string // value of the chosen one; empty for none
	Why     string // it cannot be sent: sending.template_<why>; empty where it can
	Parts   []Part // of the chosen one, as the customer will read it
	Params  []Param
}

// Part is a piece of a template: words, or the place of a variable.
type Part struct {
	Text string
	Slot int // of the variable; -1 for words
}

// Param is one variable of a template.
type Param struct {
	Name  string
	Value string
}

// href is the composer's own address in a conversation; template is that of Picker, "pick" to choose one, or empty for text.
func (c Composer) href(p Talk, template string) string {
	q := url.Values{"account": {c.Account}, "number": {c.Number}}
	if template != "" {
		q.Set("template", template)
	}
	return p.href() + "?" + q.Encode()
}

func (p Part) slot() string { return strconv.Itoa(p.Slot) }

func (c Composer) wrongParams(ctx context.Context) string { return c.Form.WhyWrong(ctx, "params") }

// why is what keeps anything from being sent, or from being sent now.
func (c Composer) why(ctx context.Context, family, code string) string {
	if key := family + code; i18n.Known(key) {
		return i18n.T(ctx, key)
	}
	return i18n.T(ctx, family+"other")
}

func (c Composer) windowText(ctx context.Context, now time.Time) string {
	switch {
	case c.Open:
		return i18n.T(ctx, "talk.window_open", "time", i18n.Span(ctx, c.Ends.Sub(now)), "end", i18n.DateTime(ctx, c.Ends))
	case c.Ends.IsZero():
		return i18n.T(ctx, "talk.window_never")
	}
	return i18n.T(ctx, "talk.window_closed", "end", i18n.DateTime(ctx, c.Ends))
}
