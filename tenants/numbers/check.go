package numbers

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// The checks, in the order in which they are made and listed. The first six prove that the token controls the number; the last
// two, made once the number is the tenant's, say whether its events will come.
const (
	CheckToken      = "token"
	CheckScopes     = "scopes"
	CheckNumber     = "number"
	CheckWABA       = "waba"
	CheckPhone      = "display_phone"
	CheckPortfolio  = "portfolio"
	CheckSubscribed = "subscribed"
	CheckCallback   = "callback"
	CheckRegistered = "registered" // of numbers that Meta's window gave to us alone
)

// notTried is the reason of a check that an earlier one's failure left without anything to ask.
const notTried = "not_tried"

// CheckResult is one check. Reason is "" where it is OK, else the suffix of an i18n key whose placeholders Args fills. A
// Required check that fails refuses the number; the others are shown beside it.
type CheckResult struct {
	Code     string            `json:"code"`
	OK       bool              `json:"ok"`
	Required bool              `json:"required"`
	Reason   string            `json:"reason,omitempty"`
	Args     map[string]string `json:"args,omitempty"`
}

// Tried tells whether the check was made at all.
func (c CheckResult) Tried() bool { return c.Reason != notTried }

// CheckInput is what somebody says of a number, with the token that shall prove it.
type CheckInput struct {
	MetaAppID     string
	AppSecret     string
	AccessToken   string
	WABAID        string
	PhoneNumberID string
	DisplayPhone  string // digits
	PortfolioID   string // "": whatever Graph says
}

// Proof is what Graph said of a number.
type Proof struct {
	Checks        []CheckResult // the six of CheckToken to CheckPortfolio
	Name          string        // verified name
	PortfolioID   string        // "": Graph did not say
	PortfolioName string
	TokenExpires  time.Time // zero: never, or not known
	OnApp         *bool     // it is in the Business app as well; nil: Graph did not say
}

// inApp is whether a number is in the Business app: what Graph said of it, and where it said nothing what is believed.
func inApp(said *bool, believed bool) bool {
	if said != nil {
		return *said
	}

	return believed
}

// Refused says which required checks a number did not pass.
type Refused struct {
	Checks []CheckResult
}

func (r *Refused) Error() string {
	codes := []string{}
	for _, c := range r.Failed() {
		codes = append(codes, c.Code)
	}

	return "number refused: " + strings.Join(codes, ", ")
}

// Failed are the checks that were made and failed, in order.
func (r *Refused) Failed() []CheckResult {
	return slices.DeleteFunc(slices.Clone(r.Checks), func(c CheckResult) bool { return c.OK || !c.Tried() })
}

// refused returns a *Refused when a required check failed, else nil.
func refused(checks []CheckResult) error {
	if slices.ContainsFunc(checks, func(c CheckResult) bool { return c.Required && !c.OK }) {
		return &Refused{Checks: checks}
	}

	return nil
}

// neededScopes are the permissions of a token that reads, subscribes and sends (meta-spec 10.2).
var neededScopes = []string{"whatsapp_business_management", "whatsapp_business_messaging"}

// Check asks Graph whether the token works and controls the number. It changes nothing and must not run inside a transaction.
func Check(ctx context.Context, graph whatsapp.Graph, in CheckInput) Proof {
	var p Proof

	tokenWorks := p.checkToken(ctx, graph, in)
	if !tokenWorks {
		p.skip(CheckNumber, CheckWABA, CheckPhone, CheckPortfolio)
		return p
	}

	number, err := graph.PhoneNumber(ctx, in.AccessToken, in.PhoneNumberID)
	p.add(CheckNumber, true, graphReason(err, "number_unknown"))
	p.Name, p.OnApp = number.VerifiedName, number.IsOnBizApp

	p.checkWABA(ctx, graph, in)

	switch {
	case err != nil:
		p.skip(CheckPhone)
	case !samePhone(number.DisplayPhone, in.DisplayPhone):
		p.add(CheckPhone, true, "phone_differs", "phone", number.DisplayPhone)
	default:
		p.add(CheckPhone, true, "")
	}

	p.checkPortfolio(ctx, graph, in)

	return p
}

func (p *Proof) checkToken(ctx context.Context, graph whatsapp.Graph, in CheckInput) bool {
	info, err := graph.DebugToken(ctx, in.MetaAppID+"|"+in.AppSecret, in.AccessToken)
	reason := tokenReason(info, err, in.MetaAppID)
	p.add(CheckToken, true, reason)
	p.TokenExpires = info.ExpiresAt
	if reason != "" {
		p.skip(CheckScopes)
		return false
	}

	if missing := missingScopes(info); len(missing) > 0 {
		p.add(CheckScopes, true, reasonScopes, "scopes", strings.Join(missing, ", "))
	} else {
		p.add(CheckScopes, true, "")
	}

	return true
}

// The reasons for which Meta lets nothing be sent with a token.
const (
	reasonExpired  = "token_expired"
	reasonInvalid  = "token_invalid"
	reasonOtherApp = "token_other_app"
	reasonScopes   = "scopes_missing"
)

func stopsSending(reason string) bool {
	return slices.Contains([]string{reasonExpired, reasonInvalid, reasonOtherApp, reasonScopes}, reason)
}

