package server

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
	"github.com/pehchan/pehchan/views/pages"
)

// eyes are what a reader may see: phones in clear, or masked wherever they stand.
type eyes struct {
	clear   bool
	numbers map[uuid.UUID]string // the business's own, by id, to tell which one a message came to
	keeps   map[string]bool      // by scope: the business has a number there that keeps phones
	people  map[string]string    // colleagues' names by actor id
	media   bool                 // may see the files of messages
	items   secrets.Veil         // writes the ids of events that one may open; set where the page leads to them
	keys    *secrets.Keyring     // opens events of numbers that keep no phones; set where the page shows what one holds
}

func eyesOf(ctx context.Context, tx *tenants.Tx, m access.Member) (eyes, error) {
	e := eyes{clear: m.Can("phones:clear"), media: m.Can("conversations:read"), numbers: map[uuid.UUID]string{}, keeps: map[string]bool{}, people: map[string]string{}}
	list, err := numbers.List(ctx, tx, uuid.Nil, 0)
	if err != nil {
		return eyes{}, err
	}
	for _, n := range list {
		e.keeps[n.Scope] = e.keeps[n.Scope] || !n.PhoneFree
		e.numbers[n.ID] = n.Name
		if n.Name == "" {
			e.numbers[n.ID] = components.ClearPhone(n.DisplayPhone)
		}
	}
	team, err := access.Team(ctx, tx)
	if err != nil {
		return eyes{}, err
	}
	for _, p := range team {
		e.people[p.ID.String()] = p.Name
	}

	return e, nil
}

// name is a colleague's, or that of somebody who has left.
func (e eyes) name(ctx context.Context, actor string) string {
	if name, ok := e.people[actor]; ok {
		return name
	}

	return i18n.T(ctx, "resolve.colleague")
}

// phoneIn finds what may be a phone in what people wrote, in either script's digits.
var phoneIn = regexp.MustCompile(`\+?(?:[0-9०-९][ ().-]{0,2}){7,}[0-9०-९]`)

