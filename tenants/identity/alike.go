package identity

import (
	"math"
	"slices"
	"strings"
	"unicode"
)

// How near two words must be to be one name (closeness), and what a word is worth, in bits. Fitted by hand on the words of
// sandbox/names.tsv; names_frozen.tsv is measured on only (TestNamesFindTheirOwners).
const (
	closeEnough = 0.78
	perDistance = 14.0 // bits lost from closeness 1 to 0
	otherWord   = -3.0 // each side has a word that the other lacks
	initialBits = 1.5  // "Rajesh K" and "Rajesh Kumar"
	clearSound  = 0.85 // of vowels and consonants: at least one word must be as near, or the names are not alike
)

// shortened are names that are written as two or three letters as often as in full.
var shortened = map[string]string{
	"md": "mohammad", "mo": "mohammad", "mohd": "mohammad", "mhd": "mohammad", "sk": "shekh", "kr": "kumar",
}

func inFull(word string) string {
	if long, ok := shortened[word]; ok {
		return long
	}

	return word
}

// confusable are consonants that one name is written with by turns: Bishnu and Vishnu, Saleem and Chaleem, Jogesh and Yogesh.
var confusable = []string{"bvpf", "sc", "td", "kg", "nm", "jacs", "lr", "hk"}

const consonants = "bcdfghjklmnprstv"

