package outbox_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// account is a WhatsApp account as it really is. Nobody tells the product more of it than WhatsApp would.
type account struct {
	phone, bsuid string
	gone         bool
}

// told is an event that WhatsApp has not delivered yet.
type told struct {
	kind      whatsapp.ItemKind
	item      map[string]any
	phone, id string // named together
}

// town is a small world: accounts that write, move, hide and pass their phones on; people who merge and take apart; agents who look at
// one moment and send at another; deliveries that come late.
type town struct {
	*house
	rng      *rand.Rand
	clock    time.Time
	accounts []*account
	wrote    map[string]*account // by wamid
	seen     map[string]bool     // phone and BSUID that a delivered event named together
	pending  []told
	open     []composer
	sending  []on
	links    []uuid.UUID
	graph    whatsapp.Graph
	made     int
	sent     int
	tally    *tally
}

// town is one that nothing has happened in, with a business that six accounts may write to.
func (h *house) town(seed, n uint64, counts *tally) *town {
	h.t.Helper()
	own := *h
	own.meta = &meta{}
	w := &town{
		house: &own, rng: rand.New(rand.NewPCG(seed, n)), clock: time.Now().AddDate(-20, 0, 0), wrote: map[string]*account{}, seen: map[string]bool{}, tally: counts,
	}
	w.graph = whatsapp.NewGraph("https://graph.pehchan.example")
	w.graph.HTTP.Transport = wire{own.meta}
	waba := fmt.Sprint(70000 + n)
	w.tenant, w.number = h.business(fmt.Sprint("town-", n), waba, fmt.Sprint(80000+n))
	w.as(func(tx *tenants.Tx) error {
		return conversations.KeepTemplates(w.ctx(), tx, waba, []whatsapp.Template{
			{Name: "ready", Language: "en", Category: "UTILITY", Status: "APPROVED", Components: []whatsapp.TemplateComponent{{Type: "BODY", Text: "It is ready."}}},
		})
	})
	for range 6 {
		w.accounts = append(w.accounts, &account{phone: w.newPhone(), bsuid: w.newBSUID()})
	}

	return w
}

func (w *town) chance(p float64) bool { return w.rng.Float64() < p }

func pick[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }

func (w *town) id(prefix string) string {
	w.made++
	return fmt.Sprintf("%s%s%06d", prefix, w.tenant.String()[24:30], w.made)
}

func (w *town) newBSUID() string { return "IN." + w.id("") }

func (w *town) newPhone() string {
	w.made++
	return fmt.Sprintf("9198%08d", w.made)
}

// holder is who would get a message to a phone or BSUID; nil where nobody would.
func (w *town) holder(address string) *account {
	for _, a := range w.accounts {
		if !a.gone && (a.phone == address || a.bsuid == address) {
			return a
		}
	}

	return nil
}

func (w *town) living() []*account {
	var list []*account
	for _, a := range w.accounts {
		if !a.gone {
			list = append(list, a)
		}
	}

	return list
}

func (w *town) stamp() string { return fmt.Sprint(w.clock.Unix()) }

// happens is one thing that goes on in the town.
func (w *town) happens() {
	w.clock = w.clock.Add(time.Duration(1+w.rng.IntN(240)) * time.Minute)
	switch p := w.rng.Float64(); {
	case p < 0.34:
		w.someoneWrites(pick(w.rng, w.living()))
	case p < 0.38:
		w.someoneMoves(pick(w.rng, w.living()))
	case p < 0.41:
		w.phonePassesOn(pick(w.rng, w.living()))
	case p < 0.46:
		w.merge()
	case p < 0.49:
		w.undo()
	case p < 0.66:
		w.look(1 + w.rng.IntN(8))
	case p < 0.83:
		w.send()
	default:
		w.turns(1 + w.rng.IntN(20))
	}
	if w.chance(0.4) {
		w.deliver(1 + w.rng.IntN(12))
	}
}

