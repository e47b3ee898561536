package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// GraphOptions say whom the sandbox's Graph API delivers to.
type GraphOptions struct {
	AppSecret   []byte        // signs what is delivered; empty: nothing is delivered
	VerifyToken string        // for the handshake with CallbackURL
	CallbackURL string        // the app's own callback; empty: only callbacks on this machine are allowed
	Pace        time.Duration // between the statuses of a message; 0 means 200 ms
	Client      *http.Client  // nil means one with a 10 s limit that follows no redirect
}

// Graph stands in for Meta's Graph API: numbers, WABAs, debug_token,
// subscribed_apps with the real handshake, usernames, and sending. It is an http.Handler;
// the version in front of a path is optional. It calls the host of the callback
// it was given and no other.
type Graph struct {
	options GraphOptions

	mu            sync.Mutex
	subscriptions map[string][]subscription // by WABA
	unbooked      map[string]bool           // entries deleted from contact books, by portfolio and BSUID

	window window
	names  ownNames

	deliveries sync.WaitGroup
	stop       chan struct{}
	stopOnce   sync.Once
}

type subscription struct {
	appID, override string
}

// NewGraph returns a Graph with every known number and nothing subscribed.
func NewGraph(options GraphOptions) *Graph {
	if options.Pace == 0 {
		options.Pace = 200 * time.Millisecond
	}
	if options.Client == nil {
		options.Client = &http.Client{
			Timeout:       10 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	return &Graph{options: options, subscriptions: map[string][]subscription{}, unbooked: map[string]bool{}, stop: make(chan struct{})}
}

// Close stops what is still to be delivered and waits for what is under way.
func (g *Graph) Close() {
	g.stopOnce.Do(func() { close(g.stop) })
	g.deliveries.Wait()
}

var version = regexp.MustCompile(`^v[0-9]+\.[0-9]+$`)

const maxRequest = 1 << 20

// ServeHTTP answers one call to the Graph API.
func (g *Graph) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if version.MatchString(parts[0]) {
		parts = parts[1:]
	}
	edge := ""
	if len(parts) == 2 {
		edge = parts[1]
	}

	switch {
	case len(parts) == 0 || len(parts) > 2:
		refuse(w, errUnknownPath)
	case parts[0] == "debug_token" && r.Method == http.MethodGet:
		g.debugToken(w, r)
	case parts[0] == "oauth" && edge == "access_token" && r.Method == http.MethodGet:
		g.exchange(w, r)
	case parts[0] == "sdk.js" && r.Method == http.MethodGet:
		g.sdk(w)
	case parts[0] == "dialog" && edge == "" && r.Method == http.MethodGet:
		g.dialog(w, r)
	case parts[0] == "dialog" && edge == "" && r.Method == http.MethodPost:
		g.decided(w, r)
	case parts[0] == "media" && r.Method == http.MethodGet:
		g.media(w, r, edge)
	case edge == "register" && r.Method == http.MethodPost:
		g.register(w, r, parts[0])
	case edge == "smb_app_data" && r.Method == http.MethodPost:
		g.shareApp(w, r, parts[0])
	case edge == "" && r.Method == http.MethodGet:
		g.node(w, r, parts[0])
	case edge == "phone_numbers" && r.Method == http.MethodGet:
		g.phoneNumbers(w, r, parts[0])
	case edge == "subscribed_apps" && r.Method == http.MethodGet:
		g.listSubscribed(w, r, parts[0])
	case edge == "subscribed_apps" && r.Method == http.MethodPost:
		g.subscribe(w, r, parts[0])
	case edge == "message_templates" && r.Method == http.MethodGet:
		g.templates(w, r, parts[0])
	case edge == "messages" && r.Method == http.MethodPost:
		g.messages(w, r, parts[0])
	case edge == "contact_book" && r.Method == http.MethodDelete:
		g.contactBook(w, r, parts[0])
	case edge == "username" && r.Method == http.MethodGet:
		g.readName(w, r, parts[0])
	case edge == "username" && r.Method == http.MethodPost:
		g.claimName(w, r, parts[0])
	case edge == "username" && r.Method == http.MethodDelete:
		g.deleteName(w, r, parts[0])
	case edge == "username_suggestions" && r.Method == http.MethodGet:
		g.suggestNames(w, r, parts[0])
	default:
		refuse(w, errUnknownPath)
	}
}

func (g *Graph) node(w http.ResponseWriter, r *http.Request, id string) {
	if !allowed(w, r, scopeManage, errPermission) {
		return
	}
	if number, ok := numberByID(id); ok {
		answer(w, describe(number))
		return
	}
	if kind, ok := mediaOf(id); ok {
		g.describeMedia(w, r, id, kind)
		return
	}
	if id == known.Deleted {
		refuse(w, errDeleted)
		return
	}
	if number, ok := numberByWABA(id); ok {
		answer(w, object{
			"id": id, "name": number.WABAName, "account_review_status": "APPROVED",
			"owner_business_info": object{"id": number.PortfolioID, "name": number.PortfolioName},
		})
		return
	}
	refuse(w, errUnknownID)
}

func (g *Graph) phoneNumbers(w http.ResponseWriter, r *http.Request, waba string) {
	if !allowed(w, r, scopeManage, errPermission) {
		return
	}
	if _, ok := numberByWABA(waba); !ok && waba != emptyWABA {
		refuse(w, errUnknownID)
		return
	}
	data := []object{}
	for _, number := range numbers() {
		if number.WABAID == waba {
			data = append(data, describe(number))
		}
	}
	answer(w, object{"data": data, "paging": object{"cursors": object{"before": "MAZDZD", "after": "MQZDZD"}}})
}

func describe(number Number) object {
	return object{
		"id": number.PhoneNumberID, "display_phone_number": "+" + number.DisplayPhone[:1] + " " + number.DisplayPhone[1:],
		"verified_name": number.VerifiedName, "quality_rating": "GREEN", "status": "CONNECTED", "platform_type": "CLOUD_API",
		"code_verification_status": "VERIFIED", "name_status": "APPROVED", "account_mode": "LIVE", "is_on_biz_app": inApp(number),
	}
}

// debugToken takes any app token of the form "<app id>|<app secret>" and calls the
// token its own: the sandbox has tokens for every app.
func (g *Graph) debugToken(w http.ResponseWriter, r *http.Request) {
	appID, secret, isApp := strings.Cut(bearer(r), "|")
	if !isApp || appID == "" || secret == "" {
		token, ok := tokenByValue(bearer(r))
		if !ok || token.State == TokenExpired {
			refuse(w, errBadToken)
			return
		}
		appID = known.AppID
	}

	token, ok := tokenByValue(r.URL.Query().Get("input_token"))
	if !ok {
		answer(w, object{"data": object{
			"is_valid": false, "scopes": []string{},
			"error": object{"code": 190, "message": "The access token could not be decrypted"},
		}})
		return
	}
	data := object{
		"app_id": appID, "application": "Sandbox", "type": "SYSTEM_USER", "is_valid": true,
		"expires_at": 0, "data_access_expires_at": 0, "scopes": token.Scopes,
	}
	targets := wabas()
	if waba, ends, ok := madeFor(token.Token); ok {
		targets, data["expires_at"] = []string{waba}, ends.Unix()
	}
	var granular []object
	for _, scope := range token.Scopes {
		if scope == scopeManage || scope == scopeSend {
			granular = append(granular, object{"scope": scope, "target_ids": targets})
		}
	}
	if granular != nil {
		data["granular_scopes"] = granular
	}
	if token.State == TokenExpired {
		data["is_valid"] = false
		if data["expires_at"] == 0 {
			data["expires_at"] = expiredAt.Unix()
		}
		data["error"] = object{"code": 190, "subcode": 463, "message": errExpired.Message}
	}
	answer(w, object{"data": data})
}

func bearer(r *http.Request) string {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return token
	}
	return r.URL.Query().Get("access_token")
}

