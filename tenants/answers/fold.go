package answers

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Signs that people write one for the other: long and short vowels, the two nasal dots, the dot below.
var alike = strings.NewReplacer(
	"\u093c", "", "\u200c", "", "\u200d", "", "ँ", "ं", "ी", "ि", "ू", "ु", "ई", "इ", "ऊ", "उ",
	"म्", "ं", "न्", "ं", "ण्", "ं", "ञ्", "ं", "ङ्", "ं",
)

// fold brings a word to one spelling: no capitals, accents or dots below, short vowels.
func fold(text string) string {
	apart := strings.Map(func(r rune) rune {
		if r >= 0x0300 && r <= 0x036f {
			return -1
		}

		return unicode.ToLower(r)
	}, norm.NFD.String(text))

	return alike.Replace(apart)
}

// wordsOf takes a text apart into folded words.
func wordsOf(text string) []string {
	return strings.FieldsFunc(fold(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r) })
}

// bones is what is left of a word in Latin letters without its vowels and doubled letters, by which "namber" is "number". It is empty for
// others, and for short words, which have too little left.
func bones(word string) string {
	if len(word) < 5 {
		return ""
	}
	var out []byte
	for i := range len(word) {
		b := word[i]
		switch {
		case b < 'a' || b > 'z':
			return ""
		case strings.IndexByte("aeiouyh", b) >= 0 && i > 0:
		case len(out) > 0 && out[len(out)-1] == b:
		default:
			out = append(out, b)
		}
	}

	return string(out)
}

// idle are the words that tell nothing of what is asked.
var idle = func() map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(`a an the is are am i my me you your we our us do does did can could will would should may what how of to in on it its
		for with and or if this that there be been have has had by at as from not no yes please ok hi hello still any some somebody someone
		kya kyaa hai hain he ho hoga hota hote hoti ka ki ke ko se me mein main mai mera meri mere mujhe aap aapka aapki aapke aapko hum hamara hamare hame
		yeh ye woh wo bhi to toh par kaise kaisa karu kare karo karna karein kar karke raha rahi rahe tha thi the koi kuch ab abhi ji sir madam namaste bhai nahi nahin na diya gaya gayi wala yahan yahaan wahan here there
		क्या है हैं हो होगा होता होते होती का की के को से में मैं मेरा मेरी मेरे मुझे आप आपका आपकी आपके आपको हम हमारा हमारे हमें यह ये वह वो भी तो पर कैसे कैसा करूँ करें करो करना कर करके
		रहा रही रहे था थी थे कोई कुछ अब अभी जी सर मैडम नमस्ते भाई नहीं न ना दिया गया गई गए वाला और या अगर यहाँ वहाँ`) {
		set[fold(word)] = true
	}

	return set
}()

// term is the word that stands for a folded one and all that mean the same.
func (lib library) term(word string) string {
	if same, ok := lib.words[word]; ok {
		return same
	}
	if same, ok := lib.bones[bones(word)]; ok {
		return same
	}

	return word
}

// terms are what a text is about: its words, each by the one that stands for it, without the idle ones. A text of nothing else
// keeps them.
func (lib library) terms(text string) []string {
	var list, rest []string
	for _, word := range wordsOf(text) {
		if idle[word] {
			rest = append(rest, word)
			continue
		}
		list = union(list, []string{lib.term(word)})
	}
	if len(list) == 0 {
		return rest
	}

	return list
}
