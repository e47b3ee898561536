package sandbox

import (
	"net/http"
	"regexp"
	"strings"
)

// template is a template as a send names it.
type template struct {
	Name     string `json:"name"`
	Language struct {
		Code string `json:"code"`
	} `json:"language"`
	Components []struct {
		Type       string `json:"type"`
		Parameters []struct {
			Text string `json:"text"`
		} `json:"parameters"`
	} `json:"components"`
}

// templates are what every WABA of the sandbox has, in the shape in which Graph lists them.
var templates = []object{
	written("order_ready", "en", "UTILITY", "APPROVED", "Hello {{1}}, your order {{2}} is ready. You can collect it until {{3}}."),
	written("order_ready", "hi", "UTILITY", "APPROVED", "नमस्ते {{1}}, आपका ऑर्डर {{2}} तैयार है। आप इसे {{3}} तक ले जा सकते हैं।"),
	written("we_called", "en", "UTILITY", "APPROVED", "Hello, you wrote to us and we would like to answer. Please reply to this message."),
	written("we_called", "hi", "UTILITY", "APPROVED", "नमस्ते, आपने हमें लिखा था और हम जवाब देना चाहते हैं। कृपया इस संदेश का जवाब दें।"),
	written("festival_offer", "en", "MARKETING", "APPROVED", "Dear {{1}}, this week everything is {{2}} cheaper. Reply STOP to hear no more offers."),
	written("festival_offer", "hi", "MARKETING", "APPROVED", "प्रिय {{1}}, इस हफ़्ते सब कुछ {{2}} सस्ता है। ऑफ़र बंद करने के लिए STOP लिखें।"),
	written("new_price_list", "en", "MARKETING", "PENDING", "Our new prices: {{1}}."),
	asking("your_number", "en", "You wrote to us, and we would like to help you further. May we have your phone number, so that we open the right record? It is your choice."),
	asking("your_number", "hi", "आपने हमें लिखा था और हम आगे मदद करना चाहते हैं। क्या हमें आपका फ़ोन नंबर मिल सकता है, ताकि हम सही खाता खोलें? यह आपकी मर्ज़ी है।"),
	{
		"id": "900000000000008", "name": "sign_in_code", "language": "en", "category": "AUTHENTICATION", "status": "APPROVED", "parameter_format": "POSITIONAL",
		"components": []object{
			{"type": "BODY", "text": "*{{1}}* is your verification code."},
			{"type": "BUTTONS", "buttons": []object{{"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy code"}}},
		},
	},
}

func written(name, language, category, status, body string) object {
	return object{
		"id": "9" + digitsOf(name + language)[:14], "name": name, "language": language, "category": category, "status": status,
		"parameter_format": "POSITIONAL", "components": []object{{"type": "BODY", "text": body}},
	}
}

func (g *Graph) templates(w http.ResponseWriter, r *http.Request, waba string) {
	if !allowed(w, r, scopeManage, errPermission) {
		return
	}
	if _, ok := numberByWABA(waba); !ok {
		refuse(w, errUnknownID)
		return
	}
	answer(w, object{"data": templates, "paging": object{"cursors": object{"before": "MAZDZD", "after": "MQZDZD"}}})
}

var placeholder = regexp.MustCompile(`\{\{[^{}]+\}\}`)

// refusal is why a template cannot be sent: it is not there or not approved, its variables do not fit, or it is a one-time code for
// somebody whose phone is not known. Source of the last: domain facts 5.1.
func (t template) refusal(toID bool) *graphError {
	for _, known := range templates {
		if known["name"] != t.Name || known["language"] != t.Language.Code || known["status"] != "APPROVED" {
			continue
		}
		if known["category"] == "AUTHENTICATION" && toID {
			return &errNeedsPhone
		}
		want, got := 0, 0
		parts, _ := known["components"].([]object)
		for _, c := range parts {
			if text, ok := c["text"].(string); ok && c["type"] == "BODY" {
				want = len(placeholder.FindAllString(text, -1))
			}
		}
		for _, c := range t.Components {
			if strings.EqualFold(c.Type, "body") {
				got = len(c.Parameters)
			}
		}
		if got != want {
			refused := errParameter("The number of template parameters does not match the template.")
			return &refused
		}
		return nil
	}
	refused := errParameter("There is no approved template of this name and language.")
	return &refused
}
