package usernames

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

const (
	comfortable = 20 // letters that one still says in one go
	mostIdeas   = 12
	maxInput    = 120
)

// Idea is a name that may be asked for. Why says how it was made; Cautions are there only where nothing better could be made.
type Idea struct {
	Name     string
	Why      string // one of Why…
	Held     bool   // WhatsApp holds it for this business: a better chance than others
	Cautions []Remark
}

// How an idea is made of the shop's name.
const (
	WhyWhole  = "whole"  // all words
	WhyDotted = "dotted" // all words, with a period between
	WhyCity   = "city"   // with the city
	WhyShort  = "short"  // the first words
	WhyHeld   = "held"   // from WhatsApp's own suggestions
)

// plain are words of a shop's name that nobody says.
var plain = map[string]bool{
	"the": true, "and": true, "pvt": true, "ltd": true, "private": true, "limited": true, "llp": true, "co": true, "m": true, "s": true, "ms": true,
}

// Ideas are names for a shop, in Hindi or English, and its city (may be empty): valid, to be said aloud, and with nothing in them that
// looks like something else, unless the shop's own name leaves no other way. held are what WhatsApp suggested; they come first.
func Ideas(shop, city string, held []string) []Idea {
	words, place := wordsOf(shop), wordsOf(city)
	all, town := strings.Join(words, ""), strings.Join(place, "")
	var list []Idea
	add := func(why string, parts ...string) {
		name := strings.Join(parts, "")
		if name == "" || len(Check(name)) > 0 || !sayable(name) || slices.ContainsFunc(list, func(i Idea) bool { return i.Name == name }) {
			return
		}
		list = append(list, Idea{Name: name, Why: why, Held: why == WhyHeld || slices.Contains(held, name), Cautions: Cautions(name)})
	}

	for _, name := range held {
		add(WhyHeld, Fold(name))
	}
	if len(words) == 0 {
		return list
	}
	first := words[0]
	add(WhyWhole, all)
	add(WhyDotted, strings.Join(words, "."))
	if len(words) > 2 {
		add(WhyShort, first, words[1])
		add(WhyShort, first, ".", words[1])
		add(WhyShort, first, words[len(words)-1])
		add(WhyShort, first, ".", words[len(words)-1])
	}
	if town != "" {
		add(WhyCity, all, town)
		add(WhyCity, all, ".", town)
		if len(words) > 1 {
			add(WhyCity, first, ".", town)
			add(WhyCity, first, words[len(words)-1], ".", town)
			add(WhyCity, first, town)
		}
		add(WhyCity, town, ".", all)
	}
	if len(words) > 1 {
		add(WhyShort, first)
	}

	// What looks like something else, or is too long to be said, is left out as long as something better remains.
	if better := slices.DeleteFunc(slices.Clone(list), func(i Idea) bool { return len(i.Cautions) > 0 && !i.Held }); len(better) > 0 {
		list = better
	}
	slices.SortStableFunc(list, func(a, b Idea) int { return cmp.Compare(behind(a), behind(b)) })

	return list[:min(len(list), mostIdeas)]
}

func behind(i Idea) int {
	if i.Held {
		return 0
	}

	return 1
}

// wordsOf are the words of a name as they are said, without those that nobody says.
func wordsOf(name string) []string {
	if runes := []rune(name); len(runes) > maxInput {
		name = string(runes[:maxInput])
	}
	var words []string
	for _, field := range strings.FieldsFunc(strings.ReplaceAll(strings.ReplaceAll(name, "’", ""), "'", ""), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r) && !unicode.Is(unicode.Mc, r)
	}) {
		if w := Say(field); w != "" && !plain[w] {
			words = append(words, w)
		}
	}

	return words
}

// sayable tells whether one can say a name aloud and be understood: each part has a vowel and no heap of consonants, and there are no
// more than two periods and no underscore.
func sayable(name string) bool {
	parts := strings.Split(name, ".")
	if len(parts) > 3 || strings.Contains(name, "_") {
		return false
	}
	for _, part := range parts {
		if len(part) < 2 || !strings.ContainsAny(part, "aeiouy") {
			return false
		}
		heap := 0
		for _, r := range part {
			if strings.ContainsRune("aeiouy", r) || !isLetter(r) {
				heap = 0
				continue
			}
			if heap++; heap > 5 {
				return false
			}
		}
	}

	return true
}
