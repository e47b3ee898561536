package answers

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// How much a word counts, by where on a card it stands.
const (
	inQuestion = 8
	inAsks     = 6
	inShort    = 3
	inLong     = 1
)

// index finds cards by words.
type index struct {
	lib   library
	cards []Card
	at    []map[string]int // by card: a word and how much it counts there
	in    map[string]int   // in how many cards a word stands
}

func newIndex(lib library, cards []Card) index {
	ix := index{lib: lib, cards: cards, in: map[string]int{}}
	for _, c := range cards {
		at := map[string]int{}
		add := func(worth int, texts ...string) {
			for _, text := range texts {
				for _, word := range wordsOf(slot.ReplaceAllString(text, " ")) {
					if t := lib.term(word); at[t] < worth {
						at[t] = worth
					}
				}
			}
		}
		add(inQuestion, c.Question.EN, c.Question.HI)
		add(inAsks, c.Asks...)
		add(inShort, c.Short.EN, c.Short.HI)
		add(inLong, c.Long.EN, c.Long.HI)
		for word := range at {
			ix.in[word]++
		}
		ix.at = append(ix.at, at)
	}

	return ix
}

// tells is how much a word says about which card is meant: less, the more cards have it.
func (ix index) tells(word string) float64 {
	return math.Log(1 + float64(len(ix.cards))/float64(1+ix.in[word]))
}

// begun are the words of the cards that the last, unfinished word of a query may become.
func (ix index) begun(word string) []string {
	if len([]rune(word)) < 2 {
		return nil
	}
	var list []string
	for known, same := range ix.lib.words {
		if strings.HasPrefix(known, word) {
			list = union(list, []string{same})
		}
	}
	for known := range ix.in {
		if strings.HasPrefix(known, word) {
			list = union(list, []string{known})
		}
	}

	return list
}

// hit is a card that a query found.
type hit struct {
	card   int
	found  int     // words of the query on it
	worth  float64 // how well they fit
	covers float64 // share of what the query says that stands in its question or short answer
}

// find lists the cards for a query, best first. Typing: its last word may be unfinished.
func (ix index) find(query string, typing bool) []hit {
	terms := ix.lib.terms(query)
	var last string
	if words := wordsOf(query); typing && len(words) > 0 && !strings.HasSuffix(query, " ") {
		last = words[len(words)-1]
	}
	ways := make([][]string, 0, len(terms)+1) // what each word of the query may stand for
	for _, t := range terms {
		ways = append(ways, []string{t})
	}
	if more := ix.begun(last); len(more) > 0 {
		switch at := slices.Index(terms, ix.lib.term(last)); {
		case at >= 0:
			ways[at] = union(ways[at], more)
		case len(terms) == 0:
			ways = append(ways, more)
		}
	}

	var hits []hit
	for n, at := range ix.at {
		h := hit{card: n}
		var all float64
		for _, words := range ways {
			tells := ix.tells(words[0])
			all += tells
			worth := 0
			for _, word := range words {
				worth = max(worth, at[word])
			}
			if worth > 0 {
				h.found++
				h.worth += tells * float64(worth)
			}
			if worth >= inShort {
				h.covers += tells
			}
		}
		if h.found == 0 || h.found*2 < len(ways) {
			continue
		}
		h.covers /= all
		hits = append(hits, h)
	}
	slices.SortFunc(hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(b.worth, a.worth), cmp.Compare(b.found, a.found), cmp.Compare(a.card, b.card))
	})

	return hits
}

// Find lists the cards that a query in either script finds, best first; all of them for an empty one. It is made for a box that is being
// typed in: the last word may be unfinished.
func Find(cards []Card, query string) ([]Card, error) {
	lib, err := shipped()
	if err != nil || strings.TrimSpace(query) == "" {
		return cards, err
	}
	found := []Card{}
	for _, h := range newIndex(lib, cards).find(query, true) {
		found = append(found, cards[h.card])
	}

	return found, nil
}
