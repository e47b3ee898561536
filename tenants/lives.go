package tenants

import "slices"

// The states of a business's life. Inbound is stored and resolved in every one of them but the last.
const (
	Active    = "active"
	Limited   = "limited"   // nothing goes out
	Suspended = "suspended" // nothing goes out, and nobody gets in
	Closing   = "closing"   // as suspended, but owners may export, and take it back; at the end of the grace everything goes
	Erased    = "erased"    // its row is all that is left
)

// Doing is what a business's state may stop.
type Doing int

// What a state may stop.
const (
	Working Doing = iota // its people sign in and work, and its API keys answer
	Sending              // messages go out
	Mailing              // its people get mails, besides those about its state
	Leaving              // its owners may export, and close or take the closing back
)

var states = map[Doing][]string{
	Working: {Active, Limited},
	Sending: {Active},
	Mailing: {Active, Limited},
	Leaving: {Active, Limited, Closing},
}

// Allows tells whether something goes on in a state. It is the only place that says so; queries take StatesOf.
func Allows(state string, what Doing) bool { return slices.Contains(states[what], state) }

// StatesOf lists the states in which something goes on.
func StatesOf(what Doing) []string { return slices.Clone(states[what]) }
