package answers

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pehchan/pehchan/tenants"
)

// Variables of a text, besides facts. Those of CardVariables are about the business itself and may stand on a card; the others are about
// who a macro goes to, or are typed when it is used.
var (
	CardVariables = []string{"business", "handle", "trust_url", "our_number"}
	typed         = []string{"request", "time"}
	variables     = slices.Concat(CardVariables, typed, []string{"first"})
)

var slot = regexp.MustCompile(`\{([a-z_]+)(?::([a-z0-9_.]+)(?:\|([a-z]+))?)?\}`)

// Fill puts facts and variables into a text: {fact:key} what a fact states, {fact:key|doubt} what speaks against it, {fact:key|title}
// its title, {name} a variable. missing names the variables that have no value; their places stay as they are.
func (l Ledger) Fill(text, lang string, vars map[string]string) (filled string, missing []string) {
	filled = slot.ReplaceAllStringFunc(text, func(place string) string {
		part := slot.FindStringSubmatch(place)
		if part[1] == "fact" {
			f, ok := l.now[part[2]]
			switch {
			case !ok:
				return ""
			case part[3] == "doubt":
				return f.Doubt(lang)
			case part[3] == "title":
				return f.Title(lang)
			}

			return f.Text(lang)
		}
		if value := vars[part[1]]; value != "" {
			return value
		}
		if !slices.Contains(missing, part[1]) {
			missing = append(missing, part[1])
		}

		return place
	})

	return strings.TrimSpace(strings.ReplaceAll(filled, "  ", " ")), missing
}

// factsIn are the keys of the facts that texts name.
func factsIn(texts ...string) []string {
	var keys []string
	for _, text := range texts {
		for _, part := range slot.FindAllStringSubmatch(text, -1) {
			if part[1] == "fact" {
				keys = union(keys, []string{part[2]})
			}
		}
	}

	return keys
}

// named are the facts that a card's own words take in.
func (c Content) named() []string {
	return factsIn(c.Short.EN, c.Short.HI, c.Long.EN, c.Long.HI, c.Never.EN, c.Never.HI)
}

// The lengths of a card's texts, in letters.
const (
	mostQuestion = 160
	mostShort    = 200
	mostLong     = 2000
	mostAsks     = 30
)

// check refuses a card that lacks a language, is too long, or names what cannot be filled in. Whether its facts exist is known only with
// the ledger.
func (c Content) check() error {
	if faults := c.faults(); len(faults) > 0 {
		return faults[0]
	}

	return nil
}

// faults lists what is wrong with a card, each an Invalid of its field.
func (c Content) faults() []error {
	var list []error
	refuse := func(field, key string) { list = append(list, &tenants.Invalid{Field: field, Key: key}) }

	if !slices.Contains(Audiences, c.Audience) {
		refuse("audience", "choice")
	}
	most := map[string]int{"question": mostQuestion, "short": mostShort, "long": mostLong, "never": mostLong}
	for _, f := range (Wording{Card: &c}).fields() {
		name, _, _ := strings.Cut(f.name, "_")
		switch {
		case most[name] == 0:
		case strings.TrimSpace(f.text) == "":
			refuse(f.name, "both_languages")
		case utf8.RuneCountInString(f.text) > most[name]:
			refuse(f.name, "too_long")
		case slices.ContainsFunc(slot.FindAllStringSubmatch(f.text, -1), func(part []string) bool {
			return part[1] == "fact" && part[2] == "" || part[1] != "fact" && !slices.Contains(CardVariables, part[1])
		}):
			refuse(f.name, "answer_variable")
		}
	}
	if len(c.Asks) > mostAsks || utf8.RuneCountInString(strings.Join(c.Asks, "")) > mostLong {
		refuse("asks", "too_long")
	}
	for _, source := range []string{c.Source.EN, c.Source.HI} {
		if utf8.RuneCountInString(source) > mostQuestion {
			refuse("source", "too_long")
			break
		}
	}

	return list
}
