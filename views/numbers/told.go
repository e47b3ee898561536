package numbers

import (
	"context"
	"strings"
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
)

// Told is one thing WhatsApp said about a number or its whole account.
type Told struct {
	Field   string // the webhook field, business_username_updates or errors
	Event   string // in WhatsApp's word
	At      time.Time
	Facts   map[string]string // plain members by dotted path
	Account bool              // about the whole account, not this number alone
}

// OwnUsername is a number's own username, empty for none.
type OwnUsername struct {
	Name  string
	State string // reserved or approved
}

// good are the words by which WhatsApp says that something went well.
var good = map[string]bool{
	"approved": true, "APPROVED": true, "PARTNER_APP_INSTALLED": true, "PARTNER_ADDED": true, "ACCOUNT_RECONNECTED": true, "UPGRADE": true, "UNFLAGGED": true,
}

func (n Told) tone() components.Tone {
	switch {
	case n.Field == "errors" && n.Event != "2593109", n.Field == "access_token", n.Field == "silence", n.Field == "app_secret", n.Field == "set_aside", n.Field == "forward", n.Field == "account_update" && !good[n.Event] && i18n.Known("told.account_"+strings.ToLower(n.Event)):
		return components.Bad
	case good[n.Event]:
		return components.Good
	}
	return components.Neutral
}

func (n Told) icon() string {
	switch {
	case n.tone() == components.Bad:
		return "triangle-alert"
	case n.Field == "business_username_updates":
		return "at-sign"
	}
	return "info"
}

// text is what WhatsApp said in words; what we have no words for, in WhatsApp's.
func (n Told) text(ctx context.Context) string {
	event := strings.ToLower(n.Event)
	switch n.Field {
	case "business_username_updates":
		if key := "told.username_" + event + "_" + n.Facts["context"]; n.Facts["context"] != "" && i18n.Known(key) {
			return i18n.T(ctx, key, "name", n.Facts["username"])
		}
		if i18n.Known("told.username_" + event) {
			return i18n.T(ctx, "told.username_"+event, "name", n.Facts["username"])
		}
	case "errors":
		if i18n.Known("told.error_" + event) {
			return i18n.T(ctx, "told.error_"+event)
		}
		return i18n.T(ctx, "told.error", "title", n.Facts["title"], "code", n.Event)
	case "account_update":
		if n.Facts["ban_info.waba_ban_state"] == "REINSTATE" {
			return i18n.T(ctx, "told.account_reinstated")
		}
		if i18n.Known("told.account_" + event) {
			return i18n.T(ctx, "told.account_"+event)
		}
	case "phone_number_name_update":
		if i18n.Known("told.name_" + event) {
			return i18n.T(ctx, "told.name_"+event, "name", n.Facts["requested_verified_name"])
		}
	case "phone_number_quality_update":
		return i18n.T(ctx, "told.quality", "event", n.Event, "limit", n.Facts["current_limit"])
	case "message_template_status_update":
		if key := "told.template_" + event; event != "other" && i18n.Known(key) {
			return i18n.T(ctx, key, "name", n.Facts["message_template_name"])
		}
		return i18n.T(ctx, "told.template_other", "name", n.Facts["message_template_name"], "event", n.Event)
	case "access_token":
		return n.token(ctx)
	case "silence":
		return i18n.T(ctx, "told.silence", "hours", n.Facts["hours"])
	case "app_secret":
		return i18n.T(ctx, "told.app_secret")
	case "set_aside":
		return i18n.T(ctx, "told.set_aside", "count", n.Facts["count"])
	case "forward":
		return i18n.T(ctx, "told.forward_"+n.Event, "host", n.Facts["host"])
	case "account_alerts":
		return i18n.T(ctx, "told.alert", "event", n.Event)
	}
	return i18n.T(ctx, "told.other", "field", n.Field, "event", n.Event)
}

// token is what WhatsApp said, when asked, of the number's access token.
func (n Told) token(ctx context.Context) string {
	ends, err := time.Parse(time.RFC3339, n.Facts["expires"])
	if n.Event == "expiring" && err == nil {
		return i18n.T(ctx, "told.token_expiring", "date", i18n.Date(ctx, ends))
	}
	if n.Event == "expired" {
		return i18n.T(ctx, "told.token_expired")
	}
	return i18n.T(ctx, "told.token_refused")
}

// more is why, or until when, where WhatsApp said so.
func (n Told) more(ctx context.Context) string {
	if key := "told.why_" + strings.ToLower(n.Facts["disconnection_info.reason"]); i18n.Known(key) {
		return i18n.T(ctx, key)
	}
	if date := n.Facts["ban_info.waba_ban_date"]; date != "" {
		return i18n.T(ctx, "told.ban_date", "date", date)
	}
	return ""
}

// Drift is something WhatsApp sends that is in no documentation.
type Drift struct {
	Field, What string
	First, Last time.Time
	Times       int64
	Tenants     int    // businesses it came to
	Sample      string // its shape, nothing of a customer
}
