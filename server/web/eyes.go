package web

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/whatsapp"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/people"
)

// Eyes are what a reader may see: phones in clear, or masked wherever they stand.
type Eyes struct {
	Clear   bool
	Numbers map[uuid.UUID]string // the business's own, by id, to tell which one a message came to
	Keeps   map[string]bool      // by scope: the business has a number there that keeps phones
	people  map[string]string    // colleagues' names by actor id
	media   bool                 // may see the files of messages
	Items   secrets.Veil         // writes the ids of events that one may open; set where the page leads to them
	house   string               // what the business is called
	Keys    *secrets.Keyring     // opens events of numbers that keep no phones; set where the page shows what one holds
}

// EyesOf are the eyes of a member, in a transaction of their tenant.
func EyesOf(ctx context.Context, tx *tenants.Tx, m access.Member) (Eyes, error) {
	e := Eyes{Clear: m.Can("phones:clear"), media: m.Can("conversations:read"), Numbers: map[uuid.UUID]string{}, Keeps: map[string]bool{}, house: m.Tenant.Name}
	list, err := numbers.List(ctx, tx, uuid.Nil, 0)
	if err != nil {
		return Eyes{}, err
	}
	for _, n := range list {
		e.Keeps[n.Scope] = e.Keeps[n.Scope] || !n.PhoneFree
		e.Numbers[n.ID] = n.Name
		if n.Name == "" {
			e.Numbers[n.ID] = components.ClearPhone(n.DisplayPhone)
		}
	}
	if e.people, err = access.Names(ctx, tx); err != nil {
		return Eyes{}, err
	}

	return e, nil
}

// Name is a colleague's, or that of somebody who has left.
func (e Eyes) Name(ctx context.Context, actor string) string {
	if name, ok := e.people[actor]; ok {
		return name
	}

	return i18n.T(ctx, "resolve.colleague")
}

// phoneIn finds what may be a phone in what people wrote, in either script's digits.
var phoneIn = regexp.MustCompile(`\+?(?:[0-9०-९][ ().-]{0,2}){7,}[0-9०-९]`)

// Words is what somebody wrote, without phones where they must not be seen.
func (e Eyes) Words(text string) string {
	if e.Clear {
		return text
	}

	return phoneIn.ReplaceAllStringFunc(text, func(phone string) string {
		digits := []rune(strings.Map(func(r rune) rune {
			if strings.ContainsRune(" ().-+", r) {
				return -1
			}
			return r
		}, phone))

		return "••" + string(digits[len(digits)-4:])
	})
}

// unkept stands where a phone would, had it been kept.
const unkept = "••••"

// InSentence is an identifier in the middle of a sentence.
func (e Eyes) InSentence(kind whatsapp.Kind, value string) string {
	switch {
	case whatsapp.IsHiddenPhone(value):
		return unkept
	case kind != whatsapp.KindPhone:
		return components.ShortID(value)
	case e.Clear:
		return components.ClearPhone(value)
	default:
		return "••" + value[max(0, len(value)-4):]
	}
}

// Handle is an identifier as it stands on a page.
func (e Eyes) Handle(kind whatsapp.Kind, value string) people.Handle {
	h := people.Handle{Kind: string(kind)}
	switch {
	case whatsapp.IsHiddenPhone(value):
		h.Shown = unkept
	case kind != whatsapp.KindPhone:
		h.Shown, h.Full = components.ShortID(value), value
	case e.Clear:
		h.Shown, h.Full = components.ClearPhone(value), "+"+value
	default:
		h.Shown = components.MaskPhone(value)
	}

	return h
}

// Handles are several of them, in order.
func (e Eyes) Handles(list []identity.Handle) []people.Handle {
	out := make([]people.Handle, len(list))
	for i, h := range list {
		out[i] = e.Handle(h.Kind, h.Value)
	}

	return out
}

// Sentence names identifiers in the middle of a sentence.
func (e Eyes) Sentence(list []identity.Handle) string {
	parts := make([]string, len(list))
	for i, h := range list {
		parts[i] = e.InSentence(h.Kind, h.Value)
	}

	return strings.Join(parts, " · ")
}

// Account is one WhatsApp account with its identifiers, and where a reply to it goes.
func (e Eyes) Account(i identity.Identity) people.Account {
	a := people.Account{Name: e.Words(i.ProfileName), Username: i.Username, Hidden: !i.PhoneVisible, PhoneFree: i.PhoneFree}
	for _, d := range i.Identifiers {
		h := e.Handle(d.Kind, d.Value)
		h.Past, h.First, h.Last, h.ID, h.Shared = !d.Current, d.FirstSeen, d.LastSeen, d.ID.String(), d.Shared
		a.Handles = append(a.Handles, h)
	}
	if kind, value := i.Address(); kind != "" {
		a.Reply = e.Handle(kind, value)
	}

	return a
}

