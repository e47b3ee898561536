package usernames

import (
	"context"
	"strings"
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
	"github.com/pehchan/pehchan/views/mails"
)

// Kit is what a business prints, or sends, so that customers know its real name: in both languages, whatever the reader's own.
type Kit struct {
	Frame    layout.Frame
	Business string
	Numbers  []components.Option // to choose from, where there are several
	Number   string              // id of the one shown
	Phone    string              // digits; empty without any number
	Handle   string              // without @; empty for none
	Reserved bool                // customers do not see the handle yet
	Chat     components.QR       // opens a chat with the number
	Trust    string              // address of the trust page; empty while it is off
	TrustQR  components.QR
	CanTrust bool
	CanPlan  bool
	Places   []KitPlace
}

// KitPlace is where the name is printed: kit.place_<Key>. Its form posts state, owner and due to /usernames/kit/places/{key}.
type KitPlace struct {
	Key     string
	State   string // todo, done, none
	Owner   string // name; empty for nobody
	Due     time.Time
	Overdue bool
	By      string // who said so last; empty for nobody
	At      time.Time
	Team    []components.Option // the first by name of those who may see to it
	AllTeam int                 // how many there are
	Form    components.Filled
}

func (p KitPlace) tone() components.Tone {
	switch {
	case p.Overdue:
		return components.Bad
	case p.State == "done":
		return components.Good
	}
	return components.Info
}

func (p KitPlace) said(ctx context.Context) string {
	if p.Overdue {
		return i18n.T(ctx, "kit.place_overdue")
	}
	return i18n.T(ctx, "kit.state_"+p.State)
}

func (p KitPlace) states(ctx context.Context) []components.Option {
	var list []components.Option
	for _, state := range []string{"todo", "done", "none"} {
		list = append(list, components.Option{Value: state, Label: i18n.T(ctx, "kit.state_"+state)})
	}
	return list
}

// updated is in how many of the places that there are the name stands.
func (p Kit) updated() (done, of int64) {
	for _, place := range p.Places {
		if place.State != "none" {
			of++
		}
		if place.State == "done" {
			done++
		}
	}
	return done, of
}

// TaskMail tells somebody that a colleague has named them for something that is to be done.
func TaskMail(ctx context.Context, by, business, what string, due time.Time, href string) mails.Mail {
	m := mails.Mail{
		Subject: i18n.T(ctx, "usernames.task_subject", "business", business, "what", what),
		Lines:   []string{i18n.T(ctx, "usernames.task_text", "by", by, "what", what)},
		Go:      i18n.T(ctx, "usernames.task_go"), Href: href, Why: i18n.T(ctx, "usernames.task_why", "by", by, "business", business),
	}
	if !due.IsZero() {
		m.Lines = append(m.Lines, i18n.T(ctx, "usernames.task_due", "date", i18n.Day(ctx, due)))
	}
	return m
}

// OverdueMail tells somebody that the days of things they look after have passed.
func OverdueMail(ctx context.Context, business string, items []mails.Item, href string) mails.Mail {
	return mails.Mail{
		Subject: i18n.N(ctx, "usernames.overdue_subject", len(items), "business", business, "what", items[0].Title),
		Lines:   []string{i18n.N(ctx, "usernames.overdue_text", len(items))}, Items: items,
		Go: i18n.T(ctx, "usernames.overdue_go"), Href: href, Why: i18n.T(ctx, "usernames.overdue_why", "business", business),
	}
}

// KitLanguages are the languages of all that is printed, in order.
var KitLanguages = []string{i18n.Hindi, i18n.English}

// there is ctx in one of the kit's languages.
func (p Kit) there(ctx context.Context, lang string) context.Context {
	return i18n.With(ctx, lang, i18n.Zone(ctx))
}

// kitWords are a text in one of the languages.
type kitWords func(ctx context.Context, lang string) string

func (p Kit) phone() string { return components.ClearPhone(p.Phone) }

func (p Kit) handle() string {
	if p.Handle == "" {
		return ""
	}
	return "@" + p.Handle
}

// bill is the line under a bill.
func (p Kit) bill(ctx context.Context, lang string) string {
	ctx = p.there(ctx, lang)
	text := i18n.T(ctx, "kit.bill_text", "business", p.Business, "names", strings.TrimSpace(p.handle()+" "+p.phone()))
	if p.Trust != "" {
		text += " " + i18n.T(ctx, "kit.bill_check", "link", p.Trust)
	}
	return text
}

// status is what goes into a status or a broadcast.
func (p Kit) status(ctx context.Context, lang string) string {
	ctx = p.there(ctx, lang)
	text := i18n.T(ctx, "kit.status_number", "number", p.phone())
	if p.Handle != "" {
		text = i18n.T(ctx, "kit.status_text", "handle", p.handle(), "number", p.phone())
	}
	if p.Trust != "" {
		text += " " + i18n.T(ctx, "kit.bill_check", "link", p.Trust)
	}
	return text
}

func (p Kit) only(ctx context.Context) string {
	if p.Handle == "" {
		return i18n.T(ctx, "kit.only_number")
	}
	return i18n.T(ctx, "kit.only")
}
