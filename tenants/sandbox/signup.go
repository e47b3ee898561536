package sandbox

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// signupNumbers are the numbers that somebody may choose in the window. The first is in the Business app, and stays there.
var signupNumbers = []Number{
	{"506914300000011", "Tulsi Sweets", "318840557730011", "Tulsi Sweets", "224466880110011", "15550199061", "Tulsi Sweets", Garage},
	{"506914300000012", "Usha Tailors", "318840557730012", "Usha Tailors", "224466880120012", "15550199062", "Usha Tailors", Garage},
}

// SignupNumbers returns the number of the window that stays in the Business app, and the one that is new. The copy is the caller's.
func SignupNumbers() (inApp, fresh Number) { return signupNumbers[0], signupNumbers[1] }

// emptyWABA is the account without a number.
const emptyWABA = "318840557730013"

// SignupConfig is the id under which the platform's app has set up the window; the sandbox takes any.
const SignupConfig = "634000000000777"

func numbers() []Number { return append(slices.Clone(known.Numbers), signupNumbers...) }

func inApp(n Number) bool { return n.PhoneNumberID == signupNumbers[0].PhoneNumberID }

const (
	codeLife  = 30 * time.Second
	tokenLife = 60 * 24 * time.Hour
)

// window is what the sandbox remembers of the window it plays.
type window struct {
	mu         sync.Mutex
	codes      map[string]*code
	registered map[string]string // the two-step PIN, by phone number id
	shared     map[string]bool   // by phone number id and sync type
}

type code struct {
	waba string
	made time.Time
	used bool
}

// newCode makes a code for an account. stale is how long ago it pretends to have been made.
func (g *Graph) newCode(waba string, stale time.Duration, used bool) string {
	value := "AQ" + strings.TrimPrefix(newWAMID(), "wamid.")
	g.window.mu.Lock()
	defer g.window.mu.Unlock()
	if g.window.codes == nil {
		g.window.codes = map[string]*code{}
	}
	g.window.codes[value] = &code{waba: waba, made: time.Now().Add(-stale), used: used}
	return value
}

// exchange turns a code into a business token: within 30 seconds, once. Source: domain facts 10.4.
func (g *Graph) exchange(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if query.Get("client_id") == "" || query.Get("client_secret") == "" {
		refuse(w, errParameter("Missing client_id or client_secret parameter."))
		return
	}
	g.window.mu.Lock()
	c := g.window.codes[query.Get("code")]
	var problem *graphError
	switch {
	case c == nil:
		problem = &graphError{http.StatusBadRequest, 100, 0, "Invalid verification code format."}
	case c.used:
		problem = &graphError{http.StatusBadRequest, 100, 36009, "This authorization code has been used."}
	case time.Since(c.made) > codeLife:
		problem = &graphError{http.StatusBadRequest, 100, 36007, "This authorization code has expired."}
	default:
		c.used = true
	}
	g.window.mu.Unlock()
	if problem != nil {
		refuse(w, *problem)
		return
	}
	answer(w, object{"access_token": "sandbox-business-" + c.waba + "-" + strconv.FormatInt(time.Now().Unix(), 36), "token_type": "bearer"})
}

var businessShape = regexp.MustCompile(`^sandbox-business-([0-9]+)-([0-9a-z]{1,10})$`)

// madeFor reads the account of a business token, and its end, from the token itself: so it outlives the sandbox's process.
func madeFor(token string) (waba string, ends time.Time, ok bool) {
	parts := businessShape.FindStringSubmatch(token)
	if parts == nil {
		return "", time.Time{}, false
	}
	made, err := strconv.ParseInt(parts[2], 36, 64)
	if err != nil {
		return "", time.Time{}, false
	}
	return parts[1], time.Unix(made, 0).Add(tokenLife), true
}

func businessToken(value string) (Token, bool) {
	_, ends, ok := madeFor(value)
	if !ok {
		return Token{}, false
	}
	token := Token{Token: value, State: TokenGood, Scopes: []string{scopeManage, scopeSend, "business_management"}}
	if time.Now().After(ends) {
		token.State = TokenExpired
	}
	return token, true
}

var pinShape = regexp.MustCompile(`^[0-9]{6}$`)

// register refuses a number that is in the Business app: it would lose the app there. One that has a PIN takes no other.
func (g *Graph) register(w http.ResponseWriter, r *http.Request, phoneNumberID string) {
	if !allowed(w, r, scopeManage, errPermission) {
		return
	}
	number, ok := numberByID(phoneNumberID)
	if !ok {
		refuse(w, errUnknownID)
		return
	}
	var body struct {
		Product string `json:"messaging_product"`
		PIN     string `json:"pin"`
	}
	if !read(w, r, &body) {
		return
	}
	switch {
	case body.Product != "whatsapp" || !pinShape.MatchString(body.PIN):
		refuse(w, errParameter("The parameter pin must be six digits."))
	case inApp(number):
		refuse(w, errParameter("This number is in the WhatsApp Business app."))
	default:
		if !g.takePIN(phoneNumberID, body.PIN) {
			refuse(w, errParameter("The two-step verification PIN does not match."))
			return
		}
		answer(w, object{"success": true})
	}
}

func (g *Graph) takePIN(phoneNumberID, pin string) bool {
	g.window.mu.Lock()
	defer g.window.mu.Unlock()
	if g.window.registered == nil {
		g.window.registered = map[string]string{}
	}
	if has := g.window.registered[phoneNumberID]; has != "" && has != pin {
		return false
	}
	g.window.registered[phoneNumberID] = pin
	return true
}

// Registered tells whether a number was registered.
func (g *Graph) Registered(phoneNumberID string) bool {
	g.window.mu.Lock()
	defer g.window.mu.Unlock()
	return g.window.registered[phoneNumberID] != ""
}

// shareApp takes the wish for the address book or the chats of a Business app, once each, and then sends them.
func (g *Graph) shareApp(w http.ResponseWriter, r *http.Request, phoneNumberID string) {
	if !allowed(w, r, scopeManage, errPermission) {
		return
	}
	number, ok := numberByID(phoneNumberID)
	if !ok || !inApp(number) {
		refuse(w, errUnknownID)
		return
	}
	var body struct {
		Product string `json:"messaging_product"`
		Sync    string `json:"sync_type"`
	}
	if !read(w, r, &body) {
		return
	}
	if body.Product != "whatsapp" || body.Sync != "smb_app_state_sync" && body.Sync != "history" {
		refuse(w, errParameter("The parameter sync_type is not valid."))
		return
	}
	key := phoneNumberID + " " + body.Sync
	g.window.mu.Lock()
	if g.window.shared == nil {
		g.window.shared = map[string]bool{}
	}
	before := g.window.shared[key]
	g.window.shared[key] = true
	g.window.mu.Unlock()
	if before {
		refuse(w, graphError{http.StatusBadRequest, 2593107, 0, "(#2593107) This sync was requested before."})
		return
	}
	answer(w, object{"messaging_product": "whatsapp", "request_id": digitsOf(key)})
	g.sendApp(number, body.Sync)
}
