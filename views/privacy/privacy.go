// Package privacy draws people's requests about their data, how long what is kept, and the record of processing.
package privacy

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
	"github.com/pehchan/pehchan/views/people"
)

// Privacy lists what customers asked about their data. A new request is posted to /privacy/requests (kind, subject, note).
type Privacy struct {
	Frame         layout.Frame
	Now           time.Time
	Kinds         []string
	Open, Overdue int
	Items         []Request
	Asked         []Request       // on the public page, nobody has taken them over
	For           *people.Someone // whom a new request is about
	Keeping       []Keeping
	MayKeep       bool
	Suggest       bool       // the usual windows stand in the form where nothing was chosen
	MayHandle     bool       // opens requests; others read
	Incidents     []Incident // for who handles them
	Hold          *Hold      // nil where none stands
	Form          components.Filled
}

// none says what stands here once somebody asked.
func (p Privacy) none(ctx context.Context) string {
	if !p.MayHandle {
		return i18n.T(ctx, "privacy.none_reader")
	}

	return i18n.T(ctx, "privacy.none_text")
}

// Keeping is how many days one class of things is kept, 0 for good.
type Keeping struct {
	Class   string
	Days    int
	Usual   int
	Choices []int
}

// endless tells whether a class is kept for good.
func (p Privacy) endless() bool {
	return slices.ContainsFunc(p.Keeping, func(k Keeping) bool { return k.Days == 0 })
}

// shown is what stands in the form for a class.
func (p Privacy) shown(k Keeping) string {
	if p.Suggest && k.Days == 0 {
		return strconv.Itoa(k.Usual)
	}

	return strconv.Itoa(k.Days)
}

func (k Keeping) options(ctx context.Context) []components.Option {
	list := []components.Option{{Value: "0", Label: i18n.T(ctx, "keeping.always")}}
	for _, days := range k.Choices {
		list = append(list, components.Option{Value: strconv.Itoa(days), Label: i18n.N(ctx, "keeping.days", days)})
	}

	return list
}

// Consent is what a customer said about offers: stop or resume.
type Consent struct {
	Value, Channel, By string
	At                 time.Time
}

// Look is that somebody saw a contact on a day.
type Look struct {
	Name, How string
	Times     int
	At        time.Time
}

// Request is one wish of a customer: access, correct, erase, object or grievance.
type Request struct {
	ID, Kind, State, Subject, Note, Origin string
	OpenedAt, DueAt, ProvedAt, ClosedAt    time.Time
	OpenedBy, ProvedBy, ClosedBy           string
	Overdue                                bool
	Proof                                  string
	LinkedBack                             bool // a code of ours came back from their WhatsApp
	Reason                                 string
	Changes                                []Change // what was corrected
}

// Change is one thing that was corrected for a customer: name or note.
type Change struct {
	Field, From, To string
	At              time.Time
}

func fieldOptions(ctx context.Context, fields []string) []components.Option {
	var list []components.Option
	for _, f := range fields {
		list = append(list, components.Option{Value: f, Label: i18n.T(ctx, "privacy.field_"+f)})
	}

	return list
}

func (r Request) href() string { return "/privacy/requests/" + r.ID }

func (r Request) closed() bool { return !r.ClosedAt.IsZero() }

func (r Request) tone() components.Tone {
	switch {
	case r.State == "done":
		return components.Good
	case r.State == "refused":
		return components.Neutral
	case r.Overdue:
		return components.Bad
	}

	return components.Info
}

// due says until when there is time, or since when it is over.
func (r Request) due(ctx context.Context) string {
	day := i18n.Date(ctx, r.DueAt)
	if r.Overdue {
		return i18n.T(ctx, "privacy.overdue", "day", day)
	}

	return i18n.T(ctx, "privacy.due", "day", day)
}

// Case is one request. It posts to its own address and /contact (contact), /proof (proof, code), /correct (field, to), /close (state, reason), /erase
// (confirm) and /data (format) below it.
type Case struct {
	Frame     layout.Frame
	Now       time.Time
	Request   Request
	Who       *people.Someone
	Found     []people.Someone // by Query
	Query     string
	Proofs    []string
	Fields    []string // that can be corrected
	Counts    []Count  // what erasing removes
	Accounts  string   // stands for the accounts that erasing is confirmed of
	MayErase  bool
	MayHandle bool   // answers the request; others read
	Word      string // typed to confirm
	Receipt   *Receipt
	Form      components.Filled
}

// live has the page look again by itself while the person is being erased.
func (p Case) live() templ.Attributes {
	if p.Request.State != "erasing" {
		return nil
	}

	return templ.Attributes{
		"data-live": "2", "hx-get": p.Request.href(), "hx-select": "#request-now", "hx-trigger": "live", "hx-swap": "morph:outerHTML",
	}
}

// Count is how much of one sort there is or was.
type Count struct {
	What string
	N    int64
}

// Receipt is what can be shown of a request that is closed.
type Receipt struct {
	Business, Request, Kind, State  string
	OpenedAt, DueAt, ClosedAt       time.Time
	ClosedBy, Proof, Reason, SHA256 string
	Counts                          []Count
	Hashes                          int
	Corrected                       []string // fields
	Objects                         bool     // the objection is kept with the contact
	Book                            []Count  // of WhatsApp's contact book: deleted, none, failed, no_number
}

// File is all that is known of a person, to be read by themselves.
type File struct {
	Business string
	Now      time.Time
	Sections []Section
}

// Section is all of one sort.
type Section struct {
	Name string
	Rows []Row
}

// Row is one thing.
type Row struct {
	At         time.Time
	What, Text string
}

// ChannelOptions are the ways by which somebody may have told the team.
func ChannelOptions(ctx context.Context, channels []string) []components.Option {
	var list []components.Option
	for _, c := range channels {
		list = append(list, components.Option{Value: c, Label: i18n.T(ctx, "consent.by_"+c)})
	}

	return list
}
