package sandbox

import (
	"bytes"
	_ "embed"
	html "html/template"
	"net/http"
	"slices"
	"time"
)

//go:embed sdk.js
var sdkSource []byte

//go:embed window.html
var windowSource string

var windowPage = html.Must(html.New("window").Parse(windowSource))

// SDKPath is where the sandbox serves its stand-in for Meta's JavaScript SDK.
const SDKPath = "/sdk.js"

// featureApp is what the launcher asks for to keep a number in the Business app. Source: domain facts 10.4.
const featureApp = "whatsapp_business_app_onboarding"

// sdk is the stand-in for Meta's JavaScript SDK.
func (g *Graph) sdk(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	w.Write(sdkSource) //nolint:errcheck // fails when the caller has gone
}

// windowData is a state of the window: to be decided in, or Told and about to close.
type windowData struct {
	Opener, Feature string
	Numbers         []Number
	App             bool
	Told            string // JSON for the opener, "" while nothing is decided
	Code            string
}

func (g *Graph) dialog(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	d := windowData{Opener: query.Get("opener"), Feature: query.Get("feature"), App: query.Get("feature") == featureApp}
	for _, n := range signupNumbers {
		if inApp(n) == d.App {
			d.Numbers = append(d.Numbers, n)
		}
	}
	show(w, d)
}

// decided is what somebody chose in the window: the session event for the opener and, where there is one, the code.
func (g *Graph) decided(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form cannot be read", http.StatusBadRequest)
		return
	}
	at := slices.IndexFunc(signupNumbers, func(n Number) bool { return n.PhoneNumberID == r.PostForm.Get("number") })
	if at < 0 {
		http.Error(w, "no such number", http.StatusBadRequest)
		return
	}
	number, d := signupNumbers[at], windowData{Opener: r.PostForm.Get("opener"), Feature: r.PostForm.Get("feature")}
	finish := object{"phone_number_id": number.PhoneNumberID, "waba_id": number.WABAID, "business_id": number.PortfolioID}
	event := "FINISH"
	if d.Feature == featureApp {
		event, finish = "FINISH_WHATSAPP_BUSINESS_APP_ONBOARDING", object{"waba_id": number.WABAID}
	}
	switch r.PostForm.Get("outcome") {
	case "late":
		d.Code = g.newCode(number.WABAID, codeLife+time.Second, false)
	case "used":
		d.Code = g.newCode(number.WABAID, 0, true)
	case "account":
		event, finish = "FINISH_ONLY_WABA", object{"waba_id": emptyWABA}
		d.Code = g.newCode(emptyWABA, 0, false)
	case "silent":
		event, finish = "", nil
		d.Code = g.newCode(number.WABAID, 0, false)
	case "cancel":
		event, finish = "CANCEL", object{"current_step": "PHONE_NUMBER_SETUP"}
	case "error":
		event = "ERROR"
		finish = object{
			"error_message": "This number is registered to an existing WhatsApp account.", "error_code": "524126",
			"session_id": "sandbox-session", "timestamp": seconds(time.Now()),
		}
	default:
		d.Code = g.newCode(number.WABAID, 0, false)
	}
	told := "{}"
	if event != "" {
		told = string(encode(object{"type": "WA_EMBEDDED_SIGNUP", "event": event, "data": finish, "version": "3"}))
	}
	d.Told = told
	show(w, d)
}

func show(w http.ResponseWriter, d windowData) {
	var page bytes.Buffer
	if err := windowPage.Execute(&page, d); err != nil {
		http.Error(w, "the window cannot be shown", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(page.Bytes()) //nolint:errcheck // fails when the caller has gone
}
