package access

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/pehchan/pehchan/tenants"
)

const maxEmail = 254 // bytes, as mail allows

// checkEmail returns the address as it is shown and the key under which it is unique: folded width and case.
func checkEmail(raw string) (email, key string, err error) {
	email = strings.TrimSpace(raw)
	parsed, err := mail.ParseAddress(email)
	if err != nil || parsed.Address != email || len(email) > maxEmail || strings.ContainsFunc(email, oddRune) {
		return "", "", &tenants.Invalid{Field: "email", Key: "email"}
	}

	return email, emailKey(email), nil
}

func emailKey(email string) string {
	return strings.ToLower(norm.NFKC.String(strings.TrimSpace(email)))
}

// limitKey folds together the ways of writing one mailbox (dots, +tags, case), so that writing it another way is no fresh start for
// somebody who guesses passwords.
func limitKey(email string) string {
	mailbox, domain, _ := strings.Cut(emailKey(email), "@")
	mailbox, _, _ = strings.Cut(mailbox, "+")

	return strings.ReplaceAll(mailbox, ".", "") + "@" + domain
}

func checkName(raw string) (string, error) {
	name := strings.TrimSpace(raw)
	if n := utf8.RuneCountInString(name); n == 0 || n > 120 || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return "", &tenants.Invalid{Field: "name", Key: "name"}
	}

	return name, nil
}

func oddRune(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) || r == utf8.RuneError }

// SameMailbox tells whether two e-mails are one account's.
func SameMailbox(a, b string) bool { return emailKey(a) == emailKey(b) }
