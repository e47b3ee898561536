// Package whatsapp speaks WhatsApp's wire format: it checks webhook signatures,
// takes deliveries apart into items, reads each item into one Event and calls
// the Graph API. It holds no state and knows no database.
package whatsapp

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

const signaturePrefix = "sha256="

// Sign returns the X-Hub-Signature-256 header value for body: "sha256=" and the
// hex HMAC-SHA256 over exactly these bytes, keyed with the app secret.
// Source: Meta, "Create a webhook endpoint".
func Sign(secret, body []byte) string {
	return signaturePrefix + hex.EncodeToString(digest(secret, body))
}

// VerifySignature reports whether header is the signature of body under any of
// the secrets, compared in constant time. The header must be exactly "sha256="
// and 64 hex digits, of either case. Empty secrets never match. Several secrets
// are live while an app secret is being rotated.
func VerifySignature(header string, body []byte, secrets ...[]byte) bool {
	given, ok := strings.CutPrefix(header, signaturePrefix)
	if !ok || len(given) != hex.EncodedLen(sha256.Size) {
		return false
	}
	want, err := hex.DecodeString(given)
	if err != nil {
		return false
	}

	// Every secret is tried, so the time taken does not tell which one matched.
	match := false
	for _, secret := range secrets {
		if len(secret) > 0 && hmac.Equal(digest(secret, body), want) {
			match = true
		}
	}
	return match
}

func digest(secret, body []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write(body)
	return mac.Sum(nil)
}
