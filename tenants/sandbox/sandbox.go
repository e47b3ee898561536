// Package sandbox stands in for Meta: a Graph API to connect numbers and send
// through, and a seeded world of people who send signed webhooks. Nobody and no
// number in it is real.
package sandbox

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"
)

// Trade is what a business does; it decides what its customers write about.
type Trade string

// The trades of the demo businesses.
const (
	Clinic Trade = "clinic"
	Garage Trade = "garage"
)

// Number is one business number of the sandbox. The portfolio is the scope in
// which its customers' BSUIDs hold.
type Number struct {
	PortfolioID   string `json:"portfolio_id"`
	PortfolioName string `json:"portfolio_name"`
	WABAID        string `json:"waba_id"`
	WABAName      string `json:"waba_name"`
	PhoneNumberID string `json:"phone_number_id"`
	DisplayPhone  string `json:"display_phone_number"` // digits
	VerifiedName  string `json:"verified_name"`
	Trade         Trade  `json:"trade,omitempty"` // "" reads as Clinic
}

// TokenState says how a known token behaves.
type TokenState string

// The states of the known tokens.
const (
	TokenGood        TokenState = "good"
	TokenExpired     TokenState = "expired"
	TokenLacksScopes TokenState = "lacks_scopes"
)

// Token is one access token the sandbox knows.
type Token struct {
	Token  string     `json:"token"`
	State  TokenState `json:"state"`
	Scopes []string   `json:"scopes"`
}

// Directory is everything the sandbox knows by name.
type Directory struct {
	AppID   string   `json:"app_id"`
	Numbers []Number `json:"numbers"`
	Tokens  []Token  `json:"tokens"`
	Deleted string   `json:"deleted_phone_number_id"` // answers with error 33
}

// The permissions a token needs: one to read and subscribe, one to send.
const (
	scopeManage = "whatsapp_business_management"
	scopeSend   = "whatsapp_business_messaging"
)

var known = Directory{
	AppID: "634000000000001",
	Numbers: []Number{
		{"506914300000001", "Asha Clinic", "318840557712904", "Asha Clinic", "224466880013579", "15550199042", "Asha Clinic", Clinic},
		{"506914300000001", "Asha Clinic", "318840557712904", "Asha Clinic", "224466880024680", "15550199043", "Asha Clinic Lab", Clinic},
		{"506914300000002", "Ravi Motors", "318840557719999", "Ravi Motors", "224466880035791", "15550199044", "Ravi Motors", Garage},
		{"506914300000003", "Neem Dental", "318840557720001", "Neem Dental", "224466880046802", "15550199045", "Neem Dental", Clinic},
	},
	Tokens: []Token{
		{"sandbox-token-good", TokenGood, []string{scopeManage, scopeSend, "business_management"}},
		{"sandbox-token-expired", TokenExpired, []string{scopeManage, scopeSend, "business_management"}},
		{"sandbox-token-lacks-scopes", TokenLacksScopes, []string{"business_management"}},
	},
	Deleted: "224466880099999",
}

// Known returns the ids and tokens the sandbox knows, to be printed and used in
// tests. The copy is the caller's.
func Known() Directory {
	directory := known
	directory.Numbers = slices.Clone(known.Numbers)
	directory.Tokens = slices.Clone(known.Tokens)
	return directory
}

// Delivery is one webhook POST.
type Delivery struct {
	At    time.Time // when WhatsApp would send it
	Body  []byte    // sign exactly these bytes
	Items int       // messages, statuses and system entries in it
}

// BSUID is the id the sandbox gives the present holder of an Indian phone within
// one portfolio: the same in the Graph API, the world and the story, so that the
// status of a reply names the account that wrote.
func BSUID(portfolioID, phone string) string {
	return "IN." + digitsOf(portfolioID+"/"+phone)
}

// formerBSUID is the id of somebody who held the phone before.
func formerBSUID(portfolioID, phone string) string {
	return "IN." + digitsOf(portfolioID+"/"+phone+"/former")
}

func digitsOf(seed string) string {
	sum := sha256.Sum256([]byte(seed))
	return fmt.Sprintf("%016d", 1_000_000_000_000_000+binary.BigEndian.Uint64(sum[:8])%9_000_000_000_000_000)
}
