package identity

import (
	"strings"
	"unicode"

	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// stopWords are the messages that mean, when nothing else is said, that somebody wants no more advertising, or wants it again. There are
// fewer words for again: whoever only might mean it has not said so.
var stopWords = map[string]string{
	"stop": Stop, "stop all": Stop, "stop promotions": Stop, "stop messages": Stop, "unsubscribe": Stop, "opt out": Stop, "opt-out": Stop, "optout": Stop,
	"रोकें": Stop, "रोको": Stop, "रोक दें": Stop, "रोक दो": Stop, "बंद करें": Stop, "बंद करो": Stop, "बंद कर दें": Stop, "बंद कर दो": Stop, "बन्द करें": Stop, "बन्द करो": Stop,
	"स्टॉप": Stop, "band karo": Stop, "band karen": Stop, "band karein": Stop,
	"start": Resume, "unstop": Resume, "subscribe": Resume, "opt in": Resume, "opt-in": Resume,
	"चालू करें": Resume, "चालू करो": Resume, "शुरू करें": Resume, "शुरू करो": Resume, "शुरु करें": Resume, "शुरु करो": Resume, "स्टार्ट": Resume,
}

// wordOf is what a message of a customer says about advertising: Stop or Resume where its whole text is one of the words, else "". Case,
// blanks and what stands around the words do not matter; a question mark does. What was said in a group, or stands under a picture, was
// not said to the business.
func wordOf(e whatsapp.Event) string {
	if e.Kind != whatsapp.KindMessage || e.Direction != whatsapp.DirectionIn || e.GroupID != "" || e.TargetID != "" {
		return ""
	}
	switch e.Type {
	case "text", "button", "interactive":
	default:
		return ""
	}
	if len(e.Text) > 100 { // no word is as long
		return ""
	}
	text := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) || r == '\uFE0F' { // joins and marks that nobody sees
			return -1
		}
		return unicode.ToLower(r)
	}, e.Text)
	text = strings.TrimFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || r != '?' && (unicode.IsPunct(r) || unicode.IsSymbol(r))
	})

	return stopWords[strings.Join(strings.Fields(text), " ")]
}
