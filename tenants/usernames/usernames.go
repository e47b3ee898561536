// Package usernames knows the business's own usernames: what it wants for each of its numbers, whether that may be asked for, what
// Meta and WhatsApp say of it, and what looks like it.
package usernames

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/notices"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Where what is known of a username comes from.
const (
	FromGraph   = "graph"   // Meta's answer to a question or an act of ours
	FromWebhook = "webhook" // WhatsApp said so by itself
	FromPerson  = "person"  // somebody of the business looked it up
)

// State is what is known of the username a number has. The zero value: nobody ever said.
type State struct {
	Name    string // "" for none
	Status  string // WhatsApp's word: reserved, approved, deleted, or one we do not know; "" where a person or Graph says there is none
	Source  string // one of From…
	By      string // who wrote it down or asked; "" for WhatsApp itself
	At      time.Time
	Revoked bool // Meta took a name away, and may have given this one instead
}

// Known tells whether anybody ever said what the number has.
func (s State) Known() bool { return !s.At.IsZero() }

// Holds tells whether the number has a name that counts: reserved or approved.
func (s State) Holds() bool {
	return s.Name != "" && (s.Status == whatsapp.UsernameReserved || s.Status == whatsapp.UsernameApproved)
}

// Plan is what a business means to do about the username of a number.
type Plan struct {
	Wanted       string
	Alternatives []string      // in the order in which they are wanted
	Owner        uuid.NullUUID // a person of the team who sees to it
	Due          *time.Time    // a day

	toldTo uuid.NullUUID // who was told that toldOn had passed
	toldOn *time.Time
}

// The kinds of clash within one business.
const (
	ClashWanted    = "wanted"    // another number wants the same name
	ClashHeld      = "held"      // another number of the same portfolio has it: it can be moved
	ClashElsewhere = "elsewhere" // a number of another portfolio has it: it cannot
)

// Clash is why a wanted name stands in the way of another number of the business, or the other way round.
type Clash struct {
	Kind   string
	Number uuid.UUID // the other one
	Name   string
}

// Name is one number with its username.
type Name struct {
	Number      numbers.Number
	Plan        Plan
	Has         State
	Suggestions []string // that WhatsApp holds for the portfolio, as of SuggestedAt
	SuggestedAt *time.Time
	Last        *Act // what Meta was last asked; nil for nothing
	Clashes     []Clash

	asked *Act // the last that was to change something
}

// Unsure tells whether nobody knows what came of the last act: Meta may have done it. Only a look, or WhatsApp's word, ends that.
func (n Name) Unsure(now time.Time) bool {
	if n.asked == nil || !n.asked.open(now) {
		return false
	}

	since := n.asked.AskedAt
	if n.Has.Source == FromWebhook {
		since = since.Truncate(time.Second) // in which webhooks count
	}

	return !n.Has.Known() || n.Has.At.Before(since)
}

type row struct {
	Number       uuid.UUID      `db:"number_id"`
	Wanted       string         `db:"wanted"`
	Alternatives pq.StringArray `db:"alternatives"`
	Owner        uuid.NullUUID  `db:"owner_id"`
	Due          *time.Time     `db:"due_on"`
	ToldTo       uuid.NullUUID  `db:"told_to"`
	ToldOn       *time.Time     `db:"told_on"`
	Name         string         `db:"name"`
	Status       string         `db:"status"`
	Source       string         `db:"source"`
	KnownAt      *time.Time     `db:"known_at"`
	KnownBy      string         `db:"known_by"`
	Suggestions  pq.StringArray `db:"suggestions"`
	SuggestedAt  *time.Time     `db:"suggested_at"`
}

