// Package usernames draws the business's own usernames: names wanted, ideas, look-alikes, the print kit and the public page.
package usernames

import (
	"context"
	"net/url"
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
	"github.com/pehchan/pehchan/views/numbers"
)

// Usernames lists the business's numbers with their usernames.
type Usernames struct {
	Frame      layout.Frame
	Now        time.Time
	Items      []Username
	CanClaim   bool
	CanConnect bool
	CanTrust   bool
}

// Username is one number with its username.
type Username struct {
	Number    numbers.Number
	Has       UsernameState
	Wanted    string
	Others    []string
	Faults    []UsernameRemark // against the wanted name
	Cautions  []UsernameRemark
	Owner     string // name of the person; empty for nobody
	Due       time.Time
	Last      *UsernameAct
	Unsure    bool
	CanAsk    bool
	WhyNot    string // reason why Meta cannot be asked, named by conflict.<reason>
	Clashes   []UsernameClash
	Suggested []string
}

// UsernameState is what is known of the name a number has.
type UsernameState struct {
	Name    string
	Status  string // reserved, approved, deleted, or another word of Meta's
	Source  string // graph, webhook or person; empty while nothing is known
	By      string
	At      time.Time
	Revoked bool
}

// UsernameRemark is one thing about a name, named by usernames.fault_<code> or caution_<code>.
type UsernameRemark struct{ Code, Part string }

// UsernameClash is another number of the business in the way: wanted, held or elsewhere.
type UsernameClash struct{ Kind, Other, Name string }

// UsernameAct is something Meta was asked: claim, transfer, delete or look.
type UsernameAct struct {
	Kind    string
	Name    string
	Outcome string // asking, done, refused or unknown
	Code    string
	By      string
	At      time.Time
}

// UsernameHome is one number's page. It posts to /usernames/{id}/plan (wanted, others, owner, due), /look, /record (name, status), and
// leads to /confirm?do=&name= before anything is asked of Meta.
type UsernameHome struct {
	Frame    layout.Frame
	Now      time.Time
	Item     Username
	CanClaim bool
	CanMend  bool                // may open the number's own page
	Team     []components.Option // the first by name who may be its owner
	AllTeam  int
	Plan     components.Filled // with the values to begin with
	Record   components.Filled
	Form     components.Filled // an act that was refused
	Acts     []UsernameAct
}

// UsernameConfirm asks before Meta is. It posts to /usernames/{id}/{claim,transfer,delete} (name, confirm).
type UsernameConfirm struct {
	Frame layout.Frame
	Item  Username
	Do    string
	Name  string
	Form  components.Filled
}

// UsernameIdeas makes names of a shop's name. A name is kept by a post to itself (name, number).
type UsernameIdeas struct {
	Frame    layout.Frame
	Shop     string
	City     string
	Items    []UsernameIdea
	Tried    bool // something was typed
	Check    string
	Faults   []UsernameRemark
	Cautions []UsernameRemark
	Numbers  []components.Option
	CanClaim bool
	LookAt   string // number that WhatsApp can be asked for suggestions; empty for none
	LookedAt time.Time
	Now      time.Time
	Form     components.Filled
}

// UsernameIdea is a name that may be asked for.
type UsernameIdea struct {
	Name     string
	Why      string
	Held     bool
	Cautions []UsernameRemark
}

// UsernameWatch lists names that look like the business's own, to be looked up by hand. It posts what was found to itself (name, state,
// note).
type UsernameWatch struct {
	Frame    layout.Frame
	Now      time.Time
	Base     string   // the name they look like; empty for none
	Bases    []string // where several numbers have or want names
	Items    []UsernameLookalike
	More     []UsernameLookalike
	Done     int // looked up in the last month
	CanClaim bool
	States   []string
	Form     components.Filled // with the values to begin with
}

// UsernameLookalike is one such name.
type UsernameLookalike struct {
	Name     string
	How      string // empty for one that somebody noted
	State    string // empty for one that nobody looked up
	Note     string
	By       string
	At       time.Time
	Reported time.Time
	Again    bool // too long ago
}

const usernamesAt = "/usernames"

func (u Username) href() string { return usernamesAt + "/" + u.Number.ID }

