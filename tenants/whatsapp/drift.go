package whatsapp

import (
	"slices"
	"strings"
)

// What WhatsApp sends and nobody has documented is read as far as it can be, kept
// in the stored bytes, and named in a warning, so that it is noticed.

// Keys Meta documents on items, by kind. Source: domain facts 3.2 to 3.11.
var (
	messageKeys = []string{
		"from", "from_user_id", "from_parent_user_id", "group_id", "id", "timestamp", "type",
		"context", "referral", "errors", "identity", "to", "to_user_id", "to_parent_user_id", "history_context",
	}
	statusKeys = []string{
		"id", "status", "timestamp", "type", "recipient_id", "recipient_user_id", "recipient_parent_user_id",
		"parent_recipient_user_id", "recipient_type", "recipient_identity_key_hash", "recipient_participant_id",
		"recipient_participant_user_id", "recipient_participant_parent_user_id", "biz_opaque_callback_data",
		"template_id", "conversation", "pricing", "errors", "payment",
	}
	preferenceKeys = []string{"wa_id", "user_id", "parent_user_id", "detail", "category", "value", "timestamp", "signup_id"}
	syncKeys       = []string{"type", "contact", "action", "metadata"}
	callKeys       = []string{
		"id", "event", "timestamp", "direction", "from", "from_user_id", "from_parent_user_id", "to", "to_user_id", "to_parent_user_id",
		"session", "connection", "status", "start_time", "end_time", "duration", "biz_opaque_callback_data", "type", "errors",
		"recipient_id", "recipient_user_id", "recipient_parent_user_id", "deeplink_payload", "cta_payload",
	}
	usernameKeys = []string{"display_phone_number", "username", "status", "context"}
	errorKeys    = []string{"code", "title", "message", "error_data", "href"}
)

// Words Meta documents where a kind says what it is about.
var (
	messageTypes = []string{
		"text", "image", "video", "audio", "document", "sticker", "location", "contacts", "interactive", "button", "order", "reaction",
		"unsupported", "edit", "revoke", "template", "request_welcome", "media_placeholder",
	}
	systemTypes = []string{
		"user_changed_number", "user_changed_user_id", "customer_changed_number", "user_identity_changed", "customer_identity_changed",
	}
	statusTypes     = []string{"sent", "delivered", "read", "played", "failed"}
	callTypes       = []string{"connect", "terminate", "call"}
	preferenceTypes = []string{"stop", "resume"}
	syncTypes       = []string{"add", "edit", "remove"}
	usernameTypes   = []string{"reserved", "approved", "deleted"}
)

// valueKeys are what stands beside the items of every field that is taken apart.
var valueKeys = []string{"messaging_product", "metadata", "contacts", "history"}

const (
	maxUnknownKeys = 8
	maxOddName     = 64
)

func (e *envelope) warnUnknown(known []string) {
	e.warnKeys("", e.item, known)
}

func (e *envelope) warnBeside(beside fields) {
	e.warnKeys("value.", beside, nil)
}

func (e *envelope) warnKeys(prefix string, it fields, known []string) {
	var unknown []string
	for key := range it {
		if (prefix != "" || key != e.Type) && !slices.Contains(known, key) {
			unknown = append(unknown, "unknown_key:"+prefix+oddName(key))
		}
	}
	slices.Sort(unknown)
	e.Warnings = append(e.Warnings, unknown[:min(len(unknown), maxUnknownKeys)]...)
}

// expect warns of a word that is none of those known.
func (e *envelope) expect(word string, known []string) {
	if !slices.Contains(known, word) {
		e.warn("unknown_type:" + oddName(word))
	}
}

func oddName(s string) string {
	return truncate(strings.ToValidUTF8(clean(s), "\uFFFD"), maxOddName)
}
