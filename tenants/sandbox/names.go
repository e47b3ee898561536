package sandbox

import (
	_ "embed"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// The head of each file says where its words come from and under which licence.
//
//go:embed names.tsv
var everydayTSV string

//go:embed names_frozen.tsv
var frozenTSV string

// NameSet is a stock of words that full names are made up of.
type NameSet int

// The stocks share no word. Frozen is kept for measuring: no rule is fitted to it.
const (
	Everyday NameSet = iota
	Frozen
)

// word is one word of a name in Devanagari with the ways it is written in Latin letters, the most usual first.
type word struct {
	hindi string
	latin []string
}

// stock is the words of one position; up to[i] is how often the words to i were met together.
type stock struct {
	words []word
	upTo  []int
}

func (s *stock) add(hindi, latin string, count int) {
	for i, w := range s.words {
		if w.hindi == hindi {
			s.words[i].latin = append(w.latin, latin)
			return
		}
	}
	last := 0
	if n := len(s.upTo); n > 0 {
		last = s.upTo[n-1]
	}
	s.words, s.upTo = append(s.words, word{hindi, []string{latin}}), append(s.upTo, last+count)
}

// draw takes a word as often as it was met.
func (s *stock) draw(rng *rand.Rand) word {
	at := rng.IntN(s.upTo[len(s.upTo)-1])
	for i, end := range s.upTo {
		if at < end {
			return s.words[i]
		}
	}
	return s.words[len(s.words)-1]
}

type stocks struct{ given, family stock }

var names = [...]func() *stocks{
	Everyday: sync.OnceValue(func() *stocks { return readStocks(everydayTSV) }),
	Frozen:   sync.OnceValue(func() *stocks { return readStocks(frozenTSV) }),
}

func readStocks(tsv string) *stocks {
	s := &stocks{}
	for line := range strings.Lines(tsv) {
		columns := strings.Split(strings.TrimSpace(line), "\t")
		if len(columns) != 4 {
			continue
		}
		count, err := strconv.Atoi(columns[3])
		if err != nil {
			continue
		}
		if columns[2] == "given" {
			s.given.add(columns[0], columns[1], count)
		} else {
			s.family.add(columns[0], columns[1], count)
		}
	}
	return s
}

func upperFirst(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[size:]
}

// name is who one made-up person is, however they or others spell it.
type name struct{ given, family word }

func newName(rng *rand.Rand, from NameSet) name {
	s := names[from]()
	return name{s.given.draw(rng), s.family.draw(rng)}
}

// full is the name as an official would write it.
func (n name) full() string {
	return upperFirst(n.given.latin[0]) + " " + upperFirst(n.family.latin[0])
}

// username is one that the person would take. The number keeps them unique, as WhatsApp does.
func (n name) username(rng *rand.Rand, nth int) string {
	separator := pick(rng, []string{".", "_", ""})
	whole := n.given.latin[0] + separator + n.family.latin[0]
	if len(whole) > 28 {
		whole = whole[:28]
	}
	return strings.TrimRight(whole, "._") + separator + strconv.Itoa(nth)
}

func pick[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }
