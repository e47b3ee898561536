package outbox_test

import (
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/testdb"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

var (
	replies     = flag.Int("replies", 60, "simulated sends of TestNoReplyGoesToAnotherAccount")
	repliesFor  = flag.Duration("replies.for", time.Hour, "after which it counts what it has")
	repliesSeed = flag.Uint64("replies.seed", 1, "draws other towns")
)

// account is a WhatsApp account as it really is. Nobody tells the product more of it than WhatsApp would.
type account struct {
	phone, bsuid string
	gone         bool
}

// composer is what an agent has before them, and who really wrote what it answers.
type composer struct {
	shown conversations.Recipient
	wrote *account
}

// on is a reply on its way.
type on struct {
	composer
	id, message uuid.UUID
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
	made     int
	tally    *tally
}

type tally struct{ sends, changed, returned, unknowable, wrong atomic.Int64 }

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
		w.look()
		w.look()
		w.look()
	case p < 0.83:
		for n := len(w.open); n > 0; n-- {
			if w.chance(0.5) {
				w.send()
			}
		}
	default:
		for n := len(w.sending); n > 0 && w.chance(0.8); n-- {
			w.turn()
		}
	}
	for len(w.pending) > 0 && w.chance(0.8) {
		w.deliver(w.rng.IntN(min(len(w.pending), 4)))
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

func (w *town) deliver(i int) {
	e := w.pending[i]
	w.pending = append(w.pending[:i:i], w.pending[i+1:]...)
	w.feed(e.kind, e.item)
	if e.phone != "" {
		w.seen[e.phone+" "+e.id] = true
	}
}

func (w *town) contacts() (ids []uuid.UUID) {
	w.as(func(tx *tenants.Tx) error {
		return tx.Select(&ids, `SELECT id FROM contacts WHERE merged_into IS NULL ORDER BY id`)
	})

	return ids
}

func (w *town) merge() {
	ids := w.contacts()
	if len(ids) < 2 {
		return
	}
	keep, lose := pick(w.rng, ids), pick(w.rng, ids)
	err := w.db.DB.As(w.t.Context(), w.tenant, func(tx *tenants.Tx) error {
		link, err := identity.Merge(w.t.Context(), tx, meera, identity.MergeInput{Keep: keep, Lose: lose, Reason: "looks alike", MayRisk: true})
		if err == nil {
			w.links = append(w.links, link)
		}
		return err
	})
	if err != nil && tenants.ConflictCode(err) == "" {
		w.t.Error(err)
	}
}

func (w *town) undo() {
	if len(w.links) == 0 {
		return
	}
	link := pick(w.rng, w.links)
	err := w.db.DB.As(w.t.Context(), w.tenant, func(tx *tenants.Tx) error {
		_, err := identity.Undo(w.t.Context(), tx, meera, link, true)
		return err
	})
	if err != nil && tenants.ConflictCode(err) == "" {
		w.t.Error(err)
	}
}

// look opens a composer in one of the threads of somebody.
func (w *town) look() {
	ids := w.contacts()
	if len(ids) == 0 {
		return
	}
	w.as(func(tx *tenants.Tx) error {
		t := conversations.Thread{Contact: pick(w.rng, ids)}
		c, err := identity.Get(w.t.Context(), tx, t.Contact)
		if err == nil && w.chance(0.5) && len(c.Identities) > 0 {
			t.Identity = pick(w.rng, c.Identities).ID
		}
		if err == nil {
			var r conversations.Recipient
			if r, err = conversations.ReplyTo(w.t.Context(), tx, t); err == nil {
				w.shows(tx, r)
			}
		}
		if errors.Is(err, tenants.ErrNotFound) {
			return nil
		}
		return err
	})
}

// shows keeps a composer, with who wrote what it answers.
func (w *town) shows(tx *tenants.Tx, r conversations.Recipient) {
	raw, err := base64.RawURLEncoding.DecodeString(r.Version)
	if err != nil || len(raw) != 80 {
		w.t.Fatalf("a version of another kind: %q", r.Version)
	}
	var wamid string
	if tx.Get(&wamid, `SELECT wamid FROM messages WHERE id = $1`, uuid.UUID(raw[64:])) == nil && w.wrote[wamid] != nil {
		w.open = append(w.open, composer{shown: r, wrote: w.wrote[wamid]})
	}
}

// send has an agent press the button of a composer that may have been open for long.
func (w *town) send() {
	if len(w.open) == 0 {
		return
	}
	i := w.rng.IntN(len(w.open))
	c := w.open[i]
	w.open = append(w.open[:i:i], w.open[i+1:]...)
	out, err := w.submit(conversations.Draft{Version: c.shown.Version, Key: w.id("k"), Template: &conversations.Filling{Name: "ready", Language: "en"}})
	var changed *conversations.Changed
	switch {
	case errors.As(err, &changed):
		w.tally.changed.Add(1)
		if changed.Now.Version != "" && w.chance(0.7) { // they look at the change, and send later
			w.as(func(tx *tenants.Tx) error { w.shows(tx, changed.Now); return nil })
		}
	case err == nil:
		w.sending = append(w.sending, on{c, out.ID, out.MessageID})
	case tenants.ConflictCode(err) == "":
		w.t.Error(err)
	}
}

// turn takes one of the messages that wait, and judges to whom it goes.
func (w *town) turn() {
	if len(w.sending) == 0 {
		return
	}
	m := w.sending[0]
	w.sending = w.sending[1:]
	var (
		next conversations.Turn
		ok   bool
		now  uuid.UUID
	)
	w.as(func(tx *tenants.Tx) (err error) {
		if next, ok, err = conversations.Take(w.t.Context(), tx, m.id, uuid.New()); err != nil || !ok {
			return err
		}
		err = tx.Get(&now, `SELECT t.identity_id FROM tenures t JOIN identifiers d ON d.tenant_id = t.tenant_id AND d.id = t.identifier_id
			WHERE t.current AND (d.value = $1 OR d.raw = $1)`, next.Address)
		if err != nil {
			return err
		}
		return conversations.Accept(w.t.Context(), tx, m.id, "wamid.out-"+m.id.String())
	})
	if !ok {
		w.tally.returned.Add(1)
		return
	}

	w.tally.sends.Add(1)
	gets := w.holder(next.Address)
	switch {
	case now != m.shown.Identity:
		w.tally.wrong.Add(1)
		w.t.Errorf("a reply shown for account %s went to account %s", m.shown.Identity, now)
	case gets == nil || gets == m.wrote:
	case !w.seen[gets.phone+" "+gets.bsuid] || next.Address != gets.phone:
		w.tally.unknowable.Add(1) // the phone has passed on, and its new owner has not been heard of
	default:
		w.tally.wrong.Add(1)
		w.t.Errorf("a reply to %+v went to %s, which is now of %+v", *m.wrote, next.Address, *gets)
	}
	if gets != nil && w.chance(0.7) {
		item := map[string]any{"id": "wamid.out-" + m.id.String(), "status": "sent", "timestamp": w.stamp(), "recipient_user_id": gets.bsuid}
		e := told{kind: whatsapp.KindStatus, item: item, id: gets.bsuid}
		if strings.HasPrefix(next.Address, "91") {
			item["recipient_id"], e.phone = gets.phone, gets.phone
		}
		w.pending = append(w.pending, e)
	}
}

// No reply goes to another account than the one that was shown, whatever happens between looking, sending and the message's turn. What
// nobody could know is counted by itself: a phone that passed on before its new owner was heard of.
func TestNoReplyGoesToAnotherAccount(t *testing.T) {
	t.Parallel()
	h := open(t)
	// Nothing here asks what survives a power cut.
	db, err := tenants.Open(t.Context(), h.db.AppDSN+"&options=-c%20synchronous_commit%3Doff")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	h.db = &testdb.Database{DB: db}
	var (
		tally tally
		next  atomic.Uint64
		towns sync.WaitGroup
	)
	began := time.Now()
	for range 3 {
		towns.Go(func() {
			for int(tally.sends.Load()) < *replies && time.Since(began) < *repliesFor && !t.Failed() {
				n := next.Add(1)
				w := h.town(*repliesSeed, n, &tally)
				for range 250 {
					w.happens()
				}
				if t.Failed() {
					t.Logf("in town %d of seed %d", n, *repliesSeed)
				}
			}
		})
	}
	towns.Wait()
	t.Logf("%d towns, %d sends, %d wrong; %d came back before and %d after they were submitted; %d to phones that had passed on unheard of; %s",
		next.Load(), tally.sends.Load(), tally.wrong.Load(), tally.changed.Load(), tally.returned.Load(), tally.unknowable.Load(), time.Since(began).Round(time.Second))
}

func (h *house) town(seed, n uint64, counts *tally) *town {
	h.t.Helper()
	own := *h
	w := &town{
		house: &own, rng: rand.New(rand.NewPCG(seed, n)), clock: time.Now().AddDate(-20, 0, 0), wrote: map[string]*account{}, seen: map[string]bool{}, tally: counts,
	}
	waba := fmt.Sprint(70000 + n)
	w.tenant, w.number = h.business(fmt.Sprint("town-", n), waba, fmt.Sprint(80000+n))
	w.as(func(tx *tenants.Tx) error {
		return conversations.KeepTemplates(h.t.Context(), tx, waba, []whatsapp.Template{
			{Name: "ready", Language: "en", Category: "UTILITY", Status: "APPROVED", Components: []whatsapp.TemplateComponent{{Type: "BODY", Text: "It is ready."}}},
		})
	})
	for range 6 {
		w.accounts = append(w.accounts, &account{phone: w.newPhone(), bsuid: w.newBSUID()})
	}

	return w
}
