package outbox_test

import (
	"database/sql"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/testdb"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

var (
	replies      = flag.Int64("replies", 60, "simulated sends of TestNoReplyGoesToAnotherAccount")
	repliesFor   = flag.Duration("replies.for", 24*time.Hour, "after which it counts what it has")
	repliesSeed  = flag.Uint64("replies.seed", 1, "draws other towns")
	repliesTowns = flag.Int("replies.towns", 4, "towns side by side")
)

const (
	townSends     = 1000 // until a town has had its day
	districtSends = 10000
)

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

// tally is what came of the replies of all towns, and what happened around them.
type tally struct {
	sends, changed, returned, unknowable, wrong atomic.Int64
	moved, passed, merged, undone               atomic.Int64
}

// wire brings what the Graph client sends to a Graph API without a socket between them.
type wire struct{ to *meta }

func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	w.to.answer(answer, r)

	return answer.Result(), nil
}

// look opens composers in threads of anybody.
func (w *town) look(n int) {
	w.as(func(tx *tenants.Tx) error {
		list, err := w.parties(tx)
		if err != nil || len(list) == 0 {
			return err
		}
		var shown []conversations.Recipient
		for range n {
			p := pick(w.rng, list)
			t := conversations.Thread{Contact: p.Contact}
			if w.chance(0.5) {
				t.Identity = p.Identity
			}
			r, err := conversations.ReplyTo(w.ctx(), tx, t)
			if errors.Is(err, tenants.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			shown = append(shown, r)
		}
		return w.shows(tx, shown...)
	})
}

// shows keeps composers, with who wrote what they answer.
func (w *town) shows(tx *tenants.Tx, shown ...conversations.Recipient) error {
	answered := make([]uuid.UUID, len(shown))
	for i, r := range shown {
		raw, err := base64.RawURLEncoding.DecodeString(r.Version)
		if err != nil || len(raw) != 80 {
			return fmt.Errorf("a version of another kind: %q", r.Version)
		}
		answered[i] = uuid.UUID(raw[64:])
	}
	var rows []struct {
		ID    uuid.UUID `db:"id"`
		WAMID string    `db:"wamid"`
	}
	if err := tx.SelectContext(w.ctx(), &rows, `SELECT id, wamid FROM messages WHERE tenant_id = $1 AND id = ANY($2)`, w.tenant, pq.Array(answered)); err != nil {
		return err
	}
	wamids := map[uuid.UUID]string{}
	for _, m := range rows {
		wamids[m.ID] = m.WAMID
	}
	for i, r := range shown {
		if who := w.wrote[wamids[answered[i]]]; who != nil {
			w.open = append(w.open, composer{shown: r, wrote: who})
		}
	}

	return nil
}

// send has agents write in about half the composers that are open, some of them for long, one to four messages each.
func (w *town) send() {
	var using, left []composer
	for _, c := range w.open {
		if w.chance(0.5) {
			using = append(using, c)
		} else {
			left = append(left, c)
		}
	}
	w.open = left
	if len(using) == 0 {
		return
	}
	w.as(func(tx *tenants.Tx) error {
		for _, c := range using {
			for n := 1 + w.rng.IntN(4); n > 0; n-- {
				if more, err := w.submits(tx, c); err != nil {
					return err
				} else if !more {
					break
				}
			}
		}
		return nil
	})
}

// submits presses the button of a composer. more is false where nothing can be sent from it any more.
func (w *town) submits(tx *tenants.Tx, c composer) (more bool, err error) {
	out, err := conversations.Submit(w.ctx(), tx, meera, conversations.Draft{
		Version: c.shown.Version, Key: w.id("k"), Template: &conversations.Filling{Name: "ready", Language: "en"},
	})
	var changed *conversations.Changed
	switch {
	case errors.As(err, &changed):
		w.tally.changed.Add(1)
		if changed.Now.Version != "" && w.chance(0.7) { // they look at the change, and send later
			return false, w.shows(tx, changed.Now)
		}
	case err == nil:
		w.sending = append(w.sending, on{c, out.ID, out.MessageID})
		return true, nil
	case tenants.ConflictCode(err) == "":
		return false, err
	}

	return false, nil
}

// turns takes so many of the messages that wait, has Graph called with each, judges what reached it, and keeps its answers.
func (w *town) turns(n int) {
	batch := w.sending[:min(n, len(w.sending))]
	w.sending = w.sending[len(batch):]
	if len(batch) == 0 {
		return
	}
	var calls []conversations.Turn
	holders := map[string]uuid.UUID{} // the accounts whose addresses these are, as the product knows it
	w.as(func(tx *tenants.Tx) error {
		var addresses []string
		for _, m := range batch {
			next, ok, err := conversations.Take(w.ctx(), tx, m.id, uuid.New())
			if err != nil {
				return err
			}
			if !ok {
				w.tally.returned.Add(1)
				continue
			}
			calls, addresses = append(calls, next), append(addresses, next.Address)
		}
		var rows []struct {
			Value    string    `db:"value"`
			Raw      string    `db:"raw"`
			Identity uuid.UUID `db:"identity_id"`
		}
		err := tx.SelectContext(w.ctx(), &rows, `
			SELECT d.value, d.raw, t.identity_id FROM identifiers d JOIN tenures t ON t.tenant_id = $1 AND t.identifier_id = d.id AND t.current
			WHERE d.tenant_id = $1 AND (d.value = ANY($2) OR d.raw = ANY($2))`, w.tenant, pq.Array(addresses))
		for _, r := range rows {
			holders[r.Value], holders[r.Raw] = r.Identity, r.Identity
		}
		return err
	})

	of := map[string]on{}
	for _, m := range batch {
		of[m.id.String()] = m
	}
	wamids := map[uuid.UUID]string{}
	for _, c := range calls {
		wamid, err := w.graph.Send(w.ctx(), "token-1234", "800", c.Outgoing)
		if err != nil {
			w.t.Fatal(err)
		}
		wamids[c.ID] = wamid
	}
	for _, got := range w.meta.all()[w.sent:] {
		w.judge(got, of[got.Tag], holders)
	}
	w.as(func(tx *tenants.Tx) error { return conversations.Accept(w.ctx(), tx, wamids) })
}

// judge looks at a message that reached Graph: who gets it, and whom the agent who wrote it saw.
func (w *town) judge(got sent, m on, holders map[string]uuid.UUID) {
	w.sent++
	w.tally.sends.Add(1)
	address := got.To + got.Recipient
	gets := w.holder(address)
	switch {
	case got.To != "" && got.Recipient != "" || strings.Contains(got.To, "."):
		w.tally.wrong.Add(1)
		w.t.Errorf("a reply went to %q and to recipient %q", got.To, got.Recipient)
	case holders[address] != m.shown.Identity:
		w.tally.wrong.Add(1)
		w.t.Errorf("a reply shown for account %s went to account %s", m.shown.Identity, holders[address])
	case gets == nil || gets == m.wrote:
	case !w.seen[gets.phone+" "+gets.bsuid] || address != gets.phone:
		w.tally.unknowable.Add(1) // the phone has passed on, and its new owner has not been heard of
	default:
		w.tally.wrong.Add(1)
		w.t.Errorf("a reply to %+v went to %s, which is now of %+v", *m.wrote, address, *gets)
	}
	if gets != nil && w.chance(0.7) {
		item := map[string]any{"id": got.WAMID, "status": "sent", "timestamp": w.stamp(), "recipient_user_id": gets.bsuid}
		e := told{kind: whatsapp.KindStatus, item: item, id: gets.bsuid}
		if got.To != "" {
			item["recipient_id"], e.phone = gets.phone, gets.phone
		}
		w.pending = append(w.pending, e)
	}
}

// No reply goes to another account than the one that was shown, whatever happens between looking, sending and the message's turn. What
// nobody could know is counted by itself: a phone that passed on before its new owner was heard of. Submit, Take, the Graph client and
// Accept are the program's own; several agents, or several messages, share a transaction, as what happens between two of these is what
// matters here. That the sender works as Take and Accept do is what the other tests of this package are about.
func TestNoReplyGoesToAnotherAccount(t *testing.T) {
	t.Parallel()
	var (
		tally tally
		next  atomic.Uint64
	)
	began := time.Now()
	for district := 0; tally.sends.Load() < *replies && time.Since(began) < *repliesFor && !t.Failed(); district++ {
		t.Run(fmt.Sprint("district ", district), func(t *testing.T) {
			towns(t, &tally, &next, min(*replies, int64(district+1)*districtSends), began.Add(*repliesFor))
		})
		t.Logf("%d towns, %d sends, %d wrong; %d came back before and %d after they were submitted; %d to phones that had passed on unheard of; "+
			"meanwhile %d merges, %d undone, %d accounts on another number and %d phones passed on; %s",
			next.Load(), tally.sends.Load(), tally.wrong.Load(), tally.changed.Load(), tally.returned.Load(), tally.unknowable.Load(),
			tally.merged.Load(), tally.undone.Load(), tally.moved.Load(), tally.passed.Load(), time.Since(began).Round(time.Second))
	}
}

// firstPlans is after how many sends a database is first told what is in its tables.
const firstPlans = 100

// statistics has a database look at its tables now and then, which nothing else does in tests: it would plan each statement for tables that
// are empty.
type statistics struct {
	dsn string
	at  atomic.Int64 // how many sends there are to be before it looks again
}

func (s *statistics) renew(t *testing.T, sends int64) {
	t.Helper()
	at := s.at.Load()
	if sends < at || !s.at.CompareAndSwap(at, at*4) {
		return
	}
	owner, err := sql.Open("postgres", s.dsn)
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = owner.Close() }()
	if _, err := owner.ExecContext(t.Context(), `ANALYZE`); err != nil {
		t.Error(err)
	}
}