// allowed answers with an error and false unless the call's token is good for scope.
func allowed(w http.ResponseWriter, r *http.Request, scope string, missing graphError) bool {
	token, ok := tokenByValue(bearer(r))
	switch {
	case !ok:
		refuse(w, errBadToken)
	case token.State == TokenExpired:
		refuse(w, errExpired)
	case !slices.Contains(token.Scopes, scope):
		refuse(w, missing)
	default:
		return true
	}
	return false
}

func tokenByValue(value string) (Token, bool) {
	given := fingerprint(value)
	if token, ok := businessToken(value); ok {
		return token, true
	}
	for _, token := range known.Tokens {
		if fingerprint(token.Token) == given {
			return token, true
		}
	}
	return Token{}, false
}

func fingerprint(value string) string {
	sum := sha256.Sum256([]byte(value))
	return hex.EncodeToString(sum[:])
}

func numberByID(id string) (Number, bool) {
	all := numbers()
	at := slices.IndexFunc(all, func(n Number) bool { return n.PhoneNumberID == id })
	if at < 0 {
		return Number{}, false
	}
	return all[at], true
}

func numberByWABA(id string) (Number, bool) {
	all := numbers()
	at := slices.IndexFunc(all, func(n Number) bool { return n.WABAID == id })
	if at < 0 {
		return Number{}, false
	}
	return all[at], true
}

func wabas() []string {
	var ids []string
	for _, number := range known.Numbers {
		if !slices.Contains(ids, number.WABAID) {
			ids = append(ids, number.WABAID)
		}
	}
	return ids
}

func answer(w http.ResponseWriter, body object) { write(w, http.StatusOK, body) }

func write(w http.ResponseWriter, code int, body object) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(code)
	w.Write(encode(body)) //nolint:errcheck // fails when the caller has gone; nobody is left to tell
}

func read(w http.ResponseWriter, r *http.Request, into any) bool {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil || len(body) > 0 && json.Unmarshal(body, into) != nil {
		refuse(w, errParameter("The request body is not valid JSON."))
		return false
	}
	return true
}
