package usernames

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// spelled are words of shop signs that are English, as English is spelled, and places as they are written on maps: their sound alone
// would write them otherwise.
var spelled = composed(map[string]string{
	"स्टोर": "store", "स्टोर्स": "stores", "जनरल": "general", "मेडिकल": "medical", "मेडिकोज": "medicos", "क्लिनिक": "clinic", "क्लीनिक": "clinic",
	"हॉस्पिटल": "hospital", "अस्पताल": "hospital", "डेंटल": "dental", "लैब": "lab", "फार्मेसी": "pharmacy", "फार्मा": "pharma", "गैस": "gas", "एजेंसी": "agency",
	"मोटर्स": "motors", "मोटर": "motor", "ऑटो": "auto", "गैरेज": "garage", "गैराज": "garage", "टायर": "tyre", "मोबाइल": "mobile", "मोबाईल": "mobile",
	"इलेक्ट्रॉनिक्स": "electronics", "इलेक्ट्रिकल्स": "electricals", "इलेक्ट्रिक": "electric", "कंप्यूटर": "computer", "कम्प्यूटर": "computer", "टेलर": "tailor",
	"टेलर्स": "tailors", "फैशन": "fashion", "बुटीक": "boutique", "ब्यूटी": "beauty", "पार्लर": "parlour", "सैलून": "salon", "जिम": "gym", "स्कूल": "school",
	"कोचिंग": "coaching", "क्लासेस": "classes", "अकादमी": "academy", "एकेडमी": "academy", "होटल": "hotel", "रेस्टोरेंट": "restaurant", "कैफे": "cafe",
	"बेकरी": "bakery", "स्वीट्स": "sweets", "डेयरी": "dairy", "किराना": "kirana", "सुपर": "super", "मार्ट": "mart", "बाज़ार": "bazaar", "बाजार": "bazaar",
	"ट्रेडर्स": "traders", "ट्रेडिंग": "trading", "एंटरप्राइज़ेज": "enterprises", "एंटरप्राइजेज": "enterprises", "इंडस्ट्रीज": "industries", "ट्रैवल्स": "travels",
	"टूर्स": "tours", "ज्वैलर्स": "jewellers", "ज्वेलर्स": "jewellers", "फर्नीचर": "furniture", "हार्डवेयर": "hardware", "पेंट्स": "paints", "प्रिंटर्स": "printers",
	"बुक": "book", "बुक्स": "books", "स्टूडियो": "studio", "फोटो": "photo", "डॉ": "dr", "डॉक्टर": "doctor", "सर्विस": "service", "सर्विसेज": "services", "सेंटर": "centre",
	"कंपनी": "company", "एंड": "and", "प्राइवेट": "private", "लिमिटेड": "limited", "न्यू": "new", "रॉयल": "royal", "गार्डन": "garden", "शॉप": "shop", "हाउस": "house",
	"दिल्ली": "delhi", "इंदौर": "indore", "जयपुर": "jaipur", "लखनऊ": "lucknow", "बैंगलोर": "bengaluru", "बेंगलुरु": "bengaluru", "मुंबई": "mumbai", "वाराणसी": "varanasi",
	"कोलकाता": "kolkata", "चेन्नई": "chennai", "हैदराबाद": "hyderabad", "अहमदाबाद": "ahmedabad", "उज्जैन": "ujjain", "ग्वालियर": "gwalior", "देहरादून": "dehradun",
	"चंडीगढ़": "chandigarh", "नोएडा": "noida", "गुरुग्राम": "gurugram", "रायपुर": "raipur", "राँची": "ranchi", "रांची": "ranchi", "जोधपुर": "jodhpur", "उदयपुर": "udaipur",
	"सिंह": "singh", "चौधरी": "chaudhary", "वर्मा": "verma", "राय": "rai", "मिश्रा": "mishra", "श्री": "shree",
})

// composed are words with their letters written in the one way that Unicode composes them.
func composed(words map[string]string) map[string]string {
	out := make(map[string]string, len(words))
	for hindi, english := range words {
		out[norm.NFC.String(hindi)] = english
	}

	return out
}

