package sandbox

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// outgoing is the body of a send, as far as the sandbox reads it.
type outgoing struct {
	Product   string `json:"messaging_product"`
	To        string `json:"to"`
	Recipient string `json:"recipient"`
	Type      string `json:"type"`
	Tag       string `json:"biz_opaque_callback_data"`
	Text      struct {
		Body string `json:"body"`
	} `json:"text"`
	Interactive *interactive `json:"interactive"`
	Template    template     `json:"template"`
}

func (g *Graph) messages(w http.ResponseWriter, r *http.Request, phoneNumberID string) {
	if !allowed(w, r, scopeSend, errNotGranted) {
		return
	}
	number, ok := numberByID(phoneNumberID)
	switch {
	case phoneNumberID == known.Deleted:
		refuse(w, errDeleted)
		return
	case !ok:
		refuse(w, errUnknownID)
		return
	}
	var message outgoing
	if !read(w, r, &message) {
		return
	}
	if problem := message.problem(); problem != "" {
		refuse(w, errParameter(problem))
		return
	}
	if message.Type == "template" {
		if refused := message.Template.refusal(message.To == ""); refused != nil {
			refuse(w, *refused)
			return
		}
	}

	wamid := newWAMID()
	contact, to := object{"input": message.Recipient, "user_id": message.Recipient}, profile{}
	if whatsapp.IsBSUID(message.Recipient) {
		to.bsuid = message.Recipient
	}
	if message.To != "" {
		contact, to = object{"input": message.To, "wa_id": message.To}, profile{}
		// Meta takes a BSUID here with a 200 and then drops it without a word, so
		// nothing more is heard of it.
		if phone, ok := whatsapp.Phone(message.To); ok {
			to = profile{phone: phone, bsuid: BSUID(number.PortfolioID, phone)}
			contact["wa_id"] = phone
		}
	}
	answer(w, object{
		"messaging_product": "whatsapp", "contacts": []object{contact}, "messages": []object{{"id": wamid}},
	})
	if to.bsuid != "" {
		g.report(number, to, wamid, message)
	}
}

func (m outgoing) problem() string {
	switch {
	case m.Product != "whatsapp":
		return "The parameter messaging_product is required."
	case m.To == "" && m.Recipient == "":
		return "The parameter to or recipient is required."
	case m.To == "" && !whatsapp.IsBSUID(m.Recipient) && !whatsapp.IsParentBSUID(m.Recipient):
		return "Param recipient is not a valid business-scoped user id."
	case m.Type == "template" && (m.Template.Name == "" || m.Template.Language.Code == ""):
		return "The parameters template['name'] and template['language'] are required."
	case m.Type == "template":
		return ""
	case m.Type == "interactive":
		return m.Interactive.problem()
	case m.Type != "" && m.Type != "text":
		return "The sandbox sends messages of type text, interactive and template only."
	case m.Text.Body == "":
		return "The parameter text['body'] is required."
	case utf8.RuneCountInString(m.Text.Body) > whatsapp.MaxTextRunes:
		return "Param text['body'] must be at most 4096 characters long."
	}
	return ""
}

// report posts the sent and delivered statuses of a message to the callback, and what a customer says who is asked for the number.
func (g *Graph) report(number Number, to profile, wamid string, message outgoing) {
	callback := g.callbackOf(number.WABAID)
	if callback == "" || len(g.options.AppSecret) == 0 {
		return
	}
	g.deliveries.Go(func() {
		for _, state := range []string{"sent", "delivered"} {
			select {
			case <-g.stop:
				return
			case <-time.After(g.options.Pace):
			}
			said := status(number, to, wamid, time.Now(), state, message.To != "")
			set(said.body, "biz_opaque_callback_data", message.Tag)
			g.deliver(callback, pack(said))
		}
		if !message.asks() {
			return
		}
		select {
		case <-g.stop:
			return
		case <-time.After(answerPaces * g.options.Pace):
		}
		if said, ok := answered(number, to.bsuid, time.Now()); ok {
			g.deliver(callback, pack(said))
		}
	})
}

// answerPaces is how many paces a customer takes to answer.
const answerPaces = 10

func (g *Graph) callbackOf(waba string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, s := range g.subscriptions[waba] {
		if s.override != "" {
			return s.override
		}
	}
	return g.options.CallbackURL
}

const deliveryTries = 5

// deliver posts one body and tries again, as Meta does where the answer is not 200.
func (g *Graph) deliver(callback string, body []byte) {
	for try := range deliveryTries {
		code, err := Send(context.Background(), g.options.Client, callback, g.options.AppSecret, body)
		if err == nil && code == http.StatusOK {
			return
		}
		select {
		case <-g.stop:
			return
		case <-time.After(g.options.Pace << try):
		}
	}
}

func newWAMID() string {
	random := make([]byte, 27)
	rand.Read(random)
	return "wamid." + base64.StdEncoding.EncodeToString(random)
}
