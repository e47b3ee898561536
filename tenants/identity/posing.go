package identity

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// lookAlikes are letters of other alphabets, and figures, that are taken for a Latin letter. They are what is met in made-up names, and
// not all that there are: Unicode's list is of thousands.
var lookAlikes = map[rune]rune{
	'а': 'a', 'в': 'b', 'с': 'c', 'ԁ': 'd', 'е': 'e', 'һ': 'h', 'і': 'i', 'ј': 'j', 'к': 'k', 'ӏ': 'l', 'м': 'm', 'н': 'h', 'о': 'o', 'р': 'p', 'ԛ': 'q',
	'ѕ': 's', 'т': 't', 'у': 'y', 'ѵ': 'v', 'ԝ': 'w', 'х': 'x',
	'α': 'a', 'β': 'b', 'ε': 'e', 'ι': 'i', 'κ': 'k', 'ν': 'v', 'ο': 'o', 'ρ': 'p', 'τ': 't', 'υ': 'u', 'χ': 'x', 'ω': 'w',
	'ı': 'i', 'ɑ': 'a', 'ɡ': 'g', 'ո': 'n', 'օ': 'o', 'ѐ': 'e', 'ϲ': 'c',
	'0': 'o', '1': 'l', '3': 'e', '4': 'a', '5': 's', '7': 't', '8': 'b', '$': 's', '@': 'a',
}

// official are words of somebody who speaks for a business or for WhatsApp.
var official = []string{
	"support", "helpdesk", "customercare", "customerservice", "official", "admin", "administrator", "verified", "whatsapp",
	"सपोर्ट", "कस्टमरकेयर", "आधिकारिक", "व्हाट्सऐप", "व्हाट्सएप",
}

// plainly is a name as it looks: each letter the Latin one it is taken for, in lower case, without marks, gaps and what cannot be seen.
func plainly(name string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(name) {
		r = unicode.ToLower(r)
		if to, ok := lookAlikes[r]; ok {
			r = to
		}
		// Devanagari's marks are part of its words, those on Latin letters are ornament.
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) && unicode.Is(unicode.Devanagari, r) {
			b.WriteRune(r)
		}
	}

	return b.String()
}

// Posing tells whether a name that somebody gave themself could pass for somebody official, or for the business itself: by its words, by
// letters of one alphabet made to look like another's, or by signs that turn the direction of writing around. It tells nothing about
// who they are, and nothing is done about it but to say so.
func Posing(name, business string) bool {
	for word := range strings.FieldsSeq(name) {
		latin, other := false, false
		for _, r := range word {
			latin = latin || unicode.Is(unicode.Latin, r) && unicode.IsLetter(r)
			other = other || unicode.In(r, unicode.Cyrillic, unicode.Greek, unicode.Armenian, unicode.Cherokee)
		}
		if latin && other {
			return true
		}
	}
	if strings.ContainsFunc(name, func(r rune) bool { return r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' }) {
		return true
	}

	plain := plainly(name)
	own := plainly(business)

	return slices.ContainsFunc(official, func(word string) bool { return strings.Contains(plain, plainly(word)) }) ||
		len([]rune(own)) >= 8 && strings.Contains(plain, own)
}