// towns lets towns have their days, several side by side, until there are so many sends: on a database of their own, which goes with them.
func towns(t *testing.T, tally *tally, next *atomic.Uint64, sends int64, until time.Time) {
	h := open(t)
	// Nothing here asks what survives a power cut, and compiling short statements takes longer than running them.
	db, err := tenants.Open(t.Context(), h.db.AppDSN+"&options=-c%20synchronous_commit%3Doff%20-c%20jit%3Doff")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	plans := statistics{dsn: h.db.OwnerDSN}
	plans.at.Store(firstPlans)
	h.db = &testdb.Database{DB: db}
	began := tally.sends.Load()
	var side sync.WaitGroup
	for range *repliesTowns {
		side.Go(func() {
			for tally.sends.Load() < sends && time.Now().Before(until) && !t.Failed() {
				n := next.Add(1)
				w := h.town(*repliesSeed, n, tally)
				for w.sent < townSends && w.clock.Before(time.Now()) && tally.sends.Load() < sends && !t.Failed() {
					w.happens()
					plans.renew(t, tally.sends.Load()-began)
				}
				for len(w.sending) > 0 && tally.sends.Load() < sends && !t.Failed() { // what they have written by then still goes out
					w.turns(20)
				}
				if t.Failed() {
					t.Logf("in town %d of seed %d", n, *repliesSeed)
				}
			}
		})
	}
	side.Wait()
}
