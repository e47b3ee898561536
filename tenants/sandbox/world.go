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
	Events   int           // messages, statuses and system entries in all, repeats not counted; 0 means 2000
	Start    time.Time     // when the first of them may write
	Span     time.Duration // over which the events spread; 0 means 180 days
	Numbers  []Number      // the business numbers written to; empty means the first known one
	Disorder float64       // share of deliveries that come late; half as many come twice
}

// World is a seeded crowd of people who write to business numbers, take up
// usernames, hide their phones by WhatsApp's 30-day rule, change their numbers
// and leave them to strangers. It is not safe for concurrent use.
type World struct {
	options   WorldOptions
	rng       *rand.Rand
	people    []*person
	nextPhone int

	now       time.Time
	plan      queue[func(at time.Time) []item] // what will happen, by time
	nextVisit time.Time
	gap       time.Duration // mean time between visits
	made      int           // events made
	wamids    int

	outbox     queue[Delivery] // deliveries made and not yet sent, by place in line
	deliveries int
	lastAt     time.Time
}

// PersonTruth is what really belongs to one person: the answer that a resolver is
// measured against. Only what was shown on the wire is in it.
type PersonTruth struct {
	Person      string       `json:"person"`
	Name        string       `json:"name"`
	Identifiers []Identifier `json:"identifiers"`
	WAMIDs      []string     `json:"wamids"` // of the messages they wrote
}

// Identifier is one handle of a person. From is when it was first shown, To when
// they gave it up, null while they hold it.
type Identifier struct {
	Kind  string     `json:"kind"` // "phone" or "bsuid"
	Value string     `json:"value"`
	From  time.Time  `json:"from"`
	To    *time.Time `json:"to"`
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
	options.Start = options.Start.UTC().Truncate(time.Second)

	w := &World{options: options, now: options.Start, rng: rand.New(rand.NewPCG(uint64(options.Seed), 0x5eed))}
	w.nextPhone = w.rng.IntN(max(1, phoneBlock-firstPhone-options.People*3/2))
	w.settle()

	// Slightly denser than the span needs, so that the events run out before it does.
	visits := max(1, options.Events/eventsPerVisit-options.People)
	w.gap = options.Span * 4 / 5 / time.Duration(visits)
	w.nextVisit = w.now.Add(w.after(w.gap))
	return w
}

// Next returns the next delivery, false when all events have been delivered.
func (w *World) Next() (Delivery, bool) {
	for w.made < w.options.Events && (len(w.outbox) == 0 || w.outbox.first().place > int64(w.deliveries)) {
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

// Truth says who is who among all that has been made so far. Once Next has
// returned false that is all that was delivered.
func (w *World) Truth() []PersonTruth {
	truth := []PersonTruth{}
	for _, p := range w.people {
		if len(p.shown) == 0 {
			continue
		}
		told := PersonTruth{Person: p.id, Name: p.name.full, WAMIDs: append([]string{}, p.wamids...)}
		for _, shown := range p.shown {
			told.Identifiers = append(told.Identifiers, *shown)
		}
		truth = append(truth, told)
	}
	return truth
}

// produce makes one delivery and puts it in line, perhaps late, perhaps twice.
func (w *World) produce() {
	items := w.happen()
	if w.rng.Float64() < batchShare {
		for want := 2 + w.rng.IntN(largestBatch-1); len(items) < want && w.made < w.options.Events; {
			items = append(items, w.happen()...)
		}
	}
	if len(items) == 0 {
		return
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
	for w.made < w.options.Events {
		if len(w.plan) == 0 || w.plan.first().place > w.nextVisit.Unix() {
			at := w.nextVisit
			w.nextVisit = at.Add(w.after(w.gap))
			if p := w.visitor(at); p != nil {
				w.visit(p, at)
			}
			continue
		}
		w.now = time.Unix(w.plan.first().place, 0).UTC()
		if items := w.plan.take()(w.now); len(items) > 0 {
			w.made += len(items)
			return items
		}
	}
	return nil
}

func (w *World) at(at time.Time, happens func(at time.Time) []item) {
	w.plan.put(at.Unix(), happens)
}

// after draws the time to the next of events that come at random, mean apart.
func (w *World) after(mean time.Duration) time.Duration {
	return time.Duration(w.rng.ExpFloat64() * float64(mean)).Truncate(time.Second)
}

// between draws a duration from low to high, in whole seconds as WhatsApp's times are.
func (w *World) between(low, high time.Duration) time.Duration {
	return (low + time.Duration(w.rng.Int64N(int64(high-low)))).Truncate(time.Second)
}

func (w *World) wamid() string {
	w.wamids++
	sum := sha256.Sum256(fmt.Appendf(nil, "%d/%s/%d", w.options.Seed, w.options.Numbers[0].PhoneNumberID, w.wamids))
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
