package identity

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Devanagari to Latin, as Indian names are commonly written: consonants carry an inherent a that ends with a vowel sign,
// with a virama, or at the end of a word.
var (
	devanagariConsonants = map[rune]string{
		'क': "k", 'ख': "kh", 'ग': "g", 'घ': "gh", 'ङ': "n", 'च': "ch", 'छ': "chh", 'ज': "j", 'झ': "jh", 'ञ': "n",
		'ट': "t", 'ठ': "th", 'ड': "d", 'ढ': "dh", 'ण': "n", 'त': "t", 'थ': "th", 'द': "d", 'ध': "dh", 'न': "n",
		'प': "p", 'फ': "ph", 'ब': "b", 'भ': "bh", 'म': "m", 'य': "y", 'र': "r", 'ल': "l", 'ळ': "l", 'व': "v",
		'श': "sh", 'ष': "sh", 'स': "s", 'ह': "h",
	}
	devanagariVowels = map[rune]string{
		'अ': "a", 'आ': "a", 'इ': "i", 'ई': "i", 'उ': "u", 'ऊ': "u", 'ऋ': "ri", 'ए': "e", 'ऐ': "ai", 'ओ': "o", 'औ': "au", 'ऑ': "o",
	}
	devanagariSigns = map[rune]string{
		'ा': "a", 'ि': "i", 'ी': "i", 'ु': "u", 'ू': "u", 'ृ': "ri", 'े': "e", 'ै': "ai", 'ो': "o", 'ौ': "au", 'ॉ': "o",
	}
)

const (
	virama = '\u094D'
	nukta  = '\u093C'
)

// latin writes a word in lower-case Latin letters and digits: Devanagari is transliterated, accents fall away, all else is dropped.
func latin(word string) string {
	var out strings.Builder
	inherent := false
	// Decomposed, so that a nukta letter is its plain letter with a mark; marks fall away below.
	for _, r := range norm.NFD.String(word) {
		if c, ok := devanagariConsonants[r]; ok {
			if inherent {
				out.WriteByte('a')
			}
			out.WriteString(c)
			inherent = true
			continue
		}
		if s, ok := devanagariSigns[r]; ok {
			out.WriteString(s)
			inherent = false
			continue
		}
		switch {
		case r == virama:
			inherent = false
			continue
		case r == nukta || unicode.Is(unicode.Mn, r) && r < '\u0900':
			continue
		case r == 'ं' || r == 'ँ':
			if inherent {
				out.WriteByte('a')
			}
			out.WriteByte('n')
		default:
			if inherent && (devanagariVowels[r] != "" || unicode.IsLetter(r)) {
				out.WriteByte('a')
			}
			if v, ok := devanagariVowels[r]; ok {
				out.WriteString(v)
			} else if r = unicode.ToLower(r); r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
				out.WriteRune(r)
			} else if unicode.IsLetter(r) && r > '\u0980' {
				out.WriteRune(r) // another script is searched as it is
			}
		}
		inherent = false
	}

	return out.String()
}

// honorifics say nothing about who somebody is.
var honorifics = map[string]bool{
	"mr": true, "mrs": true, "ms": true, "dr": true, "shri": true, "shree": true, "smt": true, "ji": true, "sir": true, "madam": true,
	"bhai": true, "didi": true, "uncle": true, "aunty": true, "kumari": true,
}

// nameWords cuts a name into the words it can be found by, in Latin letters.
func nameWords(name string) []string {
	var words []string
	for _, field := range strings.FieldsFunc(name, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r) && !unicode.Is(unicode.Mc, r)
	}) {
		if w := latin(field); w != "" && !honorifics[w] {
			words = append(words, w)
		}
	}

	return words
}

// skeleton reduces a Latin word to how it sounds: spelling variants of one Indian name (Rajesh राजेश, Vijay Bijay, Shyam Syam,
// Pooja Puja) share it. Good for ordering suggestions and for search, never for linking.
func skeleton(word string) string {
	w := soundAlike.Replace(word)
	var out strings.Builder
	var last rune
	for i, r := range w {
		if strings.ContainsRune("aeiouy", r) && i > 0 {
			last = 0
			continue
		}
		if strings.ContainsRune("aeiouy", r) {
			r = 'a'
		}
		if r != last {
			out.WriteRune(r)
		}
		last = r
	}

	return out.String()
}

var soundAlike = strings.NewReplacer(
	"chh", "c", "ch", "c", "sh", "s", "kh", "k", "gh", "g", "th", "t", "dh", "d", "ph", "f", "bh", "b", "jh", "j",
	"ck", "k", "q", "k", "x", "ks", "z", "j", "w", "v",
)