func (u Username) confirm(do, name string) string {
	return u.href() + "/confirm?" + url.Values{"do": {do}, "name": {name}}.Encode()
}

// movable tells whether a name stands with another number of the same portfolio.
func (u Username) movable(name string) bool {
	for _, c := range u.Clashes {
		if c.Kind == "held" && c.Name == name {
			return true
		}
	}
	return u.Last != nil && u.Last.Name == name && u.Last.Code == "147005"
}

// choices are the names that may be asked for, the wanted one first.
func (u Username) choices() []string {
	var list []string
	for _, name := range append([]string{u.Wanted}, u.Others...) {
		if name != "" && name != u.Has.Name {
			list = append(list, name)
		}
	}
	return list
}

func (p Usernames) answer(ctx context.Context) string {
	without := 0
	for _, u := range p.Items {
		if !u.Has.holds() {
			without++
		}
	}
	switch {
	case len(p.Items) == 0:
		return i18n.T(ctx, "usernames.answer_none")
	case without == 0:
		return i18n.T(ctx, "usernames.answer_all")
	}
	return i18n.N(ctx, "usernames.answer_some", without)
}

func (s UsernameState) holds() bool {
	return s.Name != "" && (s.Status == "reserved" || s.Status == "approved")
}

func (s UsernameState) word() string {
	switch {
	case s.Source == "":
		return "unknown"
	case s.Revoked:
		return "revoked"
	case s.Name == "" && s.Status == "deleted":
		return "deleted"
	case s.Name == "":
		return "none"
	}
	return s.Status
}

// label is the state in a word; one we do not know is Meta's own.
func (s UsernameState) label(ctx context.Context) string {
	if key := "usernames.state_" + s.word(); i18n.Known(key) {
		return i18n.T(ctx, key)
	}
	return s.Status
}

func (s UsernameState) tone() components.Tone {
	switch s.word() {
	case "approved":
		return components.Good
	case "reserved":
		return components.Info
	case "revoked":
		return components.Bad
	}
	return components.Neutral
}

// means is what the state amounts to; empty where the word says it all.
func (s UsernameState) means(ctx context.Context) string {
	switch word := s.word(); {
	case word == "none", word == "deleted":
		return ""
	case i18n.Known("usernames.means_" + word):
		return i18n.T(ctx, "usernames.means_"+word)
	}
	return i18n.T(ctx, "usernames.means_other", "status", s.Status)
}

func (s UsernameState) from(ctx context.Context) string {
	return i18n.T(ctx, "usernames.from_"+s.Source, "name", s.By)
}

func (a UsernameAct) text(ctx context.Context) string {
	return i18n.T(ctx, "usernames.act_"+a.Kind, "name", a.Name)
}

func (a UsernameAct) tone() components.Tone {
	switch a.Outcome {
	case "done":
		return components.Good
	case "refused":
		return components.Bad
	case "unknown":
		return components.Needs
	}
	return components.Info
}

// problem is what came back, and what to do about it.
func (a UsernameAct) problem(ctx context.Context) (what, next string) {
	code := a.Code
	if !i18n.Known("usernames.error_" + code) {
		code = "other"
	}
	return i18n.T(ctx, "usernames.error_"+code, "code", a.Code), i18n.T(ctx, "usernames.next_"+code)
}

func (l UsernameLookalike) tone() components.Tone {
	switch l.State {
	case "fake":
		return components.Needs
	case "reported":
		return components.Bad
	case "nobody", "gone":
		return components.Good
	}
	return components.Neutral
}

func usernameWatchAt(base, name string) string {
	return usernamesAt + "/watch?" + url.Values{"of": {base}, "name": {name}}.Encode() + "#note"
}

// usernameWhat are the sentences of what an act means, by kind.
var usernameWhat = map[string][]string{
	"claim":    {"usernames.what_claim_1", "usernames.what_claim_2", "usernames.what_claim_3"},
	"transfer": {"usernames.what_transfer_1", "usernames.what_transfer_2"},
	"delete":   {"usernames.what_delete_1", "usernames.what_delete_2", "usernames.what_delete_3"},
}

// overdue tells whether the day has passed and the number still has no name.
func (u Username) overdue(now time.Time) bool {
	return !u.Due.IsZero() && !u.Has.holds() && now.After(u.Due.AddDate(0, 0, 1))
}
