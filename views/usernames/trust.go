package usernames

import (
	"context"
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
	"github.com/pehchan/pehchan/views/mails"
)

// TrustSettings is where the owner sets up the public page. It posts to /usernames/trust (on, numbers, use_en, use_hi, asks), and ends a
// request at /usernames/trust/requests/{id}.
type TrustSettings struct {
	Frame    layout.Frame
	Now      time.Time
	On       bool
	Address  string // of the page, whole
	Asks     bool
	Numbers  []TrustNumber     // connected ones, to choose from
	Form     components.Filled // with the texts to begin with
	Requests []TrustRequest
}

// TrustNumber is one number on the page, or to be put on it.
type TrustNumber struct {
	ID       string
	Name     string // of the number
	Phone    string // digits
	Handle   string // without @; empty for none
	Reserved bool
	Shown    bool
}

// TrustRequest is what somebody asked. Nobody knows who they are.
type TrustRequest struct {
	ID     string
	Kind   string
	Name   string
	Reach  string
	Body   string
	At     time.Time
	Done   bool
	DoneBy string
}

// Trust is the page that everybody may see, outside the product's own frame: light, and without a script. It posts to itself (kind, name,
// reach, body, and what only a program fills in).
type Trust struct {
	CSRF     string
	Stamp    string // when the form was made, signed
	Slug     string
	Business string
	Numbers  []TrustNumber
	Use      string
	UseLang  string
	Asks     bool
	Sent     bool
	Form     components.Filled
	TooMany  bool
	Tomorrow bool // of TooMany: what an address may send in a day is used up
	Again    bool // the form was too quick or too old to be believed
	Kinds    []string
	Days     int // within which requests about people's data are answered
	Most     int // and complaints
}

func (p Trust) href() string { return "/t/" + p.Slug }

func (p Trust) otherLang(ctx context.Context) string {
	if i18n.Lang(ctx) == i18n.Hindi {
		return i18n.English
	}
	return i18n.Hindi
}

// problem is why the form came back; empty where it did not.
func (p Trust) problem(ctx context.Context) string {
	switch {
	case p.TooMany && p.Tomorrow:
		return i18n.T(ctx, "trust.page_tomorrow")
	case p.TooMany:
		return i18n.T(ctx, "trust.page_too_many")
	case p.Again:
		return i18n.T(ctx, "trust.page_again")
	}
	return p.Form.WhyFailed(ctx)
}

// TrustStart is the text to begin with, in a language; the owner changes it until it is true.
func TrustStart(ctx context.Context, lang string) string {
	return i18n.T(i18n.With(ctx, lang, i18n.Zone(ctx)), "trust.use_start")
}

// TrustMail tells an owner that somebody wrote on the trust page. It holds nothing of what they wrote.
func TrustMail(ctx context.Context, business, kind, href string) mails.Mail {
	return mails.Mail{
		Subject: i18n.T(ctx, "trust.mail_subject", "business", business),
		Lines:   []string{i18n.T(ctx, "trust.mail_text", "kind", i18n.T(ctx, "trust.kind_"+kind)), i18n.T(ctx, "trust.mail_warn")},
		Go:      i18n.T(ctx, "trust.mail_go"), Href: href, Why: i18n.T(ctx, "mails.why_alerts", "business", business),
	}
}

func (r TrustRequest) tone() components.Tone {
	if r.Done {
		return components.Good
	}
	return components.Needs
}

func (n TrustNumber) title() string {
	if n.Handle != "" {
		return "@" + n.Handle
	}
	if n.Name != "" {
		return n.Name
	}
	return components.ClearPhone(n.Phone)
}
