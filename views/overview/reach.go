package overview

import (
	"context"
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
)

// Reach is GET /adoption/reach: how many customers can be reached by phone and ID, by one of them or by neither, what each still allows,
// and the groups of customers that were saved. ?save= is the address of a list to save: the form posts to /adoption/segments (name, filter).
type Reach struct {
	Frame    layout.Frame
	Buckets  []Bucket
	Segments []Segment
	Save     string // the list to save, empty for none
	CanSave  bool
	Form     components.Filled
}

func (p Reach) columns(ctx context.Context) []components.Column {
	list := []components.Column{{Label: i18n.T(ctx, "reach.known")}, {Label: i18n.T(ctx, "adoption.active"), Num: true}}
	for _, what := range allowed {
		list = append(list, components.Column{Label: i18n.T(ctx, "reach.may_"+what)})
	}
	list = append(list, components.Column{Label: i18n.T(ctx, "reach.offers")})
	if p.CanSave {
		list = append(list, components.Column{Label: i18n.T(ctx, "reach.save"), Quiet: true})
	}

	return list
}

// Bucket counts the customers that can be reached in one way: both, id, phone or neither.
type Bucket struct {
	Reach   string
	Count   int64
	Yes, No int64 // of them said that offers are welcome, and that they are not
}

// Unknown is how many said nothing about offers.
func (b Bucket) Unknown() int64 { return max(0, b.Count-b.Yes-b.No) }

func (b Bucket) href() string { return "/contacts?reach=" + b.Reach }

// may tells whether a bucket allows something: reply, marketing, auth or call (domain facts 5.1, 5.3).
func (b Bucket) may(what string) bool {
	return b.Reach != "neither" && (what != "auth" || b.Reach != "id")
}

// Segment is a group of customers kept under a name.
type Segment struct {
	ID, Name, By string
	At           time.Time
}

func (s Segment) at() string { return "/adoption/segments/" + s.ID }

var allowed = []string{"reply", "marketing", "auth", "call"}

func (p Reach) all() (n int64) {
	for _, b := range p.Buckets {
		n += b.Count
	}
	return n
}

func (p Reach) answer(ctx context.Context) string {
	var reached, id int64
	for _, b := range p.Buckets {
		if b.Reach != "neither" {
			reached += b.Count
		}
		if b.Reach == "id" {
			id = b.Count
		}
	}
	if p.all() == 0 {
		return i18n.T(ctx, "reach.nobody")
	}
	return i18n.T(ctx, "reach.answer", "reached", reached, "all", p.all(), "id", id)
}
