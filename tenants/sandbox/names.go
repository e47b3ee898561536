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

// names.tsv holds single words of names in Hindi and Latin letters with their
// position, cut from an MIT-licensed collection; full names are made up of them.
//
//go:embed names.tsv
var namesTSV string

// word is one word of a name in both scripts.
type word struct{ hindi, latin string }

var words = sync.OnceValues(func() (given, family []word) {
	for line := range strings.Lines(namesTSV) {
		columns := strings.Split(strings.TrimSpace(line), "\t")
		if len(columns) != 3 {
			continue
		}
		w := word{columns[0], upperFirst(columns[1])}
		if columns[2] == "given" {
			given = append(given, w)
		} else {
			family = append(family, w)
		}
	}
	return given, family
})

func upperFirst(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[size:]
}

// name is how one made-up person is called: in full, as they write themselves on
// WhatsApp, and the username they would take.
type name struct {
	full, shown, username string
}

func newName(rng *rand.Rand, nth int) name {
	givens, families := words()
	given, family := givens[rng.IntN(len(givens))], families[rng.IntN(len(families))]
	n := name{full: given.latin + " " + family.latin}

	switch rng.IntN(10) {
	case 0, 1, 2:
		n.full = given.hindi + " " + family.hindi
		n.shown = n.full
	case 3:
		n.full = given.hindi + " " + family.hindi
		n.shown = given.hindi
	case 4:
		n.shown = given.latin
	case 5:
		n.shown = strings.ToLower(given.latin) + " " + pick(rng, []string{"🙏", "🌸", "🔧", "❤️", "ji"})
	case 6:
		n.shown = given.latin + " " + family.latin[:1]
	default:
		n.shown = n.full
	}
	separator := pick(rng, []string{".", "_", ""})
	n.username = strings.ToLower(given.latin) + separator + strings.ToLower(family.latin)
	if len(n.username) > 28 {
		n.username = n.username[:28]
	}
	// The number keeps usernames unique, as WhatsApp does.
	n.username = strings.TrimRight(n.username, "._") + separator + strconv.Itoa(nth+1)
	return n
}

func pick[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }
