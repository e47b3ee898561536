package whatsapp

import (
	"fmt"
	"strconv"
	"strings"
)

// maxParts bounds lists inside one message: cards, phones of a card, errors.
const maxParts = 50

// OriginRequest is the origin of a card that somebody shared by tapping the button
// that asks for it. Source: domain facts 6.
const OriginRequest = "contact_request"

// Card is one contact card in a message. Only OriginRequest says that it is the
// sender's own: anybody can share anybody's card by hand. Source: domain facts 6.
type Card struct {
	Origin   string // OriginRequest, "other" or "" in older payloads
	Name     string
	Phones   []CardPhone
	HasVCard bool
}

// CardPhone is one phone on a card. Phone is the canonical key of WaID, or of Raw
// where that is a full international number; "" where neither is one.
type CardPhone struct {
	Phone, Raw, WaID, Type string
}

func (e *envelope) message() error {
	it := e.item
	if e.WAMID == "" {
		return fmt.Errorf("missing_wamid: message without id")
	}
	e.Type = truncate(first(it.text("type"), "unknown"), maxName)
	e.expect(e.Type, messageTypes)
	e.GroupID = truncate(it.text("group_id"), maxID)
	e.ContextID = truncate(it.object("context").text("id"), maxID)
	e.ClickID = truncate(it.object("referral").text("ctwa_clid"), maxID)
	e.Errors = statusErrors(it)
	e.Content = e.content(it[e.Type])
	e.Text = textOf(e.Type, it)
	if e.Type == "contacts" {
		e.Cards = cards(it.list("contacts"))
	}

	own := it.object(e.Type)
	switch e.Type {
	case "reaction":
		e.TargetID = truncate(own.text("message_id"), maxID)
	case "edit", "revoke":
		e.TargetID = truncate(own.text("original_message_id"), maxID)
	}

	e.warnUnknown(messageKeys)
	e.author()
	if e.Kind == KindHistory && e.Direction == DirectionOut {
		e.Status = historyStatuses[it.object("history_context").text("status")]
	}
	return nil
}

// historyStatuses are what past messages of ours had come to when the history was
// shared, in the words of statuses. One still pending has come to nothing.
var historyStatuses = map[string]string{
	"SENT": "sent", "DELIVERED": "delivered", "READ": "read", "PLAYED": "played", "ERROR": "failed",
}

// author fills in who the customer of a message is. An echo went to them; in a
// history thread they are its owner, whoever wrote.
func (e *envelope) author() {
	it := e.item
	display := Digits(e.metadata.text("display_phone_number"))
	byBusiness := it.has("to") || it.has("to_user_id") || display != "" && it.text("from") == display
	if e.Kind == KindEcho || e.Kind == KindHistory && byBusiness {
		e.Direction = DirectionOut
		e.owner(it.text("to"), it.text("to_user_id"), it.text("to_parent_user_id"))
		return
	}
	e.Direction = DirectionIn
	e.owner(it.text("from"), it.text("from_user_id"), it.text("from_parent_user_id"))
}

func (e *envelope) owner(phone, bsuid, parent string) {
	context := e.thread.object("context")
	if len(context) > 0 || e.thread.has("id") {
		phone = first(phone, context.text("wa_id"), e.thread.text("id"))
		bsuid = first(bsuid, context.text("user_id"))
		parent = first(parent, context.text("parent_user_id"))
	}
	e.party(phone, bsuid, parent)
	if e.Party.Username == "" {
		e.username(context.text("username"))
	}
}

// textOf is what a person reads of a message of this type; "" where there is
// nothing to read.
func textOf(kind string, it fields) string {
	own := it.object(kind)
	switch kind {
	case "text":
		return own.text("body")
	case "button":
		return own.text("text")
	case "interactive":
		reply := own.object(own.text("type"))
		return first(reply.text("title"), reply.text("body"), reply.text("response"))
	case "location":
		if place := joined(", ", own.text("name"), own.text("address")); place != "" {
			return place
		}
		return joined(", ", own.text("latitude"), own.text("longitude"))
	case "order":
		return order(own)
	case "contacts":
		var names []string
		for _, card := range cards(it.list("contacts")) {
			names = append(names, card.Name)
		}
		return clean(joined(", ", names...))
	case "reaction":
		return own.text("emoji")
	case "edit":
		inner := own.object("message")
		if kind := inner.text("type"); kind != "edit" {
			return textOf(kind, inner)
		}
		return ""
	}
	return first(own.text("caption"), own.text("filename"))
}

func order(own fields) string {
	count := 0
	for _, product := range own.list("product_items") {
		if quantity := product.integer("quantity"); quantity > 0 && count+quantity < 1_000_000 {
			count += quantity
		}
	}
	summary := strconv.Itoa(count) + " items"
	if count == 1 {
		summary = "1 item"
	}
	return clean(joined(", ", own.text("text"), summary))
}

// ReadCards reads the cards of a message of type contacts from its Content; none
// where that is not what it is.
func ReadCards(content string) []Card {
	return cards(fields{"contacts": []byte(content)}.list("contacts"))
}

func cards(raw []fields) []Card {
	var all []Card
	for _, contact := range raw[:min(len(raw), maxParts)] {
		name := contact.object("name")
		card := Card{
			Origin: truncate(contact.text("origin"), maxName),
			Name: truncate(first(name.text("formatted_name"),
				joined(" ", name.text("first_name"), name.text("last_name"))), maxName),
			HasVCard: contact.has("vcard"),
		}
		phones := contact.list("phones")
		for _, p := range phones[:min(len(phones), maxParts)] {
			phone := CardPhone{
				Raw:  truncate(p.text("phone"), maxName),
				WaID: truncate(p.text("wa_id"), maxName),
				Type: truncate(p.text("type"), maxName),
			}
			var ok bool
			if phone.Phone, ok = Phone(phone.WaID); !ok && strings.HasPrefix(phone.Raw, "+") {
				phone.Phone, _ = TypedPhone(phone.Raw, "")
			}
			card.Phones = append(card.Phones, phone)
		}
		all = append(all, card)
	}
	return all
}

func joined(separator string, parts ...string) string {
	var kept []string
	for _, part := range parts {
		if part != "" {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, separator)
}
