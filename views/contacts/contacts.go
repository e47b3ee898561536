package contacts

import (
	"context"
	"net/url"
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
	"github.com/pehchan/pehchan/views/people"
)

// Contacts lists everybody who wrote, those heard of last first. One box
// (?q=) searches names in both scripts, phones, @usernames and WhatsApp IDs;
// ?reach= narrows. With For it chooses somebody to merge with: ?for=.
type Contacts struct {
	Frame layout.Frame
	Now   time.Time
	Query string
	Reach string // both, id, phone, neither or empty for all
	For   *people.Someone
	Items []people.Someone
	Next  string // address of the next page, empty on the last

	CanImport, CanExport bool
}

// export is where what is listed can be given out.
func (p Contacts) export() string {
	q := url.Values{}
	if p.Query != "" {
		q.Set("q", p.Query)
	}
	if p.Reach != "" {
		q.Set("reach", p.Reach)
	}
	if len(q) == 0 {
		return "/contacts/export"
	}
	return "/contacts/export?" + q.Encode()
}

var reaches = []string{"", "both", "id", "phone", "neither"}

func (p Contacts) chips(ctx context.Context) []components.Chip {
	var chips []components.Chip
	for _, reach := range reaches {
		chip := components.Chip{Label: i18n.T(ctx, "contacts.reach_all"), Href: "/contacts", Current: reach == p.Reach && p.Query == ""}
		if reach != "" {
			chip.Label, chip.Href = i18n.T(ctx, "contacts.reach_"+reach), "/contacts?reach="+reach
		}
		chips = append(chips, chip)
	}
	return chips
}

func (p Contacts) open(s people.Someone) string {
	if p.For == nil {
		return s.Href()
	}
	return "/merges/preview?" + url.Values{"keep": {p.For.ID}, "lose": {s.ID}}.Encode()
}

func (p Contacts) answer(ctx context.Context) string {
	if p.For != nil {
		return i18n.T(ctx, "contacts.answer_for", "name", p.For.Label(ctx))
	}
	return i18n.T(ctx, "contacts.answer")
}

func (p Contacts) title(ctx context.Context) string {
	if p.For != nil {
		return i18n.T(ctx, "contacts.title_for")
	}
	return i18n.T(ctx, "contacts.title")
}
