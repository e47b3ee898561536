package sandbox

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// WorldOptions describe a world. The same options give the same bytes.
type WorldOptions struct {
	Seed     int64
	People   int           // customers; 0 means 200
	Events   int           // messages, statuses and the like in all, repeats not counted; 0 means 2000
	ToEnd    bool          // go on to the end of Span: Events is then only how busy the world is
	Start    time.Time     // when the first of them may write
	Span     time.Duration // over which the events spread; 0 means 180 days
	Numbers  []Number      // the business numbers written to; empty means the first known one
	Disorder float64       // share of deliveries that come late; half as many come twice
	Names    NameSet

	// Calendar lets BSUIDs begin on 1 April and usernames on 7 July 2026, as they did. Customers of before come back
	// without their phone. Off, both are there from the start.
	Calendar bool
	Parents  bool     // the portfolios are enrolled for parent ids
	Books    []string // portfolio ids whose contact book is on
	Shared   []string // phone number ids that are also on somebody's phone, in the Business app

	// Place keeps the message ids of two worlds of one seed apart; "" is the id of the first number.
	Place string
}

// World is a seeded crowd of people who write to business numbers, take up
// usernames, hide their phones by WhatsApp's rules, change their numbers
// and leave them to strangers. It is not safe for concurrent use.
type World struct {
	options   WorldOptions
	rng       *rand.Rand
	people    []*person
	holders   map[string]*person // by phone, as of now
	freed     []string           // usernames that nobody holds any more
	nextPhone int

	now       time.Time
	plan      queue[func(at time.Time) []item] // what will happen, by time
	nextVisit time.Time
	gap       time.Duration // mean time between visits
	made      int           // events made
	over      bool
	wamids    int
	told      []EventTruth

	outbox     queue[Delivery] // deliveries made and not yet sent, by place in line
	deliveries int
	lastAt     time.Time
}

const (
	defaultPeople = 200
	defaultEvents = 2000
	defaultSpan   = 180 * 24 * time.Hour

	eventsPerVisit = 5
	day            = 24 * time.Hour

	batchShare   = 0.08
	largestBatch = 5
	latestBy     = 12 // places in line a late delivery falls back
	repeatWithin = 30 // places in line until a repeat
)

// What WhatsApp sent from when. Source: domain facts 1.1, 1.2.
var (
	bsuidsFrom    = time.Date(2026, time.April, 1, 0, 0, 0, 0, time.UTC)
	usernamesFrom = time.Date(2026, time.July, 7, 0, 0, 0, 0, time.UTC)
	previousFrom  = time.Date(2026, time.August, 11, 0, 0, 0, 0, time.UTC) // previous ids in system messages
)

// NewWorld makes a world; nothing has happened in it yet.
func NewWorld(options WorldOptions) *World {
	if options.People <= 0 {
		options.People = defaultPeople
	}
	if options.Events <= 0 {
		options.Events = defaultEvents
	}
	if options.Span <= 0 {
		options.Span = defaultSpan
	}
	if len(options.Numbers) == 0 {
		options.Numbers = known.Numbers[:1]
	}
	options.Place = cmp.Or(options.Place, options.Numbers[0].PhoneNumberID)
	options.Start = options.Start.UTC().Truncate(time.Second)

	w := &World{
		options: options, now: options.Start, holders: map[string]*person{},
		rng: rand.New(rand.NewPCG(uint64(options.Seed), 0x5eed)),
	}
	w.nextPhone = w.rng.IntN(max(1, phoneBlock-firstPhone-options.People*3/2))
	w.settle()
	w.openShared()

	// Slightly denser than the span needs, so that the events run out before it does.
	visits := max(1, options.Events/eventsPerVisit-options.People)
	w.gap = options.Span * 4 / 5 / time.Duration(visits)
	w.nextVisit = w.now.Add(w.after(w.gap))
	return w
}

// Next returns the next delivery, false when all events have been delivered.
func (w *World) Next() (Delivery, bool) {
	for w.going() && (len(w.outbox) == 0 || w.outbox.first().place > int64(w.deliveries)) {
		w.produce()
	}
	if len(w.outbox) == 0 {
		return Delivery{}, false
	}
	delivery := w.outbox.take()
	if delivery.At.Before(w.lastAt) {
		delivery.At = w.lastAt
	}
	w.lastAt = delivery.At
	return delivery, true
}

