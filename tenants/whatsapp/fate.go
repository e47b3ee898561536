package whatsapp

import (
	"errors"
	"net/http"
	"strconv"
)

// Fate is what is known of a message whose sending ended in an error.
type Fate int

// The fates. A message of unknown fate may have gone out: sending it again may deliver it twice.
const (
	FateUnknown Fate = iota
	FateRefused      // Graph took nothing, and will not take this message as it is
	FateLater        // Graph took nothing, and may take the same message later
)

// What keeps a number from sending for a while, as Trouble names it.
const (
	TroubleToken         = "token"          // the access token has expired or was withdrawn
	TroublePermission    = "permission"     // the token may not send for this number
	TroubleNotRegistered = "not_registered" // the number is not registered for the Cloud API
	TroubleRate          = "rate"           // too many messages in a short time
	TroubleGraphDown     = "graph_down"     // Graph does not answer, or only with errors of its own
)

// Codes of Graph that are about the number or the token and not about one message. Source: domain facts 5.2.
var troubles = map[int]string{
	190: TroubleToken, 10: TroublePermission, 200: TroublePermission, 133010: TroubleNotRegistered, 130429: TroubleRate,
}

// pairRate: too many messages to one customer in a short time. Others can be written to meanwhile.
const pairRate = 131056

// Verdict is what an error of Send says.
type Verdict struct {
	Fate    Fate
	Trouble string // what keeps the number from sending: one of Trouble…, "" where it is about this message only
	Code    string // Graph's code in digits, "" where it gave none
	Title   string // Graph's words
}

// FateOf reads an error of Send. What Graph has answered with a code of its own it has not taken. An answer that did not come, or a
// failure that has no code and so may be a proxy's that gave up waiting, leaves open whether the message was taken.
func FateOf(err error) Verdict {
	var refused *GraphError
	switch {
	case errors.Is(err, errNotReached):
		return Verdict{Fate: FateLater, Trouble: TroubleGraphDown}
	case errors.Is(err, ErrAddress):
		return Verdict{Fate: FateRefused, Code: "no_address"}
	case !errors.As(err, &refused):
		return Verdict{Fate: FateUnknown, Trouble: TroubleGraphDown}
	}

	v := Verdict{Title: refused.Message}
	if refused.Code != 0 {
		v.Code = strconv.Itoa(refused.Code)
	}
	switch trouble := troubles[refused.Code]; {
	case refused.Code == 0 && leavesOpen(refused.Status):
		v.Fate, v.Trouble = FateUnknown, TroubleGraphDown
	case trouble != "":
		v.Fate, v.Trouble = FateLater, trouble
	case refused.Status == http.StatusTooManyRequests:
		v.Fate, v.Trouble = FateLater, TroubleRate
	case refused.Code == pairRate:
		v.Fate = FateLater
	case refused.Code != 0 && refused.Status < http.StatusInternalServerError:
		v.Fate = FateRefused
	default: // Graph has trouble of its own, or a proxy in between refused it
		v.Fate, v.Trouble = FateLater, TroubleGraphDown
	}
	return v
}

// leavesOpen tells whether a message may have been taken though the answer to it has this status and no code of Graph's.
func leavesOpen(status int) bool {
	return status >= http.StatusInternalServerError || status == http.StatusRequestTimeout || status < http.StatusMultipleChoices
}