// soundsOf are the sounds (skeleton) under which a name may stand that is written a letter differently, its own first. Under row
// level security only equality uses an index, so the ways to write it are asked for one by one.
func soundsOf(word string) []string {
	sound := skeleton(word)
	out := []string{sound}
	add := func(s string) {
		if len(s) > 1 && len(s) <= maxWord && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	for short, long := range shortened {
		if sound == skeleton(long) {
			add(skeleton(short))
		}
	}
	if n := len(sound); n < 2 || n > 16 || strings.IndexFunc(sound, func(r rune) bool { return r > unicode.MaxASCII }) >= 0 {
		return out // longer ones are rare enough to be found by their own sound; other scripts are searched as they are
	}

	for i := range len(sound) {
		for _, class := range confusable {
			if strings.IndexByte(class, sound[i]) >= 0 {
				for j := range len(class) {
					add(sound[:i] + class[j:j+1] + sound[i+1:])
				}
			}
		}
	}
	for _, swap := range []string{"bv", "vb", "sc", "cs", "td", "dt", "kg", "gk"} {
		add(strings.ReplaceAll(sound, swap[:1], swap[1:]))
	}
	if len(sound) < 3 {
		return out
	}
	for i := range len(sound) {
		if len(sound) > 3 {
			add(sound[:i] + sound[i+1:])
		}
		if i > 1 {
			add(sound[:i-1] + sound[i:i+1] + sound[i-1:i] + sound[i+1:])
		}
		for j := range len(consonants) {
			add(sound[:i+1] + consonants[j:j+1] + sound[i+1:])
		}
	}

	return out
}

var vowelsAlike = strings.NewReplacer("aa", "a", "ee", "i", "oo", "u", "ou", "au", "ow", "au", "y", "i")

// spoken writes a Latin word by its sound, with its vowels.
func spoken(word string) string {
	w := vowelsAlike.Replace(soundAlike.Replace(word))
	out := make([]byte, 0, len(w))
	for i := range len(w) {
		if i == 0 || w[i] != w[i-1] {
			out = append(out, w[i])
		}
	}
	if len(out) > 3 && out[len(out)-1] == 'a' {
		out = out[:len(out)-1]
	}

	return string(out)
}

var consonantsAlike = strings.NewReplacer("v", "b", "c", "s", "g", "k", "d", "t", "m", "n")

// nameWord is a word of a name with the forms it is compared in.
type nameWord struct{ text, sound, spoken, root string }

func newNameWord(text string) nameWord {
	full := inFull(text)
	sound := skeleton(full)

	return nameWord{text: full, sound: sound, spoken: spoken(full), root: consonantsAlike.Replace(sound)}
}

// newNameWords are the words of a name. Said twice, a word counts once.
func newNameWords(texts []string) []nameWord {
	var out []nameWord
	for _, t := range texts {
		if w := newNameWord(t); w.text != "" && !slices.Contains(out, w) {
			out = append(out, w)
		}
	}

	return out
}

// closeness of two words is 1 where they are one and 0 where they share nothing.
func (w nameWord) closeness(o nameWord) float64 {
	if w.text == o.text {
		return 1
	}
	by := 0.95 * jaroWinkler(w.root, o.root)
	if w.sound == o.sound {
		by = 1
	}

	return (jaroWinkler(w.spoken, o.spoken) + by) / 2
}

// nameBits is how much more likely two people are one for being called so: the log2 of the odds, by Fellegi and Sunter. rare tells how
// rare a sound is among the business's customers, in bits: common names say little. alike is false where no word of one can be heard in
// the other.
func nameBits(mine, theirs []nameWord, rare func(sound string) float64) (bits float64, alike bool) {
	type pair struct {
		mine, theirs int
		closeness    float64
	}
	var pairs []pair
	for i, a := range mine {
		for j, b := range theirs {
			if c := a.closeness(b); c >= closeEnough {
				pairs = append(pairs, pair{i, j, c})
			}
		}
	}
	slices.SortStableFunc(pairs, func(a, b pair) int {
		switch {
		case a.closeness > b.closeness:
			return -1
		case a.closeness < b.closeness:
			return 1
		}
		return 0
	})

	met, taken := make([]bool, len(mine)), make([]bool, len(theirs))
	spare := len(theirs)
	for _, p := range pairs {
		if met[p.mine] || taken[p.theirs] {
			continue
		}
		a, b := mine[p.mine], theirs[p.theirs]
		met[p.mine], taken[p.theirs] = true, true
		spare--
		bits += max(0, min(rare(a.sound), rare(b.sound))+math.Log2(0.9)-(1-p.closeness)*perDistance)
		alike = alike || jaroWinkler(a.spoken, b.spoken) >= clearSound
	}
	for i, a := range mine {
		if met[i] || spare == 0 {
			continue
		}
		spare--
		if j := slices.IndexFunc(theirs, func(b nameWord) bool { return initialOf(a.text, b.text) || initialOf(b.text, a.text) }); j >= 0 && !taken[j] {
			taken[j] = true
			bits += initialBits
			continue
		}
		bits += otherWord
	}

	return bits, alike
}

func initialOf(initial, word string) bool {
	return len(initial) == 1 && len(word) > 1 && initial[0] == word[0]
}

// jaroWinkler is the similarity of two short strings of Latin letters, 0 to 1 (Winkler 1990).
func jaroWinkler(a, b string) float64 {
	if a == b {
		return 1
	}
	if a == "" || b == "" || len(a) > maxWord || len(b) > maxWord {
		return 0
	}

	reach := max(len(a), len(b))/2 - 1
	var metA, metB [maxWord]bool
	same := 0
	for i := range len(a) {
		for j := max(0, i-reach); j <= i+reach && j < len(b); j++ {
			if !metB[j] && a[i] == b[j] {
				metA[i], metB[j] = true, true
				same++
				break
			}
		}
	}
	if same == 0 {
		return 0
	}
	moved, j := 0, 0
	for i := range len(a) {
		if !metA[i] {
			continue
		}
		for !metB[j] {
			j++
		}
		if a[i] != b[j] {
			moved++
		}
		j++
	}

	m := float64(same)
	jaro := (m/float64(len(a)) + m/float64(len(b)) + (m-float64(moved)/2)/m) / 3
	prefix := 0
	for prefix < min(4, len(a), len(b)) && a[prefix] == b[prefix] {
		prefix++
	}

	return jaro + float64(prefix)*0.1*(1-jaro)
}
