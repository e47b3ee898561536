package identity

import (
	"cmp"
	"math"
	"slices"
)

// scoreModel names the figures below. Another set of them is another model, so that a stored or quoted score can be told apart.
const scoreModel = "3"

// How often a piece of evidence that points to exactly one customer points to the right one: what is assumed, not measured. It outweighs
// the number of customers, whatever that is: the odds of somebody pointed to once are reliable to one.
var reliable = map[string]float64{
	hintCardRequest: 0.9995,
	signParent:      0.9995,
	signTwin:        0.9995,
	signQuoted:      0.999,
	signTapped:      0.999,
	hintCode:        0.999,
	hintPrinted:     0.9,
	hintProse:       0.97,
	hintSaved:       0.95,
	hintImported:    0.9,
	signListed:      0.9,
	hintTyped:       0.9,
	hintCardOther:   0.65,
	hintAdClick:     0.97,
	hintNumberLong:  0.95,
	hintNumber:      0.8,
	hintNumberInRow: 0.65,
	hintNumberShort: 0.4,
	hintUsername:    0.5,
	hintEmail:       0.4,
}

// What other evidence is worth in bits: the log2 of how much more often it is met where two are one than where they are not. Assumed
// too. Names are weighed by nameBits.
var worth = map[string]float64{
	hintFellSilent:      0.5,
	"two_live_accounts": -10,
	"decided_apart":     -12,
	"different_country": -6,
	hintTogether:        -4,
	"shared_phone":      -2,
	contestSilent:       -3,
	contestRenamed:      -8,
	otherName:           -2,
}

// otherName is what it counts that both are called something and nothing of the one can be heard in the other. People write strange
// things for a name, so it is weighed and not told.
const otherName = "other_name"

// inNoBook is how much less likely it is, in bits, that somebody is any one customer because they may be none.
const inNoBook = 0.7

// hintCeiling is the most that hints of tier C add up to, in bits: 0.64. Every strong sign alone is above it, so names never cross
// that line however many there are.
const hintCeiling = 0.83

// likeNamed is how seldom two people are called alike for a reason, in bits: once in 9,400, however rare their words are. Families, villages
// and trades hand the same ones on, so that the words of a name are not met independently, and no book attests how rare the rarest are.
// Fitted to made-up worlds of 1,000 and 5,000 people; e2e/accuracy says how well.
const likeNamed = 13.2

// asCalled is what a name counts for of which the words alone say so many bits: two are called alike by chance or for a reason.
func asCalled(words float64) float64 { return -math.Log2(math.Exp2(-words) + math.Exp2(-likeNamed)) }

// Weight is what one piece of evidence counts for.
type Weight struct {
	Code string
	Bits float64 // of the odds, by Fellegi and Sunter; below zero it speaks against
}

// Score is how likely a candidate is the one, by everything that speaks for and against.
type Score struct {
	Model  string
	Prior  float64  // bits: −log2 of how many customers it could be, and less since it may be none of them
	Items  []Weight // in the order of reasons, then of what speaks against
	P      float64  // 0 to 1
	Margin *float64 // bits ahead of the next best candidate, below zero behind the best; nil where alone

	odds float64 // bits, before the ceiling
}

// weigh scores a candidate. names is nameBits, where the names sound alike; other that both have one and they do not.
func (c *Candidate) weigh(pool, names float64, other bool) {
	s := Score{Model: scoreModel, Prior: -math.Log2(max(1, pool)) - inNoBook}
	counted := map[string]bool{}
	for _, r := range slices.Concat(c.Reasons, c.Against) {
		var bits float64
		switch {
		case counted[r.Code]:
			continue
		case r.Code == hintName:
			bits = asCalled(names)
		case reliable[r.Code] > 0:
			share := reliable[r.Code]
			if r.Tier == "B" && tierOf(r.Code) == "A" {
				share = 0.9 // not beyond doubt: too old, or of a phone that several people use
			}
			bits = -s.Prior + math.Log2(share/(1-share))
		default:
			bits = worth[r.Code]
		}
		counted[r.Code] = true
		s.Items = append(s.Items, Weight{r.Code, bits})
		s.odds += bits
	}
	if other {
		s.Items = append(s.Items, Weight{otherName, worth[otherName]})
		s.odds += worth[otherName]
	}
	s.odds += s.Prior
	c.Score = &s
	s.P = probability(c.odds())
}

// odds are those that candidates are shown with and ordered by.
func (c *Candidate) odds() float64 {
	if c.Tier == "C" {
		return min(c.Score.odds, hintCeiling)
	}

	return c.Score.odds
}

func probability(odds float64) float64 { return 1 / (1 + math.Exp2(-odds)) }

// rank puts the likeliest first and tells each how far it is from the next.
func rank(list []Candidate) {
	slices.SortStableFunc(list, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(b.odds(), a.odds()), cmp.Compare(b.Score.odds, a.Score.odds))
	})
	for i := range list {
		if len(list) < 2 {
			return
		}
		other := 0
		if i == 0 {
			other = 1
		}
		margin := list[i].Score.odds - list[other].Score.odds
		list[i].Score.Margin = &margin
	}
}
