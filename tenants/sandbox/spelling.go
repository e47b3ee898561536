package sandbox

import (
	"math/rand/v2"
	"strings"
)

// The ways in which a name stands on WhatsApp or in an address book.
const (
	NameFull    = "full"     // given and family name, perhaps with an honorific, an emoji or a typo
	NameOneWord = "one_word" // the given name alone
	NameInitial = "initial"  // the given name and a letter
	NameOther   = "other"    // Papa, a shop, a heart: nothing of the person's name
)

// The scripts a name is written in.
const (
	ScriptHindi = "hi"
	ScriptLatin = "latin"
)

// Spelling is a name as somebody has written it.
type Spelling struct {
	Text   string `json:"text"`
	Form   string `json:"form"`
	Script string `json:"script"`
}

const (
	shareHindi     = 0.35
	shareHinglish  = 0.35 // of names in Latin letters: lower case, as on a phone
	shareVariant   = 0.35 // of words with several usual spellings that are not written in the first of them
	shareTypo      = 0.06 // of words
	shareDecorated = 0.12
	shareHonorific = 0.10
)

// spell writes a name as its holder does on WhatsApp.
func (n name) spell(rng *rand.Rand) Spelling {
	s := Spelling{Form: NameFull, Script: ScriptLatin}
	if rng.Float64() < shareHindi {
		s.Script = ScriptHindi
	}
	switch f := rng.Float64(); {
	case f < 0.04:
		s.Form = NameOther
	case f < 0.26:
		s.Form = NameOneWord
	case f < 0.32:
		s.Form = NameInitial
	}
	return n.write(rng, s)
}

// write fills in the text of a spelling.
func (n name) write(rng *rand.Rand, s Spelling) Spelling {
	hindi, hinglish := s.Script == ScriptHindi, rng.Float64() < shareHinglish
	given, family := n.given.spelled(rng, hindi), n.family.spelled(rng, hindi)
	switch s.Form {
	case NameOther:
		s.Text = pick(rng, []string{"Papa", "❤️", "Maa", "Royal Enfield Lover", "Jai Shree Ram 🙏", "Sharma General Store", "घर", "…"})
		return s
	case NameOneWord:
		s.Text = given
	case NameInitial:
		s.Text = given + " " + firstRune(family)
	default:
		s.Text = given + " " + family
	}
	if hinglish && !hindi {
		s.Text = strings.ToLower(s.Text)
	}
	if rng.Float64() < shareHonorific {
		s.Text = honor(rng, s.Text, hindi)
	}
	if rng.Float64() < shareDecorated {
		s.Text += " " + pick(rng, []string{"🙏", "🌸", "🔧", "❤️", "✨", "(office)"})
	}
	return s
}

func honor(rng *rand.Rand, text string, hindi bool) string {
	if hindi {
		return pick(rng, []string{"श्री " + text, "डॉ " + text, text + " जी"})
	}
	return pick(rng, []string{"Mr " + text, "Dr. " + text, text + " ji", text + " bhai", "Smt " + text})
}

// spelled is a word as somebody writes it: one of its usual spellings, and now and then with a slip of the finger.
func (w word) spelled(rng *rand.Rand, hindi bool) string {
	if hindi {
		if rng.Float64() < shareTypo {
			return slipHindi.Replace(w.hindi)
		}
		return w.hindi
	}
	text := w.latin[0]
	if len(w.latin) > 1 && rng.Float64() < shareVariant {
		text = pick(rng, w.latin[1:])
	}
	if rng.Float64() < shareTypo && len(text) > 4 {
		text = slip(rng, text)
	}
	return upperFirst(text)
}

// slipHindi mixes up what sounds alike.
var slipHindi = strings.NewReplacer("ी", "ि", "ि", "ी", "ू", "ु", "ु", "ू", "श", "स", "व", "ब")

// slip leaves out, doubles or swaps one letter after the first.
func slip(rng *rand.Rand, text string) string {
	at := 1 + rng.IntN(len(text)-2)
	switch rng.IntN(3) {
	case 0:
		return text[:at] + text[at+1:]
	case 1:
		return text[:at] + text[at:at+1] + text[at:]
	default:
		return text[:at] + text[at+1:at+2] + text[at:at+1] + text[at+2:]
	}
}

func firstRune(s string) string {
	for _, r := range s {
		return string(r)
	}
	return ""
}

// saved writes a name as a shopkeeper keeps it in the address book.
func (n name) saved(rng *rand.Rand) Spelling {
	s := Spelling{Form: NameFull, Script: ScriptLatin}
	if rng.IntN(3) == 0 {
		s.Script = ScriptHindi
	}
	if rng.IntN(4) == 0 {
		s.Form = NameOneWord
	}
	s = n.write(rng, s)
	if rng.IntN(3) == 0 {
		s.Text += " " + pick(rng, []string{"Indore", "gas", "new", "Bhopal wale", "2"})
	}
	return s
}
