// Package ingest takes webhook deliveries and loses none of them. A Receiver stores the bytes before they are acknowledged;
// a Worker splits them into items, routes each to the tenant whose number it names, and runs each tenant's lane, where items
// become contacts and messages in arrival order. What nobody can take is held for an operator or set aside with its reason.
//
// Items and the counters of them move in one transaction, so that received = routed + held + set aside + waiting always.
package ingest

// The states of an item.
const (
	Waiting  = "waiting"   // in its tenant's lane
	Routed   = "routed"    // all it causes is visible
	Held     = "held"      // at the platform, until a tenant connects its number
	SetAside = "set_aside" // cannot be processed; see its reason
)

// The reasons of an item's state. Besides these, an item set aside carries the code of whatsapp.Split or whatsapp.ParseEvent.
const (
	UnknownNumber    = "unknown_number"    // held: no tenant has connected this number
	WrongApp         = "wrong_app"         // held: signed by another app than the number's
	Unparsable       = "unparsable"        // set aside: the whole delivery is no webhook we can cut
	MissingNumber    = "missing_number"    // set aside: a message that names no number of its tenant
	ProcessingFailed = "processing_failed" // set aside: failed by itself three times
	Test             = "test"              // routed: the test button of Meta's dashboard
	SplitAgain       = "split_again"       // routed: unparsable once, taken apart in a replay
	Expired          = "expired"           // routed: older than its tenant keeps what WhatsApp sent; its bytes are gone
	Erased           = "erased"            // routed: of somebody who was erased; its bytes are gone
)
