package identity

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Times in this file and in derive.go, timeline.go are whole seconds of WhatsApp's own clock since 1970.
const (
	// silence is how long an identifier may be unseen before it may have passed to somebody else: 180 days.
	silence = int64(180 * 24 * 3600)
	always  = int64(math.MinInt64)
	forever = int64(math.MaxInt64)
	anytime = always
)

// ref is an identifier of the graph, an index into its nodes. none stands for an identifier that the evidence does not name.
type ref int

const none = ref(-1)

type node struct {
	id          uuid.UUID
	kind        whatsapp.Kind
	value       string
	scope       string
	first, last int64
	claimed     *time.Time // when a list named it first; nil where none did
}

// seen lengthens the time over which the identifier was seen.
func (n *node) seen(first, last int64) { n.first, n.last = min(n.first, first), max(n.last, last) }

// pairing is a run of events in which WhatsApp named a BSUID beside a phone or parent.
type pairing struct {
	bsuid, other ref
	first, last  int64
}

// rotation is WhatsApp's word that an account's old identifiers became its new ones.
type rotation struct {
	at                            int64
	said                          string // wamid and digest: breaks ties within a second
	oldPhone, oldBSUID, oldParent ref
	newPhone, newBSUID, newParent ref
}

// verdict is a person's standing decision about two identifiers: one account/person or not. known is how far the evidence
// between the two went when they decided; what WhatsApp attests later is new proof.
type verdict struct {
	id           uuid.UUID
	a, b         ref
	aHeld, bHeld when
	same         bool
	known        int64
}

// when is at which time the person meant by a verdict had the identifier, and whether it had passed on when the verdict was taken.
type when struct {
	at   int64 // anytime: whoever has it is meant
	past bool
}

// reaches tells whether a span is about the holder meant: one that lies at the time, or goes on after it where the identifier was
// theirs still. What others did with it before is not spoken of.
func (w when) reaches(over span) bool {
	return w.at == anytime || over.last >= w.at && (!w.past || over.first <= w.at)
}

// graph is the evidence about one or more components of identifiers, whole: no evidence leads out of it.
type graph struct {
	nodes     []node
	pairings  []pairing
	past      []pairing // of past chats: believed where nothing live says otherwise
	rotations []rotation
	verdicts  []verdict
	sightings map[ref][]int64 // ascending: seen with no BSUID beside it
	heard     map[ref][]int64 // of those, by a sign of life
	called    map[ref][]name
	elsewhere elsewhere
}

// sort puts the evidence into an order that depends on what WhatsApp said, never on when it arrived or on generated ids.
func (g *graph) sort() {
	for _, pairings := range [][]pairing{g.pairings, g.past} {
		slices.SortFunc(pairings, func(a, b pairing) int {
			return cmp.Or(cmp.Compare(a.first, b.first), g.compare(a.bsuid, b.bsuid), g.compare(a.other, b.other), cmp.Compare(a.last, b.last))
		})
	}
	slices.SortFunc(g.rotations, func(a, b rotation) int {
		return cmp.Or(cmp.Compare(a.at, b.at), strings.Compare(a.said, b.said))
	})
	for _, seen := range []map[ref][]int64{g.sightings, g.heard} {
		for _, at := range seen {
			slices.Sort(at)
		}
	}
}

func (g *graph) compare(a, b ref) int {
	if a == b {
		return 0
	}
	x, y := g.nodes[a], g.nodes[b]

	return cmp.Or(cmp.Compare(x.kind, y.kind), strings.Compare(x.value, y.value), strings.Compare(x.scope, y.scope))
}

// sighted returns the first and last sighting of an identifier in [from, to).
func (g *graph) sighted(r ref, from, to int64) (first, last int64, ok bool) {
	return within(g.sightings[r], from, to)
}

// lastHeard returns the last sign of life of an identifier in [from, to).
func (g *graph) lastHeard(r ref, from, to int64) (last int64, ok bool) {
	_, last, ok = within(g.heard[r], from, to)

	return last, ok
}

func within(at []int64, from, to int64) (first, last int64, ok bool) {
	i, _ := slices.BinarySearch(at, from)
	j, _ := slices.BinarySearch(at, to)
	if i >= j {
		return 0, 0, false
	}

	return at[i], at[j-1], true
}
