package usernames

import (
	"slices"
	"strings"
)

// twins are pieces of a name that one takes for each other, on a board or a small screen.
var twins = [][2]string{
	{"o", "0"},
	{"l", "1"},
	{"i", "1"},
	{"s", "5"},
	{"b", "8"},
	{"e", "3"},
	{"a", "4"},
	{"g", "9"},
	{"z", "2"},
	{"m", "rn"},
	{"w", "vv"},
	{"d", "cl"},
	{"l", "i"},
	{"u", "v"},
	{"n", "m"},
}

// muddled are the pieces that make a name of one's own easy to copy or to mistype: a figure that looks like a letter beside letters,
// and pairs of letters that look like one.
var muddled = []string{"rn", "vv"}

const lookingLikeLetters = "0158"

// taken is the first piece of a name that is taken for something else, "" where nothing is.
func taken(name string) string {
	for _, piece := range muddled {
		if strings.Contains(name, piece) {
			return piece
		}
	}
	for i := range len(name) {
		if !strings.ContainsRune(lookingLikeLetters, rune(name[i])) {
			continue
		}
		if i > 0 && isLetter(rune(name[i-1])) || i+1 < len(name) && isLetter(rune(name[i+1])) {
			return name[i : i+1]
		}
	}

	return ""
}

// Lookalike is a name that somebody might take for ours.
type Lookalike struct {
	Name string
	How  string // one of How…
}

// How a look-alike is made of the name.
const (
	HowLooks   = "looks"   // a letter or figure that looks the same
	HowDots    = "dots"    // a period or underscore more or less
	HowDoubled = "doubled" // a letter more or less
	HowSwapped = "swapped" // two letters the other way round
	HowAdded   = "added"   // a word that seems official
)

// official are words that are put before or behind a name to seem real.
var official = []string{"official", "support", "help", "care", "india", "real", "team", "pay", "offers"}

// MostLookalikes is how many are made of one name: no more than somebody looks up in a quarter of an hour.
const MostLookalikes = 30

// Lookalikes are names that may be had by others and look or sound like a name, the likeliest to be used first.
func Lookalikes(typed string) []Lookalike {
	name := Fold(typed)
	if len(Check(name)) > 0 {
		return nil
	}
	var list []Lookalike
	add := func(how, other string) {
		if other != name && len(Check(other)) == 0 && !slices.ContainsFunc(list, func(l Lookalike) bool { return l.Name == other }) {
			list = append(list, Lookalike{other, how})
		}
	}

	bare := strings.NewReplacer(".", "", "_", "").Replace(name)
	add(HowDots, bare)
	add(HowDots, strings.ReplaceAll(name, ".", "_"))
	add(HowDots, strings.ReplaceAll(name, "_", "."))
	for _, word := range official[:4] {
		add(HowAdded, bare+word)
		add(HowAdded, name+"."+word)
		add(HowAdded, name+"_"+word)
	}
	for _, pair := range twins {
		for _, way := range [][2]string{pair, {pair[1], pair[0]}} {
			if at := strings.Index(name, way[0]); at >= 0 {
				add(HowLooks, name[:at]+way[1]+name[at+len(way[0]):])
			}
		}
	}
	for i := 1; i < len(name); i++ {
		if name[i] == name[i-1] {
			add(HowDoubled, name[:i]+name[i+1:])
		}
	}
	add(HowAdded, "the"+bare)
	for _, word := range official[4:] {
		add(HowAdded, bare+word)
	}
	for i := 0; i+1 < len(name); i++ {
		if isLetter(rune(name[i])) && isLetter(rune(name[i+1])) && name[i] != name[i+1] {
			add(HowSwapped, name[:i]+name[i+1:i+2]+name[i:i+1]+name[i+2:])
		}
	}
	for i := range name {
		if isLetter(rune(name[i])) && strings.ContainsRune("aeiou", rune(name[i])) {
			add(HowDoubled, name[:i+1]+name[i:])
		}
	}

	return list[:min(len(list), MostLookalikes)]
}
