package usernames

import (
	"strings"

	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// The shortest and longest a username may be. Source of all rules here: domain facts 2.4.
const (
	MinLength = 3
	MaxLength = 35
)

// What is wrong with a name. Part of a Remark says where it needs saying.
const (
	FaultEmpty     = "empty"
	FaultShort     = "short"
	FaultLong      = "long"
	FaultCharacter = "character" // Part: those that may not be in it
	FaultLetter    = "letter"    // none of a to z
	FaultFirstDot  = "first_dot"
	FaultLastDot   = "last_dot"
	FaultTwoDots   = "two_dots"
	FaultWWW       = "www"
	FaultDomain    = "domain"   // Part: the ending
	FaultReserved  = "reserved" // Part: the word
)

// What may be wrong with a name, or will be for those who read or hear it.
const (
	CautionDomain   = "domain_maybe"   // Part: an ending that looks like a domain and is on no list we have
	CautionReserved = "reserved_maybe" // Part: a reserved word within the name
	CautionLooks    = "looks"          // Part: letters that are taken for others
	CautionUnder    = "underscore"     // is heard as nothing
	CautionLong     = "unwieldy"
)

// Remark is one thing about a name, in a word that a page has a sentence for.
type Remark struct {
	Code, Part string
}

// domains are the endings that Meta names. Its list ends in "and so on", so others may be refused too.
var domains = []string{".com", ".org", ".net", ".int", ".edu", ".gov", ".mil", ".us", ".in", ".html"}

// likelyDomains look like domains too.
var likelyDomains = []string{".co", ".io", ".app", ".shop", ".store", ".info", ".biz", ".me", ".uk", ".xyz", ".online", ".site", ".dev", ".htm", ".php"}

// reserved are words that WhatsApp's own web client refuses.
var reserved = []string{"whatsapp", "instagram", "facebook", "oculus"}

// Fold is a name as it is compared: without a leading @, in small letters.
func Fold(typed string) string {
	_, folded := whatsapp.Username(typed)

	return folded
}

// Check is everything that is against a name, nothing where it may be asked for. Capital letters are not: they make no difference.
func Check(typed string) []Remark {
	name := Fold(typed)
	if name == "" {
		return []Remark{{Code: FaultEmpty}}
	}

	var faults []Remark
	add := func(wrong bool, code, part string) {
		if wrong {
			faults = append(faults, Remark{code, part})
		}
	}
	length := len([]rune(name))
	add(length < MinLength, FaultShort, "")
	add(length > MaxLength, FaultLong, "")
	odd := oddOnes(name)
	add(odd != "", FaultCharacter, odd)
	add(!strings.ContainsFunc(name, isLetter), FaultLetter, "")
	add(name[0] == '.', FaultFirstDot, "")
	add(name[len(name)-1] == '.', FaultLastDot, "")
	add(strings.Contains(name, ".."), FaultTwoDots, "")
	add(strings.HasPrefix(name, "www"), FaultWWW, "")
	for _, end := range domains {
		add(strings.HasSuffix(name, end), FaultDomain, end)
	}
	for _, word := range reserved {
		add(name == word, FaultReserved, word)
	}

	return faults
}

// Cautions is what somebody should know of a name that may be asked for.
func Cautions(typed string) []Remark {
	name := Fold(typed)
	var out []Remark
	for _, end := range likelyDomains {
		if strings.HasSuffix(name, end) {
			out = append(out, Remark{CautionDomain, end})
		}
	}
	for _, word := range reserved {
		if strings.Contains(name, word) && name != word {
			out = append(out, Remark{CautionReserved, word})
		}
	}
	if seen := taken(name); seen != "" {
		out = append(out, Remark{CautionLooks, seen})
	}
	if strings.Contains(name, "_") {
		out = append(out, Remark{Code: CautionUnder})
	}
	if len(name) > comfortable {
		out = append(out, Remark{Code: CautionLong})
	}

	return out
}

// oddOnes are the characters of a name that may not be in it, each once, spaces as ␣.
func oddOnes(name string) string {
	var out strings.Builder
	for _, r := range name {
		if isLetter(r) || r >= '0' && r <= '9' || r == '.' || r == '_' {
			continue
		}
		if r == ' ' {
			r = '␣'
		}
		if !strings.ContainsRune(out.String(), r) {
			out.WriteRune(r)
		}
	}

	return out.String()
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' }
