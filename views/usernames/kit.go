package usernames

import (
	"context"
	"strings"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
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
