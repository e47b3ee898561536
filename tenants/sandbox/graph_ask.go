package sandbox

import (
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// What a customer of the sandbox does when asked for the number. Each always does the same.
const (
	AnswerTaps   = "taps"   // the button: WhatsApp sends their card with their own number
	AnswerTypes  = "types"  // writes the number by hand
	AnswerCard   = "card"   // shares somebody's card by hand
	AnswerSilent = "silent" // says nothing, of which nothing is told
)

// AnswerOf is what the holder of a phone does when asked for it.
func AnswerOf(phone string) string {
	sum := fnv.New32a()
	sum.Write([]byte(phone))
	return []string{AnswerTaps, AnswerTypes, AnswerTaps, AnswerCard, AnswerTaps, AnswerSilent}[sum.Sum32()%6]
}

// interactive is a message with something to press. The sandbox knows the one that asks for the phone number. Source: domain facts 6.
type interactive struct {
	Type string `json:"type"`
	Body struct {
		Text string `json:"text"`
	} `json:"body"`
	Action struct {
		Name string `json:"name"`
	} `json:"action"`
}

func (i *interactive) problem() string {
	switch {
	case i == nil || i.Type != whatsapp.AskType:
		return "The sandbox sends interactive messages of type request_contact_info only."
	case i.Body.Text == "":
		return "The parameter interactive['body']['text'] is required."
	case i.Action.Name != whatsapp.AskType:
		return "Param interactive['action']['name'] must be request_contact_info."
	}
	return ""
}

// asks tells whether a message has the button that shares a phone number.
func (m outgoing) asks() bool {
	return m.Type == "interactive" || m.Type == "template" && m.Template.asks()
}

// asking has the button that shares a phone number. Source: domain facts 6.
func asking(name, language, body string) object {
	t := written(name, language, "UTILITY", "APPROVED", body)
	parts, _ := t["components"].([]object)
	t["components"] = append(parts, object{"type": "BUTTONS", "buttons": []object{{"type": whatsapp.AskButton}}})
	return t
}

func (t template) asks() bool {
	at := slices.IndexFunc(templates, func(o object) bool { return o["name"] == t.Name && o["language"] == t.Language.Code })
	if at < 0 {
		return false
	}
	parts, _ := templates[at]["components"].([]object)
	return slices.ContainsFunc(parts, func(part object) bool {
		buttons, _ := part["buttons"].([]object)
		return slices.ContainsFunc(buttons, func(b object) bool { return b["type"] == whatsapp.AskButton })
	})
}

// answered is what the customer says to a question for the number; ok is false for nothing.
func answered(number Number, bsuid string, at time.Time) (it item, ok bool) {
	phone := phoneOf(number.PortfolioID, bsuid)
	if phone == "" {
		return item{}, false
	}
	own := object{"phone": "+91 " + national(phone), "wa_id": phone, "type": "MOBILE"}
	kind, content := "contacts", any([]object{{"origin": whatsapp.OriginRequest, "phones": []object{own}}})
	switch AnswerOf(phone) {
	case AnswerTypes:
		kind, content = "text", text("Mera number "+national(phone))
	case AnswerCard:
		content = []object{{"origin": "other", "name": object{"formatted_name": "Ghar", "first_name": "Ghar"}, "phones": []object{own}, "vcard": "BEGIN:VCARD\nVERSION:3.0\nFN:Ghar\nEND:VCARD"}}
	case AnswerSilent:
		return item{}, false
	}
	return inbound(number, profile{bsuid: bsuid}, newWAMID(), at, kind, content), true
}

// phoneOf finds the phone of an id, which only who made both can: all phones of the sandbox lie in one small block.
func phoneOf(portfolioID, bsuid string) string {
	for n := range phoneBlock {
		if phone := fmt.Sprintf("9198000%05d", n); BSUID(portfolioID, phone) == bsuid {
			return phone
		}
	}
	return ""
}
