package identity

import (
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

// fold is a letter as it looks: the Latin one it is taken for, in lower case; false for a mark on it or what cannot be seen. Devanagari's
// marks are part of its words, those on Latin letters are ornament.
func fold(r rune) (rune, bool) {
	r = unicode.ToLower(r)
	if to, ok := lookAlikes[r]; ok {
		r = to
	}

	return r, unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) && unicode.Is(unicode.Devanagari, r)
}

// plainly is a name as it looks, without gaps.
func plainly(name string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(name) {
		if r, seen := fold(r); seen {
			b.WriteRune(r)
		}
	}

	return b.String()
}

// plainWords are the words of a name as they look. Figures at a word's end are left out, and letters that stand apart are one word.
func plainWords(name string) (words []string) {
	apart := false // the last word is of letters that stand apart
	for word := range strings.FieldsFuncSeq(norm.NFKD.String(name), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsPunct(r) && r != '@' }) {
		plain := plainly(strings.TrimRightFunc(word, unicode.IsDigit))
		switch single := len([]rune(plain)) == 1; {
		case plain == "":
		case single && apart:
			words[len(words)-1] += plain
		default:
			words, apart = append(words, plain), single
		}
	}

	return words
}

// speaksOfficially tells whether a word, or two together, are an official one. A long one may end a word: ashasupport.
func speaksOfficially(words []string) bool {
	for i, word := range words {
		two := word
		if i+1 < len(words) {
			two += words[i+1]
		}
		for _, o := range official {
			o = plainly(o)
			if word == o || two == o || len([]rune(o)) > len("admin") && strings.HasSuffix(word, o) {
				return true
			}
		}
	}

	return false
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

	own := plainly(business)

	return speaksOfficially(plainWords(name)) || len([]rune(own)) >= 8 && strings.Contains(plainly(name), own)
}