func (w *town) someoneWrites(a *account) {
	wamid := w.id("wamid.")
	item := map[string]any{"id": wamid, "timestamp": w.stamp(), "type": "text", "text": map[string]any{"body": "hello"}, "from_user_id": a.bsuid}
	e := told{kind: whatsapp.KindMessage, item: item, id: a.bsuid}
	if w.chance(0.6) { // else they hide their phone
		item["from"], e.phone = a.phone, a.phone
	}
	w.wrote[wamid] = a
	w.pending = append(w.pending, e)
}

// someoneMoves gives an account another phone; WhatsApp tells of it, but for one in five.
func (w *town) someoneMoves(a *account) {
	w.tally.moved.Add(1)
	before := *a
	a.phone, a.bsuid = w.newPhone(), w.newBSUID()
	if w.chance(0.2) {
		return
	}
	w.pending = append(w.pending, told{kind: whatsapp.KindSystem, phone: a.phone, id: a.bsuid, item: map[string]any{
		"id": w.id("wamid."), "timestamp": w.stamp(), "type": "system", "from": before.phone,
		"system": map[string]any{"type": "user_changed_number", "wa_id": a.phone, "user_id": a.bsuid, "previous_user_id": before.bsuid},
	}})
}

// phonePassesOn ends an account and gives its phone to a stranger, some time later.
func (w *town) phonePassesOn(a *account) {
	w.tally.passed.Add(1)
	a.gone = true
	if w.chance(0.5) {
		w.clock = w.clock.AddDate(0, 0, 20+w.rng.IntN(300))
	}
	next := &account{phone: a.phone, bsuid: w.newBSUID()}
	w.accounts = append(w.accounts, next)
	if w.chance(0.8) {
		w.someoneWrites(next)
	}
}

// deliver brings so many of the events that are under way, together, each overtaking a few others.
func (w *town) deliver(n int) {
	var seen []identity.Seen
	for n = min(n, len(w.pending)); n > 0; n-- {
		i := w.rng.IntN(min(len(w.pending), 4))
		e := w.pending[i]
		w.pending = append(w.pending[:i:i], w.pending[i+1:]...)
		seen = append(seen, w.event(e.kind, e.item))
		if e.phone != "" {
			w.seen[e.phone+" "+e.id] = true
		}
	}
	if len(seen) > 0 {
		w.takeIn(seen...)
	}
}

// party is an account as the product knows it, and the contact it is part of.
type party struct {
	Contact  uuid.UUID `db:"contact_id"`
	Identity uuid.UUID `db:"id"`
}

func (w *town) parties(tx *tenants.Tx) (list []party, err error) {
	err = tx.SelectContext(w.ctx(), &list, `
		SELECT contact_id, id FROM identities WHERE tenant_id = $1 AND contact_id IS NOT NULL AND absorbed_into IS NULL ORDER BY contact_id, id`, w.tenant)

	return list, err
}

// merge makes one contact of two, alike or not.
func (w *town) merge() {
	w.tries(func(tx *tenants.Tx) error {
		list, err := w.parties(tx)
		if err != nil || len(list) < 2 {
			return err
		}
		keep, lose := pick(w.rng, list).Contact, pick(w.rng, list).Contact
		link, err := identity.Merge(w.ctx(), tx, meera, identity.MergeInput{Keep: keep, Lose: lose, Reason: "looks alike", MayRisk: true})
		if err == nil {
			w.tally.merged.Add(1)
			w.links = append(w.links, link)
		}
		return err
	})
}

func (w *town) undo() {
	if len(w.links) == 0 {
		return
	}
	link := pick(w.rng, w.links)
	w.tries(func(tx *tenants.Tx) error {
		_, err := identity.Undo(w.ctx(), tx, meera, link, true)
		if err == nil {
			w.tally.undone.Add(1)
		}
		return err
	})
}

// tries does what people may be refused.
func (w *town) tries(fn func(*tenants.Tx) error) {
	if err := w.db.DB.As(w.ctx(), w.tenant, fn); err != nil && tenants.ConflictCode(err) == "" {
		w.t.Error(err)
	}
}