// tokenReason is what stands against a token by what debug_token said of it, or "".
func tokenReason(info whatsapp.TokenInfo, err error, metaAppID string) string {
	switch {
	case err != nil && isGraph(err):
		// Graph refused the app's own token, so it said nothing of the one asked about.
		return "app_refused"
	case err != nil:
		return "graph_unreachable"
	case !info.Valid && !info.ExpiresAt.IsZero() && info.ExpiresAt.Before(time.Now()):
		return reasonExpired
	case !info.Valid:
		return reasonInvalid
	case info.AppID != metaAppID:
		return reasonOtherApp
	}

	return ""
}

func missingScopes(info whatsapp.TokenInfo) []string {
	return slices.DeleteFunc(slices.Clone(neededScopes), info.HasScope)
}

func (p *Proof) checkWABA(ctx context.Context, graph whatsapp.Graph, in CheckInput) {
	list, err := graph.WABANumbers(ctx, in.AccessToken, in.WABAID)
	reason := graphReason(err, "waba_unknown")
	if err == nil && !slices.ContainsFunc(list, func(n whatsapp.PhoneNumber) bool { return n.ID == in.PhoneNumberID }) {
		reason = "not_in_waba"
	}
	p.add(CheckWABA, true, reason)
}

// checkPortfolio is required only where the portfolio is known to be another one: a token without business_management cannot
// read it, and the number works all the same.
func (p *Proof) checkPortfolio(ctx context.Context, graph whatsapp.Graph, in CheckInput) {
	waba, err := graph.WABA(ctx, in.AccessToken, in.WABAID)
	switch {
	case err != nil || waba.PortfolioID == "":
		p.add(CheckPortfolio, false, "portfolio_unread")
	case in.PortfolioID != "" && in.PortfolioID != waba.PortfolioID:
		p.add(CheckPortfolio, true, "portfolio_differs", "portfolio", waba.PortfolioID)
	default:
		p.PortfolioID, p.PortfolioName = waba.PortfolioID, waba.PortfolioName
		p.add(CheckPortfolio, false, "")
	}
}

func (p *Proof) add(code string, required bool, reason string, args ...string) {
	p.Checks = append(p.Checks, result(code, required, reason, args...))
}

func (p *Proof) skip(codes ...string) {
	for _, code := range codes {
		p.add(code, code != CheckPortfolio, notTried)
	}
}

func result(code string, required bool, reason string, args ...string) CheckResult {
	r := CheckResult{Code: code, OK: reason == "", Required: required, Reason: reason}
	for i := 0; i+1 < len(args); i += 2 {
		if r.Args == nil {
			r.Args = map[string]string{}
		}
		r.Args[args[i]] = args[i+1]
	}

	return r
}

// Reach is where and how webhooks of an app's numbers are to arrive.
type Reach struct {
	CallbackURL string
	VerifyToken string
}

// callbackTimeout bounds the wait for our own public address.
const callbackTimeout = 5 * time.Second

// subscribe makes the number's WABA send its events to the callback, and asks the callback what Meta will ask it.
func subscribe(ctx context.Context, graph whatsapp.Graph, token, wabaID string, reach Reach) []CheckResult {
	err := graph.Subscribe(ctx, token, wabaID, reach.CallbackURL, reach.VerifyToken)

	return []CheckResult{
		result(CheckSubscribed, false, graphReason(err, "not_subscribed")),
		result(CheckCallback, false, handshake(ctx, reach)),
	}
}

// handshake does Meta's verification of a callback (meta-spec 9) and returns the reason it failed, or "".
func handshake(ctx context.Context, reach Reach) string {
	ctx, cancel := context.WithTimeout(ctx, callbackTimeout)
	defer cancel()

	challenge := strconv.FormatUint(rand.Uint64(), 10)
	query := url.Values{"hub.mode": {"subscribe"}, "hub.challenge": {challenge}, "hub.verify_token": {reach.VerifyToken}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, reach.CallbackURL+"?"+query.Encode(), nil)
	if err != nil {
		return "callback_unreachable"
	}

	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		return "callback_unreachable"
	}
	defer func() { _ = resp.Body.Close() }()

	body, err := io.ReadAll(io.LimitReader(resp.Body, 1024))
	if err != nil || resp.StatusCode != http.StatusOK || string(body) != challenge {
		return "callback_wrong_answer"
	}

	return ""
}

// graphReason puts Graph's answer into a reason; unknown is the one for an id that Graph does not show (codes 33 and 100).
func graphReason(err error, unknown string) string {
	if err == nil {
		return ""
	}

	var refusal *whatsapp.GraphError
	if !errors.As(err, &refusal) {
		return "graph_unreachable"
	}
	switch refusal.Code {
	case 190:
		return "token_invalid"
	case 10, 200:
		return "no_permission"
	default:
		return unknown
	}
}

func isGraph(err error) bool {
	var refusal *whatsapp.GraphError

	return errors.As(err, &refusal) && refusal.Status < http.StatusInternalServerError
}

// samePhone compares phones as people and Graph write them: digits with spaces and signs between.
func samePhone(a, b string) bool {
	x, okX := whatsapp.Phone(whatsapp.Digits(a))
	y, okY := whatsapp.Phone(whatsapp.Digits(b))

	return okX && okY && x == y
}
