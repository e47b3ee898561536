package whatsapp

import (
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"
)

// Kind says what sort of handle an identifier is.
type Kind string

// The kinds of identifier WhatsApp sends for a customer.
const (
	KindPhone       Kind = "phone"        // canonical digits, see Phone
	KindBSUID       Kind = "bsuid"        // business-scoped user id, "IN.7704418820035512"
	KindParentBSUID Kind = "parent_bsuid" // shared by enrolled portfolios, "IN.ENT.5581200934417706"
)

const maxIDTail = 128

// IsBSUID reports whether s has the form of a business-scoped user id: a
// two-letter upper-case country code, a period and 1 to 128 ASCII letters or
// digits. Case matters and nothing is trimmed. A parent id never matches.
// Source: Meta, "Business-scoped user IDs".
func IsBSUID(s string) bool {
	return len(s) > 3 && isUpper(s[0]) && isUpper(s[1]) && s[2] == '.' && isIDTail(s[3:])
}

// IsParentBSUID reports whether s has the form of a parent id: country code,
// ".ENT." and 1 to 128 ASCII letters or digits.
// Source: Meta, "Business-scoped user IDs".
func IsParentBSUID(s string) bool {
	return len(s) > 7 && isUpper(s[0]) && isUpper(s[1]) && s[2:7] == ".ENT." && isIDTail(s[7:])
}

// Phone reads a phone number as WhatsApp sends it: 4 to 15 ASCII digits, with or
// without a leading plus and nothing else. Canonical is the one key of all
// spellings of that number, digits without plus, in the form of today's
// numbering plans:
//
//   - Brazil: 55, area, then 8 digits beginning 6–9 gain the mobile 9 after the area
//   - Argentina: 54 and 10 digits gain the mobile 9 after 54
//   - Mexico: 521 and 10 digits lose the 1
//
// Nothing else is ever rewritten. Keep the raw form beside it and send to that.
// An id with letters is never a phone, so a BSUID cannot become one.
func Phone(raw string) (canonical string, ok bool) {
	digits := strings.TrimPrefix(raw, "+")
	if len(digits) < 4 || len(digits) > 15 || !isDigits(digits) {
		return "", false
	}

	switch {
	case len(digits) == 12 && strings.HasPrefix(digits, "55") &&
		digits[2] != '0' && digits[3] != '0' && digits[4] >= '6':
		return digits[:4] + "9" + digits[4:], true
	case len(digits) == 12 && strings.HasPrefix(digits, "54") && digits[2] != '9':
		return "549" + digits[2:], true
	case len(digits) == 13 && strings.HasPrefix(digits, "521"):
		return "52" + digits[3:], true
	}
	return digits, true
}

// TypedPhone reads a number that a person typed or imported and answers with the
// same canonical key as Phone. Spaces, punctuation, digits of Indian and Arabic
// scripts, a leading 0 and a leading 00 are understood; letters are refused. A
// number without country code belongs to defaultCountry (ISO 3166 alpha-2, may
// be empty). Unlike Phone it is refused unless the numbering plan knows it.
func TypedPhone(raw, defaultCountry string) (canonical string, ok bool) {
	typed := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r):
			return 'x'
		case unicode.Is(unicode.Nd, r):
			return asciiDigit(r)
		case r == '+':
			return r
		}
		return -1
	}, raw)
	if len(typed) > 24 || strings.Contains(typed, "x") {
		return "", false
	}

	// The numbering plan knows today's form of a number only, so an older spelling
	// of a full one is brought to that first.
	if current, ok := Phone(typed); ok && typed[0] == '+' {
		typed = "+" + current
	}
	if canonical, ok := validPhone(typed, defaultCountry); ok {
		return canonical, true
	}
	// A full international number is often typed without its plus.
	if len(typed) >= 11 && isDigits(typed) {
		return validPhone("+"+typed, "")
	}
	return "", false
}

func validPhone(typed, country string) (string, bool) {
	number, err := phonenumbers.Parse(typed, strings.ToUpper(country))
	if err != nil || !phonenumbers.IsValidNumber(number) {
		return "", false
	}
	return Phone(phonenumbers.Format(number, phonenumbers.E164))
}

// Username splits a username as sent into what is shown, without one leading @
// and otherwise as WhatsApp wrote it, and a lower-cased copy for comparing.
// Usernames can be released and taken by somebody else: never use them as keys.
func Username(raw string) (display, folded string) {
	display = strings.TrimPrefix(strings.TrimSpace(raw), "@")
	return display, strings.ToLower(display)
}

// Digits keeps the ASCII digits of s, as in a displayed phone number
// "+1 555-019-9042".
func Digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }

func isIDTail(s string) bool {
	if s == "" || len(s) > maxIDTail {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && !isUpper(c) {
			return false
		}
	}
	return true
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// asciiDigit turns a decimal digit of any script into ASCII. Unicode keeps each
// script's ten digits in one run, so the digit is its distance from the zero,
// which is the first of the run.
func asciiDigit(r rune) rune {
	for _, run := range unicode.Nd.R16 {
		if rune(run.Lo) <= r && r <= rune(run.Hi) {
			return '0' + (r-rune(run.Lo))%10
		}
	}
	return 'x'
}

// CountryOf is the ISO 3166 alpha-2 country of a canonical phone, "" where the numbering plan does not tell.
func CountryOf(phone string) string {
	n, err := phonenumbers.Parse("+"+phone, "")
	if err != nil {
		return ""
	}
	if country := phonenumbers.GetRegionCodeForNumber(n); country != "ZZ" && len(country) == 2 {
		return country
	}

	return ""
}