// Devanagari by sound, as Indian names are commonly written in Latin letters.
var (
	consonants = map[rune]string{
		'क': "k", 'ख': "kh", 'ग': "g", 'घ': "gh", 'ङ': "n", 'च': "ch", 'छ': "chh", 'ज': "j", 'झ': "jh", 'ञ': "n",
		'ट': "t", 'ठ': "th", 'ड': "d", 'ढ': "dh", 'ण': "n", 'त': "t", 'थ': "th", 'द': "d", 'ध': "dh", 'न': "n",
		'प': "p", 'फ': "ph", 'ब': "b", 'भ': "bh", 'म': "m", 'य': "y", 'र': "r", 'ल': "l", 'ळ': "l", 'व': "v",
		'श': "sh", 'ष': "sh", 'स': "s", 'ह': "h",
	}
	dotted = map[rune]string{'ज': "z", 'फ': "f", 'ड': "d", 'ढ': "dh", 'क': "q"}
	vowels = map[rune]string{
		'अ': "a", 'आ': "aa", 'इ': "i", 'ई': "i", 'उ': "u", 'ऊ': "u", 'ऋ': "ri", 'ए': "e", 'ऐ': "ai", 'ओ': "o", 'औ': "au", 'ऑ': "o",
		'ा': "aa", 'ि': "i", 'ी': "i", 'ु': "u", 'ू': "u", 'ृ': "ri", 'े': "e", 'ै': "ai", 'ो': "o", 'ौ': "au", 'ॉ': "o",
	}
)

const (
	virama = '\u094D'
	nukta  = '\u093C'
)

// sound is one consonant with the vowel after it. Inherent is the unwritten a.
type sound struct {
	consonant, vowel string
	inherent         bool
}

// Say writes a word of either script in the small Latin letters and figures that a username may have, as one says it: मोहनलाल is
// mohanlal and not mohanalala.
func Say(word string) string {
	if english, known := spelled[norm.NFC.String(word)]; known {
		return english
	}
	sounds := heard(word)
	// The unwritten a is silent at the end of a word, and between two syllables that can do without it (right to left).
	for i := len(sounds) - 1; i > 0; i-- {
		s := &sounds[i]
		if !s.inherent {
			continue
		}
		last := i == len(sounds)-1
		between := !last && sounds[i-1].vowel != "" && sounds[i+1].vowel != "" && sounds[i+1].consonant != "" && s.consonant != "" &&
			!strings.HasSuffix(sounds[i-1].vowel, "n")
		if last || between {
			s.vowel = ""
		}
	}

	var out strings.Builder
	for _, s := range sounds {
		out.WriteString(s.consonant)
		// A long a is written once: Asha, not Aashaa.
		out.WriteString(strings.ReplaceAll(s.vowel, "aa", "a"))
	}

	return out.String()
}

// heard takes a word apart. What is neither Devanagari nor a Latin letter or figure says nothing.
func heard(word string) []sound {
	var list []sound
	last := func() *sound {
		if len(list) == 0 {
			list = append(list, sound{})
		}
		return &list[len(list)-1]
	}
	// Decomposed, so that a letter with a nukta is its plain letter with a mark, and accents fall away.
	for _, r := range norm.NFD.String(word) {
		switch c, v := consonants[r], vowels[r]; {
		case c != "":
			list = append(list, sound{consonant: c, vowel: "a", inherent: true})
		case r == nukta:
			for plain, other := range dotted {
				if consonants[plain] == last().consonant {
					last().consonant = other
					break
				}
			}
		case r == virama:
			last().vowel, last().inherent = "", false
		case v != "" && unicode.IsLetter(r):
			list = append(list, sound{vowel: v})
		case v != "":
			last().vowel, last().inherent = v, false
		case r == 'ं' || r == 'ँ':
			last().vowel, last().inherent = last().vowel+"n", false
		default:
			if l := unicode.ToLower(r); isLetter(l) || l >= '0' && l <= '9' {
				list = append(list, sound{consonant: string(l)})
			}
		}
	}

	return list
}