// words is what somebody wrote, without phones where they must not be seen.
func (e eyes) words(text string) string {
	if e.clear {
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

// inSentence is an identifier in the middle of a sentence.
func (e eyes) inSentence(kind whatsapp.Kind, value string) string {
	switch {
	case whatsapp.IsHiddenPhone(value):
		return unkept
	case kind != whatsapp.KindPhone:
		return components.ShortID(value)
	case e.clear:
		return components.ClearPhone(value)
	default:
		return "••" + value[max(0, len(value)-4):]
	}
}

func (e eyes) handle(kind whatsapp.Kind, value string) pages.Handle {
	h := pages.Handle{Kind: string(kind)}
	switch {
	case whatsapp.IsHiddenPhone(value):
		h.Shown = unkept
	case kind != whatsapp.KindPhone:
		h.Shown, h.Full = components.ShortID(value), value
	case e.clear:
		h.Shown, h.Full = components.ClearPhone(value), "+"+value
	default:
		h.Shown = components.MaskPhone(value)
	}

	return h
}

func (e eyes) handles(list []identity.Handle) []pages.Handle {
	out := make([]pages.Handle, len(list))
	for i, h := range list {
		out[i] = e.handle(h.Kind, h.Value)
	}

	return out
}

func (e eyes) sentence(list []identity.Handle) string {
	parts := make([]string, len(list))
	for i, h := range list {
		parts[i] = e.inSentence(h.Kind, h.Value)
	}

	return strings.Join(parts, " · ")
}

func (e eyes) account(i identity.Identity) pages.Account {
	a := pages.Account{Name: e.words(i.ProfileName), Username: i.Username, Hidden: !i.PhoneVisible, PhoneFree: i.PhoneFree}
	for _, d := range i.Identifiers {
		h := e.handle(d.Kind, d.Value)
		h.Past, h.First, h.Last, h.ID, h.Shared = !d.Current, d.FirstSeen, d.LastSeen, d.ID.String(), d.Shared
		a.Handles = append(a.Handles, h)
	}
	if kind, value := i.Address(); kind != "" {
		a.Reply = e.handle(kind, value)
	}

	return a
}

func (e eyes) someone(c identity.Contact) pages.Someone {
	s := pages.Someone{ID: c.ID.String(), Name: e.words(c.Name()), LastAt: c.LastAt}
	for _, i := range c.Identities {
		s.Accounts = append(s.Accounts, e.account(i))
	}
	switch {
	case c.Phone() != "":
		s.Handle = e.handle(whatsapp.KindPhone, c.Phone())
	case c.Username() != "":
		s.Handle = pages.Handle{Kind: "username", Shown: "@" + c.Username(), Full: c.Username()}
	case c.BSUID() != "":
		s.Handle = e.handle(whatsapp.KindBSUID, c.BSUID())
	case len(s.Accounts) > 0 && len(s.Accounts[0].Handles) > 0:
		s.Handle = s.Accounts[0].Handles[0] // an earlier one
	}

	return s
}

// stranger is an account nobody has written from yet, as if it were a contact.
func (e eyes) stranger(i identity.Identity) pages.Someone {
	return e.someone(identity.Contact{ProfileName: i.ProfileName, Identities: []identity.Identity{i}})
}

func (e eyes) label(ctx context.Context, c identity.Contact) string {
	s := e.someone(c)
	if s.Name != "" {
		return s.Name
	}

	return s.Handle.Label(ctx)
}

// reason is a piece of evidence in words.
func (e eyes) reason(ctx context.Context, r identity.Reason) string {
	args := maps.Clone(r.Args)
	for _, name := range []string{"via", "a", "b"} {
		value := args[name]
		switch {
		case value == "":
		case whatsapp.IsHiddenPhone(value):
			args[name] = unkept
		case strings.Trim(value, "0123456789") == "":
			args[name] = e.inSentence(whatsapp.KindPhone, value)
		default:
			args[name] = components.ShortID(value)
		}
	}
	for _, name := range []string{"mine", "theirs", "number"} {
		if value := args[name]; value != "" {
			args[name] = e.words(value)
		}
	}

	return i18n.Reason(ctx, r.Code, args)
}

func (e eyes) reasons(ctx context.Context, list []identity.Reason) []string {
	out := make([]string, len(list))
	for i, r := range list {
		out[i] = e.reason(ctx, r)
	}

	return out
}

// said is a message as a conversation shows it. via: also which of several addresses it came or went by.
func (e eyes) said(m conversations.Message, via bool) pages.Said {
	v := pages.Said{
		ID: m.ID.String(), Out: m.Direction == whatsapp.DirectionOut, At: m.At, Type: m.Type, Text: e.words(m.Text), Status: m.Status, Error: m.Error, Group: m.GroupID != "",
	}
	if m.Type == "order" {
		var order struct {
			Items []json.RawMessage `json:"product_items"`
			Text  string            `json:"text"`
		}
		if err := json.Unmarshal([]byte(m.Content), &order); err == nil {
			v.Count, v.Text = len(order.Items), e.words(order.Text)
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
		v.Via = e.handle(m.AddressKind, m.Address)
	}
	if len(e.numbers) > 1 {
		v.Number = e.numbers[m.NumberID]
	}

	return v
}

// carried is what a message carries besides its words: a file, a place, contact cards.
func (e eyes) carried(m conversations.Message, v *pages.Said) {
	if f, ok := m.Media(); ok {
		v.File = &pages.File{Kind: f.Kind, Name: e.words(f.Filename), Gone: f.Gone(time.Now()), Link: true}
		if e.media {
			v.File.Src = mediaPath + "/" + v.ID
		}
	}
	if p, ok := m.Place(); ok {
		v.Place = fmt.Sprintf("%.6f,%.6f", p.Latitude, p.Longitude)
	}
	for _, c := range m.Cards() {
		card := pages.SharedCard{Name: e.words(c.Name), Own: c.Own}
		for _, phone := range c.Phones {
			card.Phones = append(card.Phones, e.words(phone))
		}
		v.Cards = append(v.Cards, card)
	}
}

// entry is said with what became of the message since.
func (e eyes) entry(entry conversations.Entry, via bool) pages.Said {
	v := e.said(entry.Message, via)
	v.Edited, v.Revoked, v.Reactions = !entry.EditedAt.IsZero(), !entry.RevokedAt.IsZero(), entry.Reactions
	if v.Revoked {
		v.Text, v.File, v.Place, v.Cards = "", nil, "", nil
	}
	if entry.Quoted != nil {
		quote := e.entry(*entry.Quoted, false)
		v.Quote = &quote
	}

	return v
}

func (e eyes) thread(entries []conversations.Entry, via bool) []pages.Said {
	out := make([]pages.Said, len(entries))
	for i := range entries {
		out[i] = e.entry(entries[i], via)
	}

	return out
}
