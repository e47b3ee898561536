package numbers

import (
	"context"
	"strings"
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
)

// Signup opens Meta's own window for connecting a number. It posts what the
// window said to /numbers/new/embedded: way, code, event, waba_id,
// phone_number_id, business_id, step, error_message, error_code, session_id.
type Signup struct {
	Frame layout.Frame
	Way   string // keep: the number stays in the Business app; fresh: it is new

	// What Meta's script needs: the platform's app, its configuration of the
	// window, the version of the API, where the script is, and the origins that
	// may speak for the window.
	AppID, Config, Version, SDK string
	Origins                     []string

	Outcome *SignupOutcome // of the try before; nil at first
}

// SignupOutcome is how a try ended that connected nothing.
type SignupOutcome struct {
	Was    string        // closed, cancelled, error or no_account_chosen; "" where Failed says it
	Failed string        // named by conflict.<reason> or invalid.<reason>
	Step   string        // where Meta's window was left, in Meta's word
	Code   string        // Meta's number of the problem, empty where it gave none
	Copy   string        // for a developer; empty where there is nothing to add
	Checks []NumberCheck // what Meta did not confirm
}

func (p Signup) title(ctx context.Context) string {
	return i18n.T(ctx, "signup.title_"+p.Way)
}

func (p Signup) press(ctx context.Context) string {
	if p.Outcome != nil {
		return i18n.T(ctx, "signup.open_again")
	}
	return i18n.T(ctx, "signup.open")
}

func (p Signup) origins() string { return strings.Join(p.Origins, " ") }

func (o SignupOutcome) text(ctx context.Context) string {
	if o.Was != "" {
		return i18n.T(ctx, "signup.was_"+o.Was)
	}
	return components.Reason(ctx, o.Failed)
}

// signupSteps are what Meta's names of steps hold, and the words for it: the names themselves are Meta's to change.
var signupSteps = []struct{ holds, words string }{
	{"VERIF", "verify"}, {"PHONE", "phone"}, {"NUMBER", "phone"}, {"PERMISSION", "permission"}, {"WABA", "account"}, {"BUSINESS", "account"}, {"LOGIN", "login"}, {"FACEBOOK", "login"},
}

// step is where the window was left, in words and with Meta's own.
func (o SignupOutcome) step(ctx context.Context) string {
	words := "other"
	for _, s := range signupSteps {
		if strings.Contains(strings.ToUpper(o.Step), s.holds) {
			words = s.words
			break
		}
	}
	return i18n.T(ctx, "signup.left_"+words) + " (" + o.Step + ")"
}

// problem is what Meta's number of it means, as far as that is known, with the number.
func (o SignupOutcome) problem(ctx context.Context) string {
	key := "signup.code_" + o.Code
	if !i18n.Known(key) {
		key = "signup.code_other"
	}
	return i18n.T(ctx, key) + " (" + o.Code + ")"
}

// RenewWords are on the button that leads to a token that no longer works.
func (n Number) RenewWords(ctx context.Context) string {
	if n.MayRenew {
		return i18n.T(ctx, "home.token_renew")
	}
	return i18n.T(ctx, "home.token_go")
}

// AppSync is what a number brings along from the Business app: the owner's
// saved contacts and the chats of before.
type AppSync struct {
	Until    time.Time // it can be asked for until then
	Contacts *Brought  // nil while not asked for
	History  *Brought
}

// Brought is how far one of the two has come.
type Brought struct {
	AskedAt  time.Time
	Here     int64 // saved names or messages
	Percent  int   // of the chats, in WhatsApp's own count
	Declined bool  // not shared, as chosen in the app
}

// started tells whether both were asked for.
func (s AppSync) started() bool { return s.Contacts != nil && s.History != nil }

// offered tells whether something can still be asked for.
func (s AppSync) offered(now time.Time) bool { return !s.started() && now.Before(s.Until) }

// coming tells whether the chats were asked for lately and have not all come.
func (s AppSync) coming(now time.Time) bool {
	return s.History != nil && !s.History.Declined && s.History.Percent < 100 && now.Sub(s.History.AskedAt) < time.Hour
}

// daysLeft of a disconnected number's grace, a day begun counted whole.
func (n Number) daysLeft(now time.Time) int {
	return int((n.GraceUntil.Sub(now) + 24*time.Hour - 1) / (24 * time.Hour))
}

// needsToken tells whether the number's token is to be renewed now.
func (p NumberHome) needsToken() bool {
	return p.Number.TokenProblem != "" || p.Number.Expiring(p.Now) || p.Number.Ended(p.Now)
}

// rotateID names the card to put a token in by hand, where it is the way to a new one.
func (p NumberHome) rotateID() string {
	if p.Number.MayRenew {
		return "token-by-hand"
	}
	return "token"
}

// renewLook makes the way to a new token the page's one main thing only while it is.
func (p NumberHome) renewLook() components.Look {
	if p.needsToken() {
		return components.Primary
	}
	return components.Quiet
}