// Someone is a contact, told by the best handle there is.
func (e Eyes) Someone(c identity.Contact) people.Someone {
	s := people.Someone{ID: c.ID.String(), Name: e.Words(c.Name()), LastAt: c.LastAt}
	for _, i := range c.Identities {
		s.Accounts = append(s.Accounts, e.Account(i))
		s.Posing = s.Posing || c.DisplayName == "" && (identity.Posing(i.ProfileName, e.house) || identity.Posing(i.Username, e.house))
	}
	switch {
	case c.Phone() != "":
		s.Handle = e.Handle(whatsapp.KindPhone, c.Phone())
	case c.Username() != "":
		s.Handle = people.Handle{Kind: "username", Shown: "@" + c.Username(), Full: c.Username()}
	case c.BSUID() != "":
		s.Handle = e.Handle(whatsapp.KindBSUID, c.BSUID())
	case len(s.Accounts) > 0 && len(s.Accounts[0].Handles) > 0:
		s.Handle = s.Accounts[0].Handles[0] // an earlier one
	}

	return s
}

// Stranger is an account nobody has written from yet, as if it were a contact.
func (e Eyes) Stranger(i identity.Identity) people.Someone {
	return e.Someone(identity.Contact{ProfileName: i.ProfileName, Identities: []identity.Identity{i}})
}

// Label is what a contact is called: a name, else a handle.
func (e Eyes) Label(ctx context.Context, c identity.Contact) string {
	s := e.Someone(c)
	if s.Name != "" {
		return s.Name
	}

	return s.Handle.Label(ctx)
}

// Reason is a piece of evidence in words.
func (e Eyes) Reason(ctx context.Context, r identity.Reason) string {
	args := maps.Clone(r.Args)
	for _, name := range []string{"via", "a", "b"} {
		value := args[name]
		switch {
		case value == "":
		case whatsapp.IsHiddenPhone(value):
			args[name] = unkept
		case strings.Trim(value, "0123456789") == "":
			args[name] = e.InSentence(whatsapp.KindPhone, value)
		default:
			args[name] = components.ShortID(value)
		}
	}
	for _, name := range []string{"mine", "theirs", "number"} {
		if value := args[name]; value != "" {
			args[name] = e.Words(value)
		}
	}

	return i18n.Reason(ctx, r.Code, args)
}

// Reasons are several of them, in order.
func (e Eyes) Reasons(ctx context.Context, list []identity.Reason) []string {
	out := make([]string, len(list))
	for i, r := range list {
		out[i] = e.Reason(ctx, r)
	}

	return out
}

// Said is a message as a conversation shows it. via: also which of several addresses it came or went by.
func (e Eyes) Said(m conversations.Message, via bool) people.Said {
	v := people.Said{
		ID: m.ID.String(), Out: m.Direction == whatsapp.DirectionOut, At: m.At, Type: m.Type, Text: e.Words(m.Text), Status: m.Status, Error: m.Error, Group: m.GroupID != "",
	}
	if m.Type == "order" {
		var order struct {
			Items []json.RawMessage `json:"product_items"`
			Text  string            `json:"text"`
		}
		if err := json.Unmarshal([]byte(m.Content), &order); err == nil {
			v.Count, v.Text = len(order.Items), e.Words(order.Text)
		}
	}
	if v.Out && m.Asks() {
		v.Type = "ask"
	}
	e.carried(m, &v)
	call := m.Call()
	v.Seconds, v.Missed, v.Imported = call.Seconds, call.Ended && call.Seconds == 0 && m.Status != "completed", m.Imported
	v.Reworded = m.OtherItem != nil
	if via && m.Address != "" {
		v.Via = e.Handle(m.AddressKind, m.Address)
	}
	if len(e.Numbers) > 1 {
		v.Number = e.Numbers[m.NumberID]
	}

	return v
}

// carried is what a message carries besides its words: a file, a place, contact cards.
func (e Eyes) carried(m conversations.Message, v *people.Said) {
	if f, ok := m.Media(); ok {
		v.File = &people.File{Kind: f.Kind, Name: e.Words(f.Filename), Gone: f.Gone(time.Now()), Link: true}
		if e.media {
			v.File.Src = MediaPath + "/" + v.ID
		}
	}
	if p, ok := m.Place(); ok {
		v.Place = fmt.Sprintf("%.6f,%.6f", p.Latitude, p.Longitude)
	}
	for _, c := range m.Cards() {
		card := people.SharedCard{Name: e.Words(c.Name), Own: c.Own}
		for _, phone := range c.Phones {
			card.Phones = append(card.Phones, e.Words(phone))
		}
		v.Cards = append(v.Cards, card)
	}
}

// Entry is said with what became of the message since.
func (e Eyes) Entry(entry conversations.Entry, via bool) people.Said {
	v := e.Said(entry.Message, via)
	v.Edited, v.Revoked, v.Reactions = !entry.EditedAt.IsZero(), !entry.RevokedAt.IsZero(), entry.Reactions
	if v.Revoked {
		v.Text, v.File, v.Place, v.Cards = "", nil, "", nil
	}
	if entry.Quoted != nil {
		quote := e.Entry(*entry.Quoted, false)
		v.Quote = &quote
	}

	return v
}

// Thread are the messages of a conversation. via: also which of several addresses each came or went by.
func (e Eyes) Thread(entries []conversations.Entry, via bool) []people.Said {
	out := make([]people.Said, len(entries))
	for i := range entries {
		out[i] = e.Entry(entries[i], via)
	}

	return out
}
