package pages

import (
	"context"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
)

// Privacy lists what customers asked about their data. A new request is posted to /privacy/requests (kind, subject, note).
type Privacy struct {
	Frame         layout.Frame
	Now           time.Time
	Kinds         []string
	Open, Overdue int
	Items         []PrivacyRequest
	Asked         []PrivacyRequest // on the public page, nobody has taken them over
	For           *Someone         // whom a new request is about
	Keeping       []Keeping
	MayKeep       bool
	Form          Filled
}

// Keeping is how many days one class of things is kept, 0 for good.
type Keeping struct {
	Class   string
	Days    int
	Choices []int
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

// PrivacyRequest is one wish of a customer: access, correct, erase, object or grievance.
type PrivacyRequest struct {
	ID, Kind, State, Subject, Note, Origin string
	OpenedAt, DueAt, ProvedAt, ClosedAt    time.Time
	OpenedBy, ProvedBy, ClosedBy           string
	Overdue                                bool
	Proof                                  string
	LinkedBack                             bool // a code of ours came back from their WhatsApp
	Reason                                 string
	Changes                                []PrivacyChange // what was corrected
}

// PrivacyChange is one thing that was corrected for a customer: name or note.
type PrivacyChange struct {
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

func (r PrivacyRequest) href() string { return "/privacy/requests/" + r.ID }

func (r PrivacyRequest) closed() bool { return !r.ClosedAt.IsZero() }

func (r PrivacyRequest) tone() components.Tone {
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
func (r PrivacyRequest) due(ctx context.Context) string {
	day := i18n.Date(ctx, r.DueAt)
	if r.Overdue {
		return i18n.T(ctx, "privacy.overdue", "day", day)
	}

	return i18n.T(ctx, "privacy.due", "day", day)
}

// PrivacyCase is one request. It posts to its own address and /contact (contact), /proof (proof, code), /correct (field, to), /close (state, reason), /erase
// (confirm) and /data (format) below it.
type PrivacyCase struct {
	Frame    layout.Frame
	Now      time.Time
	Request  PrivacyRequest
	Who      *Someone
	Found    []Someone // by Query
	Query    string
	Proofs   []string
	Fields   []string       // that can be corrected
	Counts   []PrivacyCount // what erasing removes
	Accounts string         // stands for the accounts that erasing is confirmed of
	MayErase bool
	Word     string // typed to confirm
	Receipt  *PrivacyReceipt
	Form     Filled
}

// live has the page look again by itself while the person is being erased.
func (p PrivacyCase) live() templ.Attributes {
	if p.Request.State != "erasing" {
		return nil
	}

	return templ.Attributes{
		"data-live": "2", "hx-get": p.Request.href(), "hx-select": "#request-now", "hx-trigger": "live", "hx-swap": "morph:outerHTML",
	}
}

// PrivacyCount is how much of one sort there is or was.
type PrivacyCount struct {
	What string
	N    int64
}

// PrivacyReceipt is what can be shown of a request that is closed.
type PrivacyReceipt struct {
	Business, Request, Kind, State  string
	OpenedAt, DueAt, ClosedAt       time.Time
	ClosedBy, Proof, Reason, SHA256 string
	Counts                          []PrivacyCount
	Hashes                          int
	Corrected                       []string       // fields
	Objects                         bool           // the objection is kept with the contact
	Book                            []PrivacyCount // of WhatsApp's contact book: deleted, none, failed, no_number
}

// PrivacyFile is all that is known of a person, to be read by themselves.
type PrivacyFile struct {
	Business string
	Now      time.Time
	Sections []PrivacySection
}

// PrivacySection is all of one sort.
type PrivacySection struct {
	Name string
	Rows []PrivacyRow
}

// PrivacyRow is one thing.
type PrivacyRow struct {
	At         time.Time
	What, Text string
}

func channelOptions(ctx context.Context, channels []string) []components.Option {
	var list []components.Option
	for _, c := range channels {
		list = append(list, components.Option{Value: c, Label: i18n.T(ctx, "consent.by_"+c)})
	}

	return list
}
