// Package forward passes the webhooks of a business on to its own systems: each delivery to each of its targets, the bytes as WhatsApp sent
// them, signed anew, and with headers that say which contact it is about, so that a system that knows its customers by phone can go on.
//
// What a target gets, besides a POST of the body with Content-Type application/json:
//
//	webhook-id             the same at every try; what came twice is known by it
//	webhook-timestamp      seconds since 1970, of this try
//	webhook-signature      "v1," and base64 of HMAC-SHA256 over "id.timestamp.body", for each secret that is good; see standardwebhooks.com
//	X-Hub-Signature-256    "sha256=" and hex of HMAC-SHA256 over the body alone, as WhatsApp signs, with the secret as it is written
//	X-Identity-Event       webhook, contact.erased or test
//	X-Identity-Contact     the contacts it is about, each once, in the order in which the body names them, at most 20
//	X-Identity-Items       the contact at each place of the body, "0.0.messages.0=<contact>", at most 50
//	X-Identity-Number      our id of the business number, where it is of one
//
// A delivery that holds what is another business's, or another number's than the target is for, is cut to its own changes. Of a number
// that keeps no phones nothing is passed on. Deliveries are passed on at least once, in no order.
package forward

import (
	"time"

	"github.com/google/uuid"
)

// The states of a target.
const (
	On      = "on"
	Paused  = "paused"  // by a person: nothing is queued for it
	Stopped = "stopped" // by us, after days of failing: nothing is queued for it
	Removed = "removed" // kept for its log alone
)

// The states of a forward.
const (
	Waiting = "waiting"
	Sent    = "sent"
	Failed  = "failed"  // given up after the last try
	Dropped = "dropped" // there is nothing to pass on; see its reason
)

// What is passed on.
const (
	KindDelivery = "delivery"
	KindErased   = "erased"
	KindTest     = "test"
)

// The reasons: why a try failed, or a forward was dropped.
const (
	Unreachable = "unreachable" // refused, filtered, not found or where nothing may be sent: which, is not told
	BadTLS      = "tls"
	Slow        = "slow"
	Redirected  = "redirect"
	BadStatus   = "status"

	Gone      = "gone"       // its bytes are kept no longer
	PhoneFree = "phone_free" // the number keeps no phones
	NotMine   = "not_mine"   // nothing of it is for this target
)

// plan is how long after a try the next one follows; after the last, a forward is Failed.
var plan = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 10 * time.Hour,
}

// Tries is how often a forward is tried, over how long.
func Tries() (times int, over time.Duration) {
	for _, d := range plan {
		over += d
	}

	return len(plan) + 1, over
}

const (
	// breakAfter is how many tries in a row may fail before a target is asked with one thing at a time, and seldom.
	breakAfter = 10
	firstRest  = 5 * time.Second
	longRest   = 5 * time.Minute

	tellAfter = time.Hour // that a target may fail before the owners hear of it
	// StopAfter is how long a target may fail before nothing more is sent there.
	StopAfter = 5 * 24 * time.Hour

	// MostWaiting is how much may wait for a target that fails, before it is stopped.
	MostWaiting = 100_000

	// KeepLog is how long what was passed on is known.
	KeepLog = 30 * 24 * time.Hour
	// OldSecretLife is how long a secret that was replaced signs beside the new one.
	OldSecretLife = 24 * time.Hour
)

// Target is an address of the business's own that its webhooks are passed on to. Its secrets are shown once, when they are made.
type Target struct {
	ID           uuid.UUID     `db:"id"`
	Host         string        `db:"host"`
	Number       uuid.NullUUID `db:"number_id"` // not Valid: of all numbers, and of the account
	State        string        `db:"state"`
	FailingSince *time.Time    `db:"failing_since"`
	OldUntil     *time.Time    `db:"old_until"`
	MadeAt       time.Time     `db:"made_at"`
	By           string        `db:"made_by"`

	Waiting  int        `db:"waiting"` // at most 1,000 are counted
	Failed   int        `db:"failed"`  // at most 1,000 are counted
	LastSent *time.Time `db:"last_sent"`
}

// Forward is one thing passed on to one target.
type Forward struct {
	ID        uuid.UUID  `db:"id"`
	Kind      string     `db:"kind"`
	State     string     `db:"state"`
	Reason    string     `db:"reason"` // of the last try, or why it was dropped
	Status    int        `db:"status"` // of the last answer; 0 for none
	Tries     int        `db:"tries"`
	NotBefore time.Time  `db:"not_before"`
	MadeAt    time.Time  `db:"made_at"`
	DoneAt    *time.Time `db:"done_at"`
}

// Try is a try that failed. Answer is the beginning of what the target said.
type Try struct {
	N      int       `db:"n"`
	At     time.Time `db:"at"`
	Reason string    `db:"reason"`
	Status int       `db:"status"`
	Answer string    `db:"answer"`
}