// List is every number of tx's tenant that is connected, in the order they were.
func List(ctx context.Context, tx *tenants.Tx) ([]Name, error) {
	connected, err := numbers.List(ctx, tx, uuid.Nil, 0)
	if err != nil {
		return nil, err
	}
	var rows []row
	if err := tx.SelectContext(ctx, &rows, `
		SELECT number_id, wanted, alternatives, owner_id, due_on, told_to, told_on, name, status, source, known_at, known_by, suggestions, suggested_at
		FROM number_usernames WHERE tenant_id = $1`, tx.Tenant); err != nil {
		return nil, fmt.Errorf("list usernames: %w", err)
	}
	said, err := notices.Usernames(ctx, tx)
	if err != nil {
		return nil, err
	}
	last, asked, err := newest(ctx, tx)
	if err != nil {
		return nil, err
	}

	list := []Name{}
	for _, number := range connected {
		if number.State == numbers.Disconnected {
			continue
		}
		n := Name{Number: number, Last: last[number.ID], asked: asked[number.ID]}
		if i := slices.IndexFunc(rows, func(r row) bool { return r.Number == number.ID }); i >= 0 {
			n.fill(rows[i])
		}
		if notice, ok := said[number.ID]; ok {
			n.Has = later(n.Has, notice)
		}
		list = append(list, n)
	}
	for i := range list {
		list[i].Clashes = clashes(list, i)
	}

	return list, nil
}

// Get is one connected number of tx's tenant, or tenants.ErrNotFound.
func Get(ctx context.Context, tx *tenants.Tx, number uuid.UUID) (Name, error) {
	list, err := List(ctx, tx)
	if err != nil {
		return Name{}, err
	}
	at := slices.IndexFunc(list, func(n Name) bool { return n.Number.ID == number })
	if at < 0 {
		return Name{}, tenants.ErrNotFound
	}

	return list[at], nil
}

func (n *Name) fill(r row) {
	n.Plan = Plan{Wanted: r.Wanted, Alternatives: r.Alternatives, Owner: r.Owner, Due: r.Due, toldTo: r.ToldTo, toldOn: r.ToldOn}
	n.Suggestions, n.SuggestedAt = r.Suggestions, r.SuggestedAt
	if r.KnownAt != nil {
		n.Has = State{Name: r.Name, Status: r.Status, Source: r.Source, By: r.KnownBy, At: *r.KnownAt}
	}
}

// later is the newer of what we know and what WhatsApp said. Within one second, the unit of webhooks, WhatsApp's word counts only where
// it is about the same name, for it may be what came before.
func later(known State, said notices.Notice) State {
	told := State{
		Name: said.Facts["username"], Status: said.Event, Source: FromWebhook, At: said.At, Revoked: said.Facts["context"] == "revoked",
	}
	told.Name, _ = whatsapp.Username(told.Name)
	if told.Status == whatsapp.UsernameDeleted {
		told.Name = ""
	}
	second := known.At.Truncate(time.Second)
	if !known.Known() || told.At.After(known.At) || !told.At.Before(second) && Fold(told.Name) == Fold(known.Name) {
		return told
	}

	return known
}

func clashes(list []Name, at int) []Clash {
	n := list[at]
	if n.Plan.Wanted == "" {
		return nil
	}
	var found []Clash
	for i, other := range list {
		clash := Clash{Number: other.Number.ID, Name: n.Plan.Wanted}
		switch {
		case i == at:
			continue
		case Fold(other.Has.Name) == n.Plan.Wanted && other.Number.Scope == n.Number.Scope:
			clash.Kind = ClashHeld
		case Fold(other.Has.Name) == n.Plan.Wanted:
			clash.Kind = ClashElsewhere
		case other.Plan.Wanted == n.Plan.Wanted:
			clash.Kind = ClashWanted
		default:
			continue
		}
		found = append(found, clash)
	}

	return found
}

// Handle is the username of one number that customers can be told.
type Handle struct {
	Number uuid.UUID
	Phone  string // digits
	Name   string // without @
	Status string // reserved: customers do not find it yet; approved
}

// Handles are the usernames that tx's tenant has, approved ones first, at most one for each number.
func Handles(ctx context.Context, tx *tenants.Tx) ([]Handle, error) {
	list, err := List(ctx, tx)
	if err != nil {
		return nil, err
	}
	handles := []Handle{}
	for _, n := range list {
		if n.Has.Holds() {
			handles = append(handles, Handle{Number: n.Number.ID, Phone: n.Number.DisplayPhone, Name: n.Has.Name, Status: n.Has.Status})
		}
	}
	slices.SortStableFunc(handles, func(a, b Handle) int { return cmp.Compare(a.Status, b.Status) })

	return handles, nil
}