func (w *World) going() bool {
	return !w.over && (w.options.ToEnd || w.made < w.options.Events)
}

// produce makes one delivery and puts it in line, perhaps late, perhaps twice.
func (w *World) produce() {
	items := w.happen()
	if w.rng.Float64() < batchShare {
		for want := 2 + w.rng.IntN(largestBatch-1); len(items) < want && w.going(); {
			items = append(items, w.happen()...)
		}
	}
	if len(items) == 0 {
		return
	}
	for _, it := range items {
		w.told = append(w.told, it.told)
	}
	delivery := Delivery{At: w.now, Body: pack(items...), Items: len(items)}
	w.deliveries++
	place := int64(w.deliveries)
	if w.rng.Float64() < w.options.Disorder/2 {
		w.outbox.put(place+1+w.rng.Int64N(repeatWithin), delivery)
	}
	if w.rng.Float64() < w.options.Disorder {
		place += 1 + w.rng.Int64N(latestBy)
	}
	w.outbox.put(place, delivery)
}

// happen lets time pass until something goes over the wire.
func (w *World) happen() []item {
	for w.going() {
		visits := !w.options.ToEnd || w.nextVisit.Before(w.end())
		switch {
		case visits && (len(w.plan) == 0 || w.plan.first().place > w.nextVisit.Unix()):
			at := w.nextVisit
			w.nextVisit = at.Add(w.after(w.gap))
			if p := w.visitor(at); p != nil {
				w.visit(p, at)
			}
			continue
		case len(w.plan) == 0:
			w.over = true
			return nil
		}
		w.now = time.Unix(w.plan.first().place, 0).UTC()
		if items := w.plan.take()(w.now); len(items) > 0 {
			w.made += len(items)
			return items
		}
	}
	return nil
}

func (w *World) end() time.Time { return w.options.Start.Add(w.options.Span) }

// early tells whether it is before WhatsApp sent BSUIDs.
func (w *World) early(at time.Time) bool { return w.options.Calendar && at.Before(bsuidsFrom) }

func (w *World) at(at time.Time, happens func(at time.Time) []item) {
	w.plan.put(at.Unix(), happens)
}

// chance is true as often as the share says.
func (w *World) chance(share float64) bool { return w.rng.Float64() < share }

// after draws the time to the next of events that come at random, mean apart.
func (w *World) after(mean time.Duration) time.Duration {
	return time.Duration(w.rng.ExpFloat64() * float64(mean)).Truncate(time.Second)
}

// between draws a duration from low to high, in whole seconds as WhatsApp's times are.
func (w *World) between(low, high time.Duration) time.Duration {
	return (low + time.Duration(w.rng.Int64N(int64(max(high-low, 1))))).Truncate(time.Second)
}

// moment draws a time from one to another.
func (w *World) moment(from, to time.Time) time.Time { return from.Add(w.between(0, to.Sub(from))) }

func (w *World) wamid() string {
	w.wamids++
	sum := sha256.Sum256(fmt.Appendf(nil, "%d/%s/%d", w.options.Seed, w.options.Place, w.wamids))
	return "wamid." + base64.StdEncoding.EncodeToString(sum[:27])
}

// queue gives out the value at the lowest place first, ties in the order they
// came. The next one is kept last: what comes in is mostly due soon, and an
// insertion near the end moves little.
type queue[T any] []place[T]

type place[T any] struct {
	place int64
	value T
}

func (q *queue[T]) put(at int64, value T) {
	i, _ := slices.BinarySearchFunc(*q, at, func(p place[T], at int64) int { return cmp.Compare(at, p.place) })
	*q = slices.Insert(*q, i, place[T]{at, value})
}

func (q *queue[T]) first() place[T] { return (*q)[len(*q)-1] }

func (q *queue[T]) take() T {
	next := q.first()
	*q = slices.Delete(*q, len(*q)-1, len(*q))
	return next.value
}
