package identity

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// A link-back code is sent to a phone by SMS or mail or on a bill, and comes back in a WhatsApp message: whoever sends it had what was
// sent there (matching.md A8). It can be forwarded, so it never is enough for somebody's right to see or erase what is stored.

// codeAlphabet has no letters and digits that look alike, and no vowels but A and E.
const (
	codeAlphabet = codeDigits + "ABCDEFGHJKMNPQRSTVWXYZ"
	codeDigits   = "23456789"
)

// codeLength is of the eleven characters drawn by chance, 53 bits, and one that checks them, so that hardly any word of a message is
// taken for a code.
const codeLength = 12

// codeLike finds what may be a code: three groups of four, with a line between them or not.
var codeLike = regexp.MustCompile(`(?i)\b[2-9A-HJKMNP-TV-Z]{4}[-–— ]?[2-9A-HJKMNP-TV-Z]{4}[-–— ]?[2-9A-HJKMNP-TV-Z]{4}\b`)

// maxCodes is how many codes of one message are looked at.
const maxCodes = 2

// CodeKey hashes the codes of one tenant. It is derived from the master key, so that the database alone gives nobody a code.
type CodeKey []byte

// NewCodeKey is the key of a tenant.
func NewCodeKey(keys *secrets.Keyring, tenant uuid.UUID) CodeKey {
	return keys.Derive("link code " + tenant.String())
}

func (k CodeKey) hash(code string) []byte {
	mac := hmac.New(sha256.New, k)
	mac.Write([]byte(code))

	return mac.Sum(nil)
}

// In are the hashes of what an incoming text holds that has the form of a code. Most texts hold none, which costs a look for one.
func (k CodeKey) In(e whatsapp.Event) [][]byte {
	var hashes [][]byte
	for _, code := range CodesIn(e) {
		hashes = append(hashes, k.hash(code))
	}

	return hashes
}

// CodesIn are what an incoming text holds that has the form of a code, without the lines between its groups.
func CodesIn(e whatsapp.Event) []string {
	if e.Type != "text" || e.GroupID != "" || !makesContact(e) || len(e.Text) < codeLength || !strings.ContainsAny(e.Text, codeDigits) {
		return nil
	}
	var codes []string
	for _, found := range codeLike.FindAllString(e.Text, -1) {
		code := strings.Map(func(r rune) rune {
			if strings.ContainsRune("-–— ", r) {
				return -1
			}
			return r
		}, strings.ToUpper(found))
		if isCode(code) && !slices.Contains(codes, code) && len(codes) < maxCodes {
			codes = append(codes, code)
		}
	}

	return codes
}

// isCode tells whether letters and digits are a code: both kinds, two of each at least, and the last fits the others.
func isCode(code string) bool {
	if len(code) != codeLength {
		return false
	}
	digits := 0
	for _, r := range code {
		if r <= '9' {
			digits++
		}
	}

	return digits >= 2 && digits <= codeLength-2 && code[codeLength-1] == codeCheck(code[:codeLength-1])
}

func codeCheck(code string) byte {
	sum := 0
	for i := range len(code) {
		sum += (i + 1) * (strings.IndexByte(codeAlphabet, code[i]) + 1)
	}

	return codeAlphabet[sum%len(codeAlphabet)]
}

// newCode draws a code.
func newCode() (string, error) {
	for {
		drawn := make([]byte, codeLength-1)
		for i := range drawn {
			n, err := rand.Int(rand.Reader, big.NewInt(int64(len(codeAlphabet))))
			if err != nil {
				return "", fmt.Errorf("draw code: %w", err)
			}
			drawn[i] = codeAlphabet[n.Int64()]
		}
		if code := string(drawn) + string(codeCheck(string(drawn))); isCode(code) {
			return code, nil
		}
	}
}

// grouped is a code as people read it.
func grouped(code string) string { return code[:4] + "-" + code[4:8] + "-" + code[8:] }
